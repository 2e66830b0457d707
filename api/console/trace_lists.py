"""What lists, charts and sortings of traces read: the newest, how many there are, lines, entries."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from api.console.trace_json import line
from api.console.trace_search import FoundTrace, TraceSearch
from api.schemas.traces import TraceLine
from store.model import Trace
from store.protocol import Store
from store.query import EntryTime
from store.summary import Summary, summarize

MAX_DOTS = 5000
CHUNK = 1000
"""Traces read whole at once."""
MAX_LINES = 1000
COUNT_SECONDS = 1.0
"""Time limit for counting the traces beyond the ones in the chart."""


def newest_traces(
    search: TraceSearch, most: int | None = None
) -> tuple[list[FoundTrace], str | None]:
    """At most 5,000 traces, or ``most``, and the cursor of those behind them."""
    most = MAX_DOTS if most is None else most
    found: list[FoundTrace] = []
    cursor: str | None = None
    while len(found) < most:
        page = search.page(min(search.long_page, most - len(found)), cursor)
        found += page.found
        cursor = page.cursor
        if cursor is None:
            break
    return found, cursor


def count_traces(search: TraceSearch, cursor: str | None) -> tuple[int, bool]:
    """Matching traces behind a cursor, and whether all were counted in time."""
    if cursor is None:
        return 0, True
    if search.is_whole:
        counted = search.count(cursor, COUNT_SECONDS)
        return counted or 0, counted is not None
    deadline = time.monotonic() + COUNT_SECONDS
    count = 0
    while cursor is not None:
        if time.monotonic() > deadline:
            return count, False
        page = search.page(search.long_page, cursor)
        count += len(page.found)
        cursor = page.cursor
    return count, True


def lines(
    store: Store, found: Sequence[FoundTrace], known: Mapping[bytes, Trace]
) -> list[TraceLine]:
    """Lines of traces, of which some are ``known``; one may have expired since it was found."""
    rest = [each.trace_id for each in found if each.trace_id not in known]
    traces = {**known, **(store.get_traces(rest, links=False) if rest else {})}
    return [
        line(summarize(traces[each.trace_id]), each.there)
        for each in found
        if each.trace_id in traces
    ]


def entries_of(store: Store, found: Sequence[FoundTrace]) -> Iterator[tuple[FoundTrace, EntryTime]]:
    """Start, response time and state of traces. Most are described by their entry alone; the others
    are read whole."""
    times = store.entry_times([each.trace_id for each in found])
    rest = [each.trace_id for each in found if each.trace_id not in times]
    for at in range(0, len(rest), CHUNK):
        traces = store.get_traces(rest[at : at + CHUNK], links=False)
        times.update((id, _entry_time(summarize(trace))) for id, trace in traces.items())
    for each in found:
        if (entry := times.get(each.trace_id)) is not None:
            yield each, entry


def _entry_time(summary: Summary) -> EntryTime:
    """Without a response yet, the duration so far stands for it."""
    time = summary.response_time if summary.response_time is not None else summary.duration
    return EntryTime(summary.start, time, summary.state)
