"""Liveness, readiness and Prometheus metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from api.context import Context, json_response, run_cancellable
from api.store_probe import StoreState

METHODS = ["GET", "HEAD"]
"""Some load balancers probe with HEAD, which must not reach the console's catch-all route."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def health_router(context: Context) -> APIRouter:
    """/healthz, /readyz, /metrics."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/healthz", methods=METHODS)
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @router.api_route("/readyz", methods=METHODS)
    async def readyz(request: Request) -> Response:
        report = await run_cancellable(request, lambda: readiness(context))
        return json_response(report, status=200 if report["ready"] else 503)

    @router.api_route("/metrics", methods=METHODS)
    async def metrics(request: Request) -> Response:
        return Response(await run_cancellable(request, context.metrics), media_type=PROMETHEUS)

    return router


def readiness(context: Context) -> dict[str, Any]:
    """The body of /readyz: ``ready`` and ``problems``, sentences for people.

    With receivers in this process, ready means that documents are accepted: a query can be
    repeated, so an unavailable store alone must not make a load balancer drop the receivers.
    Without receivers, ready means that the store answers.
    """
    store = context.probe.state()
    report: dict[str, Any] = {"ready": not store.unavailable}
    if context.ingest_health is not None:
        report = context.ingest_health()
    return report | {"problems": problems_of(report, store)}


def problems_of(ingest: Mapping[str, Any], store: StoreState) -> list[str]:
    """Problems of ingest and of the store, sentences for people; the same list wherever shown."""
    problems = [*ingest.get("problems", ()), *store.problems]
    if store.unavailable:
        problems.append(f"queries cannot be answered: {store.unavailable}")
    return problems
