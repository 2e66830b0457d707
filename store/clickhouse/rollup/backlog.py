"""What the rollups lack of windows: the one place that decides whether what was counted is complete.

Dirty buckets in the window decide, not when their rows arrived: an import fills windows of long ago. A row outside
the window may change units inside (an answer that began after its end): that is known once its own bucket is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import dirty
from store.clickhouse.rollup.dirty import DirtyBucket
from store.model import TimeRange
from store.query import Backlog
from store.times import BUCKET, MINUTE, PER_MINUTE

ALWAYS = TimeRange(0, 1 << 62)
LATE = 5_000_000
"""Microseconds that rows usually need at most from one replica to another."""


class Due(NamedTuple):
    """All dirty buckets together. ``rows``: approximately; ``backlog``: without those that are only compared."""

    buckets: int
    rows: int
    backlog: Backlog | None


def read_due(
    run: RunQuery, windows: Sequence[TimeRange] = (), *, least: int = 0
) -> tuple[Due, list[Backlog | None]]:
    """All that is due, and the backlog of each window. ``least``: microseconds that rows must have waited to count as
    backlog."""
    few = dirty.few_dirty(run)
    if few is not None:
        return due_of(few), [_backlog(few, window, least) for window in windows]
    parts = [_part(ALWAYS, 0), *(_part(window, least) for window in windows)]
    ((buckets, rows, now, found),) = run(
        queries.BACKLOG.render({"windows": Sql(", ".join(parts))}, guard=0)
    )
    every, *backlogs = [
        Backlog(minutes, first * BUCKET, now - waited) if minutes else None
        for minutes, first, waited in found
    ]
    return Due(buckets, rows, every), backlogs


def due_of(buckets: Collection[DirtyBucket]) -> Due:
    """All of some dirty buckets together."""
    return Due(len(buckets), sum(each.rows for each in buckets), _backlog(buckets, ALWAYS, 0))


def _backlog(buckets: Iterable[DirtyBucket], window: TimeRange, least: int) -> Backlog | None:
    first, last = _within(window)
    waiting = [
        each
        for each in buckets
        if not each.confirming and each.waited >= least and first <= each.bucket <= last
    ]
    if not waiting:
        return None
    return Backlog(
        len({each.bucket // PER_MINUTE for each in waiting}),
        min(each.bucket for each in waiting) * BUCKET,
        min(each.read_at - each.waited for each in waiting),
    )


def _within(window: TimeRange) -> tuple[int, int]:
    """The first and the last bucket of a window."""
    return max(0, window.start) // BUCKET, max(0, (window.end - 1) // BUCKET)


def with_missing(
    backlog: Backlog | None, window: TimeRange, waited: int, now: int
) -> Backlog | None:
    """What a window lacks, or may, where rows have not come for so long from another replica (microseconds).

    Of what they are of is known no more than that most documents arrive within a minute.
    """
    start, since = now - waited - MINUTE, now - waited
    first, last = max(start, window.start), min(now, window.end)
    if waited < LATE or first >= last:
        return backlog
    minutes = -(-last // MINUTE) - first // MINUTE
    if backlog is None:
        return Backlog(minutes, first, since)
    return Backlog(
        max(minutes, backlog.minutes), min(first, backlog.start), min(since, backlog.since)
    )


def _part(window: TimeRange, least: int) -> str:
    first, last = _within(window)
    waits = f"confirming = 0 AND waited >= {least} AND bucket BETWEEN {first} AND {last}"
    return (
        f"(uniqExactIf(intDiv(bucket, {PER_MINUTE}), {waits}), "
        f"minIf(bucket, {waits}), maxIf(waited, {waits}))"
    )
