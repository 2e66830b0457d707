"""The log lines of a trace, under its segments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.params import require_trace_id
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.log_links import log_links
from api.schemas.common import ErrorReply
from api.schemas.logs import LogEntry, TraceLogs
from store.log_lines import NO_TRACE, LogLine, Wanted
from store.model import TimeRange
from store.times import DAY, SECOND
from store.trace_documents import processed_documents
from store.trace_id import format_trace_id
from store.trace_logs import place_lines, places_in, wanted_lines

MOST = 10_000
LIMIT = 1_000
Limit = Annotated[int, Query(ge=1, le=MOST, description="lines")]
ALWAYS = TimeRange(0, 4_000_000_000 * SECOND)


def logs_router(context: Context) -> APIRouter:
    """/api/traces/<id>/logs."""
    router = APIRouter(tags=["traces"])

    @router.get(
        "/api/traces/{id}/logs",
        response_class=Response,
        responses={200: {"model": TraceLogs}, 404: {"model": ErrorReply}},
    )
    async def get_trace_log_lines(request: Request, id: str, limit: Limit = LIMIT) -> Response:
        """Its log lines, each with the row that wrote it, and links to others."""
        return await run_cancellable(request, lambda: json_response(trace_logs(context, id, limit)))

    return router


def trace_logs(context: Context, text: str, limit: int) -> TraceLogs:
    """The log lines of a trace; ApiError (404) when neither it nor a line of it is stored."""
    id = require_trace_id(text)
    trace = context.store.get_traces([id], raw=True).get(id)
    places = places_in(processed_documents(trace)) if trace is not None else []
    wanted = wanted_lines(id, places) if places else Wanted(_around(id), id)
    page = context.store.request_lines(wanted, limit=limit)
    if trace is None and not page.lines:
        message = f"there is neither a trace {format_trace_id(id)} nor a log line of it here"
        raise ApiError(message, code="NoSuchTrace", status=404)
    return {
        "lines": [
            {**log_entry(placed.line), "segment": placed.place or None}
            for placed in place_lines(page.lines, places)
        ],
        "left_out": page.left_out,
        "links": log_links(context.log_link, id, places) if places else [],
    }


def _around(trace_id: bytes) -> TimeRange:
    """Where lines of a trace that is not stored may be: around the time in its id, if that is one."""
    epoch = int.from_bytes(trace_id[:4], "big") * SECOND
    near = abs(epoch - _REFERENCE) < _PLAUSIBLE
    return TimeRange(epoch - DAY, epoch + DAY) if near else ALWAYS


_REFERENCE, _PLAUSIBLE = 1_900_000_000 * SECOND, 10_000 * DAY
"""Ids of X-Ray begin with a time from 2002 to 2057; others are random, and most of them outside."""


def log_entry(line: LogLine) -> LogEntry:
    """A line as JSON."""
    return {
        "id": f"{line.hash:016x}",
        "time": line.time / SECOND,
        "severity": line.severity,  # type: ignore[typeddict-item]
        "text": line.body,
        "record": line.record,  # type: ignore[typeddict-item]
        "service": line.name,
        "account": line.account,
        "region": line.region,
        "request_id": line.request_id,
        "trace_id": "" if line.trace_id == NO_TRACE else format_trace_id(line.trace_id),
        "log_group": line.log_group,
        "log_stream": line.log_stream,
        "source": line.source,
    }
