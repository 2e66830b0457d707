"""The table `rollups`: counts of some minutes under a revision, and the marker that says so.

Of a bucket only the rows with the revision of its newest marker hold (migrations/0003_rollups.sql).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from typing import NamedTuple

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.units.aggregates import COLUMNS, KEY

MARKER = 255
"""The kind of row that says that a bucket was counted."""
WIDTHS = (60, 10, 5)
"""Minutes of the wide slots, added up from minutes that have been quiet for a while."""

PREFIX = f"width, kind, bucket, {KEY}, {COLUMNS}, complete, rows, oldest, checksum, counted_at, rev"
"""The columns of rows that are counted."""
BEHIND = (
    "toUInt8({}) AS complete_, toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, "
    "toUInt64(0) AS checksum_, toUInt64(0) AS counted_at_, :rev AS rev_"
)
"""Those of them after COLUMNS, of rows that are no markers, with a place for `complete`."""
NO_KEY = "'', '', '', '', '', ''"
NOTHING = (
    "0, 0, 0, 0, 0, 0, 0, 0, CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), "
    "CAST(map(), 'Map(String, UInt64)')"
)
"""The columns of a marker from `trace_minutes` to `failures`."""
AT_ONCE = (
    "SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, "
    "max_insert_threads = 1"
)
"""One part, so that whoever sees a marker sees all that came with it."""

MARKERS = f"""
SELECT width, {MARKER}, bucket, {NO_KEY}, [], 0, low, high, {NOTHING},
       width = 1, rows, toDateTime(oldest), checksum, counted_at, :rev
FROM VALUES('width UInt16, bucket UInt32, low Int64, high Int64, rows UInt64, oldest UInt32,
             checksum UInt64, counted_at UInt64', :markers)
"""
"""The markers of minutes, and of wide slots that are out of date with them."""


class Fingerprint(NamedTuple):
    """Some rows: how many, the sum of the times they were inserted (microseconds, modulo 2**64: with
    their number it changes when one comes or goes), when the first was received (seconds), and their
    first and last start (microseconds)."""

    rows: int = 0
    checksum: int = 0
    oldest: int = 0
    low: int = 0
    high: int = 0

    def matches(self, other: Fingerprint) -> bool:
        """Whether no row has come or gone."""
        return self[:2] == other[:2]


def combine(parts: Collection[Fingerprint]) -> Fingerprint:
    """The rows of all."""
    parts = [part for part in parts if part.rows]
    if not parts:
        return Fingerprint()
    rows, digests, oldest, low, high = zip(*parts, strict=True)
    return Fingerprint(sum(rows), sum(digests) % (1 << 64), min(oldest), min(low), max(high))


def version_row(width: int, bucket: int, held: Fingerprint, counted_at: int = 0) -> tuple[int, ...]:
    """A row for MARKERS."""
    return width, bucket, held.low, held.high, held.rows, held.oldest, held.checksum, counted_at


def now(ask: RunQuery) -> int:
    """The database's clock, microseconds since the epoch."""
    ((instant,),) = ask("SELECT toUnixTimestamp64Micro(now64(6))")
    return int(instant)


def revision(instant: int) -> int:
    """A revision of its own, in the order of time."""
    return instant << 10 | secrets.randbelow(1024)


def values_list(rows: Iterable[Collection[int]]) -> str:
    """Rows of numbers, as VALUES or IN want them."""
    return ", ".join(f"({', '.join(map(str, row))})" for row in rows)
