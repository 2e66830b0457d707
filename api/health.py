"""Whether the process lives, whether it can do its work, and its numbers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from api.context import Context, json_response, run_cancellable

ASKED = ["GET", "HEAD"]
"""Load balancers like to ask with HEAD, and must not get the console's index page."""
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def health_router(context: Context) -> APIRouter:
    """/healthz, /readyz, /metrics."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/healthz", methods=ASKED)
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @router.api_route("/readyz", methods=ASKED)
    async def readyz(request: Request) -> Response:
        report = await run_cancellable(request, lambda: readiness(context))
        return json_response(report, status=200 if report["ready"] else 503)

    @router.api_route("/metrics", methods=ASKED)
    async def metrics(request: Request) -> Response:
        return Response(await run_cancellable(request, context.metrics), media_type=PROMETHEUS)

    return router


def readiness(context: Context) -> dict[str, Any]:
    """What is wrong, in words. Ready means: what comes in can be kept; a question can be asked
    again, so a store that is away alone does not take the doors from the senders. Without doors
    here, ready means that the store answers."""
    problem = context.check.problem()
    report: dict[str, Any] = {"ready": not problem, "problems": []}
    if context.keeping is not None:
        report = context.keeping()
    if problem:
        report["problems"].append(f"questions cannot be answered: {problem}")
    return report
