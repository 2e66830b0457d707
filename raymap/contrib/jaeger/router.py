"""Jaeger's query API below /jaeger (docs/api.md), for Grafana's Jaeger data source and Jaeger's UI.

Parameters that Jaeger does not know are ignored, as Jaeger does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api import names
from api.context import Context, json_response, run_cancellable
from api.counted import incomplete_header
from api.errors import ApiError
from raymap.contrib.jaeger import TAG
from raymap.contrib.jaeger.dependencies import dependencies
from raymap.contrib.jaeger.monitor import monitor_router
from raymap.contrib.jaeger.params import (
    SpanQuery,
    check,
    parse_go_duration,
    parse_lookback,
    parse_tags,
    parse_window,
    require_id,
    require_ids,
)
from raymap.contrib.jaeger.schemas import (
    JaegerDependencies,
    JaegerError,
    JaegerFailure,
    JaegerNames,
    JaegerOperations,
    JaegerTrace,
    JaegerTraces,
)
from raymap.contrib.jaeger.search import Found, matching, search
from raymap.contrib.jaeger.spans import read_traces
from raymap.contrib.jaeger.v3 import v3_router
from store.model import TimeRange
from store.times import SECOND

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": JaegerFailure, "description": "a parameter has an unexpected value"},
    500: {"model": JaegerFailure, "description": "the server's log says why"},
    503: {"model": JaegerFailure, "description": "the store does not answer in time"},
}
DURATION = "duration of the span, such as 1.2s or 100ms"
SERVICE = Query(description="name of a service")
START = Query(description="microseconds since the epoch; by default two days before the end")
END = Query(description="microseconds since the epoch; by default now")


def jaeger_router(context: Context) -> APIRouter:
    """Everything below /jaeger."""
    router = APIRouter(prefix="/jaeger/api", tags=[TAG["name"]], responses=ERRORS)
    _add_names(router, context)
    _add_traces(router, context)
    router.include_router(monitor_router(context))
    router.include_router(v3_router(context))
    return router


def _add_names(router: APIRouter, context: Context) -> None:
    @router.get("/services", response_class=Response, responses={200: {"model": JaegerNames}})
    async def jaeger_services(request: Request) -> Response:
        """Names of the services that sent segments or spans in the last week."""
        return await run_cancellable(
            request, lambda: _answer(names.service_names(context, _recent(context).start))
        )

    @router.get(
        "/services/{service:path}/operations",
        response_class=Response,
        responses={200: {"model": JaegerNames}},
    )
    async def jaeger_operation_names(request: Request, service: str) -> Response:
        """What a service did in the last week: names of its spans."""

        def work() -> Response:
            found = names.operations(context, service, _recent(context).start)
            return _answer(sorted({each.name for each in found}))

        return await run_cancellable(request, work)

    @router.get(
        "/operations", response_class=Response, responses={200: {"model": JaegerOperations}}
    )
    async def jaeger_operations(
        request: Request,
        service: Annotated[str, SERVICE] = "",
        kind: Annotated[str, Query(alias="spanKind", description="only spans of a kind")] = "",
    ) -> Response:
        """The same with the kinds of the spans."""
        if not service:
            raise ApiError("parameter 'service' is required")

        def work() -> Response:
            found = names.operations(context, service, _recent(context).start)
            return _answer(
                [
                    {"name": each.name, "spanKind": each.kind}
                    for each in found
                    if not kind or each.kind == kind
                ]
            )

        return await run_cancellable(request, work)

    @router.get(
        "/dependencies", response_class=Response, responses={200: {"model": JaegerDependencies}}
    )
    async def jaeger_dependencies(
        request: Request,
        end: Annotated[str, Query(alias="endTs", description="end, epoch milliseconds")] = "",
        lookback: Annotated[str, Query(description="milliseconds; by default a day")] = "",
        service: Annotated[str, SERVICE] = "",
    ) -> Response:
        """How often services call each other."""
        window = parse_lookback(end, lookback, _now(context))

        def work() -> Response:
            found, backlog = dependencies(context, window, service)
            answer = _answer(found)
            answer.headers.update(incomplete_header(backlog))
            return answer

        return await run_cancellable(request, work)


def _add_traces(router: APIRouter, context: Context) -> None:
    @router.get("/traces", response_class=Response, responses={200: {"model": JaegerTraces}})
    async def jaeger_traces(
        request: Request,
        service: Annotated[str, SERVICE] = "",
        operation: Annotated[str, Query(description="name of the span")] = "",
        tag: Annotated[Sequence[str], Query(description="key:value, may be repeated")] = (),
        tags: Annotated[Sequence[str], Query(description="JSON object of strings")] = (),
        start: Annotated[str, START] = "",
        end: Annotated[str, END] = "",
        lookback: Annotated[str, Query(description="without start: 1h, 2d before the end")] = "",
        shortest: Annotated[str, Query(alias="minDuration", description=f"least {DURATION}")] = "",
        longest: Annotated[str, Query(alias="maxDuration", description=f"most {DURATION}")] = "",
        limit: Annotated[int, Query(description="traces, 1 to 1500")] = 100,
        ids: Annotated[
            Sequence[str],
            Query(alias="traceID", description="these traces, whatever else is given"),
        ] = (),
    ) -> Response:
        """Traces with a span of the service that has all that is given, newest first."""
        if ids:
            wanted = require_ids(ids)
            return await run_cancellable(request, lambda: _by_id(context, wanted))
        if not service:
            raise ApiError("parameter 'service' is required")
        query = check(
            SpanQuery(
                service,
                operation,
                parse_tags(tag, tags),
                parse_go_duration(shortest, "minDuration"),
                parse_go_duration(longest, "maxDuration"),
                parse_window(start, end, lookback, _now(context)),
                limit,
            )
        )
        return await run_cancellable(
            request, lambda: _found(search(context, query, partial(matching, query)))
        )

    @router.get(
        "/traces/{id}",
        response_class=Response,
        responses={
            200: {"model": JaegerTraces},
            404: {"model": JaegerFailure, "description": "trace not found"},
        },
    )
    async def jaeger_trace_by_id(request: Request, id: str) -> Response:
        """One trace; the id as up to 32 hex digits, or in X-Ray's form."""
        wanted = require_id(id)

        def work() -> Response:
            found = [each.trace for each in read_traces(context.store, [wanted])]
            if not found:
                raise ApiError("trace not found", status=404)
            return _answer(found)

        return await run_cancellable(request, work)


def _by_id(context: Context, ids: Sequence[bytes]) -> Response:
    found = [each.trace for each in read_traces(context.store, ids)]
    known = {trace["traceID"] for trace in found}
    missing: list[JaegerError] = [
        {"code": 404, "msg": "trace not found", "traceID": id.hex()}
        for id in ids
        if id.hex() not in known
    ]
    return _answer(found, missing)


def _found(found: Found[JaegerTrace]) -> Response:
    """The traces; if the search ended early, with an error that says so: 206, partial content."""
    partial: list[JaegerError] = [{"code": 206, "msg": found.stopped}] if found.stopped else []
    return _answer(found.traces, partial)


def _answer(data: Sequence[object], errors: Sequence[JaegerError] = ()) -> Response:
    """Jaeger's envelope."""
    counted = {"total": len(data), "limit": 0, "offset": 0}
    return json_response({"data": data, **counted, "errors": list(errors) or None})


def _now(context: Context) -> int:
    return round(context.clock() * SECOND)


def _recent(context: Context) -> TimeRange:
    return names.recent(_now(context))
