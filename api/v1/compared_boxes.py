"""The boxes of a map and the lines between them in two periods, as the map sums them, and which lines differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from api.comparison.causes import trend_of
from api.comparison.read import Compared, Side
from api.comparison.significance import Difference
from api.comparison.words import Change, Names
from api.console.boxes import Level, box_id, box_name, boxes_of, render_boxes
from api.console.map_json import NOWHERE
from api.context import Context
from api.graph.build import calls_of
from api.graph.groups import Grouping
from api.graph.layout import Layout
from api.graph.ratios import per_minute
from api.schemas.compare import ComparedBox, ComparedFigures, ComparedLine, SignificantChange
from api.schemas.map import MapEdge, MapNode
from api.v1.compared_figures import render_change, render_figures, value_of
from store.graph import ServiceGraph, Statistics, total_statistics
from store.model import NodeKey, TimeRange


class CountedLevel(NamedTuple):
    """The boxes and lines of one period by id, as its map draws them."""

    boxes: Mapping[str, MapNode]
    lines: Mapping[str, MapEdge]


class ComparedBoxes:
    """The boxes of a level of the map, the same ones in both periods."""

    def __init__(self, context: Context, level: Level, grouping: Grouping) -> None:
        self._context = context
        self.level = level
        self._grouping = grouping
        self._levels = level, level

    def values(self, now: ServiceGraph, then: ServiceGraph) -> Mapping[NodeKey, str]:
        """The boxes that the nodes of both periods are in."""
        later = self.level.at(now)
        earlier = later.at(then)
        self._levels = later, earlier
        self._grouping = earlier.grouping or self._grouping
        return self._grouping.value

    def render(
        self, compared: Compared, names: Names | None
    ) -> tuple[list[ComparedBox], list[ComparedLine]]:
        """Of all boxes, and of the lines that are drawn in either period, or differ."""
        sides = compared.now, compared.then
        now, then = (
            self._counted(level, side.window)
            for level, side in zip(self._levels, sides, strict=True)
        )
        boxes = [
            _box(each, now.boxes.get(id), then.boxes.get(id), compared)
            for id, each in {**now.boxes, **then.boxes}.items()
        ]
        changes, tested = self._changes(compared, names)
        lines: list[ComparedLine] = []
        for id in {**now.lines, **then.lines, **changes}:
            source, _, target = id.partition(":")
            one, other = (
                _figures(found.lines[id], side.window) if id in found.lines else known
                for found, side, known in zip(
                    (now, then), sides, tested.get(id, (None, None)), strict=True
                )
            )
            ends = {"id": id, "source": source, "target": target}
            lines.append({**ends, "now": one, "then": other, "changes": changes.get(id, [])})  # type: ignore[typeddict-item]
        return boxes, lines

    def _counted(self, level: Level, window: TimeRange) -> CountedLevel:
        boxes = boxes_of(level, self._context.unhealthy)
        if boxes is None:
            return CountedLevel({}, {})
        where = Layout(dict.fromkeys(boxes.boxes, NOWHERE), {}, set())
        nodes, edges = render_boxes(boxes, window, where)
        return CountedLevel(
            {each["id"]: each for each in nodes}, {each["id"]: each for each in edges}
        )

    def _changes(
        self, compared: Compared, names: Names | None
    ) -> tuple[dict[str, list[SignificantChange]], dict[str, list[ComparedFigures | None]]]:
        """The significant differences of lines, and what was compared, by the id of the line."""
        changes: dict[str, list[SignificantChange]] = {}
        tested: dict[str, list[ComparedFigures | None]] = {}
        if compared.lines is None:
            return changes, tested
        lines, found, follows = compared.lines
        for each in found:
            trend = trend_of(each)
            ends = lines.ends[each.place]
            id = ":".join(box_id(self._grouping, end) for end in ends)
            origin = follows.get((each.place, trend))
            sides = compared.then, compared.now
            sums = [_sum(compared, side, each.place) for side in sides]
            then, now = (
                value_of(each, total, side, _callers(compared, each))
                for side, total in zip(sides, sums, strict=True)
            )
            change = Change(each.measure, trend, True, then, now, each.per_caller)
            changes.setdefault(id, []).append(
                render_change(
                    each,
                    change,
                    names,
                    id=id,
                    name=" → ".join(box_name(self._grouping, end) for end in ends),
                    follows=None if origin is None else box_id(self._grouping, origin),
                )
            )
            tested[id] = [
                render_figures(total, side.window) if total else None
                for side, total in zip(sides, sums, strict=True)
            ][::-1]
        return changes, tested


def boxes_at(context: Context, level: Level | None) -> ComparedBoxes | None:
    """What a level is drawn in; None where nodes are drawn themselves."""
    if level is None or level.grouping is None:
        return None
    return ComparedBoxes(context, level, level.grouping)


def _box(
    each: MapNode, now: MapNode | None, then: MapNode | None, compared: Compared
) -> ComparedBox:
    """Null if one is what arrives and the other one the work of members: these cannot be compared."""
    alike = now is None or then is None or _counted_as(now) == _counted_as(then)
    return {
        "id": each["id"],
        "name": each["name"],
        "now": now and _figures(now, compared.now.window),
        "then": _figures(then, compared.then.window) if then and alike else None,
    }


def _counted_as(box: MapNode) -> str:
    return box["box"]["figures"] if box["box"] else ""


def _figures(drawn: MapNode | MapEdge, window: TimeRange) -> ComparedFigures:
    requests = drawn["requests"] or 0
    failed = [drawn["error"] or 0, drawn["throttle"] or 0, drawn["fault"] or 0]
    return {
        "requests": requests,
        "ok": requests - sum(failed),
        "error": failed[0],
        "throttle": failed[1],
        "fault": failed[2],
        "avg_ms": drawn["avg_ms"],
        "p50_ms": drawn["p50_ms"],
        "p95_ms": drawn["p95_ms"],
        "p99_ms": drawn["p99_ms"],
        "requests_per_min": per_minute(requests, window),
    }


def _sum(compared: Compared, side: Side, line: int) -> Statistics | None:
    """What was compared of a line."""
    if compared.lines is None:
        return None
    pairs = [compared.elements.pair(edge) for edge in compared.lines.lines.edges[line]]
    found = [calls_of(side.graph, *pair).statistics for pair in pairs if pair in side.graph.edges]
    return total_statistics(found) if found else None


def _callers(compared: Compared, each: Difference) -> list[NodeKey] | None:
    """Those whose requests the calls of a line are in relation to."""
    if not each.per_caller or compared.lines is None:
        return None
    pairs = [compared.elements.pair(edge) for edge in compared.lines.lines.edges[each.place]]
    return sorted({source for source, _ in pairs})
