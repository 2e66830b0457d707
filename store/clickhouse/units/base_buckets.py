"""Buckets: the five seconds in which a row starts, the second column of the tables' sort keys.

A bucket is counted from five seconds since the epoch, like a minute (store.clickhouse.schema). Rows of
some buckets are selected by a range of the sort key, which begins with the minute.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

from store.model import TimeRange
from store.times import MINUTE, SECOND

BUCKET = 5 * SECOND
PER_MINUTE = MINUTE // BUCKET
BUCKET_OF = f"toUInt64(greatest(0, intDiv(start, {BUCKET})))"
"""An SQL expression for the bucket of a row or unit."""


MOST_RANGES = 30
"""Ranges in a condition at most; with more, all buckets are listed."""


def rows_in_buckets(buckets: Collection[int]) -> str:
    """A condition on rows: those of some buckets, as ranges of the sort key."""
    ranges = _ranges(buckets)
    if len(ranges) > MOST_RANGES:
        ranges = [(bucket, bucket) for bucket in sorted(set(buckets))]
    parts, alone = [], []
    for first, last in ranges:
        if first == last:
            alone.append(first)
            continue
        minutes = f"minute BETWEEN {first // PER_MINUTE} AND {last // PER_MINUTE}"
        parts.append(f"({minutes} AND bucket BETWEEN {first} AND {last})")
    if alone:
        minutes = ", ".join(map(str, sorted({each // PER_MINUTE for each in alone})))
        parts.append(f"(minute IN ({minutes}) AND bucket IN ({', '.join(map(str, alone))}))")
    return f"({' OR '.join(parts)})" if parts else "0"


def in_minutes(minutes: Collection[int]) -> str:
    """A condition on ``minute``, as ranges of consecutive minutes where possible: those use the sort key."""
    return numbers_in("minute", minutes)


def numbers_in(column: str, numbers: Collection[int]) -> str:
    """A condition on a column of numbers, as ranges where possible."""
    ranges = _ranges(numbers)
    parts = [f"{column} BETWEEN {a} AND {b}" for a, b in ranges if a != b]
    alone = [a for a, b in ranges if a == b]
    if alone:
        parts.append(f"{column} IN ({', '.join(map(str, alone))})")
    return f"({' OR '.join(parts)})" if parts else "0"


def minutes_of(buckets: Collection[int]) -> list[int]:
    """The minutes that buckets belong to, in order."""
    return sorted({bucket // PER_MINUTE for bucket in buckets})


def buckets_of(minute: int) -> range:
    """The buckets of a minute."""
    return range(minute * PER_MINUTE, (minute + 1) * PER_MINUTE)


def range_of(bucket: int) -> TimeRange:
    """The five seconds of a bucket."""
    return TimeRange(bucket * BUCKET, (bucket + 1) * BUCKET)


def _ranges(numbers: Collection[int]) -> list[tuple[int, int]]:
    """Closed ranges of consecutive numbers."""
    ordered = sorted(set(numbers))
    starts = ordered[:1] + [b for a, b in pairwise(ordered) if b != a + 1]
    ends = [a for a, b in pairwise(ordered) if b != a + 1] + ordered[-1:]
    return list(zip(starts, ends, strict=True))
