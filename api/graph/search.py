"""Search for nodes by name: a table of names, made once for a graph, and the figures of those that are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from functools import cached_property
from heapq import nlargest
from itertools import chain

from api.graph.passes import MOST_NODES, severity
from store.graph import ServiceGraph
from store.model import NodeKey

Names = tuple[str, ...]


class NameTable:
    """The nodes of a graph by their names; thread-safe, as nothing in it depends on what is searched for."""

    def __init__(self, services: ServiceGraph) -> None:
        self._services = services.services
        self._edges = {**services.links, **services.edges}
        self._names = {key: names_of(key, each.names) for key, each in self._services.items()}

    def find(self, text: str) -> list[NodeKey]:
        """The nodes with ``text`` in a name or the type: exact names, then prefixes, then by importance."""
        part = text.casefold()
        ranks = {
            key: rank
            for key, names in self._names.items()
            if any(part in name for name in names) and (rank := match_rank(names, part))
        }
        return sorted(sorted(ranks), key=lambda key: (ranks[key], *self._rank(key)), reverse=True)

    @cached_property
    def drawn(self) -> Collection[NodeKey]:
        """Those on the map of all nodes (`api.graph.passes.prune`)."""
        if len(self._services) <= MOST_NODES:
            return self._services.keys()
        return set(nlargest(MOST_NODES, self._services, key=lambda key: (*self._rank(key), key)))

    def _rank(self, key: NodeKey) -> tuple[int, int]:
        """`api.graph.passes.importance`."""
        statistics = self._services[key].statistics
        answered = statistics.total + statistics.in_progress
        return severity(statistics), answered or self._made[key]

    @cached_property
    def _made(self) -> Counter[NodeKey]:
        """The calls that nodes made."""
        made: Counter[NodeKey] = Counter()
        for (source, _), edge in self._edges.items():
            made[source] += edge.statistics.total + edge.statistics.in_progress
        return made


def names_of(node: NodeKey, names: Iterable[str]) -> Names:
    """What a node is found by: its type, and its names."""
    return tuple(name.casefold() for name in chain((node.type, node.name), names))


def match_rank(found_by: Names, text: str) -> int:
    """3 for an equal name, 2 for a prefix of one, 1 for a part of a name or the type, else 0.

    ``text`` must be casefolded.
    """
    type, *names = found_by
    if text in names:
        return 3
    if any(name.startswith(text) for name in names):
        return 2
    return int(text in type or any(text in name for name in names))
