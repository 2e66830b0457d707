"""What services did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import names
from api.console.map_json import counts, times
from api.console.params import FilterExpression
from api.console.place import Scope, node_place
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.find import require_node
from api.request import require_short
from api.schemas.v1 import OperationLine, OperationList, OperationNumbers
from api.v1.graph import read_graph, span
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import Expression
from store.model import TimeRange
from store.rules.operations import OTHER_OPERATIONS
from store.rules.other_names import OTHER_NAMES
from store.times import SECOND

SERVICE = Query(min_length=1, max_length=200, description="name of a service")


def operations_router(context: Context) -> APIRouter:
    """/api/v1/operations and /api/v1/services/<id>/operations."""
    router = v1_part()

    @router.get("/operations", response_class=Response, responses={200: {"model": OperationList}})
    async def list_operations(
        request: Request, window: Window, service: Annotated[str, SERVICE]
    ) -> Response:
        """What a service did of which something was stored since the window began: names of its spans; of X-Ray's segments
        the method and the path, as far as it is bounded, or the segment's name."""
        return await run_cancellable(
            request, lambda: json_response(operation_list(context, service, window))
        )

    @router.get(
        "/services/{id}/operations",
        response_class=Response,
        responses={200: {"model": OperationNumbers}},
    )
    async def list_operation_numbers(
        request: Request, id: str, window: Window, expression: FilterExpression
    ) -> Response:
        """What a service did, with the numbers of each operation, counted from rows: of a resource, of a service that sends
        no server spans, and with a filter, whole traces are read, and too many of them are refused."""
        return await run_cancellable(
            request, lambda: json_response(operation_numbers(context, id, window, expression))
        )

    return router


def operation_numbers(
    context: Context, id: str, window: TimeRange, expression: Expression | None = None
) -> OperationNumbers:
    """The operations of a node; ApiError (404) when it had no traffic."""
    require_short(window)
    shown, graph, fresh = read_graph(context, window, expression, None)
    node = require_node(graph, id)
    if node.is_client:
        raise ApiError("a client has no operations: they are those of what it calls")
    if node.name == OTHER_NAMES:
        raise ApiError(
            f"the operations of {OTHER_NAMES} cannot be listed; choose a service by name",
            code="NamesCountedTogether",
        )
    place = node_place(graph, node, Scope(shown))
    found = context.store.operation_statistics(
        place.units.nodes, shown, background=place.units.background, filter=expression
    )
    total = sum(each.total for each in found.values())
    lines: list[OperationLine] = [
        {
            "operation": operation,
            "named": operation not in ("", OTHER_OPERATIONS),
            "share": round(each.total / total, 6) if total else 0.0,
            **counts(each),
            "in_progress": each.in_progress,
            "observed": each.observed,
            **times(each),
        }
        for operation, each in found.items()
    ]
    lines.sort(key=lambda line: (-(line["requests"] or 0), line["operation"]))
    return {**span(shown), **fresh, "node": id, "work": place.work, "operations": lines}


def operation_list(context: Context, service: str, window: TimeRange) -> OperationList:
    """The operations of a service; none for an unknown one."""
    found = names.operations(context, service, window.start)
    return {
        **span(window),
        "service": service,
        "operations": [
            {"name": each.name, "kind": each.kind, "last_seen": each.seen / SECOND}
            for each in found
        ],
    }
