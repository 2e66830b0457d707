"""The route by which administrators read the audit log."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from api.context import json_response
from api.errors import ApiError
from store.audit import AuditStore

PATH = "/api/v1/audit"
MAX_EVENTS = 1_000


def audit_router(store: AuditStore) -> APIRouter:
    """The route by which administrators read the log."""
    router = APIRouter()

    async def audit(request: Request) -> Response:
        """The newest events, before an instant (microseconds) if one is given."""
        before = _number(request, "before", 1 << 62)
        limit = min(_number(request, "limit", 100), MAX_EVENTS)
        found = await asyncio.to_thread(store.read_audit, before=before, limit=limit)
        following = found[-1].at if len(found) == limit else None
        return json_response({"events": found, "before": following})

    router.add_api_route(
        PATH, audit, methods=["GET"], response_class=Response, include_in_schema=False, name="audit"
    )
    return router


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or not 0 < int(text) < 1 << 63:
        raise ApiError(f"{name}: expected a positive number, got {text[:60]!r}")
    return int(text)
