"""A trace to compare another one with: of the same kind of request, gone well, as slow as most of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from statistics import median_low
from typing import NamedTuple
from urllib.parse import urlsplit

from api.console.params import require_trace
from api.console.trace_json import head
from api.context import Context
from api.schemas.traces import TypicalTrace
from store.filters.conditions import all_of, entered_with, touches
from store.model import State, TimeRange, Trace
from store.query import TraceQuery
from store.summary import Summary, summarize
from store.times import MINUTE
from store.trace_id import format_trace_id

AROUND = (15 * MINUTE, 180 * MINUTE)
"""How far before and after the trace is searched; the second only if the first has none."""
MOST_TRACES = 400
"""Candidates of a search, the newest."""
CHUNK = 200
_VARIABLE = re.compile(r"\d|[0-9a-f]{8}", re.IGNORECASE)


class Kind(NamedTuple):
    """Equal for requests that do the same."""

    entry: str
    type: str
    method: str
    path: tuple[str, ...]


def typical_trace(context: Context, text: str) -> TypicalTrace:
    """The trace nearest to the median response time of those like it; ApiError (404) when the trace
    is not stored.

    ``trace`` is None if there is no other complete one of its kind that went well.
    """
    trace = require_trace(context.store, text)
    summary = summarize(trace)
    like: list[Summary] = []
    if summary.entry is not None:
        for reach in AROUND:
            window = TimeRange(max(0, summary.start - reach), summary.start + reach)
            like = _alike(context, summary, window)
            if like:
                break
    chosen = nearest_to_median(like, summary.start)
    return {
        "id": format_trace_id(trace.trace_id),
        "trace": head(chosen) if chosen else None,
        "compared": len(like),
        "median_ms": _median(like) / 1000 if like else None,
    }


def nearest_to_median(summaries: Iterable[Summary], start: int) -> Summary | None:
    """Of traces with a response, the one that is as slow as most; of equals the nearest in time."""
    found = list(summaries)
    if not found:
        return None
    middle = _median(found)
    return min(
        found,
        key=lambda each: (
            abs((each.response_time or 0) - middle),
            abs(each.start - start),
            each.trace_id,
        ),
    )


def kind_of(summary: Summary) -> Kind | None:
    """What a trace was a request for: entry, method, and path without ids."""
    entry = summary.entry
    if entry is None:
        return None
    path = urlsplit(summary.http.url).path if summary.http.url else ""
    parts = tuple("*" if _VARIABLE.search(part) else part for part in path.split("/"))
    return Kind(entry.node.name, entry.node.type, summary.http.method, parts)


def _alike(context: Context, summary: Summary, window: TimeRange) -> list[Summary]:
    assert summary.entry is not None
    wanted = kind_of(summary)
    went_well = all_of(entered_with([State.OK]), touches(summary.entry.node))
    query = TraceQuery(window, filter=went_well)
    page = context.store.find_traces(query, limit=MOST_TRACES)
    ids = [hit.trace_id for hit in page.found if hit.trace_id != summary.trace_id]
    return [
        each
        for at in range(0, len(ids), CHUNK)
        for each in map(summarize, _read(context, ids[at : at + CHUNK]))
        if _is_model(each) and kind_of(each) == wanted
    ]


def _read(context: Context, ids: list[bytes]) -> Iterable[Trace]:
    return context.store.get_traces(ids).values()


def _is_model(summary: Summary) -> bool:
    """Whether nothing failed in a trace, and nothing of it is missing."""
    return summary.response_time is not None and not summary.partial and not summary.failed_inside


def _median(summaries: list[Summary]) -> int:
    return median_low([each.response_time or 0 for each in summaries])
