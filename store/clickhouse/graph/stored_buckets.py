"""Sums over the buckets of minutes that windows cut, cached.

The rows of one revision of a bucket never change and come in one insert, so a sum stays valid for as long as
`window_plan` names the same revisions of the same buckets.
"""

from __future__ import annotations

from collections.abc import Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.graph.sized_cache import SizedCache
from store.clickhouse.graph.window_plan import BucketSlot, Pieces
from store.clickhouse.queries import Sql
from store.clickhouse.queries.rules import MARKER
from store.clickhouse.rollup.buckets import values_list
from store.clickhouse.units.aggregates import Aggregate, Key, read_aggregate
from store.clickhouse.units.base_buckets import numbers_in
from store.clickhouse.units.unit_sums import Visit
from store.model import NodeKey

CAPACITY = 200_000
"""Histogram buckets and traces in the cache at most, about 100 bytes each."""

Sums = list[tuple[Key, Aggregate, list[Visit]]]
"""By node or edge, the traces of a node apart; not to be modified."""
StoredBuckets = SizedCache[frozenset[BucketSlot], Sums]
_WIDTH = len(NodeKey._fields)


def read_stored(run: RunQuery, windows: Sequence[Pieces], cache: StoredBuckets) -> list[Sums]:
    """For each window the sums over its buckets; no bucket is in two windows."""
    wanted = [frozenset(pieces.buckets) for pieces in windows]
    found = {slots: cache.recall(slots) for slots in wanted if slots}
    missing = [slots for slots, sums in found.items() if sums is None]
    if missing:
        found.update(zip(missing, _fetch(run, missing, cache), strict=True))
    return [found.get(slots) or [] for slots in wanted]


def _fetch(
    run: RunQuery, parts: Sequence[frozenset[BucketSlot]], cache: StoredBuckets
) -> list[Sums]:
    found: list[Sums] = [[] for _ in parts]
    counted = [0] * len(parts)
    sizes = [0] * len(parts)
    for part, buckets, kind, *rest in run(_statement(parts)):
        if kind == MARKER:
            counted[part] = buckets
            continue
        key = kind, NodeKey(*rest[:_WIDTH]), NodeKey(*rest[_WIDTH : 2 * _WIDTH])
        columns = rest[2 * _WIDTH :]
        visits, columns[4] = columns[4], 0
        aggregate = read_aggregate(columns)
        found[part].append((key, aggregate, visits))
        sizes[part] += len(aggregate.statistics.histogram) + len(visits) + 10
    for slots, sums, size, there in zip(parts, found, sizes, counted, strict=True):
        if there == len(slots):  # else a replica is behind, and the next read may know more
            cache.remember(slots, sums, size)
    return found


def _statement(parts: Sequence[frozenset[BucketSlot]]) -> Sql:
    tests = [
        f"{numbers_in('bucket', [bucket for bucket, _ in slots])}, {number}, "
        for number, slots in enumerate(parts)
    ]
    fragments = {
        "window": Sql(f"multiIf({''.join(tests)}0)"),
        "revisions": values_list(sorted(slot for slots in parts for slot in slots)),
    }
    return queries.STORED_VISITS.render(fragments)
