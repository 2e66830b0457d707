"""Zipkin's query API below /zipkin (docs/api.md), for Zipkin's UI and Grafana's Zipkin data source.

https://zipkin.io/zipkin-api/; parameters that Zipkin does not know are ignored, as Zipkin does.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api import names
from api.context import Context, json_response, run_cancellable
from api.counted import incomplete_header
from api.errors import ApiError
from raymap.contrib.jaeger.params import (
    MOST_TRACES,
    parse_lookback,
    parse_units,
    require_id,
    require_ids,
)
from raymap.contrib.jaeger.search import response_of
from raymap.contrib.jaeger.spans import read_traces
from raymap.contrib.zipkin import TAG
from raymap.contrib.zipkin.schemas import (
    UiConfig,
    ZipkinDependencies,
    ZipkinNames,
    ZipkinTrace,
    ZipkinTraces,
)
from raymap.contrib.zipkin.search import ZipkinQuery, find, parse_terms, spans_of
from store.times import SECOND

TEXT: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {**TEXT, "description": "a parameter has an unexpected value"},
    500: {**TEXT, "description": "the server's log says why"},
    503: {**TEXT, "description": "the store does not answer in time"},
}
CONFIG: UiConfig = {
    "environment": "",
    "queryLimit": 10,
    "defaultLookback": 15 * 60 * 1000,
    "searchEnabled": True,
    "dependency": {"enabled": True},
}
SERVICE = Query(alias="serviceName", description="name of a service")
END = Query(alias="endTs", description="end, epoch milliseconds; by default now")
LOOKBACK = Query(description="milliseconds; by default a day")


def zipkin_router(context: Context) -> APIRouter:
    """Everything below /zipkin."""
    router = APIRouter(prefix="/zipkin", tags=[TAG["name"]], responses=ERRORS)
    _add_names(router, context)
    _add_traces(router, context)
    return router


def _add_names(router: APIRouter, context: Context) -> None:
    @router.get("/config.json", response_class=Response, responses={200: {"model": UiConfig}})
    async def zipkin_ui_config() -> Response:
        """What Zipkin's UI reads first."""
        return json_response(CONFIG)

    @router.get(
        "/api/v2/services", response_class=Response, responses={200: {"model": ZipkinNames}}
    )
    async def zipkin_services(request: Request) -> Response:
        """Names of the services that sent segments or spans in the last week."""
        return await run_cancellable(
            request, lambda: json_response(names.service_names(context, _recent(context)))
        )

    @router.get("/api/v2/spans", response_class=Response, responses={200: {"model": ZipkinNames}})
    async def zipkin_span_names(
        request: Request, service: Annotated[str, SERVICE] = ""
    ) -> Response:
        """What a service did in the last week: names of its spans."""

        def work() -> Response:
            found = names.operations(context, _required(service), _recent(context))
            return json_response(sorted({each.name for each in found}))

        return await run_cancellable(request, work)

    @router.get(
        "/api/v2/remoteServices", response_class=Response, responses={200: {"model": ZipkinNames}}
    )
    async def zipkin_remote_services(
        request: Request, service: Annotated[str, SERVICE] = ""
    ) -> Response:
        """What a service called in the last day."""

        def work() -> Response:
            window = parse_lookback("", "", _now(context))
            found, backlog = names.calls_between(context, window, _required(service))
            remote = {each.child for each in found if each.parent == service}
            answer = json_response(sorted(remote))
            answer.headers.update(incomplete_header(backlog))
            return answer

        return await run_cancellable(request, work)

    @router.get(
        "/api/v2/autocompleteKeys", response_class=Response, responses={200: {"model": ZipkinNames}}
    )
    async def zipkin_autocomplete_keys() -> Response:
        """None: in Zipkin an operator of the server chooses them."""
        return json_response([])

    @router.get(
        "/api/v2/dependencies",
        response_class=Response,
        responses={200: {"model": ZipkinDependencies}},
    )
    async def zipkin_dependencies(
        request: Request,
        end: Annotated[str, END] = "",
        lookback: Annotated[str, LOOKBACK] = "",
    ) -> Response:
        """How often services call each other."""
        window = parse_lookback(end, lookback, _now(context))

        def work() -> Response:
            found, backlog = names.calls_between(context, window)
            answer = json_response(
                [
                    {
                        "parent": each.parent,
                        "child": each.child,
                        "callCount": each.calls,
                        "errorCount": each.faults,
                    }
                    for each in found
                ]
            )
            answer.headers.update(incomplete_header(backlog))
            return answer

        return await run_cancellable(request, work)


