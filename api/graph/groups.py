"""Groups of services: a map of more nodes than can be read is drawn as boxes, one for each group.

What is counted of a group is what *arrives* at it: calls of clients and of other groups, and events from them. Calls
among its own members are left out, so a request that passes five members counts once, and the share that failed is
what the callers of the group saw. A member that fails without its callers noticing is named (`Box.unhealthy`). The
work of all members together, to which that request counts five times, is apart (`Box.work`). Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from heapq import nlargest
from itertools import chain

from msgspec import Struct

from api.graph.group_names import NO_PREFIX, prefixes
from store.graph import (
    EdgeStats,
    ServiceGraph,
    ServiceStats,
    Statistics,
    add_statistics,
    total_counts,
    total_statistics,
)
from store.model import NodeKey
from store.rules.namespaces import short_name

MOST_APART = 150
"""Nodes of a map that is drawn without boxes."""
MOST_BOXES = 60
MOST_LINES = 240
"""Pairs of boxes that are drawn with a line: of more, those with the most failures, then the most calls."""
LARGEST_SHARE = 0.9
"""Of all nodes: a group that has more of them tells too little to be chosen by itself."""
OTHERS = "\0others"
"""The value of the groups in excess of `MOST_BOXES`, the smallest ones, together."""


class By(Enum):
    """What the members of a group have in common; in the order in which they are tried."""

    ACCOUNT = "account"
    NAMESPACE = "namespace"
    STACK = "stack"
    PREFIX = "prefix"


class Grouping(Struct, frozen=True):
    """The group of every node; '' of a node that belongs to none. ``merged``: how many groups `OTHERS` stands for."""

    by: By
    value: Mapping[NodeKey, str]
    merged: int = 0

    def members(self, value: str) -> set[NodeKey]:
        """The nodes of a group, clients included."""
        return {node for node, own in self.value.items() if own == value}


class Arrivals(Struct, gc=False):
    """Calls and events that lead to a group, or from one to another. Times are those of calls: of events they are ages."""

    calls: Statistics
    events: Statistics
    unknown: int = 0
    """As of an edge, of both."""

    def add(self, more: Arrivals) -> None:
        """Add others."""
        add_statistics(self.calls, more.calls)
        add_statistics(self.events, more.events)
        self.unknown += more.unknown

    @property
    def count(self) -> Statistics:
        """Both together, for everything but times."""
        both = Statistics(histogram={})
        for each in (self.calls, self.events):
            add_statistics(both, each)
        return both

    @property
    def observed(self) -> int:
        """Units of both."""
        return self.calls.observed + self.events.observed


class Box(Struct):
    """A group as the map draws it."""

    value: str
    members: list[ServiceStats]
    """Without clients."""
    arrivals: Arrivals
    work: Statistics
    """The sum of what the members' rings count."""
    unhealthy: list[ServiceStats]
    """The worst first: by the number of requests that failed."""


class Boxes(Struct):
    """The boxes of a map, and what leads from one to another."""

    grouping: Grouping
    boxes: dict[str, Box]
    edges: dict[tuple[str, str], Arrivals]

    def drawn_edges(self) -> dict[tuple[str, str], Arrivals]:
        """The `MOST_LINES` most important ones."""
        if len(self.edges) <= MOST_LINES:
            return self.edges
        return dict(nlargest(MOST_LINES, self.edges.items(), key=lambda edge: _importance(*edge)))


Choice = Callable[[ServiceGraph, Mapping[NodeKey, str], By | None], Grouping | None]
"""As `choose`."""


def choose(
    graph: ServiceGraph, stacks: Mapping[NodeKey, str], wanted: By | None = None
) -> Grouping | None:
    """By what a graph is grouped: as wanted, else by the first that gives two groups to `MOST_BOXES`, and if none does, by
    the first that gives more. None if the nodes are alike in everything."""
    if wanted is not None:
        found = group(graph, wanted, stacks)
        return found if len(set(found.value.values())) > 1 else None
    large: Grouping | None = None
    for by in By:
        found = group(graph, by, stacks)
        if _tells_enough(found) and not found.merged:
            return found
        if _tells_enough(found):
            large = large or found
    return large


