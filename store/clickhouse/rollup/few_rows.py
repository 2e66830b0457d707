"""Counts buckets of few rows in Python, from whole traces.

The statements that count many rows by joins take some 300 ms to plan, whatever they read: a small installation would
spend most of its time on them. The order of the steps is that of `store.clickhouse.rollup.aggregate`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.queries.rules import MARKER
from store.clickhouse.rollup.buckets import FarRows
from store.clickhouse.search.get_traces import located
from store.clickhouse.search.scan_ranges import bucket_of
from store.clickhouse.units import whole_traces
from store.clickhouse.units.aggregates import Aggregate, Key
from store.clickhouse.units.base_buckets import rows_in_buckets
from store.clickhouse.units.unit_sums import Counted, cut_unit

MOST = 3_000
"""Rows in the buckets that are counted so at most: above, the statements cost less."""
MOST_OF_TRACES = 10_000
"""Rows of all their traces."""
_UINT64 = 1 << 64
"""No decoder accepts a time below zero, but if one is stored the bucket is counted all the same."""

Place = tuple[bytes, int]
"""A trace in a bucket."""


class _Rows(NamedTuple):
    """The rows of a trace in a bucket: their number, the sum of their insertion times, and the newest of these."""

    number: int = 0
    checksum: int = 0
    newest: int = 0


@dataclass(slots=True)
class Ids:
    """The ids of a trace in a bucket, and what its rows refer to.

    ``others``: of calls, and of what documents embed; ``carriers``: the documents of calls; ``unsure``: whether a
    document may be replaced.
    """

    documents: set[int] = field(default_factory=set)
    others: set[int] = field(default_factory=set)
    parents: set[int] = field(default_factory=set)
    carriers: set[int] = field(default_factory=set)
    unsure: bool = False

    @property
    def leaves(self) -> bool:
        """Whether a row in another bucket decides, or may come and decide, on units here."""
        here = self.documents | self.others
        return self.unsure or not (self.parents <= here and self.carriers <= self.documents)


class FewRows:
    """The rows of some buckets, and those of their traces elsewhere."""

    def __init__(
        self, run: RunQuery, ids: dict[Place, Ids], links: dict[Place, set[bytes]]
    ) -> None:
        self._run = run
        self._own = {trace for trace, _ in ids}
        self._traces = sorted(self._own.union(*links.values()))
        self._open = {place for place, each in ids.items() if each.leaves or place in links}
        self._open |= {(other, bucket) for (_, bucket), others in links.items() for other in others}
        self._rows: dict[bytes, dict[int, _Rows]] = defaultdict(dict)
        self._recorded: set[Place] = set()

    def read(self) -> bool:
        """Read which rows the traces have in which buckets; whether these are few."""
        there = Sql(f"{located(self._traces).text} AND {NOT_PINNED_COPY}", {"ids": self._traces})
        statement = queries.ROWS_OF_TRACES.render(
            {"places": there, "not_pinned_copy": Sql(NOT_PINNED_COPY)}, ids=self._traces
        )
        for digits, bucket, *figures in self._run(statement):
            self._rows[bytes.fromhex(digits)][bucket] = _Rows(*figures)
        sizes = [sum(rows.number for rows in each.values()) for each in self._rows.values()]
        if max(sizes, default=0) > whole_traces.MOST_WHOLE or sum(sizes) > MOST_OF_TRACES:
            return False
        self._recorded = self._recorded_references()
        return True

    def _recorded_references(self) -> set[Place]:
        rows = self._run(queries.RECORDED_REFERENCES.render(ids=self._traces))
        return {(bytes.fromhex(digits), bucket) for digits, bucket in rows}

    @property
    def _crossing(self) -> set[bytes]:
        """The traces with references to or from other buckets."""
        return {trace for trace, _ in self._open | self._recorded}

    def far(self) -> dict[int, FarRows]:
        """The rows elsewhere that the units of each bucket depend on."""
        crossing = self._crossing
        mine = self._open | {(trace, bucket) for trace in crossing for bucket in self._rows[trace]}
        whole = {trace: _together(self._rows[trace].values()) for trace in crossing}
        found: dict[int, FarRows] = defaultdict(FarRows)
        for trace, bucket in mine:
            here, together = self._rows[trace].get(bucket, _Rows()), whole[trace]
            found[bucket] = found[bucket].with_more(
                together.rows - here.number, together.checksum - here.checksum
            )
        return {bucket: rows for bucket, rows in found.items() if rows.rows}

    def record_references(self, buckets: Collection[int]) -> None:
        """Record which traces have references that leave these buckets."""
        new = [place for place in self._open - self._recorded if place[1] in buckets]
        if new:
            self._run(Sql("INSERT INTO cross_bucket_refs (trace_id, bucket) VALUES", rows=new))

    def dependents(self, buckets: Collection[int]) -> dict[int, int]:
        """Buckets elsewhere with units of traces that have rows here, and when the newest of those was inserted."""
        self._recorded |= self._recorded_references()
        came: dict[bytes, int] = {}
        for trace in self._crossing:
            here = [rows.newest for bucket, rows in self._rows[trace].items() if bucket in buckets]
            if here:
                came[trace] = max(here)
        found: dict[int, int] = {}
        for trace, bucket in self._recorded | {(t, b) for t in came for b in self._rows[t]}:
            if trace in came and bucket not in buckets:
                found[bucket] = max(came[trace], found.get(bucket, 0))
        return found

    def write(
        self, buckets: Collection[int], versions: Sequence[tuple[int, ...]], rev: int
    ) -> None:
        """Write the aggregates of buckets with their versions."""
        rows = [*self._aggregates(buckets), *map(_version_row, versions)]
        written = [(*row, rev) for row in rows]
        self._run(queries.WRITE_BUCKETS.render()._replace(rows=written))

    def _aggregates(self, buckets: Collection[int]) -> Iterator[tuple[Any, ...]]:
        counted: dict[int, Counted] = defaultdict(Counted)
        for trace, unit in whole_traces.read_small(self._run, self._own, self._traces).units():
            bucket = bucket_of(unit.start)
            if bucket in buckets:
                counted[bucket].add(*cut_unit(unit, trace))
        for bucket, of_bucket in counted.items():
            for key, aggregate in of_bucket.aggregates.items():
                yield _row(bucket, key, aggregate, of_bucket.traces(key))


def read(run: RunQuery, buckets: Collection[int]) -> FewRows | None:
    """The rows of some buckets, unless those of their traces are many."""
    ids: dict[Place, Ids] = defaultdict(Ids)
    links: dict[Place, set[bytes]] = defaultdict(set)
    condition = Sql(f"{rows_in_buckets(buckets)} AND {NOT_PINNED_COPY}")
    rows = run(queries.IDS_HERE.render({"rows": condition}))
    for digits, bucket, kind, id, refers_to, members, other, unsure in rows:
        place = bytes.fromhex(digits), bucket
        known = ids[place]
        if kind == 0:
            known.documents.add(id)
            known.others.update(members)
            known.unsure |= bool(unsure)
            if refers_to:
                known.parents.add(refers_to)
        elif kind == 1:
            known.others.add(id)
            known.carriers.add(refers_to)
        else:
            links[place].add(bytes.fromhex(other))
    found = FewRows(run, ids, links)
    return found if found.read() else None


def _together(rows: Collection[_Rows]) -> FarRows:
    return FarRows(sum(each.number for each in rows), sum(each.checksum for each in rows))


def _row(
    bucket: int, key: Key, aggregate: Aggregate, traces: Sequence[tuple[int, int]]
) -> tuple[Any, ...]:
    """A row of `bucket_rollups`."""
    kind, source, target = key
    figures = aggregate.statistics
    return (
        bucket,
        kind,
        *source,
        *target,
        sorted(aggregate.names),
        int(aggregate.active),
        aggregate.start,
        aggregate.end,
        list(traces),
        figures.ok,
        figures.error,
        figures.throttle,
        figures.fault,
        figures.in_progress,
        figures.observed,
        figures.total_time,
        {time % _UINT64: number for time, number in figures.histogram.items()},
        {time % _UINT64: number for time, number in aggregate.duration_delta.items()},
        aggregate.failures,
        *_NO_VERSION,
    )


_NO_VERSION = (0, 0, 0, 0, 0, 0, 0)


def _version_row(version: tuple[int, ...]) -> tuple[Any, ...]:
    bucket, rows, checksum, oldest, low, high, *others = version
    nothing: tuple[Any, ...] = (0, 0, 0, 0, 0, 0, 0, {}, {}, {})
    read = (rows, oldest, checksum, *others)
    return bucket, MARKER, *[""] * 8, [], 0, low, high, [], *nothing, *read
