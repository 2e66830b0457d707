"""The state of minutes before they are aggregated: their rows, their last aggregation, their invalidations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import dirty
from store.clickhouse.rollup.buckets import Fingerprint, combine
from store.clickhouse.units.dependencies import in_minutes
from store.clickhouse.units.partition import ALL, partition_of

DAY = 86_400


class LastCount(NamedTuple):
    """The last aggregation of a minute: its time in microseconds, and the rows it read."""

    counted_at: int
    fingerprint: Fingerprint


class MinuteState(NamedTuple):
    """A minute: its rows by partition (or all as partition ALL), its last aggregation, its invalidations."""

    number: int
    fingerprints: Mapping[int, Fingerprint]
    before: LastCount | None
    marks: list[dirty.Invalidation]

    @property
    def fingerprint(self) -> Fingerprint:
        """Of all rows of the minute."""
        return combine(self.fingerprints.values())

    @property
    def has_changed(self) -> bool:
        """Whether a row has been added or deleted since the last aggregation."""
        return self.before is None or not self.before.fingerprint.matches(self.fingerprint)

    def is_stale(self, counted_at: int, instant: int) -> bool:
        """Whether rows elsewhere have invalidated an aggregation that ran at ``counted_at``."""
        return any(mark.is_stale(counted_at, instant) for mark in self.marks)

    @property
    def has_expired(self) -> bool:
        """Whether rows that were aggregated have expired; the result is then final."""
        if self.before is None:
            return False
        counted, fingerprint = self.before.fingerprint, self.fingerprint
        return fingerprint.rows < counted.rows and (
            fingerprint.rows == 0 or fingerprint.oldest >= counted.oldest + DAY
        )


def read_minutes(run: RunQuery, minutes: Collection[int]) -> tuple[list[MinuteState], int]:
    """The state of minutes, and the greatest weight of a row. Partitions are only distinguished for one
    minute alone."""
    partition = (
        Sql(partition_of("trace_id", "minute")) if len(minutes) == 1 else Sql(f"toUInt8({ALL})")
    )
    fingerprints: dict[int, dict[int, Fingerprint]] = {minute: {} for minute in minutes}
    heaviest = 1
    rows = run(
        queries.CURRENT_ROWS.render(
            {
                "minutes": Sql(in_minutes(minutes)),
                "partition": partition,
                "not_pinned_copy": Sql(NOT_PINNED_COPY),
            }
        )
    )
    for minute, number, *figures, weight in rows:
        fingerprints[minute][number] = Fingerprint(*figures)
        heaviest = max(heaviest, weight)
    before = {
        minute: LastCount(counted_at, Fingerprint(*fingerprint))
        for minute, (counted_at, *fingerprint) in run(
            queries.MINUTE_MARKERS.render({"slots": slots(minutes)})
        )
    }
    marks = dirty.invalidations(run, minutes)
    found = [
        MinuteState(minute, fingerprints[minute], before.get(minute), marks.get(minute, []))
        for minute in sorted(minutes)
    ]
    return found, heaviest


def slots(minutes: Collection[int]) -> Sql:
    """The condition that a bucket is one of these minutes."""
    return Sql(in_minutes(minutes).replace("minute", "bucket"))