def group(graph: ServiceGraph, by: By, stacks: Mapping[NodeKey, str]) -> Grouping:
    """All nodes by what they have of a kind. Clients, and what others call and reports nothing itself, belong to the only
    group around them if they have nothing of the kind."""
    value = _own_values(graph, by, stacks)
    _adopt(graph, value)
    if by is By.PREFIX:
        _share_prefixes(value)
    return _bounded(by, value)


def joined(grouping: Grouping, graph: ServiceGraph, stacks: Mapping[NodeKey, str]) -> Grouping:
    """A grouping with the nodes that another graph has beside its own: they join the groups that they have by what they are, those of
    groups that it does not have `OTHERS`, if there are some."""
    known = grouping.value
    if graph.services.keys() <= known.keys():
        return grouping
    drawn = set(known.values())
    value = {
        key: own if own in drawn or not grouping.merged else OTHERS
        for key, own in group(graph, grouping.by, stacks).value.items()
    }
    return Grouping(grouping.by, {**value, **known}, grouping.merged)


def sum_up(
    graph: ServiceGraph, grouping: Grouping, is_unhealthy: Callable[[Statistics], bool]
) -> Boxes:
    """The boxes of a graph. ``is_unhealthy``: called for nodes at which something failed."""
    of = grouping.value
    members: dict[str, list[ServiceStats]] = {}
    for key, stats in graph.services.items():
        if not key.is_client:
            members.setdefault(of[key], []).append(stats)
    boxes = {value: _box(value, found, is_unhealthy) for value, found in members.items()}
    edges: dict[tuple[str, str], Arrivals] = {}
    for (source, target), arriving in _arriving(graph, of).items():
        if target in boxes:
            boxes[target].arrivals.add(arriving)
            if source != target and source in boxes:
                edges[source, target] = arriving
    return Boxes(grouping, boxes, edges)


def within(graph: ServiceGraph, nodes: Collection[NodeKey]) -> ServiceGraph:
    """The graph of some nodes, and the calls among them."""
    return ServiceGraph(
        {key: stats for key, stats in graph.services.items() if key in nodes},
        _among(graph.edges, nodes),
        _among(graph.links, nodes),
    )


def _importance(ends: tuple[str, str], between: Arrivals) -> tuple[int, int, tuple[str, str]]:
    calls, events = between.calls, between.events
    return failed(calls) + failed(events), calls.observed + events.observed, ends


def failed(statistics: Statistics) -> int:
    """Units that did not end OK, as far as that is known."""
    return statistics.error + statistics.throttle + statistics.fault


def _own_values(graph: ServiceGraph, by: By, stacks: Mapping[NodeKey, str]) -> dict[NodeKey, str]:
    services = graph.services
    if by is By.ACCOUNT:
        return {key: key.account for key in services}
    if by is By.STACK:
        return {key: stacks.get(key, "") for key in services}
    if by is By.NAMESPACE:
        return {key: _namespace(key, stats) for key, stats in services.items()}
    # What reports nothing itself, such as a host or a table, is rather of who calls it than of those of its name.
    return prefixes({key: stats.active for key, stats in services.items()})


def _namespace(key: NodeKey, stats: ServiceStats) -> str:
    short = short_name(key, stats.names)
    return key.name.removesuffix(f"/{short}") if short and not key.is_client else ""


def _adopt(graph: ServiceGraph, value: dict[NodeKey, str]) -> None:
    """Give inferred nodes that have none the value of the only group around them, that of callers first."""
    without = {
        key
        for key, own in value.items()
        if own.startswith(NO_PREFIX) or (not own and not graph.services[key].active)
    }
    callers: dict[NodeKey, set[str]] = {key: set() for key in without}
    callees: dict[NodeKey, set[str]] = {key: set() for key in without}
    for source, target in chain(graph.edges, graph.links):
        inferred = source in without
        if inferred == (target in without):
            continue
        if inferred:
            callees[source].add(value[target])
        else:
            callers[target].add(value[source])
    found: dict[NodeKey, str] = {}
    for key in without:
        for around in (callers[key], callees[key]):
            if len(around) == 1:
                found.setdefault(key, next(iter(around)))
    value.update(found)
    # A client in front of such a node; of several, of the first by name, in whatever order edges are.
    clients = {key for key in without - found.keys() if key.is_client}
    behind: dict[NodeKey, str] = {}
    for source, target in graph.edges if clients else ():
        if source in clients:
            behind[source] = min(behind.get(source, value[target]), value[target])
    value.update(behind)


