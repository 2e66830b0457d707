"""State of the server, for the corner of the console."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Depends, Request, Response

from api.context import Context, json_response, run_cancellable
from api.health import problems_of
from api.parameters import refuse_unknown_parameters
from api.schemas.server import IngestStatus, ServerStatus
from store.errors import StoreError


def status_router(context: Context) -> APIRouter:
    """/api/status, which answers also when the store is unavailable."""
    router = APIRouter(tags=["server"], dependencies=[Depends(refuse_unknown_parameters)])

    @router.get("/api/status", response_class=Response, responses={200: {"model": ServerStatus}})
    async def get_status(request: Request) -> Response:
        """Version, readiness and counts of received documents."""
        return await run_cancellable(request, lambda: json_response(server_status(context)))

    return router


def server_status(context: Context) -> ServerStatus:
    """Readiness of the store, problems of the server, and the collector's counts."""
    state, has_traces = context.probe.state(), False
    detail = state.unavailable
    if not detail:
        try:
            has_traces = context.store.has_traces()
        except StoreError as error:
            detail = str(error) or "the store cannot be reached"
    ingest_health = context.ingest_health() if context.ingest_health else {}
    return {
        "version": context.version,
        "ready": not detail,
        "detail": detail,
        "problems": problems_of(ingest_health, state._replace(unavailable=detail)),
        "has_traces": has_traces,
        "unhealthy": {"share": context.unhealthy.share, "count": context.unhealthy.count},
        "ingest": cast("IngestStatus", context.ingest_status()),
    }


def no_ingest() -> IngestStatus:
    """Counts of a server without receivers."""
    return {
        "received": 0,
        "stored": 0,
        "rejected": 0,
        "dropped": 0,
        "kernel_drops": None,
        "rejected_by_reason": {},
        "queued": 0,
        "journal_bytes": 0,
        "oldest_s": 0.0,
    }
