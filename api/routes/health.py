"""Whether the process lives, whether it can answer, and its numbers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from api.context import Context, in_thread

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
        await in_thread(request, context.store.check)
        return PlainTextResponse("ready\n")

    @router.api_route("/metrics", methods=ASKED)
    async def metrics(request: Request) -> Response:
        return Response(await in_thread(request, context.metrics), media_type=PROMETHEUS)

    return router
