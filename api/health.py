"""Liveness, readiness and Prometheus metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from api.context import Context, json_response, run_cancellable
from api.store_probe import StoreState

Role = Literal["read", "receive"]
"""What a load balancer sends to a process."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def health_router(context: Context) -> APIRouter:
    """/healthz, /readyz, /metrics."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @router.get("/readyz")
    async def readyz(request: Request, role: Role | None = None) -> Response:
        report = await run_cancellable(request, lambda: readiness(context, role))
        return json_response(report, status=200 if report["ready"] else 503)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        return Response(await run_cancellable(request, context.metrics), media_type=PROMETHEUS)

    return router


def readiness(context: Context, role: Role | None = None) -> dict[str, Any]:
    """The body of /readyz: ``ready`` and ``problems``, sentences for people.

    Ready to read: the store answers, and the process is not about to end. Ready to receive: documents are
    accepted, which they are without the store. Of no role: to receive where this process does, since a query can
    be repeated, so an unavailable store alone must not make a load balancer drop the receivers; else to read.
    """
    store = context.probe.state()
    report = context.ingest_health() if context.ingest_health is not None else {}
    problems = problems_of(report, store)
    if role == "receive" and not report:
        problems.append("this process receives no documents")
    reads = not store.unavailable and not report.get("stopping", False)
    receives = bool(report.get("ready", False))
    ready = reads if role == "read" or not (role or report) else receives
    return report | {"ready": ready, "problems": problems}


def problems_of(ingest: Mapping[str, Any], store: StoreState) -> list[str]:
    """Problems of ingest and of the store, sentences for people; the same list wherever shown."""
    problems = [*ingest.get("problems", ()), *store.problems]
    if store.unavailable:
        problems.append(f"queries cannot be answered: {store.unavailable}")
    return problems
