"""What the rollups lack of windows: the one place that decides whether what was counted is complete.

Dirty buckets in the window decide, not when their rows arrived: an import fills windows of long ago. A row outside
the window may change units inside (an answer that began after its end): that is known once its own bucket is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows
from store.clickhouse.queries import Sql
from store.clickhouse.units.base_buckets import BUCKET, PER_MINUTE
from store.model import TimeRange
from store.query import Backlog

ALWAYS = TimeRange(0, 1 << 62)


class Due(NamedTuple):
    """All dirty buckets together. ``rows``: approximately; ``backlog``: without those that are only compared."""

    buckets: int
    rows: int
    backlog: Backlog | None


def due_statement(windows: Sequence[TimeRange] = (), *, least: int = 0, guard: int = 0) -> Sql:
    """The statement of `read_due`. ``least``: microseconds that rows must have waited to count as backlog;
    ``guard``: as of `dirty.dirty_buckets`."""
    parts = [_part(ALWAYS, 0), *(_part(window, least) for window in windows)]
    return queries.BACKLOG.render({"windows": Sql(", ".join(parts))}, guard=guard)


def read_due(rows: Rows) -> tuple[Due, list[Backlog | None]]:
    """All that is due, and the backlog of each window, from the result rows of `due_statement`."""
    ((buckets, waiting, now, parts),) = rows
    every, *found = [
        Backlog(minutes, first * BUCKET, now - waited) if minutes else None
        for minutes, first, waited in parts
    ]
    return Due(buckets, waiting, every), found


def _part(window: TimeRange, least: int) -> str:
    first, last = max(0, window.start) // BUCKET, (window.end - 1) // BUCKET
    waits = f"confirming = 0 AND waited >= {least} AND bucket BETWEEN {first} AND {max(0, last)}"
    return (
        f"(uniqExactIf(intDiv(bucket, {PER_MINUTE}), {waits}), "
        f"minIf(bucket, {waits}), maxIf(waited, {waits}))"
    )
