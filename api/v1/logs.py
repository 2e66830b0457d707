"""Log lines: of a trace, and the last ones of a function or service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.filtered import select_ids
from api.console.logs import LIMIT, Limit, log_entry, trace_logs
from api.console.scope import Scoped
from api.context import Context, json_response, run_cancellable
from api.schemas.common import ErrorReply
from api.schemas.logs import LogPage, TraceLogs
from api.v1.params import Window
from store.filters.ast import And, Expression, Selector, ServiceMatch
from store.log_lines import WrittenIn
from store.model import TimeRange
from store.rules.namespaces import goes_by, own_names
from store.times import MINUTE

Function = Annotated[
    str, Query(min_length=1, max_length=200, description="name of a Lambda function or a service")
]

LONGEST_REQUEST = 15 * MINUTE
"""How long before its lines a trace may have begun: the longest that a Lambda function runs."""


def logs_router(context: Context) -> APIRouter:
    """/api/v1/traces/<id>/logs and /api/v1/logs."""
    router = APIRouter()

    @router.get(
        "/traces/{id}/logs",
        response_class=Response,
        responses={
            200: {"model": TraceLogs},
            404: {"model": ErrorReply, "description": "NoSuchTrace"},
        },
    )
    async def get_trace_logs(request: Request, id: str, limit: Limit = LIMIT) -> Response:
        """The log lines of a trace, each with the segment that wrote it."""
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
