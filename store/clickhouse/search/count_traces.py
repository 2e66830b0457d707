"""How many traces a window has, without reading which."""

from __future__ import annotations

import time

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql, joined
from store.clickhouse.search.find_traces import Place, located, window_before
from store.clickhouse.search.scan_ranges import SCAN_RANGES
from store.model import TimeRange
from store.query import TraceQuery


def count_traces(
    ask: RunQuery,
    query: TraceQuery,
    before: Place | None,
    until: Place | None,
    *,
    max_seconds: float,
) -> int | None:
    """See `TraceReader.count_traces`."""
    start, end = window_before(query.window, before)
    start = start if until is None else max(start, until[0])
    if start >= end:
        return 0
    if max_seconds <= 0:
        return None
    slice = SCAN_RANGES[query.axis](TimeRange(start, end), query.window)
    timed = slice.timed(slice.among(Sql("1")), Sql("[]"))
    where = joined(" AND ", located(slice, before, until))
    statement = queries.COUNT_TRACES.render({"timed": timed, "where": where})
    deadline = time.monotonic() + max_seconds
    rows = ask(_ended_after(max_seconds, statement))
    return int(rows[0][0]) if rows and time.monotonic() < deadline else None


def _ended_after(seconds: float, statement: Sql) -> Sql:
    """A statement that ends then, with what it has, or without a row: a count that is complete has come before."""
    limits = f"max_execution_time = {max(seconds, 0.001):.3f}, timeout_overflow_mode = 'break'"
    return statement._replace(text=f"{statement.text}\nSETTINGS {limits}")
