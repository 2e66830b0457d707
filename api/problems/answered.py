"""Calls that a service did not answer: they lead to a host of its name, a node of its own on the map.

A service that is down has no requests, and the host nothing but failures; together they are what its callers see. So calls to
a host that is called like the only service of this name count as that service's.
"""

from __future__ import annotations

from store.minutes import Series
from store.model import NodeKey

HOST = "remote"
"""The type of a node that reports nothing, and is no resource that is known."""


class Answered:
    """The services of a map by their names."""

    def __init__(self) -> None:
        self._services: dict[str, set[NodeKey]] = {}

    def of(self, series: Series) -> Series:
        """The series as that of the service that did not answer; itself if there is none."""
        node = series.node
        if node.is_client or not node.name:
            return series
        known = self._services.get(node.name, set())
        if node.type != HOST:
            self._services[node.name] = known | {node}
            return series
        return series._replace(node=next(iter(known))) if len(known) == 1 else series


def with_host(node: NodeKey) -> frozenset[NodeKey]:
    """A service, and the host of its name."""
    return frozenset((node, NodeKey(node.account, node.name, HOST), NodeKey("", node.name, HOST)))
