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

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.rollup.buckets import Fingerprint, values_list


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
    found = run(queries.PARTITION_MARKERS.render(minute=minute))
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
    fragments = {"revisions": revisions, "markers": values_list(markers)}
    run(queries.MERGE_PARTITIONS.render(fragments, minute=minute, rev=rev))
