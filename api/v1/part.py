"""What all routes of /api/v1 have in common."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from api.parameters import refuse_unknown_parameters
from api.schemas.common import ErrorReply

TAG = {
    "name": "v1",
    "description": "The versioned API for programs. Windows take relative times (`from=-1h`), lists "
    "have cursors, unknown parameters are refused.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorReply, "description": "InvalidRequest, UnknownParameter, InvalidFilter"},
    404: {
        "model": ErrorReply,
        "description": "NoSuchNode, NoSuchEdge: no traffic in the window; NoSuchAlarm, NoSuchProblem, NoSuchDeployment, NoSuchNotebook",
    },
    500: {"model": ErrorReply, "description": "InternalFailure: the server's log says why"},
    503: {"model": ErrorReply, "description": "ServiceUnavailable: the store does not answer"},
}


def v1_part() -> APIRouter:
    """An empty router below /api/v1."""
    return APIRouter(
        prefix="/api/v1",
        tags=[TAG["name"]],
        responses=ERRORS,
        dependencies=[Depends(refuse_unknown_parameters)],
    )
