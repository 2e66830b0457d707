"""Versions of what was counted: of buckets in `bucket_rollups`, of minutes and wider ones in `rollups`.

Only the rows with the revision of the newest version row are valid (schema/0001_initial.sql).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from typing import NamedTuple

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql

WIDTHS = (60, 10, 5)
"""Minutes per wide bucket; wide buckets are downsampled from minutes that have not changed for a while."""


class Fingerprint(NamedTuple):
    """Identifies a set of rows.

    ``rows``: their number; ``checksum``: the sum of their insert times (microseconds, modulo 2**64),
    which together with the number changes when a row is added or deleted; ``oldest``: the first receive
    time (seconds); ``low``, ``high``: first and last start (microseconds).
    """

    rows: int = 0
    checksum: int = 0
    oldest: int = 0
    low: int = 0
    high: int = 0

    def counted(self, *, complete: bool) -> Fingerprint:
        """What is stored of them: something else if they are not all that was to be counted, tables being replicated
        one by one."""
        return self if complete else self._replace(checksum=(self.checksum + 1) % (1 << 64))

    def matches(self, other: Fingerprint) -> bool:
        """Whether no row has been added or deleted."""
        return self[:2] == other[:2]


class FarRows(NamedTuple):
    """Identifies the rows elsewhere that the units of a bucket depend on, as `Fingerprint` does; of large traces
    the units themselves."""

    rows: int = 0
    checksum: int = 0

    def with_more(self, rows: int, checksum: int) -> FarRows:
        """These and others."""
        return FarRows(self.rows + rows, (self.checksum + checksum) % (1 << 64))


def combine(parts: Iterable[Fingerprint]) -> Fingerprint:
    """The fingerprint of the union."""
    parts = [part for part in parts if part.rows]
    if not parts:
        return Fingerprint()
    rows, digests, oldest, low, high = zip(*parts, strict=True)
    return Fingerprint(sum(rows), sum(digests) % (1 << 64), min(oldest), min(low), max(high))


class AddedUp(NamedTuple):
    """What a minute was added up from: the number of buckets, and the sum of their revisions modulo 2**64."""

    buckets: int = 0
    revisions: int = 0


def added_up(revisions: Collection[int]) -> AddedUp:
    """The same, of these revisions."""
    return AddedUp(len(revisions), sum(revisions) % (1 << 64))


def now(run: RunQuery) -> int:
    """The database's clock, microseconds since the epoch."""
    ((instant,),) = run("SELECT toUnixTimestamp64Micro(now64(6))")
    return int(instant)


def revision(instant: int) -> int:
    """A new revision: ordered by time, with random low bits that keep processes apart."""
    return instant << 10 | secrets.randbelow(1024)


def numbers_list(numbers: Iterable[int]) -> Sql:
    """Integers as SQL, for IN."""
    return Sql(", ".join(map(str, sorted(numbers))))


def values_list(rows: Iterable[Collection[int]]) -> Sql:
    """Rows of integers as SQL tuples, for VALUES or IN."""
    return Sql(", ".join(f"({', '.join(map(str, row))})" for row in rows))
