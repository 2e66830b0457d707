"""Traces for the console: lists, a chart of them, and single traces with all details."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.console.charts import Dot, status_name, traces_figure
from api.console.differences import trace_differences
from api.console.map_json import render_picture
from api.console.params import Filters, TraceFilter, Window, require_trace
from api.console.pins import pin_mark
from api.console.timeline import states_of, timeline, units_of, without_subsegments
from api.console.trace_search import FoundPage, FoundTrace, TraceSearch
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import build_graph
from api.schemas.common import ErrorReply
from api.schemas.traces import (
    InnerCounts,
    RawTrace,
    TraceDetail,
    TraceDifferences,
    TraceFigure,
    TraceHead,
    TraceLine,
    TraceList,
)
from store.model import State, TimeRange, Trace
from store.protocol import Store
from store.query import EntryTime, UnitTrace
from store.service_graph import build_service_graph
from store.summary import Summary, summarize
from store.times import MINUTE
from store.trace_documents import processed_documents
from store.trace_id import format_trace_id

MAX_DOTS = 5000
CHUNK = 1000
"""Traces searched for at once for the chart, and read whole where that is needed."""
MAX_LINES = 1000
LIMIT = Query(ge=1, le=MAX_LINES, description="traces in a page")
CURSOR = Query(description="`next` of the previous page")
MAX_ROWS = 10_000
"""Rows of one trace; its map counts all of them."""
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


def trace_detail(context: Context, text: str) -> TraceDetail:
    """A trace with its timeline, map and documents; ApiError (404) when it is not stored.

    At most `MAX_ROWS` rows, and the documents of these.
    """
    trace = require_trace(context.store, text)
    summary = summarize(trace)
    documents = processed_documents(trace)
    every_row = timeline(documents, summary.start, states_of(trace))
    rows = every_row[:MAX_ROWS]
    shown = {row["id"] for row in rows}
    return {
        **head(summary),
        "w3c_id": trace.trace_id.hex(),
        "pin": pin_mark(context.store.pin_of(trace.trace_id)),
        "rows": rows,
        "left_out": len(every_row) - len(rows),
        "map": render_picture(
            build_graph(build_service_graph([trace], weighted=False)), _a_minute(trace)
        ),
        "documents": {
            id: without_subsegments(unit.content)
            for id, unit in units_of(documents).items()
            if id in shown
        },
        "segments": len(documents),
    }


def raw_trace(context: Context, text: str) -> RawTrace:
    """The processed documents of a trace, at most `MAX_ROWS`; ApiError (404) when it is not stored."""
    documents = processed_documents(require_trace(context.store, text))
    shown = documents[:MAX_ROWS]
    return {
        "raw": [{"Id": str(each["id"]), "Document": each} for each in shown],
        "left_out": len(documents) - len(shown),
    }


def _a_minute(trace: Trace) -> TimeRange:
    """A window in which rates per minute are counts."""
    start = min(document.start for document in trace.documents.values())
    return TimeRange(start, start + MINUTE)


def head(summary: Summary) -> TraceHead:
    """The part of a summary that lists and the trace page share."""
    entry, response = summary.entry, summary.response_time
    return {
        "id": format_trace_id(summary.trace_id),
        "start": summary.start / 1_000_000,
        "duration_ms": summary.duration / 1000,
        "response_ms": None if response is None else response / 1000,
        "status": status_name(summary.state),
        "partial": summary.partial,
        "entry": {"name": entry.node.name, "type": entry.node.type} if entry else None,
        "method": summary.http.method or None,
        "url": summary.http.url or None,
        "code": summary.http.status or None,
        "user": next(iter(summary.users), None),
        "inner": inner(summary),
    }


def inner(summary: Summary) -> InnerCounts:
    """Segments and calls below the entry that failed."""
    return {
        "error": summary.failed_inside.get(State.ERROR, 0),
        "throttle": summary.failed_inside.get(State.THROTTLE, 0),
        "fault": summary.failed_inside.get(State.FAULT, 0),
    }


def line(summary: Summary, there: UnitTrace | None) -> TraceLine:
    """A trace in a list, with its units at the node or edge searched for."""
    return {
        **head(summary),
        "status_there": status_name(there.state) if there else None,
        "units_there": there.units if there else None,
        "services": _services(summary),
        "segments": summary.segments,
        "annotations": {
            key: [json.loads(text) for text in values]
            for key, values in summary.annotations.items()
        },
    }


def _services(summary: Summary) -> list[str]:
    """Names of the nodes that a trace touched, the entry first, clients left out."""
    entry = summary.entry.node if summary.entry else None
    nodes = [entry] if entry else []
    nodes += sorted(node for node in summary.nodes if not node.is_client and node != entry)
    return list(dict.fromkeys(node.name for node in nodes))
