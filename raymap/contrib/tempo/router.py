"""Tempo's query API below /tempo (docs/api.md), for Grafana's Tempo data source.

https://grafana.com/docs/tempo/latest/api_docs/; parameters that Tempo does not know are ignored, as Tempo does.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from api.context import Context, json_response, run_cancellable
from api.counted import INCOMPLETE
from api.errors import ApiError
from raymap.contrib.jaeger.params import require_id
from raymap.contrib.jaeger.search import Bounds, response_of
from raymap.contrib.jaeger.spans import MOST_SPANS, ReadTrace, grouped, read_traces
from raymap.contrib.tempo import TAG, tags
from raymap.contrib.tempo.metrics_router import metrics_router
from raymap.contrib.tempo.params import (
    End,
    Start,
    TraceQL,
    parse_legacy,
    parse_limit,
    parse_query,
    parse_window,
)
from raymap.contrib.tempo.schemas import (
    TempoBuild,
    TempoScopedTags,
    TempoSearch,
    TempoTags,
    TempoTagValues,
    TempoTrace,
    TempoTraceV2,
    TempoTypedTagValues,
)
from raymap.contrib.tempo.search import Inspected, find, found_trace, named_attributes
from store.times import DAY
from store.varint import varint

TEXT: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}
PROTOBUF = "application/protobuf"
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {
        **TEXT,
        "description": "a parameter has an unexpected value; of TraceQL with its position",
    },
    500: {**TEXT, "description": "the server's log says why"},
    503: {**TEXT, "description": "the store does not answer in time"},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {**TEXT, "description": "no such trace"}}
MOST_SET_SPANS = 1000
Limit = Annotated[str, Query(description="at most so many")]


def tempo_router(context: Context) -> APIRouter:
    """Everything below /tempo."""
    router = APIRouter(prefix="/tempo/api", tags=[TAG["name"]], responses=ERRORS)
    _add_status(router, context)
    _add_search(router, context)
    _add_tags(router, context)
    _add_traces(router, context)
    router.include_router(metrics_router(context))
    return router


def _add_status(router: APIRouter, context: Context) -> None:
    @router.get("/echo", response_class=Response, responses={200: TEXT})
    async def tempo_echo() -> Response:
        """The word echo, by which Grafana tests a data source."""
        return Response("echo", media_type="text/plain")

    @router.get(
        "/status/buildinfo", response_class=Response, responses={200: {"model": TempoBuild}}
    )
    async def tempo_build_info() -> Response:
        """The version of the server."""
        build: TempoBuild = {
            "version": context.version,
            "revision": "",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        }
        return json_response(build)


def _add_search(router: APIRouter, context: Context) -> None:
    @router.get("/search", response_class=Response, responses={200: {"model": TempoSearch}})
    async def tempo_search(
        request: Request,
        q: TraceQL = "",
        wanted: Annotated[
            str, Query(alias="tags", description="logfmt, instead of TraceQL: service.name=shop")
        ] = "",
        shortest: Annotated[
            str, Query(alias="minDuration", description="of a trace, without TraceQL")
        ] = "",
        longest: Annotated[
            str, Query(alias="maxDuration", description="of a trace, without TraceQL")
        ] = "",
        limit: Annotated[str, Query(description="traces, 1 to 1500; by default 20")] = "",
        start: Start = "",
        end: End = "",
        spans: Annotated[
            str, Query(alias="spss", description="spans of each set; by default 3")
        ] = "",
    ) -> Response:
        """Traces in which a query finds spans, newest first. A header says when the search ended early."""
        if q and wanted:
            raise ApiError("invalid request: can't specify tags and q in the same query")
        query = parse_query(q) if q else parse_legacy(wanted, shortest, longest)
        if query.metrics is not None:
            raise ApiError("the query ends with metrics: use /api/metrics/query_range")
        window = parse_window(start, end, "", context.now())
        bounds = Bounds(window, parse_limit(limit, "limit", 20))
        most = parse_limit(spans, "spss", 3, MOST_SET_SPANS)

        def work() -> Response:
            inspected = Inspected()
            take = partial(found_trace, named_attributes(query.pipeline), most)
            found = find(context, query.pipeline, bounds, take, inspected)
            body = {"traces": found.traces, "metrics": inspected.metrics}
            return response_of(body, found)

        return await run_cancellable(request, work)


def _add_tags(router: APIRouter, context: Context) -> None:
    def tag_query(q: str, start: str, end: str, limit: str) -> tags.TagQuery:
        return tags.TagQuery(
            parse_window(start, end, "", context.now(), DAY),
            tags.parse_pipeline(q),
            parse_limit(limit, "limit", tags.MOST_TAGS, 10**9),
        )

    @router.get("/search/tags", response_class=Response, responses={200: {"model": TempoTags}})
    async def tempo_tags(
        request: Request, start: Start = "", end: End = "", limit: Limit = ""
    ) -> Response:
        """Names of tags."""
        query = tag_query("", start, end, limit)

        def work() -> Response:
            found = {tag for each in tags.tag_names(context, query, "") for tag in each["tags"]}
            return json_response({"tagNames": sorted(found), "metrics": {}})

        return await run_cancellable(request, work)

    @router.get(
        "/v2/search/tags", response_class=Response, responses={200: {"model": TempoScopedTags}}
    )
    async def tempo_scoped_tags(
        request: Request,
        scope: Annotated[str, Query(description="only one: " + ", ".join(tags.SCOPES))] = "",
        q: TraceQL = "",
        start: Start = "",
        end: End = "",
        limit: Limit = "",
    ) -> Response:
        """Names of tags by scope: of the newest traces that a query finds, and of annotations."""
        query = tag_query(q, start, end, limit)
        return await run_cancellable(
            request,
            lambda: json_response({"scopes": tags.tag_names(context, query, scope), "metrics": {}}),
        )

    @router.get(
        "/search/tag/{tag:path}/values",
        response_class=Response,
        responses={200: {"model": TempoTagValues}},
    )
    async def tempo_tag_values(
        request: Request, tag: str, start: Start = "", end: End = "", limit: Limit = ""
    ) -> Response:
        """Values of a tag."""
        query = tag_query("", start, end, limit)

        def work() -> Response:
            found = {each["value"] for each in tags.tag_values(context, tag, query)}
            return json_response({"tagValues": sorted(found), "metrics": {}})

        return await run_cancellable(request, work)

    @router.get(
        "/v2/search/tag/{tag:path}/values",
        response_class=Response,
        responses={200: {"model": TempoTypedTagValues}},
    )
    async def tempo_typed_tag_values(
        request: Request,
        tag: str,
        q: TraceQL = "",
        start: Start = "",
        end: End = "",
        limit: Limit = "",
    ) -> Response:
        """Values of a tag with their types: of the newest traces that a query finds, and by index."""
        query = tag_query(q, start, end, limit)
        return await run_cancellable(
            request,
            lambda: json_response(
                {"tagValues": tags.tag_values(context, tag, query), "metrics": {}}
            ),
        )


def _add_traces(router: APIRouter, context: Context) -> None:
    @router.get(
        "/traces/{id}",
        response_class=Response,
        responses={200: {"model": TempoTrace, "content": {PROTOBUF: {}}}, **NOT_FOUND},
    )
    async def tempo_trace(request: Request, id: str) -> Response:
        """One trace as OTLP: in protobuf if Accept has it, else in JSON. The id as up to 32 hex digits, or in X-Ray's form."""
        wanted = require_id(id)

        def work() -> Response:
            read = _read(context, id, wanted)
            data = grouped(read.exported)
            if _prefers_protobuf(request):
                answer = Response(data.SerializeToString(), media_type=PROTOBUF)
            else:
                answer = json_response({"batches": MessageToDict(data).get("resourceSpans", [])})
            if missing := _missing(read):
                answer.headers[INCOMPLETE] = missing
            return answer

        return await run_cancellable(request, work)

    @router.get(
        "/v2/traces/{id}",
        response_class=Response,
        responses={200: {"model": TempoTraceV2, "content": {PROTOBUF: {}}}, **NOT_FOUND},
    )
    async def tempo_trace_v2(request: Request, id: str) -> Response:
        """The same, and whether it is whole."""
        wanted = require_id(id)

        def work() -> Response:
            read = _read(context, id, wanted)
            data, missing = grouped(read.exported), _missing(read)
            if _prefers_protobuf(request):
                return Response(_trace_by_id(data, missing), media_type=PROTOBUF)
            body: dict[str, Any] = {"trace": MessageToDict(data), "metrics": {}}
            if missing:
                body |= {"status": "PARTIAL", "message": missing}
            return json_response(body)

        return await run_cancellable(request, work)


def _read(context: Context, text: str, id: bytes) -> ReadTrace:
    for read in read_traces(context.store, [id]):
        return read
    raise ApiError(f"trace {text[:40]} not found", status=404)


def _missing(read: ReadTrace) -> str | None:
    left_out = read.size - MOST_SPANS
    return f"{left_out} spans beyond {MOST_SPANS} are left out" if left_out > 0 else None


def _prefers_protobuf(request: Request) -> bool:
    """As Tempo reads Accept."""
    return PROTOBUF in request.headers.get("accept", "")


def _trace_by_id(data: TracesData, missing: str | None) -> bytes:
    """tempopb.TraceByIDResponse: the trace is its first field, metrics without any the second, ``status`` the third (1:
    partial), ``message`` the fourth."""
    encoded = _field(1, data.SerializeToString()) + _field(2, b"")
    return encoded + (b"\x18\x01" + _field(4, missing.encode()) if missing else b"")


def _field(number: int, body: bytes) -> bytes:
    """A field of a protobuf message that is a message or text."""
    return varint(number << 3 | 2) + varint(len(body)) + body
