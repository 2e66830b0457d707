"""Shares of a minute: the rows of the traces that began, by the epoch in their ids, in the same seconds.

A minute with many rows is counted partition by partition, and only those that rows have come to: while much
arrives, people wait for the counts of the last few seconds, not of the whole minute over and over.
A partition holds all rows of a trace in its minute and is a range of the sort key. Its units depend on
other partition_rollups as units depend on other minutes (`store.clickhouse.units.dependencies`). Traces whose ids say
nothing of time lie in the first partition or the last one, which are then counted as the minute would be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.connection.sql import bind
from store.clickhouse.rollup.buckets import (
    AT_ONCE,
    BEHIND,
    MARKER,
    MARKERS,
    NO_KEY,
    NOTHING,
    PREFIX,
    Fingerprint,
    values_list,
)
from store.clickhouse.units.aggregates import (
    COLUMNS,
    COLUMNS_COUNTED,
    COUNT,
    KEY,
    KEY_COUNTED,
    SUMMED,
)

SECONDS = 3
"""What a partition takes of the minute."""
LAST = 60 // SECONDS + 2
"""Numbers begin at 1, for traces from before the minute; this is for those from after it."""
ALL = 0
"""Instead of a number: it is not known which partition."""

_LATELY = "written_at > now() - 3600"
"""Rows that are far from the end of their two hours: what is about to expire is not relied on."""

_MARKERS = f"""
SELECT partition, argMax((rev, rows, checksum, oldest, start, end), rev) FROM partition_rollups
WHERE bucket = :minute AND kind = 255 AND {_LATELY} GROUP BY partition
"""
LOOKED = f"""
SELECT bucket, partition, intDiv(max(rev), 1024) FROM partition_rollups
WHERE :slots AND kind = 255 AND {_LATELY} GROUP BY bucket, partition
"""
"""When the partition_rollups of minutes were counted, microseconds since the epoch."""
COUNT_SHARES = f"""
INSERT INTO partition_rollups (partition, kind, bucket, {KEY}, {COLUMNS}, rows, oldest, checksum, rev) {AT_ONCE}
SELECT bucket, kind, :minute AS minute_, {KEY_COUNTED}, {COLUMNS_COUNTED},
       toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, :rev AS rev_
FROM ({COUNT})
UNION ALL
SELECT partition, {MARKER}, :minute, {NO_KEY}, [], 0, low, high, {NOTHING},
       rows, toDateTime(oldest), checksum, :rev
FROM VALUES('partition UInt8, rows UInt64, checksum UInt64, oldest UInt32, low Int64, high Int64', :counted)
"""
"""Counts partition_rollups of a minute; beside the places of COUNT, of which ``:bucket`` is `partition_of`, those of
the minute, the revision, and a row for each partition."""
_ADD_UP = f"""
INSERT INTO rollups ({PREFIX}) {AT_ONCE}
SELECT toUInt16(1) AS width_, kind, bucket, {KEY}, {COLUMNS_COUNTED}, {BEHIND.format(1)}
FROM (
    SELECT kind, bucket, {KEY}, {SUMMED} FROM partition_rollups
    WHERE bucket = :minute AND kind < {MARKER} AND (partition, rev) IN (:held) GROUP BY kind, bucket, {KEY}
)
UNION ALL {MARKERS}
"""


class Counted(NamedTuple):
    """A partition's revision, and the rows that were counted."""

    rev: int
    held: Fingerprint

    @property
    def counted_at(self) -> int:
        """When it was counted, microseconds since the epoch."""
        return self.rev >> 10


def partition_of(trace_id: str, minute: str) -> str:
    """An expression: the partition of a trace in a minute."""
    second = f"toInt64(byteSwap(reinterpretAsUInt32({trace_id}))) - toInt64({minute}) * 60"
    number = f"intDiv({second} + {SECONDS}, {SECONDS}) + 1"
    return f"toUInt8(least(greatest({number}, 1), {LAST}))"


def row_condition(minute: int, partition_rollups: Collection[int]) -> str:
    """A condition on rows: the partition_rollups of a minute, ranges where they follow one another."""
    ranges: list[list[int]] = []
    for partition in sorted(partition_rollups):
        if ranges and ranges[-1][1] == partition - 1:
            ranges[-1][1] = partition
        else:
            ranges.append([partition, partition])
    tests = [_between(minute, first, last) for first, last in ranges]
    some = "" if "" in tests else f" AND ({' OR '.join(tests)})"
    return f"(minute = {minute}{some})"


def _between(minute: int, first: int, last: int) -> str:
    """A condition on trace ids, which are compared as bytes: the first four are the epoch. Empty when
    all meet it; ClickHouse stumbles over a test that is constant."""
    low, high = minute * 60 + (first - 2) * SECONDS, minute * 60 + (last - 1) * SECONDS
    tests = []
    if first > 1 and low >= 1 << 32:
        return f"minute < {minute}"  # no id holds such a time: none
    if first > 1:
        tests.append(f"trace_id >= {_begun(low)}")
    if last < LAST and high < 1 << 32:
        tests.append(f"trace_id < {_begun(high)}")
    return " AND ".join(tests)


def _begun(second: int) -> str:
    return f"toFixedString(unhex('{second:08x}'), 16)"


def counted(ask: RunQuery, minute: int) -> dict[int, Counted]:
    """The partition_rollups of a minute that have been counted of late. (What is about to expire is none.)"""
    found = ask(bind(_MARKERS, minute=minute))
    return {
        partition: Counted(rev, Fingerprint(rows, checksum, int(oldest.timestamp()), low, high))
        for partition, (rev, rows, checksum, oldest, low, high) in found
    }


def merge(
    ask: RunQuery,
    minute: int,
    partition_rollups: Mapping[int, Counted],
    markers: Iterable[tuple[int, ...]],
    rev: int,
) -> None:
    """Write a minute's count, the sum of its partition_rollups, and markers with it."""
    held = values_list((partition, each.rev) for partition, each in partition_rollups.items())
    ask(bind(_ADD_UP, minute=minute, held=held, markers=values_list(markers), rev=rev))
