"""Version 3 of Jaeger's query API over HTTP, for Jaeger's UI from 2.15 on and Grafana's Jaeger data source.

https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto; parameters may also have their
older names with underscores, as in Jaeger.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from api import names
from api.context import Context, json_response, run_cancellable
from api.counted import incomplete_header
from api.errors import ApiError
from api.request import window_of
from raymap.contrib.jaeger.dependencies import dependencies
from raymap.contrib.jaeger.params import SpanQuery, check, parse_go_duration, parse_tags, require_id
from raymap.contrib.jaeger.schemas_v3 import (
    Dependencies,
    Failure,
    OperationNames,
    OtlpTraces,
    ServiceNames,
    TraceSummaries,
    TraceSummary,
)
from raymap.contrib.jaeger.search import matches, response_of, search
from raymap.contrib.jaeger.spans import ReadTrace, grouped, read_traces
from raymap.contrib.jaeger.summaries import summary_of
from store.model import TimeRange
from store.otel.from_xray import to_json
from store.times import SECOND

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Failure, "description": "a parameter has an unexpected value"},
    500: {"model": Failure, "description": "the server's log says why"},
    503: {"model": Failure, "description": "the store does not answer in time"},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Failure, "description": "no such trace"}
}
WARNINGS = "@jaeger@warnings"
"""The attribute of a span that Jaeger's UI shows as its warnings."""
MOST_SUMMARIZED = 1 << 30
"""Spans of a search for summaries: little remains of each trace."""
DEFAULT_DEPTH = 100
"""Traces of a search that says nothing of them, as in Jaeger."""
_OLDER = {
    "query.serviceName": ("query.service_name",),
    "query.operationName": ("query.operation_name",),
    "query.startTimeMin": ("query.start_time_min",),
    "query.startTimeMax": ("query.start_time_max",),
    "query.durationMin": ("query.duration_min",),
    "query.durationMax": ("query.duration_max",),
    "query.searchDepth": ("query.search_depth", "query.num_traces"),
    "startTime": ("start_time",),
    "endTime": ("end_time",),
    "spanKind": ("span_kind",),
}
"""Names of parameters → those that Jaeger had before."""


def v3_router(context: Context) -> APIRouter:
    """Everything below /jaeger/api/v3."""
    router = APIRouter(prefix="/v3", responses=ERRORS)
    _add_names(router, context)
    _add_traces(router, context)
    return router


def _add_names(router: APIRouter, context: Context) -> None:
    @router.get("/services", response_class=Response, responses={200: {"model": ServiceNames}})
    async def jaeger_v3_services(request: Request) -> Response:
        """Names of the services that sent segments or spans in the last week."""
        return await run_cancellable(
            request,
            lambda: json_response({"services": names.service_names(context, _recent(context))}),
        )

    @router.get("/operations", response_class=Response, responses={200: {"model": OperationNames}})
    async def jaeger_v3_operations(
        request: Request,
        service: Annotated[str, Query(description="name of a service")] = "",
        span_kind: Annotated[str, Query(alias="spanKind", description="only spans of a kind")] = "",
    ) -> Response:
        """What a service did in the last week, by kind of span."""
        if not service:
            raise ApiError("parameter 'service' is required")
        kind = span_kind or _older(request, "spanKind")

        def work() -> Response:
            found = names.operations(context, service, _recent(context))
            shown = [
                {"name": each.name, "spanKind": each.kind}
                for each in found
                if not kind or each.kind == kind
            ]
            return json_response({"operations": shown})

        return await run_cancellable(request, work)

    @router.get("/dependencies", response_class=Response, responses={200: {"model": Dependencies}})
    async def jaeger_v3_dependencies(
        request: Request,
        start: Annotated[str, Query(alias="startTime", description="RFC 3339, required")] = "",
        end: Annotated[str, Query(alias="endTime", description="RFC 3339, required")] = "",
    ) -> Response:
        """How often services call each other."""
        window = _window(
            start or _older(request, "startTime"),
            end or _older(request, "endTime"),
            ("startTime", "endTime"),
        )

        def work() -> Response:
            found, backlog = dependencies(context, window)
            answer = json_response({"dependencies": found})
            answer.headers.update(incomplete_header(backlog))
            return answer

        return await run_cancellable(request, work)


