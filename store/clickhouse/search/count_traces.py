"""How many traces a window has, without reading which: range by range, from the newest."""

from __future__ import annotations

import time

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql, joined
from store.clickhouse.search.find_traces import Place, located, window_before
from store.clickhouse.search.scan_plan import count_rows
from store.clickhouse.search.scan_ranges import SCAN_RANGES
from store.model import TimeRange
from store.query import TraceQuery
from store.times import MINUTE

RANGE_ROWS = 250_000
"""Segments of a range, on average: small enough to end in time."""


def count_traces(
    ask: RunQuery,
    query: TraceQuery,
    before: Place | None,
    until: Place | None,
    *,
    max_seconds: float,
) -> int | None:
    """See `TraceReader.count_traces`."""
    deadline = time.monotonic() + max_seconds
    start, end = window_before(query.window, before)
    start = start if until is None else max(start, until[0])
    if start >= end:
        return 0
    rows = count_rows(ask, TimeRange(start, end))
    width = max(MINUTE, (end - start) * RANGE_ROWS // max(rows, RANGE_ROWS))
    count = 0
    while start < end:
        if time.monotonic() > deadline:
            return None
        begin = max(start, end - width)
        slice = SCAN_RANGES[query.axis](TimeRange(begin, end), query.window)
        timed = slice.timed(slice.among(Sql("1")), Sql("[]"))
        where = joined(" AND ", located(slice, before, until))
        ((found,),) = ask(queries.COUNT_TRACES.render({"timed": timed, "where": where}))
        count += int(found)
        end = begin
    return count
