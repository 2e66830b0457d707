"""The map in boxes: one for each group of services, and the map inside of one (docs/console-api.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from copy import copy
from functools import partial

import networkx as nx

from api.console.counted_graph import CountedGraph
from api.console.map_json import times
from api.context import Context, Thresholds
from api.errors import ApiError
from api.graph.build import node_id
from api.graph.groups import (
    MOST_APART,
    OTHERS,
    Arrivals,
    Box,
    Boxes,
    By,
    Choice,
    Grouping,
    choose,
    failed,
    joined,
    stacks_of,
    sum_up,
    within,
)
from api.graph.layout import Layout, Place
from api.graph.ratios import per_minute
from api.schemas.boxes import BoxesOfMap, BoxNumbers, BoxOnTrail, Unhealthy
from api.schemas.common import NodeCounts
from api.schemas.map import MapEdge, MapNode
from store.declared.match import Matches
from store.declared.model import StackKey
from store.graph import ServiceGraph, ServiceStats, Statistics
from store.model import NodeKey, TimeRange

WHOLE_BOXES = [f"boxes {by.value}" for by in By]
"""Names of the arrangements of whole maps."""
AUTO, NONE = "auto", "none"
MOST_NAMED = 20
"""Unhealthy members of a box that are named."""
_WITHOUT = {
    By.ACCOUNT: "No account",
    By.NAMESPACE: "No namespace",
    By.STACK: "In no stack",
    By.PREFIX: "Shared",
}


class Level:
    """A map of many nodes, or the inside of one of its boxes: what is grouped, and by what.

    ``grouping`` is None of so few nodes that they are drawn themselves, and of nodes that nothing tells apart.
    """

    def __init__(
        self,
        services: ServiceGraph,
        stacks: dict[NodeKey, str],
        wanted: By | None,
        choose: Choice = choose,
    ) -> None:
        self.services, self._stacks = services, stacks
        self.grouping: Grouping | None = None
        if len(services.services) > MOST_APART:
            self.grouping = choose(services, stacks, wanted)
            if self.grouping is None and wanted is not None:
                self.grouping = choose(services, stacks, None)
        self.trail: list[BoxOnTrail] = []
        """The boxes this is inside of."""
        self._around: tuple[Level, str] | None = None
        """The level that this is the inside of a group of."""

    def inside(self, id: str) -> Level:
        """The inside of a box. ApiError (404) if there is none with this id."""
        grouping = self.grouping
        value = next((v for v in _values(grouping) if box_id(grouping, v) == id), None)
        if grouping is None or value is None:
            raise ApiError(
                f"there is no box {id[:60]!r} in this window", code="NoSuchBox", status=404
            )
        found = Level(within(self.services, grouping.members(value)), self._stacks, None)
        name = box_name(grouping, value)
        found.trail = [*self.trail, {"by": grouping.by.value, "id": id, "name": name}]
        found._around = self, value
        return found

    def at(self, services: ServiceGraph) -> Level:
        """The same boxes of another time's graph."""
        found = copy(self)
        if self._around is not None:
            outer, value = self._around
            found._around = outer.at(services), value
            services = within(services, found._around[0].members(value))
        found.services = services
        if self.grouping is not None:
            found.grouping = joined(self.grouping, services, self._stacks)
        return found

    def members(self, value: str) -> set[NodeKey]:
        """The nodes of a group."""
        return self.grouping.members(value) if self.grouping else set()

    def find(self, id: str) -> NodeKey | None:
        """The node with this id, or with the units of that."""
        return next(
            (
                key
                for key, stats in self.services.services.items()
                if node_id(key) == id or any(node_id(each) == id for each in stats.joined)
            ),
            None,
        )

    def boxes_of(self, places: Iterable[str]) -> dict[str, str]:
        """The boxes that nodes and edges are in, by id: an edge is in that of its caller. Those in none are left out."""
        if self.grouping is None:
            return {}
        callers = {place: place.partition(":")[0] for place in places}
        wanted = set(callers.values())
        found = {
            id: self.box_of(key)
            for key, stats in self.services.services.items()
            for id in map(node_id, (key, *stats.joined))
            if id in wanted
        }
        boxes = ((place, found.get(caller)) for place, caller in callers.items())
        return {place: box for place, box in boxes if box is not None}

    def box_of(self, node: NodeKey) -> str | None:
        """The id of the box that contains a node."""
        grouping = self.grouping
        return None if grouping is None else box_id(grouping, grouping.value[node])


def level_of(context: Context, counted: CountedGraph, wanted: str, path: Sequence[str]) -> Level:
    """The map as it is requested: ``wanted`` is a `By`, or `AUTO`; ``path`` has the ids of boxes to go into."""
    chosen = context.map_boxes if wanted == AUTO else wanted
    by = By(chosen) if chosen not in (AUTO, NONE) else None
    stacks = _stacks(context, counted.services)
    level = Level(counted.services, stacks, by, context.groupings.choose)
    if chosen == NONE and not path:
        level.grouping = None
    for id in path:
        level = level.inside(id)
    return level


def _stacks(context: Context, services: ServiceGraph) -> dict[NodeKey, str]:
    declarations = [each.declaration for each in context.store.declarations()]
    if not declarations:
        return {}
    matches = Matches(declarations, [key for key in services.services if not key.is_client])
    return stacks_of(
        {
            node: [stack_name(matches.declaration(key).key) for key in keys]
            for node, keys in matches.owners.items()
        }
    )


def stack_name(key: StackKey) -> str:
    """What a box of a stack is called."""
    return key.stack


