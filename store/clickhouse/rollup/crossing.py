"""Links between the traces of some buckets and traces of other cells.

A trace and its rows lie in one cell (`store.owner`), which counts them. A unit with a link depends on rows of the other
trace, so what `cross_bucket_refs` is within a cell, `crossing_refs` is between cells: in the cell of the trace that a link
leads to it says which buckets of which cell depend on that trace. Rows of other cells are part of the fingerprints, and
counting a bucket marks those elsewhere that depend on it. Cells without such links pay three small statements a count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import QueryRunner, RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import dirty
from store.clickhouse.rollup.buckets import FarRows, numbers_list
from store.clickhouse.search.get_traces import located
from store.clickhouse.units.base_buckets import rows_in_buckets

Place = tuple[bytes, int]
"""A trace in a bucket."""


class Crossing:
    """None, as with a single cell."""

    is_whole = True
    """Whether all cells answered."""

    def added_to(self, far: dict[int, FarRows]) -> dict[int, FarRows]:
        """What identifies the rows elsewhere, by bucket, with those of other cells."""
        return far

    def record(self) -> None:
        """Have other cells know which buckets here depend on their traces."""

    def mark_elsewhere(self, counted: Collection[int]) -> None:
        """Mark the buckets of other cells that depend on rows of these."""


def crossing(run: RunQuery, due: Collection[int]) -> Crossing:
    """The links of some buckets that lead from cell to cell."""
    if not isinstance(run, QueryRunner) or run.cells is None:
        return Crossing()
    failures = run.cells.failures
    found = _Crossing(run, due)
    found.is_whole = run.cells.failures == failures
    return found


class _Crossing(Crossing):
    """Those that were found."""

    def __init__(self, run: QueryRunner, due: Collection[int]) -> None:
        assert run.cells is not None
        self._run, self._cells = run, run.cells
        self._leading: dict[Place, bool] = {}
        """Traces of other cells that links in a bucket lead to, and whether these say that they caused them."""
        self._named: dict[bytes, set[tuple[int, int]]] = defaultdict(set)
        """The cells and buckets that depend on a trace here."""
        self._sent: set[bytes] = set()
        """Traces that others name as what they caused."""
        self._read_here(due)
        self._places = self._among(due)
        self._rows: dict[bytes, FarRows] = {}
        self._buckets: dict[tuple[int, bytes], set[int]] = defaultdict(set)
        self._read_elsewhere()

    def _read_here(self, due: Collection[int]) -> None:
        rows = Sql(f"{rows_in_buckets(due)} AND {NOT_PINNED_COPY}")
        foreign = Sql(self._cells.owners.may_be_beside_sql("other_trace", self._cells.index))
        for digits, bucket, sends in self._run(
            queries.CROSSING_LINKS.render({"rows": rows, "foreign": foreign})
        ):
            self._leading[bytes.fromhex(digits), bucket] = bool(sends)
        if not self._run("SELECT 1 FROM crossing_refs LIMIT 1"):
            return
        for digits, cell, bucket, sends in self._run(
            queries.NAMED_ELSEWHERE.render({"rows": rows})
        ):
            trace = bytes.fromhex(digits)
            self._named[trace].add((cell, bucket))
            if sends:
                self._sent.add(trace)

    def _among(self, due: Collection[int]) -> dict[bytes, set[int]]:
        """The buckets among these in which traces have rows on which others depend."""
        found: dict[bytes, set[int]] = defaultdict(set)
        if self._named:
            among = {"buckets": numbers_list(due)}
            for digits, bucket in self._run(
                queries.PLACES_AMONG.render(among, ids=sorted(self._named))
            ):
                found[bytes.fromhex(digits)].add(bucket)
        return found

    def _read_elsewhere(self) -> None:
        ids = sorted({trace for trace, _ in self._leading} | self._sent)
        if not ids:
            return
        there = Sql(f"{located(ids).text} AND {NOT_PINNED_COPY}", {"ids": ids})
        fragments = {"places": there, "not_pinned_copy": Sql(NOT_PINNED_COPY)}
        statement = queries.ROWS_OF_TRACES.render(fragments, ids=ids)
        not_pinned = {"not_pinned_copy": Sql(NOT_PINNED_COPY)}
        senders = queries.ROWS_OF_SENDERS.render(not_pinned, ids=sorted(self._sent))
        for cell, other in self._run.elsewhere():
            for digits, bucket, number, checksum, _ in other(statement):
                trace = bytes.fromhex(digits)
                self._add(trace, number, checksum)
                self._buckets[cell, trace].add(bucket)
            for digits, number, checksum in other(senders) if self._sent else ():
                self._add(bytes.fromhex(digits), number, checksum)

    def _add(self, trace: bytes, number: int, checksum: int) -> None:
        self._rows[trace] = self._rows.get(trace, FarRows()).with_more(number, checksum)

    def added_to(self, far: dict[int, FarRows]) -> dict[int, FarRows]:
        found = dict(far)
        depending = [*self._leading]
        depending += [(trace, b) for trace in self._sent for b in self._places[trace]]
        for trace, bucket in depending:
            if rows := self._rows.get(trace):
                found[bucket] = found.get(bucket, FarRows()).with_more(*rows)
        return found

    def record(self) -> None:
        by_cell: dict[int, list[tuple[bytes, int, int, int]]] = defaultdict(list)
        for (trace, bucket), sends in self._leading.items():
            row = trace, self._cells.index, bucket, int(sends)
            for cell in self._cells.owners.places_of(trace):
                by_cell[cell].append(row)
        statement = Sql("INSERT INTO crossing_refs (trace_id, cell, bucket, sends) VALUES")
        for cell, other in self._run.elsewhere():
            if rows := by_cell.get(cell):
                other(statement._replace(rows=rows))

    def mark_elsewhere(self, counted: Collection[int]) -> None:
        marks: dict[int, set[int]] = defaultdict(set)
        for trace, depending in self._named.items():
            if not self._places[trace].isdisjoint(counted):
                for cell, bucket in depending:
                    marks[cell].add(bucket)
        for (trace, bucket), sends in self._leading.items():
            if sends and bucket in counted:
                for cell in self._cells.owners.places_of(trace):
                    marks[cell] |= self._buckets.get((cell, trace), set())
        self._mark(marks)

    def _mark(self, marks: Mapping[int, Collection[int]]) -> None:
        for cell, other in self._run.elsewhere():
            if buckets := sorted(marks.get(cell, ())):
                other(queries.MARK_NOW.render(buckets=buckets, settle=dirty.SETTLE))
