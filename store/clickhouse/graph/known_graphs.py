"""The graphs of windows of whole slots, cached.

A graph depends on the sums over its slots, and on what may still arrive: what is in front of roots whose parents are
unknown, and inferred nodes, are drawn when they are settled (`store.model.is_settled`, `store.young_nodes`). A graph in which
all of that was settled stays the same for as long as `window_plan` names the same revisions of the same slots.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from store.clickhouse.graph.sized_cache import SizedCache
from store.clickhouse.graph.window_plan import Slot
from store.clickhouse.units.aggregates import NODES, Aggregate, Key, graph_of, sum_of
from store.graph import ServiceGraph
from store.model import SETTLE_SLOT, is_unconfirmed, waiting_slot

CAPACITY = 60_000
"""Nodes and edges in the cache at most: two maps of ten thousand services, some 1 kB each of them."""


class _Known(NamedTuple):
    graph: ServiceGraph
    last: int
    """The last `SETTLE_SLOT` of anything that was not settled in it."""


class KnownGraphs:
    """An LRU cache, shared by threads; its graphs are not to be modified."""

    def __init__(self, room: int = CAPACITY) -> None:
        self._known: SizedCache[frozenset[Slot], _Known] = SizedCache(room)

    def graph(
        self,
        slots: frozenset[Slot] | None,
        parts: Collection[Mapping[Key, Aggregate]],
        settled_before: int | None,
    ) -> ServiceGraph:
        """The graph of the sums over parts of slots; of other sums where these are None."""
        known = self._known.recall(slots) if slots else None
        if known and _all_settled(known.last, settled_before):
            return known.graph
        aggregates = sum_of(parts)
        last = _last_slot(aggregates)
        graph = graph_of(aggregates, settled_before)
        if slots and _all_settled(last, settled_before):
            size = len(graph.services) + len(graph.edges) + len(graph.links)
            self._known.remember(slots, _Known(graph, last), size)
        return graph

    def forget(self) -> None:
        """Empty the cache."""
        self._known.forget()


def _all_settled(last: int, settled_before: int | None) -> bool:
    return settled_before is None or last < settled_before // SETTLE_SLOT


def _last_slot(aggregates: Mapping[Key, Aggregate]) -> int:
    """The last slot in which anything arrived, or began, that is drawn when it is settled."""
    last = 0
    for (kind, source, _), aggregate in aggregates.items():
        if kind in NODES:
            if not aggregate.active:
                last = max(last, aggregate.start // SETTLE_SLOT)
        elif is_unconfirmed(source):
            last = max(last, waiting_slot(source))
    return last
