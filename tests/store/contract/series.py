"""Series of edges, through the method that the product calls."""

from __future__ import annotations

from collections.abc import Iterable

from store.model import NodeKey, TimeRange
from store.protocol import Store
from store.query import Entities, TimeBucket


def edge_series(
    store: Store,
    edges: Iterable[tuple[NodeKey, NodeKey]],
    window: TimeRange,
    step: int,
    settled_before: int | None = None,
) -> list[TimeBucket]:
    """Statistics of the calls and links along edges per step."""
    pairs = frozenset(edges)
    entities = Entities(edges=pairs, links=pairs)
    return store.entity_series(entities, window, step, settled_before=settled_before)
