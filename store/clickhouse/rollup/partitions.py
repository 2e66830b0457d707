"""Partitions of a minute: the rows of traces whose ids have an epoch in the same few seconds.

In a minute with many rows only the partitions with changes are aggregated again: while rows arrive,
readers wait for the last few seconds and not for the whole minute. A partition contains all rows of a
trace in its minute and is a range of the sort key. Its units may depend on other partitions as units
depend on other minutes (`store.clickhouse.units.dependencies`). Traces whose ids contain no timestamp
are in the first or last partition; such a minute is in effect aggregated as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.connection.sql import bind
from store.clickhouse.rollup.buckets import (
    MARKER,
    MARKERS,
    NO_KEY,
    NOTHING,
    PREFIX,
    SINGLE_PART,
    TRAILING,
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

_UNEXPIRED = "written_at > now() - 3600"
"""Partition rollups expire after two hours; those of the last hour cannot expire while they are used."""

_MARKERS = f"""
SELECT partition, argMax((rev, rows, checksum, oldest, start, end), rev) FROM partition_rollups
WHERE bucket = :minute AND kind = 255 AND {_UNEXPIRED} GROUP BY partition
"""
COUNTED_AT = f"""
SELECT bucket, partition, intDiv(max(rev), 1024) FROM partition_rollups
WHERE :slots AND kind = 255 AND {_UNEXPIRED} GROUP BY bucket, partition
"""
"""When the partitions of minutes were aggregated, microseconds since the epoch."""
COUNT_PARTITIONS = f"""
INSERT INTO partition_rollups (partition, kind, bucket, {KEY}, {COLUMNS}, rows, oldest, checksum, rev) {SINGLE_PART}
SELECT bucket, kind, :minute AS minute_, {KEY_COUNTED}, {COLUMNS_COUNTED},
       toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, :rev AS rev_
FROM ({COUNT})
UNION ALL
SELECT partition, {MARKER}, :minute, {NO_KEY}, [], 0, low, high, {NOTHING},
       rows, toDateTime(oldest), checksum, :rev
FROM VALUES('partition UInt8, rows UInt64, checksum UInt64, oldest UInt32, low Int64, high Int64', :counted)
"""
"""Aggregates partitions of a minute. Places beside those of COUNT (``:bucket`` is `partition_of`): the minute,
the revision, and a marker row for each partition."""
_MERGE = f"""
INSERT INTO rollups ({PREFIX}) {SINGLE_PART}
SELECT toUInt16(1) AS width_, kind, bucket, {KEY}, {COLUMNS_COUNTED}, {TRAILING.format(1)}
FROM (
    SELECT kind, bucket, {KEY}, {SUMMED} FROM partition_rollups
    WHERE bucket = :minute AND kind < {MARKER} AND (partition, rev) IN (:revisions) GROUP BY kind, bucket, {KEY}
)
UNION ALL {MARKERS}
"""


class Counted(NamedTuple):
    """The revision of a partition, and the rows that were aggregated."""

    rev: int
    fingerprint: Fingerprint

    @property
    def counted_at(self) -> int:
        """When it was aggregated, microseconds since the epoch."""
        return self.rev >> 10


def counted(run: RunQuery, minute: int) -> dict[int, Counted]:
    """The aggregated partitions of a minute, without those that are about to expire."""
    found = run(bind(_MARKERS, minute=minute))
    return {
        partition: Counted(rev, Fingerprint(rows, checksum, int(oldest.timestamp()), low, high))
        for partition, (rev, rows, checksum, oldest, low, high) in found
    }


def merge(
    run: RunQuery,
    minute: int,
    partitions: Mapping[int, Counted],
    markers: Iterable[tuple[int, ...]],
    rev: int,
) -> None:
    """Write the rollup of a minute, the sum of its partitions, together with its markers."""
    revisions = values_list((partition, each.rev) for partition, each in partitions.items())
    run(bind(_MERGE, minute=minute, revisions=revisions, markers=values_list(markers), rev=rev))
