"""The state of buckets before they are aggregated: their rows, their last version, their minutes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.buckets import AddedUp, FarRows, Fingerprint, combine
from store.clickhouse.units.base_buckets import (
    buckets_in,
    buckets_of,
    minutes_of,
    numbers_in,
    rows_in_buckets,
)
from store.times import PER_MINUTE

DAY = 86_400


class Version(NamedTuple):
    """The last count of a bucket: the rows it read, in the bucket and elsewhere, and whether names of its
    minute were in excess then. ``named``: names of nodes in its rows; ``age``: microseconds since that count."""

    bucket: int
    rev: int
    fingerprint: Fingerprint
    far: FarRows
    named: int
    excess: bool
    age: int


class CurrentRows(NamedTuple):
    """The rows of a bucket: their fingerprint, and how many names of nodes they have."""

    fingerprint: Fingerprint = Fingerprint()
    named: int = 0


class MinuteVersion(NamedTuple):
    """The last count of a minute: the rows that its buckets had read, and what it was added up from."""

    fingerprint: Fingerprint
    added_up: AddedUp


class Minute(NamedTuple):
    """A minute with buckets that may be out of date.

    ``rows``: those of the buckets that were requested or have no version.
    """

    number: int
    before: MinuteVersion | None
    versions: Mapping[int, Version]
    rows: Mapping[int, CurrentRows]

    @property
    def fingerprint(self) -> Fingerprint:
        """Of all its rows."""
        counted = {b: v.fingerprint for b, v in self.versions.items()}
        return combine({**counted, **{b: r.fingerprint for b, r in self.rows.items()}}.values())

    @property
    def has_expired(self) -> bool:
        """Whether rows that were aggregated have expired; the result is then final."""
        if self.before is None:
            return False
        counted, fingerprint = self.before.fingerprint, self.fingerprint
        return fingerprint.rows < counted.rows and (
            fingerprint.rows == 0 or fingerprint.oldest >= counted.oldest + DAY
        )

    def changed(self, due: Collection[int], *, complete: bool) -> list[int]:
        """Of the buckets ``due``, and of those without a version, the ones that were not counted with these rows.

        Versions of buckets expire long before those of minutes: none is missed while nothing has changed.
        """
        if not self.versions and self.before and self.before.fingerprint.matches(self.fingerprint):
            return []
        return [
            bucket
            for bucket, rows in self.rows.items()
            if (bucket in due or bucket not in self.versions)
            and not self._counted(bucket).matches(rows.fingerprint.counted(complete=complete))
        ]

    def _counted(self, bucket: int) -> Fingerprint:
        version = self.versions.get(bucket)
        return version.fingerprint if version else Fingerprint()

    @property
    def named(self) -> int:
        """At most so many names of nodes are in the minute."""
        counted = {b: v.named for b, v in self.versions.items()}
        return sum({**counted, **{b: r.named for b, r in self.rows.items()}}.values())


def bucket_versions(run: RunQuery, minutes: Collection[int]) -> list[Version]:
    """The versions of those buckets of some minutes that have one."""
    return read_versions(run(bucket_versions_query(minutes)))


def bucket_versions_query(minutes: Collection[int]) -> Sql:
    """The statement of `bucket_versions`."""
    return queries.BUCKET_VERSIONS.render({"buckets": Sql(buckets_in(minutes))})


def read_versions(rows: Rows) -> list[Version]:
    """The result rows of `bucket_versions_query`."""
    return [
        Version(
            bucket,
            rev,
            Fingerprint(*figures),
            FarRows(*far),
            named,
            bool(excess),
            now - (rev >> 10),
        )
        for bucket, rev, figures, far, named, excess, now in rows
    ]


def read_minutes(run: RunQuery, due: Collection[int]) -> list[Minute]:
    """The minutes of some buckets, in order."""
    minutes = minutes_of(due)
    siblings = [bucket for minute in minutes for bucket in buckets_of(minute)]
    counted, before = run_concurrently(
        run,
        bucket_versions_query(minutes),
        queries.MINUTE_VERSIONS.render({"minutes": Sql(numbers_in("bucket", minutes))}),
    )
    versions: dict[int, dict[int, Version]] = {minute: {} for minute in minutes}
    for version in read_versions(counted):
        versions[version.bucket // PER_MINUTE][version.bucket] = version
    known = {b for of_minute in versions.values() for b in of_minute}
    rows = current_rows(run, [b for b in siblings if b in due or b not in known])
    minute_versions = {
        minute: MinuteVersion(Fingerprint(*figures), AddedUp(*parts))
        for minute, figures, parts in before
    }
    return [
        Minute(
            minute,
            minute_versions.get(minute),
            versions[minute],
            {b: rows[b] for b in buckets_of(minute) if b in rows},
        )
        for minute in minutes
    ]


def current_rows(run: RunQuery, buckets: Collection[int]) -> dict[int, CurrentRows]:
    """The rows of each of some buckets."""
    fragments = {
        "rows": Sql(rows_in_buckets(buckets)),
        "not_pinned_copy": Sql(NOT_PINNED_COPY),
    }
    found = {
        bucket: CurrentRows(Fingerprint(*figures), named)
        for bucket, *figures, named in run(queries.CURRENT_ROWS.render(fragments))
    }
    return {bucket: found.get(bucket, CurrentRows()) for bucket in buckets}
