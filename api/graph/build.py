"""The store's service graph as a networkx graph.

Nodes are `NodeKey` with a `ServiceStats` attribute ``stats``, edges have an `EdgeStats`
likewise; `stats_of` and `calls_of` return them typed. Both carry the ratios of these as attributes
(`api.graph.ratios`), and `ratios_of` returns those.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from itertools import product
from typing import Any, TypeAlias, cast

import networkx as nx

from api.graph.ratios import Ratios, ratios_of_edge, ratios_of_node
from store.graph import EdgeStats, ServiceGraph, ServiceStats
from store.grouped_units import GroupedKey
from store.model import NodeKey, TimeRange

Graph: TypeAlias = nx.DiGraph
"""Of `NodeKey`; of a grouped map also of `GroupedKey`, which is one."""
VALUE = "~"
"""In an id, between a node and the value of a part of it (base64url without padding, which no proxy decodes)."""


def build_graph(services: ServiceGraph, window: TimeRange | None = None) -> Graph:
    """Nodes and edges sorted by key. Where both calls and links join two nodes, calls win.

    ``window``: which was counted, for rates; None of single traces.
    """
    graph: Graph = nx.DiGraph()
    for key in sorted(services.services):
        stats = services.services[key]
        graph.add_node(key, stats=stats, **ratios_of_node(stats, window)._asdict())
    for pair in sorted(services.edges):
        _add_edge(graph, services.edges[pair], window)
    for pair in sorted(services.links.keys() - services.edges.keys()):
        _add_edge(graph, services.links[pair], window)
    return graph


def _add_edge(graph: Graph, stats: EdgeStats, window: TimeRange | None) -> None:
    ratios = ratios_of_edge(stats, window)._asdict()
    graph.add_edge(stats.source, stats.target, stats=stats, **ratios)


def ratios_of(attributes: Mapping[str, Any]) -> Ratios:
    """The ratios among the attributes of a node or an edge."""
    return Ratios(*(attributes[name] for name in Ratios._fields))


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
    """Identifier of a node in URLs, the same in every response and process: of a part of a node that of the node, and
    its value."""
    if isinstance(node, GroupedKey):
        encoded = base64.urlsafe_b64encode(node.value.encode("utf-8", "replace"))
        return f"{node_id(node.node)}{VALUE}{encoded.decode().rstrip('=')}"
    digest = hashlib.blake2b("\0".join(node).encode("utf-8", "replace"), digest_size=8)
    return "n" + digest.hexdigest()


def split_id(id: str) -> tuple[str, str | None]:
    """The id of a node, and the value of the part of it that is meant; None of the whole node."""
    node, mark, value = id.partition(VALUE)
    if not mark:
        return node, None
    try:
        padded = value + "=" * (-len(value) % 4)
        return node, base64.b64decode(padded.encode(), b"-_", validate=True).decode()
    except ValueError:
        return id, None


def value_in(node: NodeKey) -> str | None:
    """The value of a node of a grouped graph; None of one that is whole."""
    return node.value if isinstance(node, GroupedKey) else None


def edge_id(source: NodeKey, target: NodeKey) -> str:
    """Identifier of an edge."""
    return f"{node_id(source)}:{node_id(target)}"


def shown_name(graph: Graph, node: NodeKey) -> str:
    """What a node is called in its graph."""
    return stats_of(graph, node).shown
