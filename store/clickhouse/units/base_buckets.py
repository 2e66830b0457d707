"""Buckets: the five seconds in which a row starts, the second column of the tables' sort keys.

A bucket is counted from five seconds since the epoch, like a minute (store.clickhouse.schema). Rows of
some buckets are selected by a range of the sort key, which begins with the minute.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise

from store.model import TimeRange
from store.times import BUCKET, PER_MINUTE

BUCKET_OF = f"toUInt64(greatest(0, intDiv(start, {BUCKET})))"
"""An SQL expression for the bucket of a row or unit."""


MOST_RANGES = 30
"""Ranges in a condition at most; with more, all buckets are listed."""


def rows_in_buckets(buckets: Collection[int]) -> str:
    """A condition on rows: those of some buckets, as ranges of the sort key, or as lists where there are many."""
    ranges = _ranges(buckets)
    if len(ranges) > MOST_RANGES:
        return _listed_rows(frozenset(buckets))
    parts = [
        f"(minute BETWEEN {first // PER_MINUTE} AND {last // PER_MINUTE} "
        f"AND bucket BETWEEN {first} AND {last})"
        for first, last in ranges
        if first != last
    ]
    alone = [first for first, last in ranges if first == last]
    if alone:
        parts.append(_rows_by_bucket(alone))
    return f"({' OR '.join(parts)})" if parts else "0"


def _listed_rows(buckets: frozenset[int]) -> str:
    """Whole minutes are listed as such: a twelfth of the numbers."""
    whole = [minute for minute in minutes_of(buckets) if buckets.issuperset(buckets_of(minute))]
    others = buckets.difference(*map(buckets_of, whole))
    parts = [among("minute", whole)] if whole else []
    parts += [_rows_by_bucket(others)] if others else []
    return f"({' OR '.join(parts)})"


def _rows_by_bucket(buckets: Collection[int]) -> str:
    return f"({among('minute', minutes_of(buckets))} AND {among('bucket', buckets)})"


def buckets_in(minutes: Collection[int]) -> str:
    """A condition on ``bucket``: those of some minutes."""
    ranges = _ranges(minutes)
    if len(ranges) <= MOST_RANGES:
        return numbers_in("bucket", [bucket for minute in minutes for bucket in buckets_of(minute)])
    first, last = buckets_of(ranges[0][0]), buckets_of(ranges[-1][1])
    within = f"bucket BETWEEN {first.start} AND {last.stop - 1}"
    return f"({within} AND {among(f'intDiv(bucket, {PER_MINUTE})', minutes)})"


def among(column: str, numbers: Collection[int]) -> str:
    """A condition on a column: one of some numbers. Of many as text, since each element of a list in SQL takes 5 us
    to interpret, wherever a statement repeats it."""
    joined = ", ".join(map(str, sorted(numbers)))
    if len(numbers) <= MOST_RANGES:
        return f"{column} IN ({joined})"
    return f"{column} IN CAST('[{joined}]', 'Array(UInt64)')"


def in_minutes(minutes: Collection[int]) -> str:
    """A condition on ``minute``, as ranges of consecutive minutes where possible: those use the sort key."""
    return numbers_in("minute", minutes)


def numbers_in(column: str, numbers: Collection[int]) -> str:
    """A condition on a column of numbers: as ranges, or as a list where there are many, which ClickHouse would
    compare with each row one after the other."""
    ranges = _ranges(numbers)
    if len(ranges) > MOST_RANGES:
        return f"({among(column, set(numbers))})"
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


def buckets_within(windows: Iterable[TimeRange]) -> list[int]:
    """The buckets that windows lie in, in order."""
    return sorted({b for w in windows for b in range(w.start // BUCKET, (w.end - 1) // BUCKET + 1)})


def range_of(bucket: int) -> TimeRange:
    """The five seconds of a bucket."""
    return TimeRange(bucket * BUCKET, (bucket + 1) * BUCKET)


def _ranges(numbers: Collection[int]) -> list[tuple[int, int]]:
    """Closed ranges of consecutive numbers."""
    ordered = sorted(set(numbers))
    starts = ordered[:1] + [b for a, b in pairwise(ordered) if b != a + 1]
    ends = [a for a, b in pairwise(ordered) if b != a + 1] + ordered[-1:]
    return list(zip(starts, ends, strict=True))
