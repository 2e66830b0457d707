"""The sides of a window by what the keys of its nodes have, account or region: the nodes of both differ by it, and are
compared with those of the same name and type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from msgspec.structs import replace

from api.comparison.part import Part
from api.comparison.sums import Counted
from api.comparison.whole_minutes import read_minutes
from api.context import Context
from store.graph import EdgeStats, ServiceGraph
from store.graph_names import Ends
from store.minutes import Series, SeriesKind
from store.model import NO_NODE, NodeKey, TimeRange
from store.query import Backlog
from store.service_graph import add_missing_endpoints

Parts = tuple[Part, Part]
Edges = Mapping[Ends, EdgeStats]


def parts_of_keys(
    context: Context, window: TimeRange, field: str
) -> tuple[Counter[str], Callable[[str, str], Parts], Backlog | None]:
    """The requests by value, what makes the parts of two values, and what is not counted yet."""
    (found,) = context.counted_windows([window])
    graph = found.graph
    requests: Counter[str] = Counter()
    for key, stats in graph.services.items():
        if (value := getattr(key, field)) and not key.is_client:
            requests[value] += stats.statistics.total

    def parts(one: str, other: str) -> Parts:
        counted, series = read_minutes(context.store, window)
        home = {key: node for node, each in graph.services.items() for key in each.keys}
        now, then = (_part(graph, counted, series, home, field, value) for value in (one, other))
        return now, _renamed(then, counterparts(now.graph, then.graph, field))

    return requests, parts, found.backlog


def _part(
    graph: ServiceGraph,
    counted: Counted,
    series: Mapping[int, Series],
    home: Mapping[NodeKey, NodeKey],
    field: str,
    value: str,
) -> Part:
    """What one value has: its nodes, and their calls, with what they lead to as bare ends."""

    def has(source: NodeKey, target: NodeKey) -> bool:
        return bool((getattr(source, field) or getattr(target, field)) == value)

    services = {key: each for key, each in graph.services.items() if getattr(key, field) == value}
    edges = {ends: each for ends, each in graph.edges.items() if has(*ends)}
    links = {ends: each for ends, each in graph.links.items() if has(*ends)}
    add_missing_endpoints(services, [*edges.values(), *links.values()])
    own = {
        id: each
        for id, each in ((id, _at_home(each, home)) for id, each in series.items())
        if has(each.source if each.source != NO_NODE else each.node, each.node)
    }
    ids = np.array(sorted(own), np.uint64)
    minutes = sum(bool(np.isin(np.frombuffer(each.ids, np.uint64), ids).any()) for each in counted)
    return Part(ServiceGraph(services, edges, links), counted, own, minutes)


def _at_home(series: Series, home: Mapping[NodeKey, NodeKey]) -> Series:
    source, node = (home.get(key, key) for key in (series.source, series.node))
    return Series(SeriesKind(series.kind), source, node)


def counterparts(now: ServiceGraph, then: ServiceGraph, field: str) -> dict[NodeKey, NodeKey]:
    """By node of ``then`` the node of ``now`` that is compared with it: what equals it in all but this, or else the only one of
    its name and type."""
    found: dict[NodeKey, NodeKey] = {}
    for blank in ((field,), ("account", "region")):
        known = _unique((key for key in now.services if key not in found.values()), blank)
        wanted = _unique((key for key in then.services if key not in found), blank)
        found |= {key: known[bare] for bare, key in wanted.items() if bare in known}
    return {key: node for key, node in found.items() if key != node}


def _unique(keys: Iterable[NodeKey], blank: Iterable[str]) -> dict[NodeKey, NodeKey]:
    fields = dict.fromkeys(blank, "")
    bare = [(key._replace(**fields), key) for key in keys]
    times = Counter(each for each, _ in bare)
    return {each: key for each, key in bare if times[each] == 1}


def _renamed(part: Part, to: Mapping[NodeKey, NodeKey]) -> Part:
    """A part whose nodes are called as those that they are compared with."""

    def named(key: NodeKey) -> NodeKey:
        return to.get(key, key)

    def edges(every: Edges) -> dict[Ends, EdgeStats]:
        return {
            (named(source), named(target)): replace(
                each, source=named(source), target=named(target)
            )
            for (source, target), each in every.items()
        }

    graph = part.graph
    services = {
        named(key): replace(each, key=named(key), joined=frozenset())
        for key, each in graph.services.items()
    }
    return part._replace(
        graph=ServiceGraph(services, edges(graph.edges), edges(graph.links)),
        series={
            id: Series(each.kind, named(each.source), named(each.node))
            for id, each in part.series.items()
        },
        own={node: key for key, node in to.items()},
    )
