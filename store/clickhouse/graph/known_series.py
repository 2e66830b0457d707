"""The nodes and edges that the numbers in sums of slots stand for, cached.

A number is a hash of all that it stands for (queries/graph/slot_sums.sql), so it never stands for anything else, whatever is
deleted, counted anew or moved: nothing has to be forgotten but for room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from store.clickhouse.units.aggregates import Key
from store.model import NodeKey

CAPACITY = 100_000
"""Numbers in the cache at most, some 700 bytes each: three maps of ten thousand services."""
_WIDTH = len(NodeKey._fields)


class Series(NamedTuple):
    """A node or an edge, with the names that it has in some slots."""

    key: Key
    names: frozenset[str]


class KnownSeries:
    """A cache, shared by threads."""

    def __init__(self, room: int = CAPACITY) -> None:
        self._room = room
        self.forget()

    def find(self, numbers: Iterable[int]) -> list[Series | None]:
        """What each number stands for, as far as that is known."""
        return list(map(self._known.get, numbers))

    def learn(self, rows: Sequence[tuple[Any, ...]]) -> dict[int, Series]:
        """Rows of queries/graph/slot_names.sql, by number. What does not fit beside the others takes their place."""
        if len(self._known) + len(rows) > self._room:
            self.forget()
        nodes = self._nodes
        found = {}
        for number, kind, *key, names in rows:
            source, target = NodeKey(*key[:_WIDTH]), NodeKey(*key[_WIDTH:])
            # One object for each node: a comparison of all that the keys of a map contain takes longer than all the rest.
            whole = kind, nodes.setdefault(source, source), nodes.setdefault(target, target)
            found[number] = Series(whole, frozenset(names))
        if len(found) <= self._room:
            self._known.update(found)
        return found

    def forget(self) -> None:
        """Empty the cache."""
        self._known: dict[int, Series] = {}
        self._nodes: dict[NodeKey, NodeKey] = {}
