"""What links that were counted before an epoch need once it has begun (`store.owner`).

The cell of a trace that a link leads to knows which buckets depend on it (`store.clickhouse.rollup.crossing`). A link may
name a trace of which no document has arrived. If an epoch begins in between, another cell takes these than the one that
was notified, or than the link's own. So each cell then notifies the others of what leads to traces that they take anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import OtherCells, QueryRunner, RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import dirty
from store.clickhouse.rollup.buckets import now
from store.times import DAY, SECOND

SETTING = "links_of_epochs"
"""The name of the row in `settings` that says how many epochs the others have been notified of."""
AFTER = 5 * SECOND
"""Since an epoch began: processes that do not know it have ended their counts, and clocks differ."""
STEP = 300
"""Seconds within which the links that are read at once were received."""


class LinksOfEpochs:
    """Which epochs the other cells have been notified of: twice, as replicas have rows at different times.

    A link that was received more than a day before an epoch is taken to lead to no trace that begins in it.
    """

    def __init__(self) -> None:
        self._done, self._notified, self._next = 1, 1, 0

    def notify(self, run: RunQuery) -> None:
        """Notify them of what is due."""
        if not isinstance(run, QueryRunner) or run.cells is None:
            return
        epochs = run.cells.owners.epochs
        if self._done >= len(epochs):
            return
        instant = now(run)
        if instant < max(self._next, epochs[self._done].since + AFTER):
            return
        if (stored := _stored(run)) > self._done:
            self._done = self._notified = stored
            return
        self._next = instant + dirty.SETTLE
        if not _notify(run, run.cells, self._done):
            return  # one does not answer
        if self._notified > self._done:
            self._done += 1
            row = SETTING, str(self._done), instant
            run(Sql("INSERT INTO settings (name, value, ver) VALUES", rows=[row]))
        else:
            self._notified += 1


def _stored(run: RunQuery) -> int:
    statement = "SELECT value FROM settings FINAL WHERE name = {name:String}"
    return max((int(value) for (value,) in run(Sql(statement, {"name": SETTING}))), default=1)


def _notify(run: QueryRunner, cells: OtherCells, epoch: int) -> bool:
    """Whether all answered. Buckets that depend on traces which have begun by now are counted again."""
    failures = cells.failures
    insert = Sql("INSERT INTO crossing_refs (trace_id, cell, bucket, sends) VALUES")
    begun: set[int] = set()
    for cell, other in run.elsewhere():
        if not other("SELECT 1"):
            return False
        for rows in _leading_to(run, cells, cell, epoch):
            other(insert._replace(rows=rows))
        anew = Sql(cells.owners.goes_anew_sql("trace_id", cell, epoch))
        statement = queries.BEGUN_ELSEWHERE.render({"anew": anew}, cell=cells.index)
        begun.update(bucket for (bucket,) in other(statement))
    if begun:
        dirty.mark_changed(run, begun, now(run))
    return cells.failures == failures


def _leading_to(
    run: RunQuery, cells: OtherCells, cell: int, epoch: int
) -> Iterator[list[tuple[bytes, int, int, int]]]:
    """What another cell is to know, in parts."""
    since = cells.owners.epochs[epoch].since
    anew = Sql(cells.owners.goes_anew_sql("other_trace", cell, epoch))
    steps = queries.STEPS_OF_LINKS.render(
        {"anew": anew}, step=STEP, since=(since - DAY) // SECOND, until=(since + AFTER) // SECOND
    )
    for (step,) in run(steps):
        found = run(queries.LINKS_OF_STEP.render({"anew": anew}, step=STEP, number=step))
        yield [(bytes.fromhex(id), cells.index, bucket, sends) for id, bucket, sends in found]
