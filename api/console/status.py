"""How the server is, for the corner of the console."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.context import Context, json_response, run_cancellable
from api.schemas import ServerStatus
from store.errors import StoreError


def status_router(context: Context) -> APIRouter:
    """/api/status: an answer even when the store is away."""
    router = APIRouter()

    @router.get("/api/status", response_class=Response, responses={200: {"model": ServerStatus}})
    async def status(request: Request) -> Response:
        """Version, readiness and what came in."""
        return await run_cancellable(request, lambda: json_response(server_status(context)))

    return router


def server_status(context: Context) -> ServerStatus:
    """The store's word on itself, and the collector's numbers."""
    detail, has_traces = context.check.problem(), False
    if not detail:
        try:
            has_traces = context.store.has_traces()
        except StoreError as error:
            detail = str(error) or "the store cannot be reached"
    return {
        "version": context.version,
        "ready": not detail,
        "detail": detail,
        "ever": has_traces,
        "ingest": context.ingest_status(),
    }
