"""What the spans of a service are called."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.jaeger import names
from api.schemas.v1 import OperationList
from api.v1.graph import span
from api.v1.params import Window
from store.model import TimeRange

SERVICE = Query(min_length=1, max_length=200, description="name of a service")


def operations_router(context: Context) -> APIRouter:
    """/api/v1/operations."""
    router = APIRouter()

    @router.get("/operations", response_class=Response, responses={200: {"model": OperationList}})
    async def list_operations(
        request: Request, window: Window, service: Annotated[str, SERVICE]
    ) -> Response:
        """Names of a service's spans, of its newest 200 traces; X-Ray's are names of segments and
        subsegments."""
        return await run_cancellable(
            request, lambda: json_response(operation_list(context, service, window))
        )

    return router


def operation_list(context: Context, service: str, window: TimeRange) -> OperationList:
    """The operations of a service; none for an unknown one."""
    found = names.operations(context, service, window)
    return {
        **span(window),
        "service": service,
        "operations": [
            {"name": each.name, "kind": each.kind, "spans": each.spans} for each in found.found
        ],
        "traces": found.traces,
        "complete": found.complete,
    }
