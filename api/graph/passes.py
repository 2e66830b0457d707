"""Graph passes: focus, prune, components. Graph in, graph out, without positions or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from heapq import nlargest
from operator import or_
from typing import NamedTuple

import networkx as nx

from api.graph.build import Graph, calls_of, stats_of
from store import graph_names
from store.graph import ServiceStats, Statistics
from store.model import NodeKey

MOST_NODES = 2000
"""Nodes in a drawn map; unhealthy and busy ones have priority."""


def focus(graph: Graph, node: NodeKey, hops: int) -> Graph:
    """The neighbourhood of a node: everything within ``hops`` calls, up or down."""
    near: Graph = nx.ego_graph(graph, node, radius=hops, undirected=True)
    return _only(graph, near)


def prune(graph: Graph, most: int = MOST_NODES, wanted: NodeKey | None = None) -> Graph:
    """At most ``most`` nodes and the edges among them: the one that is wanted, unhealthy ones, then by `traffic`.

    A client node is as busy as the calls it makes, so entries keep their callers.
    """
    if len(graph) <= most:
        return graph
    order = nlargest(most, graph, key=lambda node: (node == wanted, *importance(graph, node), node))
    return _only(graph, order)


def importance(graph: Graph, node: NodeKey) -> tuple[int, int]:
    """Sort key of a node, greater is more important: severity of its worst state, then traffic."""
    return severity(stats_of(graph, node).statistics), traffic(graph, node)


def severity(statistics: Statistics) -> int:
    """3 when any unit faulted, else 2 when throttled, 1 when failed with an error, 0 when healthy."""
    counts = (statistics.fault, statistics.throttle, statistics.error)
    return next((len(counts) - at for at, count in enumerate(counts) if count), 0)


class StateCounts(NamedTuple):
    """Nodes with at least one unit that ended so, as far as that is known."""

    ok: int
    error: int
    throttle: int
    fault: int
    unknown: int


def state_counts(graph: Graph, into: Mapping[NodeKey, NodeKey] | None = None) -> StateCounts:
    """Of a graph, nodes that are drawn as one (`api.graph.fold`) once; clients, which measure nothing, omitted."""
    drawn: dict[NodeKey, list[ServiceStats]] = {}
    for node in graph:
        if not node.is_client:
            drawn.setdefault((into or {}).get(node, node), []).append(stats_of(graph, node))

    return count_states(drawn.values())


def count_states(drawn: Iterable[Collection[ServiceStats]]) -> StateCounts:
    """Of nodes, each with those that are drawn with it."""
    return _counted(reduce(or_, map(_states, nodes)) for nodes in drawn)


def count_states_apart(nodes: Iterable[ServiceStats]) -> StateCounts:
    """Of nodes that are drawn each by itself, or not at all."""
    return _counted(map(_states, nodes))


def _counted(states: Iterable[int]) -> StateCounts:
    together = Counter(states)
    return StateCounts(
        *(
            sum(many for bits, many in together.items() if bits >> at & 1)
            for at in range(len(StateCounts._fields))
        )
    )


def _states(stats: ServiceStats) -> int:
    """Of `StateCounts`, those of a node, as bits."""
    found, unknown = stats.statistics, stats.unknown
    fine = found.ok > unknown
    if not (found.error or found.throttle or found.fault or unknown):
        return int(fine)  # most are
    return (
        fine
        | (found.error > 0) << 1
        | (found.throttle > 0) << 2
        | (found.fault > 0) << 3
        | (unknown > 0) << 4
    )


def name_problems(graph: Graph) -> list[str]:
    """Who makes up names: a sentence for each node that stands for names in excess."""
    edges = (calls_of(graph, *ends) for ends in graph.edges)
    return graph_names.name_problems((stats_of(graph, node) for node in graph), edges)


def traffic(graph: Graph, node: NodeKey) -> int:
    """Requests a node answered, and for one that answers none, the calls it made."""
    statistics = stats_of(graph, node).statistics
    answered = statistics.total + statistics.in_progress
    if answered:
        return answered
    calls = (data["stats"].statistics for _, _, data in graph.out_edges(node, data=True))
    return sum(each.total + each.in_progress for each in calls)


def parts(graph: Graph) -> list[Graph]:
    """The connected parts, the largest first; of equal size the one with the least node."""
    members = [sorted(part) for part in nx.weakly_connected_components(graph)]
    return [_only(graph, part) for part in sorted(members, key=lambda part: (-len(part), part))]


def _only(graph: Graph, nodes: Iterable[NodeKey]) -> Graph:
    """A copy with these nodes, in the order they have in the graph."""
    keep = set(nodes)
    copy: Graph = nx.DiGraph()
    copy.add_nodes_from((node, data) for node, data in graph.nodes(data=True) if node in keep)
    copy.add_edges_from(
        (source, target, data)
        for source, target, data in graph.edges(data=True)
        if source in keep and target in keep
    )
    return copy
