"""What would stop if a node did: what is above it, what only it leads to, and circles. Pure.

Calls and links both lead from a node to another. Traffic enters at `_entries`; a node *depends* on the nodes that all
ways to it from there go through, its dominators (Lowry and Medlock, 1969). Articulation points of the undirected graph
would say less: they do not know who calls whom.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx

from api.graph.build import Graph, calls_of, stats_of
from store.model import NodeKey

_OUTSIDE = NodeKey("", "", "outside")
"""Where traffic comes from: no node has this type."""


def callers_above(graph: Graph, node: NodeKey) -> dict[NodeKey, int]:
    """The nodes whose calls lead to a node, directly or not, by the number of calls between; without itself."""
    calls = nx.subgraph_view(graph, filter_edge=lambda *ends: not calls_of(graph, *ends).link)
    return _above(calls, node)


def senders_above(graph: Graph, node: NodeKey) -> dict[NodeKey, int]:
    """The nodes that lead to a node by links as well, such as who sends to a queue that it reads; without itself."""
    return _above(graph, node)


def callees_below(graph: Graph, node: NodeKey) -> dict[NodeKey, int]:
    """The nodes that the calls of a node lead to, directly or not, by the number of calls between; without itself."""
    return callers_above(graph.reverse(copy=False), node)


def receivers_below(graph: Graph, node: NodeKey) -> dict[NodeKey, int]:
    """The nodes that a node leads to by links as well, such as who reads the queue that it writes; without itself."""
    return senders_above(graph.reverse(copy=False), node)


def _above(graph: Graph, node: NodeKey) -> dict[NodeKey, int]:
    found = nx.single_source_shortest_path_length(graph.reverse(copy=False), node)
    return {other: hops for other, hops in found.items() if other != node}


def only_through(graph: Graph) -> dict[NodeKey, frozenset[NodeKey]]:
    """Of each node those that no traffic reaches but through it; nodes without any are left out."""
    walked = _from_outside(graph)
    parents = nx.immediate_dominators(walked, _OUTSIDE)
    found: dict[NodeKey, set[NodeKey]] = {}
    for node in graph:
        above = parents[node]
        while above != _OUTSIDE:
            found.setdefault(above, set()).add(node)
            above = parents[above]
    return {node: frozenset(found[node]) for node in graph if node in found}


def circles(graph: Graph) -> list[list[NodeKey]]:
    """Nodes that lead to each other, each set in the order of the graph; a node that calls itself is none."""
    order = {node: at for at, node in enumerate(graph)}
    found = [sorted(part, key=order.__getitem__) for part in _together(graph) if len(part) > 1]
    return sorted(found, key=lambda part: order[part[0]])


def circle_of(graph: Graph, node: NodeKey) -> list[NodeKey]:
    """The circle that a node is in; empty if in none."""
    return next((circle for circle in circles(graph) if node in circle), [])


def _together(graph: Graph) -> Iterator[set[NodeKey]]:
    return iter(nx.strongly_connected_components(graph))


def _from_outside(graph: Graph) -> Graph:
    """The graph with an edge from outside to each entry."""
    walked: Graph = nx.DiGraph()
    walked.add_node(_OUTSIDE)
    walked.add_nodes_from(graph)
    walked.add_edges_from(graph.edges)
    walked.add_edges_from((_OUTSIDE, node) for node in _entries(graph))
    return walked


def _entries(graph: Graph) -> set[NodeKey]:
    """Where traffic enters: clients, nodes that nothing leads to, and those with roots of their own but no client. Of a
    circle that nothing leads to all, since any may be the first."""
    found = {node for node in graph if _is_entry(graph, node)}
    first = nx.condensation(graph)
    for part in first:
        members = first.nodes[part]["members"]
        if not first.in_degree(part) and found.isdisjoint(members):
            found |= members
    return found


def _is_entry(graph: Graph, node: NodeKey) -> bool:
    callers = [other for other in graph.predecessors(node) if other != node]
    if not callers:
        return True
    return stats_of(graph, node).root and not any(other.is_client for other in callers)
