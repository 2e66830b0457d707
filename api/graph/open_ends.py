"""Where edges are missing as far as the map itself knows it: calls that end nowhere although a service of that name
reports, and requests that name a parent which has not come. `api.v1.missing` says why, from traces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from api.graph.build import Graph, value_in
from store.graph import Statistics
from store.missing_edges.names import CALLED_BY_NAME, Services
from store.model import NodeKey
from store.rules.invocations import SERVICE
from store.rules.other_names import OTHER_NAMES

LEAST = 2
LEAST_SHARE = 0.02
"""Of a node's calls or requests that show it: a lost document is no missing edge."""


class OpenEnd(NamedTuple):
    """A node with the calls that end there, and its requests whose parent has not come."""

    node: NodeKey
    calls: int
    requests: int


def open_ends(graph: Graph) -> Iterator[OpenEnd]:
    """The nodes of a map where an edge is missing."""
    awaiting: dict[NodeKey, int] = {}
    for _, target, edge in graph.edges(data="stats"):
        # Lambda's own segments await what their events came from, not a parent (`store.facts.awaits_event`).
        if edge.awaiting and target.type != SERVICE:
            awaiting[target] = awaiting.get(target, 0) + edge.awaiting
    services: Services | None = None
    for node, stats in graph.nodes(data="stats"):
        if stats.active:
            missing = awaiting.get(node, 0)
            if (
                missing >= LEAST
                and value_in(node) is None
                and _is_telling(missing, stats.statistics)
            ):
                yield OpenEnd(node, 0, missing)
        elif node.type in CALLED_BY_NAME and stats.statistics.ok >= LEAST:
            services = services or services_of(graph)
            if value_in(node) is None and services.meant_by(node):
                yield OpenEnd(node, stats.statistics.ok, 0)


def _is_telling(missing: int, of: Statistics) -> bool:
    return missing >= LEAST_SHARE * (of.total + of.in_progress)


def services_of(graph: Graph) -> Services:
    """The services that report, by the names they go by, and those by which callers reached them."""
    names = {
        node: set(stats.names)
        for node, stats in graph.nodes(data="stats")
        if stats.active and node.name != OTHER_NAMES
    }
    for _, target, edge in graph.edges(data="stats"):
        if edge.aliases and not edge.link and target in names:
            names[target] |= edge.aliases
    return Services(names)
