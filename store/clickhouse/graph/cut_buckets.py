"""The units of buckets that windows cut, cached.

Of a window that is looked at closely, the map, its panels and lists are all read, and cut the same buckets. Whatever
changes the units of a bucket gives it a new revision, so units that were read stay valid for as long as
`window_plan` names that revision; `window_plan.Pieces.settled` says of which buckets none can have been overlooked.
"""

from __future__ import annotations

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.graph import small_pieces
from store.clickhouse.graph.sized_cache import SizedCache
from store.clickhouse.graph.window_plan import BucketSlot, Pieces
from store.clickhouse.units.base_buckets import range_of
from store.clickhouse.units.unit_sums import CutUnit

CAPACITY = 20_000
"""Units in the cache at most, about 1 kB each."""

CutBuckets = SizedCache[BucketSlot, tuple[CutUnit, ...]]


def read_cut(run: RunQuery, pieces: Pieces, cache: CutBuckets) -> list[CutUnit]:
    """Each unit in raw pieces, as `small_pieces.read`, which reads those that are not known."""
    slots = set(pieces.settled.values())
    found = {slot: cache.recall(slot) for slot in slots}
    missing = {slot: range_of(slot.bucket) for slot in slots if found[slot] is None}
    others = [piece for piece in pieces.raw if piece not in pieces.settled]
    read = small_pieces.read(run, [*missing.values(), *others]) if missing or others else []
    for slot, bucket in missing.items():
        units = tuple(unit for unit in read if unit[1].start in bucket)
        cache.remember(slot, units, len(units) + 1)
        found[slot] = units
    return [
        *(unit for unit in read if any(unit[1].start in piece for piece in others)),
        *(
            unit
            for piece, slot in pieces.settled.items()
            for unit in found[slot] or ()
            if unit[1].start in piece
        ),
    ]