def _values(grouping: Grouping | None) -> list[str]:
    return sorted(set(grouping.value.values())) if grouping else []


def box_id(grouping: Grouping | None, value: str) -> str:
    """The id of a box, the same in every answer and process."""
    by = grouping.by.value if grouping else ""
    return (
        "b"
        + hashlib.blake2b(f"{by}\0{value}".encode("utf-8", "replace"), digest_size=8).hexdigest()
    )


def box_name(grouping: Grouping, value: str) -> str:
    """What a box is called."""
    if value == OTHERS:
        return f"{grouping.merged:,} smaller groups"
    return value or _WITHOUT[grouping.by]


def describe_level(level: Level, boxes: Boxes | None = None) -> BoxesOfMap:
    """Where a map is among the levels, and what of it is not drawn."""
    return {
        "by": boxes.grouping.by.value if boxes else None,
        "trail": level.trail,
        "edges_left_out": len(boxes.edges) - len(boxes.drawn_edges()) if boxes else 0,
    }


def boxes_name(level: Level) -> str:
    """The name of a level's arrangement."""
    by = level.grouping.by.value if level.grouping else ""
    return " ".join([f"boxes {by}", *(each["id"] for each in level.trail[-1:])])


def boxes_of(level: Level, thresholds: Thresholds) -> Boxes | None:
    """The boxes of a level; None where nodes are drawn themselves."""
    if level.grouping is None:
        return None
    return sum_up(level.services, level.grouping, partial(_is_unhealthy, thresholds))


def _is_unhealthy(thresholds: Thresholds, statistics: Statistics) -> bool:
    """As `isUnhealthy` of ui/src/model/health.ts, without its hysteresis."""
    bad = failed(statistics)
    return bad >= thresholds.count and bad >= thresholds.share * statistics.total > 0


def graph_of_boxes(boxes: Boxes) -> nx.DiGraph:
    """What is laid out."""
    graph = nx.DiGraph()
    graph.add_nodes_from(boxes.boxes)
    graph.add_edges_from(boxes.drawn_edges())
    return graph


def render_boxes(
    boxes: Boxes, window: TimeRange, where: Layout[str]
) -> tuple[list[MapNode], list[MapEdge]]:
    """Boxes as nodes and edges of a map."""
    grouping = boxes.grouping
    nodes = [_node(grouping, box, window, where.places[box.value]) for box in boxes.boxes.values()]
    drawn = boxes.drawn_edges().items()
    edges = [_edge(grouping, ends, between, window, where) for ends, between in drawn]
    return nodes, edges


def _node(grouping: Grouping, box: Box, window: TimeRange, place: Place) -> MapNode:
    arrived = box.arrivals.count
    is_work = arrived.total + arrived.in_progress == 0
    figures = box.work if is_work else arrived
    unknown = sum(each.unknown for each in box.members) if is_work else box.arrivals.unknown
    name = box_name(grouping, box.value)
    return {
        "id": box_id(grouping, box.value),
        "name": name,
        "names": [name],
        "type": "",
        "kind": "service",
        "account": "",
        "region": "",
        "value": None,
        "state": "active" if any(each.active for each in box.members) else "unknown",
        "root": any(each.root for each in box.members),
        **_counts(figures, unknown),
        "in_progress": figures.in_progress,
        "observed": figures.observed,
        **times(Statistics() if is_work else box.arrivals.calls),
        "traces_per_min": per_minute(figures.total + figures.in_progress, window),
        "work": "requests",
        "background": None,
        "location": "",
        "x": place.x,
        "y": place.y,
        "rank": place.rank,
        "drawn_with": None,
        "box": _numbers(box, is_work=is_work),
    }


def _numbers(box: Box, *, is_work: bool) -> BoxNumbers:
    return {
        "members": len(box.members),
        "reporting": sum(each.active for each in box.members),
        "figures": "work" if is_work else "arrivals",
        "work": {
            "requests": box.work.total,
            "ok": box.work.ok,
            "error": box.work.error,
            "throttle": box.work.throttle,
            "fault": box.work.fault,
        },
        "unhealthy": [_named(each) for each in box.unhealthy[:MOST_NAMED]],
        "unhealthy_total": len(box.unhealthy),
    }


def _named(stats: ServiceStats) -> Unhealthy:
    figures = stats.statistics
    return {
        "id": node_id(stats.key),
        "name": stats.shown,
        "requests": figures.total,
        "failed": failed(figures),
        "fault": figures.fault,
    }


def _edge(
    grouping: Grouping,
    ends: tuple[str, str],
    between: Arrivals,
    window: TimeRange,
    where: Layout[str],
) -> MapEdge:
    source, target = (box_id(grouping, end) for end in ends)
    figures = between.count
    return {
        "id": f"{source}:{target}",
        "source": source,
        "target": target,
        "requests": figures.total,
        "ok": figures.ok,
        "error": figures.error,
        "throttle": figures.throttle,
        "fault": figures.fault,
        "in_progress": figures.in_progress,
        "observed": figures.observed,
        **times(between.calls),
        "requests_per_min": per_minute(figures.total + figures.in_progress, window),
        "kind": "call" if between.calls.observed else "link",
        "back": ends in where.back,
        "bends": where.bends.get(ends, []),
    }


def _counts(figures: Statistics, unknown: int) -> NodeCounts:
    return {
        "requests": figures.total,
        "ok": figures.ok - unknown,
        "error": figures.error,
        "throttle": figures.throttle,
        "fault": figures.fault,
        "unknown": unknown,
    }