def _add_traces(router: APIRouter, context: Context) -> None:
    @router.get(
        "/trace-summaries", response_class=Response, responses={200: {"model": TraceSummaries}}
    )
    async def jaeger_v3_trace_summaries(request: Request, query: SearchQuery) -> Response:
        """What a search found, newest first: of each trace its root, its length, its services, and how many of their
        spans failed. A header says when the search ended early."""

        def work() -> Response:
            found = search(context, query, partial(_summary, query), MOST_SUMMARIZED)
            return response_of({"summaries": found.traces}, found)

        return await run_cancellable(request, work)

    @router.get(
        "/traces",
        response_class=Response,
        responses={200: {"model": OtlpTraces}, **NOT_FOUND},
    )
    async def jaeger_v3_traces(request: Request, query: SearchQuery) -> Response:
        """Traces with a span that has all that is given, as OTLP in JSON."""

        def work() -> Response:
            found = search(context, query, partial(_matching, query))
            if not found.traces and not found.stopped:
                raise ApiError("No traces found", status=404)
            return response_of(_result(found.traces), found)

        return await run_cancellable(request, work)

    @router.get(
        "/traces/{id}",
        response_class=Response,
        responses={200: {"model": OtlpTraces}, **NOT_FOUND},
    )
    async def jaeger_v3_trace(request: Request, id: str) -> Response:
        """One trace as OTLP in JSON; the id as up to 32 hex digits, or in X-Ray's form."""
        wanted = require_id(id)

        def work() -> Response:
            found = [_exported(each) for each in read_traces(context.store, [wanted])]
            if not found:
                raise ApiError("No traces found", status=404)
            return json_response(_result(found))

        return await run_cancellable(request, work)


async def search_query(
    request: Request,
    service: Annotated[
        str, Query(alias="query.serviceName", description="without it, any service")
    ] = "",
    operation: Annotated[
        str, Query(alias="query.operationName", description="name of the span")
    ] = "",
    attributes: Annotated[
        str, Query(alias="query.attributes", description="JSON object of strings")
    ] = "",
    start: Annotated[str, Query(alias="query.startTimeMin", description="RFC 3339, required")] = "",
    end: Annotated[str, Query(alias="query.startTimeMax", description="RFC 3339, required")] = "",
    shortest: Annotated[
        str, Query(alias="query.durationMin", description="least duration of the span: 1.2s")
    ] = "",
    longest: Annotated[
        str, Query(alias="query.durationMax", description="most duration of the span")
    ] = "",
    depth: Annotated[
        str, Query(alias="query.searchDepth", description="traces, 1 to 1500; by default 100")
    ] = "",
) -> SpanQuery:
    """A search; ApiError (400)."""
    if request.query_params.get("query.filter"):
        raise ApiError("query.filter is not supported; use query.attributes")
    least, most = "query.durationMin", "query.durationMax"
    window = _window(
        start or _older(request, "query.startTimeMin"),
        end or _older(request, "query.startTimeMax"),
        ("query.startTimeMin", "query.startTimeMax"),
    )
    return check(
        SpanQuery(
            service or _older(request, "query.serviceName"),
            operation or _older(request, "query.operationName"),
            parse_tags((), [attributes], "query.attributes"),
            parse_go_duration(shortest or _older(request, least), least),
            parse_go_duration(longest or _older(request, most), most),
            window,
            _depth(depth or _older(request, "query.searchDepth")),
        )
    )


SearchQuery = Annotated[SpanQuery, Depends(search_query)]
"""The search of a request."""


def _older(request: Request, name: str) -> str:
    """The value of a parameter by one of its older names."""
    return next((v for each in _OLDER[name] if (v := request.query_params.get(each))), "")


def _depth(text: str) -> int:
    """Traces of a search; as in Jaeger's gRPC handler, none or 0 is the default."""
    if not text.isascii() or (text and not text.isdecimal()):
        raise ApiError(
            f"malformed parameter query.searchDepth: expected a number, got {text[:20]!r}"
        )
    return int(text[:6] or 0) or DEFAULT_DEPTH


def _window(start: str, end: str, parameters: tuple[str, str]) -> TimeRange:
    """A window given as two times; ApiError (400)."""
    if not start or not end:
        raise ApiError(f"{parameters[0]} and {parameters[1]} are required")
    first, last = parameters
    return window_of(_time(start, first), _time(end, last), first, last)


def _time(text: str, name: str) -> int:
    """Microseconds of a time in RFC 3339, at least 0; ApiError (400)."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError("no time zone")
        return max(0, round(found.timestamp() * SECOND))
    except (ValueError, OverflowError):
        raise ApiError(
            f"malformed parameter {name}: expected a time like 2026-12-01T09:30:00Z, got {text[:40]!r}"
        ) from None


def _recent(context: Context) -> int:
    return names.recent(round(context.clock() * SECOND)).start


def _summary(query: SpanQuery, read: ReadTrace) -> TraceSummary | None:
    return summary_of(read.id.hex(), read.exported) if matches(read.exported, query) else None


def _matching(query: SpanQuery, read: ReadTrace) -> TracesData | None:
    return _exported(read) if matches(read.exported, query) else None


def _exported(read: ReadTrace) -> TracesData:
    """A trace; of one with more spans than are shown the first span has the warning that says so."""
    data = grouped(read.exported)
    if warnings := read.trace["warnings"]:
        texts = ArrayValue(values=[AnyValue(string_value=each) for each in warnings])
        first = data.resource_spans[0].scope_spans[0].spans[0]
        first.attributes.append(KeyValue(key=WARNINGS, value=AnyValue(array_value=texts)))
    return data


def _result(traces: list[TracesData]) -> Mapping[str, object]:
    """Jaeger's envelope of a stream of traces."""
    parts = [part for each in traces for part in to_json(each).get("resourceSpans", ())]
    return {"result": {"resourceSpans": parts}}
