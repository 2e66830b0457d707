"""The node of a graph that an id in an address means."""

from __future__ import annotations

from api.errors import ApiError
from api.graph.build import Graph, keys_of, node_id, stats_of, value_in
from store.model import NodeKey
from store.rules.namespaces import goes_by, short_name


def require_node(graph: Graph, id: str) -> NodeKey:
    """The node with this id; ApiError as `find_node`, and when it had no traffic in the window (404)."""
    node = find_node(graph, id)
    if node is None:
        named = [node_id(each) for each in graph if goes_by(id, each, stats_of(graph, each).names)]
        hint = f"; expected an id, and this name has {', '.join(named)}" if named else ""
        raise ApiError(
            f"node {id[:60]!r} had no traffic in this window{hint}", code="NoSuchNode", status=404
        )
    return node


def find_node(graph: Graph, id: str) -> NodeKey | None:
    """The node with this id, or the one that has the units of that, if the graph has it.

    The id of a service's name without its namespace means the service of that name. ApiError (409) if there are
    several.
    """
    nodes: list[NodeKey] = list(graph)
    for node in nodes:
        if node_id(node) == id:
            return node
    whole = [node for node in nodes if value_in(node) is None]
    for node in whole:
        if id in map(node_id, keys_of(graph, node)):
            return node
    found = [node for node in whole if id == node_id(_bare(graph, node))]
    if len(found) > 1:
        named = ", ".join(f"{node.name} ({node_id(node)})" for node in found)
        raise ApiError(f"node {id} may be any of {named}", code="SeveralNodes", status=409)
    return found[0] if found else None


def _bare(graph: Graph, node: NodeKey) -> NodeKey:
    return node._replace(name=short_name(node, stats_of(graph, node).names) or node.name)
