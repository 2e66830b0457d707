"""Traces for the console: all routes, lists, and the chart of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.console.charts import Dot, traces_figure
from api.console.differences import trace_differences
from api.console.marks import deployments_of, with_marks
from api.console.params import Filters, TraceFilter, Window
from api.console.part import console_part
from api.console.scope import ScopeExpression
from api.console.trace_detail import raw_trace, trace_detail
from api.console.trace_lists import (
    MAX_LINES,
    count_traces,
    entries_of,
    lines,
    newest_traces,
)
from api.console.trace_search import FoundTrace, TraceSearch
from api.console.trace_sorting import Sort, Sorting, sorted_traces
from api.console.typical import typical_trace
from api.context import Context, json_response, run_cancellable
from api.schemas.traces import (
    RawTrace,
    TraceDetail,
    TraceDifferences,
    TraceFigure,
    TraceList,
    TypicalTrace,
)
from store.model import TimeRange
from store.protocol import Store
from store.trace_id import format_trace_id

LIMIT = Query(ge=1, le=MAX_LINES, description="traces in a page")
CURSOR = Query(description="`next` of the previous page")
SORT = Query(
    description="start: newest first; response: of the newest 5,000; else of the newest 2,000"
)
ORDER = Query(description="of any sort but start; without a value last in both")


def traces_router(context: Context) -> APIRouter:
    """/api/traces, /api/traces/figure and /api/traces/<id>."""
    router = console_part("traces")

    @router.get("/api/traces", response_class=Response, responses={200: {"model": TraceList}})
    async def list_traces(
        request: Request,
        window: Window,
        filters: Filters,
        limit: Annotated[int, LIMIT] = 100,
        cursor: Annotated[str | None, CURSOR] = None,
        sort: Annotated[Sort, SORT] = "start",
        order: Annotated[Literal["desc", "asc"], ORDER] = "desc",
    ) -> Response:
        """Traces, the newest first or by a column."""

        def work() -> Response:
            if sort == "start":
                return json_response(trace_list(context, window, filters, limit, cursor))
            by = Sorting(sort, order == "desc")
            return json_response(sorted_traces(context, window, filters, limit, cursor, by))

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
    async def get_differences(
        request: Request, window: Window, filters: Filters, scope: ScopeExpression
    ) -> Response:
        """What the selected traces have in common, and comparable others have not: those of the same node, edge
        and filter without its parts about status and latency."""
        return await run_cancellable(
            request, lambda: json_response(trace_differences(context, window, filters, scope))
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
    """A page of traces. How many there are takes longer than the page: only a page of all says it, and the chart."""
    search = TraceSearch(context, window, filters)
    page = search.page(limit, cursor)
    return {
        "traces": lines(context.store, page.found, page.traces),
        "next": page.cursor,
        "total": len(page.found) if cursor is None and page.cursor is None else None,
        "matching_units": search.units_counted(),
        "sorted": None,
    }


def trace_figure(context: Context, window: TimeRange, filters: TraceFilter) -> TraceFigure:
    """At most 5,000 of the newest traces, and how many match altogether."""
    search = TraceSearch(context, window, filters)
    found, cursor = newest_traces(search)
    rest, counted_all = count_traces(search, cursor)
    dots, deployed = context.both(
        lambda: dots_of(context.store, found), lambda: deployments_of(context, search.window)
    )
    return {
        **with_marks(traces_figure(dots, search.window), deployed),
        "shown": len(dots),
        "total": len(dots) + rest,
        "counted_all": counted_all,
    }


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