def _add_traces(router: APIRouter, context: Context) -> None:
    @router.get("/api/v2/traces", response_class=Response, responses={200: {"model": ZipkinTraces}})
    async def zipkin_traces(
        request: Request,
        service: Annotated[str, SERVICE] = "",
        remote: Annotated[str, Query(alias="remoteServiceName", description="what it called")] = "",
        span: Annotated[
            str, Query(alias="spanName", description="name of a span; `all`: any")
        ] = "",
        terms: Annotated[
            str, Query(alias="annotationQuery", description="such as `error and http.method=GET`")
        ] = "",
        shortest: Annotated[str, Query(alias="minDuration", description="microseconds")] = "",
        longest: Annotated[
            str, Query(alias="maxDuration", description="microseconds, with minDuration")
        ] = "",
        end: Annotated[str, END] = "",
        lookback: Annotated[str, LOOKBACK] = "",
        limit: Annotated[int, Query(description="traces, 1 to 1500")] = 10,
    ) -> Response:
        """Traces in which spans of the service have all that is given, newest first. A header says when the search ended
        early."""
        least, most = (
            parse_units(shortest, "minDuration", 1),
            parse_units(longest, "maxDuration", 1),
        )
        if most is not None and least is None:
            raise ApiError("maxDuration is only valid with minDuration")
        if least is not None and most is not None and most < least:
            raise ApiError("maxDuration < minDuration")
        if not 1 <= limit <= MOST_TRACES:
            raise ApiError(f"limit must lie between 1 and {MOST_TRACES}, got {limit}")
        name = "" if span == "all" else span
        window = parse_lookback(end, lookback, _now(context))
        query = ZipkinQuery(service, remote, name, parse_terms(terms), least, most, window, limit)

        def work() -> Response:
            found = find(context, query)
            return response_of(found.traces, found)

        return await run_cancellable(request, work)

    @router.get(
        "/api/v2/trace/{id}",
        response_class=Response,
        responses={
            200: {"model": ZipkinTrace},
            404: {**TEXT, "description": "no such trace"},
        },
    )
    async def zipkin_trace(request: Request, id: str) -> Response:
        """One trace; the id as up to 32 hex digits, or in X-Ray's form."""
        wanted = require_id(id.strip())

        def work() -> Response:
            for read in read_traces(context.store, [wanted]):
                return json_response(spans_of(read))
            raise ApiError(f"{id} not found", status=404)

        return await run_cancellable(request, work)

    @router.get(
        "/api/v2/traceMany", response_class=Response, responses={200: {"model": ZipkinTraces}}
    )
    async def zipkin_trace_many(
        request: Request,
        ids: Annotated[str, Query(alias="traceIds", description="ids, separated by commas")] = "",
    ) -> Response:
        """Several traces by id; those that are not stored are left out."""
        if not ids:
            raise ApiError("traceIds parameter is empty")
        wanted = require_ids(ids.split(","))

        def work() -> Response:
            return json_response([spans_of(each) for each in read_traces(context.store, wanted)])

        return await run_cancellable(request, work)


def _required(service: str) -> str:
    if not service:
        raise ApiError("serviceName is required")
    return service


def _now(context: Context) -> int:
    return round(context.clock() * SECOND)


def _recent(context: Context) -> int:
    return names.recent(_now(context)).start
