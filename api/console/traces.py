"""Traces for the console: lists, a chart of them, and single traces with all details."""

from __future__ import annotations

import json
import time
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.charts import Dot, status_name, traces_figure
from api.console.map_json import render_picture
from api.console.params import Filters, TraceFilter, Window, require_trace, to_trace_query
from api.console.pins import pin_mark
from api.console.timeline import states_of, timeline, units_of, without_subsegments
from api.context import Context, json_response, run_cancellable
from api.graph.build import build_graph
from api.schemas import ErrorReply, TraceDetail, TraceFigure, TraceHead, TraceLine, TraceList
from store.model import MINUTE, TimeRange, Trace
from store.protocol import TraceQuery
from store.service_graph import build_service_graph
from store.summary import Summary, summarize
from store.trace_documents import processed_documents
from store.trace_id import format_trace_id

MAX_DOTS = 5000
CHUNK = 500
"""Traces fetched at once for the chart."""
MAX_LINES = 1000
LIMIT = Query(ge=1, le=MAX_LINES, description="traces in a page")
CURSOR = Query(description="`next` of the previous page")
MAX_ROWS = 10_000
"""Rows of one trace; its map counts all of them."""
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
    ) -> Response:
        """Traces, newest first."""

        def work() -> Response:
            return json_response(trace_list(context, window, filters, limit, cursor))

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
        "/api/traces/{id}", response_class=Response, responses={200: {"model": TraceDetail}}
    )
    async def get_trace(request: Request, id: str) -> Response:
        """One trace with its timeline, its map and its documents; the id in X-Ray or W3C form."""
        return await run_cancellable(request, lambda: json_response(trace_detail(context, id)))

    return router


def trace_list(
    context: Context, window: TimeRange, filters: TraceFilter, limit: int, cursor: str | None
) -> TraceList:
    """A page of traces."""
    query = to_trace_query(context.store, window, filters)
    if query is None:
        return {"traces": [], "next": None}
    page = context.store.find_traces(query, limit=limit, cursor=cursor or None)
    traces = context.store.get_traces([found.trace_id for found in page.found])
    lines = [line(summarize(traces[f.trace_id])) for f in page.found if f.trace_id in traces]
    return {"traces": lines, "next": page.cursor}


def trace_figure(context: Context, window: TimeRange, filters: TraceFilter) -> TraceFigure:
    """At most 5,000 of the newest traces, and how many match altogether."""
    query = to_trace_query(context.store, window, filters)
    dots: list[Dot] = []
    cursor: str | None = None
    while query is not None and len(dots) < MAX_DOTS:
        page = context.store.find_traces(query, limit=CHUNK, cursor=cursor)
        traces = context.store.get_traces([found.trace_id for found in page.found])
        dots += [dot(summarize(trace)) for trace in traces.values()]
        cursor = page.cursor
        if cursor is None:
            break
    found = len(dots)
    total, counted_all = found, True
    if query is not None and cursor is not None:
        rest, counted_all = count_traces(context, query, cursor)
        total += rest
    dots = dots[:MAX_DOTS]
    return {
        **traces_figure(dots, window),
        "shown": len(dots),
        "total": total,
        "counted_all": counted_all,
    }


def count_traces(context: Context, query: TraceQuery, cursor: str | None) -> tuple[int, bool]:
    """Matching traces behind a cursor, and whether all were counted in time."""
    deadline = time.monotonic() + COUNT_SECONDS
    count = 0
    while cursor is not None:
        if time.monotonic() > deadline:
            return count, False
        page = context.store.find_traces(query, limit=MAX_LINES, cursor=cursor)
        count += len(page.found)
        cursor = page.cursor
    return count, True


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
        "raw": [
            {"Id": str(each["id"]), "Document": each} for each in documents if each["id"] in shown
        ],
    }


def _a_minute(trace: Trace) -> TimeRange:
    """A window in which rates per minute are counts."""
    start = min(document.start for document in trace.documents.values())
    return TimeRange(start, start + MINUTE)


def dot(summary: Summary) -> Dot:
    """A trace in the chart; without a response yet, its duration so far stands for it."""
    time = summary.response_time if summary.response_time is not None else summary.duration
    return Dot(summary.start, time, summary.state, format_trace_id(summary.trace_id))


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
    }


def line(summary: Summary) -> TraceLine:
    """A trace in a list."""
    return {
        **head(summary),
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
