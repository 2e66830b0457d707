"""The store's service graph as a networkx graph.

Nodes are `NodeKey` with a `ServiceStats` attribute ``stats``, edges have an `EdgeStats`
likewise; `stats_of` and `calls_of` return them typed.
"""

from __future__ import annotations

import hashlib
from itertools import product
from typing import TypeAlias, cast

import networkx as nx

from store.graph import EdgeStats, ServiceGraph, ServiceStats
from store.model import NodeKey

Graph: TypeAlias = nx.DiGraph
"""Of `NodeKey`."""


def build_graph(services: ServiceGraph) -> Graph:
    """Nodes and edges sorted by key. Where both calls and links join two nodes, calls win."""
    graph: Graph = nx.DiGraph()
    for key in sorted(services.services):
        graph.add_node(key, stats=services.services[key])
    for source, target in sorted(services.edges):
        graph.add_edge(source, target, stats=services.edges[source, target])
    for pair in sorted(services.links.keys() - services.edges.keys()):
        graph.add_edge(*pair, stats=services.links[pair])
    return graph


def stats_of(graph: Graph, node: NodeKey) -> ServiceStats:
    """Statistics of a node."""
    return cast("ServiceStats", graph.nodes[node]["stats"])


def calls_of(graph: Graph, source: NodeKey, target: NodeKey) -> EdgeStats:
    """Statistics of an edge."""
    return cast("EdgeStats", graph.edges[source, target]["stats"])


def keys_of(graph: Graph, node: NodeKey) -> frozenset[NodeKey]:
    """The keys of the units of a node, which may have those of nodes that joined it."""
    return stats_of(graph, node).keys


def edges_of(graph: Graph, source: NodeKey, target: NodeKey) -> frozenset[tuple[NodeKey, NodeKey]]:
    """The keys of the calls along an edge, as `keys_of`."""
    return frozenset(product(keys_of(graph, source), keys_of(graph, target)))


def node_id(node: NodeKey) -> str:
    """Identifier of a node in URLs, the same in every response and process."""
    digest = hashlib.blake2b("\0".join(node).encode("utf-8", "replace"), digest_size=8)
    return "n" + digest.hexdigest()


def edge_id(source: NodeKey, target: NodeKey) -> str:
    """Identifier of an edge."""
    return f"{node_id(source)}:{node_id(target)}"


def find_node(graph: Graph, id: str) -> NodeKey | None:
    """The node with this id, if the graph has it."""
    return next((node for node in graph if node_id(node) == id), None)
