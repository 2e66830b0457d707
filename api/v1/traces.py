"""Traces: found by filter expression, or one by its id."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.console.params import Filters, TraceFilter, require_trace
from api.console.trace_detail import trace_report
from api.console.trace_lists import lines
from api.console.trace_search import TraceSearch
from api.context import Context, json_response, run_cancellable
from api.schemas.common import ErrorReply
from api.schemas.traces import TraceReport
from api.schemas.v1 import TracePage
from api.v1.graph import span
from api.v1.params import Page, Paged
from api.v1.part import v1_part


def traces_router(context: Context) -> APIRouter:
    """/api/v1/traces and /api/v1/traces/<id>."""
    router = v1_part()

    @router.get("/traces", response_class=Response, responses={200: {"model": TracePage}})
    async def find_traces(request: Request, page: Paged, filters: Filters) -> Response:
        """Traces, newest first; those that exist at the first page come exactly once."""
        return await run_cancellable(
            request, lambda: json_response(trace_page(context, page, filters))
        )

    @router.get(
        "/traces/{id}",
        response_class=Response,
        responses={
            200: {"model": TraceReport},
            404: {"model": ErrorReply, "description": "NoSuchTrace"},
        },
    )
    async def get_trace_report(request: Request, id: str) -> Response:
        """One trace with its timeline and its documents; the id in X-Ray or W3C form."""
        return await run_cancellable(
            request, lambda: json_response(trace_report(require_trace(context.store, id)))
        )

    return router


def trace_page(context: Context, page: Page, filters: TraceFilter) -> TracePage:
    """The traces after a cursor; a page with a cursor may be short."""
    search = TraceSearch(context, page.window, filters)
    found = search.page(page.limit, page.after or None)
    return {
        **span(search.window),
        "traces": lines(context.store, found.found, found.traces),
        "next": page.next(found.cursor),
    }
