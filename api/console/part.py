"""What all routes of the console's API have in common."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.parameters import refuse_unknown_parameters
from api.schemas.common import ErrorReply


def console_part(tag: str) -> APIRouter:
    """An empty router for operations of one tag."""
    return APIRouter(
        tags=[tag],
        responses={"4XX": {"model": ErrorReply}},
        dependencies=[Depends(refuse_unknown_parameters)],
    )
