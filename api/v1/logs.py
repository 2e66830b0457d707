"""Log lines: of a trace, and the last ones of a function or service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.filtered import select_ids
from api.console.params import require_trace_id
from api.console.scope import Scoped
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.log_links import log_links
from api.schemas.common import ErrorReply
from api.schemas.logs import LogEntry, LogPage, TraceLogs
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import And, Expression, Selector, ServiceMatch
from store.log_lines import NO_TRACE, LogLine, Wanted, WrittenIn
from store.model import TimeRange
from store.rules.namespaces import goes_by, own_names
from store.times import DAY, MINUTE, SECOND
from store.trace_documents import processed_documents
from store.trace_id import format_trace_id
from store.trace_logs import place_lines, places_in, wanted_lines

MOST = 10_000
LIMIT = 1_000
Limit = Annotated[int, Query(ge=1, le=MOST, description="lines")]
ALWAYS = TimeRange(0, 4_000_000_000 * SECOND)
Function = Annotated[
    str, Query(min_length=1, max_length=200, description="name of a Lambda function or a service")
]

LONGEST_REQUEST = 15 * MINUTE
"""How long before its lines a trace may have begun: the longest that a Lambda function runs."""


def logs_router(context: Context) -> APIRouter:
    """/api/v1/traces/<id>/logs and /api/v1/logs."""
    router = v1_part()

    @router.get(
        "/traces/{id}/logs",
        response_class=Response,
        responses={
            200: {"model": TraceLogs},
            404: {"model": ErrorReply, "description": "NoSuchTrace"},
        },
    )
    async def get_trace_logs(request: Request, id: str, limit: Limit = LIMIT) -> Response:
        """The log lines of a trace, each with the segment that wrote it, and links to others."""
        return await run_cancellable(request, lambda: json_response(trace_logs(context, id, limit)))

    @router.get("/logs", response_class=Response, responses={200: {"model": LogPage}})
    async def get_logs(
        request: Request, window: Window, function: Function, scope: Scoped, limit: Limit = LIMIT
    ) -> Response:
        """The last log lines of a function or service in a window: of an account, of a region, or of requests
        of an environment, which are known by their traces."""
        environment = scope.of_environment(request.app.state.environment_annotation)

        def read() -> LogPage:
            traces, complete = None, True
            if environment:
                traces, complete = _traces(context, function, window, environment)
            within = WrittenIn(scope.account, scope.region, traces)
            names = _names(context, function, window)
            page = context.store.node_lines(names, window, limit=limit, within=within)
            return {
                "lines": list(map(log_entry, page.lines)),
                "left_out": page.left_out,
                "traces_left_out": not complete,
            }

        return await run_cancellable(request, lambda: json_response(read()))

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


def _names(context: Context, name: str, window: TimeRange) -> set[str]:
    """The names by which lines of a function or of the services of a name may go: with their namespaces and without."""
    services = context.counted_window(window).graph.services
    return {name}.union(
        *(
            own_names(key, stats.names)
            for key, stats in services.items()
            if goes_by(name, key, stats.names)
        )
    )


def _traces(
    context: Context, function: str, window: TimeRange, environment: Expression
) -> tuple[list[bytes], bool]:
    """Ids of the newest traces of an environment in which the function or service worked; whether these are all."""
    filter = And((environment, ServiceMatch(Selector(name=function))))
    began = TimeRange(max(0, window.start - LONGEST_REQUEST), window.end)
    return select_ids(context.store, began, filter)
