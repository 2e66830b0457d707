"""Traces for the console: all routes, lists, and the chart of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.console.charts import Dot, traces_figure
from api.console.differences import trace_differences
from api.console.params import Filters, TraceFilter, Window
from api.console.trace_detail import raw_trace, trace_detail
from api.console.trace_json import line
from api.console.trace_search import FoundPage, FoundTrace, TraceSearch
from api.console.typical import typical_trace
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.schemas.common import ErrorReply
from api.schemas.traces import (
    RawTrace,
    TraceDetail,
    TraceDifferences,
    TraceFigure,
    TraceLine,
    TraceList,
    TypicalTrace,
)
from store.model import TimeRange
from store.protocol import Store
from store.query import EntryTime
from store.summary import Summary, summarize
from store.trace_id import format_trace_id

MAX_DOTS = 5000
CHUNK = 1000
"""Traces searched for at once for the chart, and read whole where that is needed."""
MAX_LINES = 1000
LIMIT = Query(ge=1, le=MAX_LINES, description="traces in a page")
CURSOR = Query(description="`next` of the previous page")
SORT = Query(description="start: newest first; response: slowest first, of the newest 5,000")
OFFSET = "offset-"
"""Begins the cursors of lists that are not sorted by time."""
COUNT_SECONDS = 1.0
"""Time limit for counting the traces beyond those in the chart."""


def traces_router(context: Context) -> APIRouter:
    """/api/traces, /api/traces/figure and /api/traces/<id>."""
    router = APIRouter(responses={"4XX": {"model": ErrorReply}}, tags=["traces"])

    @router.get("/api/traces", response_class=Response, responses={200: {"model": TraceList}})
    async def list_traces(
        request: Request,
        window: Window,
        filters: Filters,
        limit: Annotated[int, LIMIT] = 100,
        cursor: Annotated[str | None, CURSOR] = None,
        sort: Annotated[Literal["start", "response"], SORT] = "start",
    ) -> Response:
        """Traces, newest or slowest first."""

        def work() -> Response:
            by = slowest_traces if sort == "response" else trace_list
            return json_response(by(context, window, filters, limit, cursor))

        return await run_cancellable(request, work)

    @router.get(
        "/api/traces/figure", response_class=Response, responses={200: {"model": TraceFigure}}
    )
    async def get_trace_figure(request: Request, window: Window, filters: Filters) -> Response:
        """The newest traces by start and response time, as marks or as a heatmap."""
        return await run_cancellable(
            request, lambda: json_response(trace_figure(context, window, filters))
        )

    @router.get(
        "/api/traces/differences",
        response_class=Response,
        responses={200: {"model": TraceDifferences}},
    )
    async def get_differences(request: Request, window: Window, filters: Filters) -> Response:
        """What the selected traces have in common and the others of the window have not."""
        return await run_cancellable(
            request, lambda: json_response(trace_differences(context, window, filters))
        )

    @router.get(
        "/api/traces/{id}", response_class=Response, responses={200: {"model": TraceDetail}}
    )
    async def get_trace(request: Request, id: str) -> Response:
        """One trace with its timeline, its map and its documents; the id in X-Ray or W3C form."""
        return await run_cancellable(request, lambda: json_response(trace_detail(context, id)))

    @router.get(
        "/api/traces/{id}/raw", response_class=Response, responses={200: {"model": RawTrace}}
    )
    async def get_raw_trace(request: Request, id: str) -> Response:
        """The documents of a trace, as BatchGetTraces returns them."""
        return await run_cancellable(request, lambda: json_response(raw_trace(context, id)))

    @router.get(
        "/api/traces/{id}/typical",
        response_class=Response,
        responses={200: {"model": TypicalTrace}},
    )
    async def get_typical_trace(request: Request, id: str) -> Response:
        """A trace of the same kind of request that went well, to compare this one with."""
        return await run_cancellable(request, lambda: json_response(typical_trace(context, id)))

    return router


def trace_list(
    context: Context, window: TimeRange, filters: TraceFilter, limit: int, cursor: str | None
) -> TraceList:
    """A page of traces; the first one says how many there are, if that can be counted in time."""
    search = TraceSearch(context, window, filters)
    page = search.page(limit, cursor)
    return {
        "traces": lines(context.store, page.found),
        "next": page.cursor,
        "total": total(search, page) if cursor is None else None,
        "matching_units": search.units_counted(),
        "sorted": None,
    }


def slowest_traces(
    context: Context, window: TimeRange, filters: TraceFilter, limit: int, cursor: str | None
) -> TraceList:
    """A page of the newest 5,000 traces, the slowest response first; the cursor is an offset."""
    search = TraceSearch(context, window, filters)
    found, rest = newest_traces(search)
    times = {each.trace_id: entry.time for each, entry in entries_of(context.store, found)}
    found = [each for each in found if each.trace_id in times]
    found.sort(key=lambda each: (-times[each.trace_id], each.trace_id))
    at = _offset(cursor)
    more = at + limit < len(found)
    return {
        "traces": lines(context.store, found[at : at + limit]),
        "next": f"{OFFSET}{at + limit}" if more else None,
        "total": len(found) if rest is None else None,
        "matching_units": search.units_counted(),
        "sorted": {"traces": len(found), "complete": rest is None},
    }


def _offset(cursor: str | None) -> int:
    if not cursor:
        return 0
    digits = cursor.removeprefix(OFFSET)
    if not digits.isdecimal() or digits == cursor:
        raise ApiError("cursor must be `next` of a page with the same sort")
    return int(digits)


def lines(store: Store, found: Sequence[FoundTrace]) -> list[TraceLine]:
    """Lines of traces; one may have expired since it was found."""
    traces = store.get_traces([each.trace_id for each in found])
    return [
        line(summarize(traces[each.trace_id]), each.there)
        for each in found
        if each.trace_id in traces
    ]


def total(search: TraceSearch, page: FoundPage) -> int | None:
    """The number of matching traces; None when counting takes too long."""
    count, counted_all = count_traces(search, page.cursor)
    return len(page.found) + count if counted_all else None


def trace_figure(context: Context, window: TimeRange, filters: TraceFilter) -> TraceFigure:
    """At most 5,000 of the newest traces, and how many match altogether."""
    search = TraceSearch(context, window, filters)
    found, cursor = newest_traces(search)
    rest, counted_all = count_traces(search, cursor)
    dots = dots_of(context.store, found)
    return {
        **traces_figure(dots, search.window),
        "shown": len(dots),
        "total": len(dots) + rest,
        "counted_all": counted_all,
    }


def newest_traces(search: TraceSearch) -> tuple[list[FoundTrace], str | None]:
    """At most 5,000 traces, and the cursor of those behind them."""
    found: list[FoundTrace] = []
    cursor: str | None = None
    while len(found) < MAX_DOTS:
        page = search.page(min(CHUNK, MAX_DOTS - len(found)), cursor)
        found += page.found
        cursor = page.cursor
        if cursor is None:
            break
    return found, cursor


def count_traces(search: TraceSearch, cursor: str | None) -> tuple[int, bool]:
    """Matching traces behind a cursor, and whether all were counted in time."""
    deadline = time.monotonic() + COUNT_SECONDS
    count = 0
    while cursor is not None:
        if time.monotonic() > deadline:
            return count, False
        page = search.page(MAX_LINES, cursor)
        count += len(page.found)
        cursor = page.cursor
    return count, True


def dots_of(store: Store, found: Sequence[FoundTrace]) -> list[Dot]:
    """Traces in the chart, with the status they ended with at the node or edge searched for."""
    return [
        Dot(
            entry.start,
            entry.time,
            each.there.state if each.there else entry.state,
            format_trace_id(each.trace_id),
        )
        for each, entry in entries_of(store, found)
    ]


def entries_of(store: Store, found: Sequence[FoundTrace]) -> Iterator[tuple[FoundTrace, EntryTime]]:
    """Start, response time and state of traces. Most are described by their entry alone; the others
    are read whole."""
    times = store.entry_times([each.trace_id for each in found])
    rest = [each.trace_id for each in found if each.trace_id not in times]
    for at in range(0, len(rest), CHUNK):
        traces = store.get_traces(rest[at : at + CHUNK])
        times.update((id, _entry_time(summarize(trace))) for id, trace in traces.items())
    for each in found:
        if (entry := times.get(each.trace_id)) is not None:
            yield each, entry


def _entry_time(summary: Summary) -> EntryTime:
    """Without a response yet, the duration so far stands for it."""
    time = summary.response_time if summary.response_time is not None else summary.duration
    return EntryTime(summary.start, time, summary.state)
