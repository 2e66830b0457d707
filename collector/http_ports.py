"""A collector's HTTP ports: the apps behind them, and their server. Only a collector with such a port
imports this, and FastAPI with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from starlette.types import ASGIApp

from collector.pipeline import IngestPipeline
from collector.receivers.http import install_error_handler
from collector.receivers.http_protocol import HttpProtocol
from collector.receivers.http_routers import http_routers, otlp_routers
from collector.settings import HttpLimits
from collector.tls import Tls


class HttpServer(uvicorn.Server):
    def __init__(self, app: ASGIApp, tls: Tls | None) -> None:
        config = uvicorn.Config(
            app,
            ssl_context_factory=tls.context_factory if tls else None,
            proxy_headers=False,  # the client is the peer, whatever a header says
            http=HttpProtocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the collector."""
        yield


def create_collector_app(pipeline: IngestPipeline, limits: HttpLimits) -> FastAPI:
    """The collector's own HTTP port: receivers, metrics, liveness and readiness."""
    app = FastAPI(title="Raymap collector", docs_url=None, redoc_url=None, openapi_url=None)
    install_error_handler(app)
    for router in http_routers(pipeline, limits):
        app.include_router(router)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(pipeline.metrics.render(), media_type="text/plain; version=0.0.4")

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz(role: Literal["read", "receive"] = "receive") -> Response:
        """Ready while documents can be made durable, with or without the store; never for queries."""
        body = pipeline.health().as_dict()
        if role == "read":
            problems = [*body["problems"], "this process answers no queries"]
            body |= {"ready": False, "problems": problems}
        status = 200 if body["ready"] else 503
        return Response(msgspec.json.encode(body), status, media_type="application/json")

    return app


def create_otlp_app(pipeline: IngestPipeline, limits: HttpLimits) -> FastAPI:
    """The OTLP port: its routes, nothing else."""
    app = FastAPI(title="Raymap OTLP", docs_url=None, redoc_url=None, openapi_url=None)
    for router in otlp_routers(pipeline, limits):
        app.include_router(router)
    return app
