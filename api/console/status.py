"""How the server is, for the corner of the console."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.context import Context, in_thread, reply
from api.schemas import ServerStatus
from store.protocol import StoreError


def status_router(context: Context) -> APIRouter:
    """/api/status: an answer even when the store is away."""
    router = APIRouter()

    @router.get("/api/status", response_class=Response, responses={200: {"model": ServerStatus}})
    async def status(request: Request) -> Response:
        """Version, readiness and what came in."""
        return await in_thread(request, lambda: reply(server_status(context)))

    return router


def server_status(context: Context) -> ServerStatus:
    """The store's word on itself, and the collector's numbers."""
    detail, ever = context.check.problem(), False
    if not detail:
        try:
            ever = context.store.ever()
        except StoreError as error:
            detail = str(error) or "the store cannot be reached"
    return {
        "version": context.version,
        "ready": not detail,
        "detail": detail,
        "ever": ever,
        "ingest": context.ingest_status(),
    }