def _share_prefixes(value: dict[NodeKey, str]) -> None:
    """What is called from several groups belongs to that of its name, if there is one."""
    groups = {own for own in value.values() if own and not own.startswith(NO_PREFIX)}
    for key, own in value.items():
        if own.startswith(NO_PREFIX):
            named = own.removeprefix(NO_PREFIX)
            value[key] = named if named in groups else ""


def _bounded(by: By, value: dict[NodeKey, str]) -> Grouping:
    """The largest groups, and the rest together."""
    sizes = _sizes(value)
    alone = {own for own, size in sizes.items() if size == 1} if by is By.PREFIX else set()
    ranked = sorted(sizes.keys() - alone - {""}, key=lambda own: (-sizes[own], own))
    room = MOST_BOXES - ("" in sizes)
    if len(ranked) + len(alone) <= room:
        return Grouping(by, value)
    drawn = {"", *ranked[: room - 1]}
    merged = len(sizes.keys() - drawn)
    return Grouping(
        by, {key: own if own in drawn else OTHERS for key, own in value.items()}, merged
    )


def _tells_enough(grouping: Grouping) -> bool:
    sizes = _sizes(grouping.value)
    return len(sizes) > 1 and max(sizes.values()) <= LARGEST_SHARE * sizes.total()


def _sizes(value: Mapping[NodeKey, str]) -> Counter[str]:
    """How many nodes each group has, without clients."""
    sizes = Counter(value.values())
    sizes.subtract(own for key, own in value.items() if key.is_client)
    return +sizes


def _box(
    value: str, members: list[ServiceStats], is_unhealthy: Callable[[Statistics], bool]
) -> Box:
    """A box at which nothing has arrived yet."""
    figures = [each.statistics for each in members]
    unhealthy = [
        each
        for each, own in zip(members, figures, strict=True)
        if (own.fault or own.error or own.throttle) and is_unhealthy(own)
    ]
    unhealthy.sort(key=lambda each: (-failed(each.statistics), each.shown))
    return Box(value, members, _arrivals([]), total_counts(figures), unhealthy)


def _arriving(graph: ServiceGraph, of: Mapping[NodeKey, str]) -> dict[tuple[str, str], Arrivals]:
    """What leads from one group to another, and from clients to their own."""
    found: dict[tuple[str, str], list[EdgeStats]] = {}
    for edges in (graph.edges, graph.links):
        for (source, target), edge in edges.items():
            ends = begin, end = of[source], of[target]
            if begin == end and not source.is_client:
                continue
            known = found.get(ends)
            if known is None:
                found[ends] = [edge]
            else:
                known.append(edge)
    return {ends: _arrivals(each) for ends, each in found.items()}


def _arrivals(edges: Collection[EdgeStats]) -> Arrivals:
    return Arrivals(
        total_statistics([each.statistics for each in edges if not each.link]),
        total_counts(each.statistics for each in edges if each.link),
        sum(each.unknown for each in edges if each.failures),
    )


def _among(
    edges: Mapping[tuple[NodeKey, NodeKey], EdgeStats], nodes: Collection[NodeKey]
) -> dict[tuple[NodeKey, NodeKey], EdgeStats]:
    return {ends: edge for ends, edge in edges.items() if ends[0] in nodes and ends[1] in nodes}


def stacks_of(owners: Mapping[NodeKey, Iterable[str]]) -> dict[NodeKey, str]:
    """The stack of each node that templates declare; of a node of several, the first by name."""
    return {node: min(names) for node, names in owners.items() if names}
