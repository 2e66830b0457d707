"""Graph passes: focus, prune, components. Graph in, graph out, without positions or JSON."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest

import networkx as nx

from api.graph.build import Graph, stats_of
from store.model import NodeKey

MOST_NODES = 2000
"""More than this no screen shows and no eye reads; the busiest stay."""


def focus(graph: Graph, node: NodeKey, hops: int) -> Graph:
    """The neighbourhood of a node: everything within ``hops`` calls, up or down."""
    near: Graph = nx.ego_graph(graph, node, radius=hops, undirected=True)
    return _only(graph, near)


def prune(graph: Graph, most: int = MOST_NODES) -> Graph:
    """The ``most`` busiest nodes and the edges among them; all when there are no more.

    A client node is as busy as the calls it makes, so entries keep their callers.
    """
    if len(graph) <= most:
        return graph
    return _only(graph, nlargest(most, graph, key=lambda node: (traffic(graph, node), node)))


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
