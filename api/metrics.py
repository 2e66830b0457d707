"""Prometheus metrics of HTTP requests.

In the process-wide registry, which the composition root renders together with the collector's.
"""

from __future__ import annotations

import time

from prometheus_client import REGISTRY, CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.once import once

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CLIENT_LEFT = "499"
"""The code of a request whose client left before a response began."""


@once
def request_seconds(registry: CollectorRegistry = REGISTRY) -> Histogram:
    """The histogram of requests, which exists once per registry."""
    return Histogram(
        "raymap_http_request_seconds",
        "Duration of one HTTP request until its response is sent",
        ["route", "code"],
        registry=registry,
        buckets=SECONDS,
    )


class RequestTimer:
    """ASGI middleware around the whole app that measures every request."""

    def __init__(self, app: ASGIApp, histogram: Histogram | None = None) -> None:
        self.app = app
        self._seconds = histogram or request_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure HTTP requests; pass everything else through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        code = CLIENT_LEFT

        async def send_and_note(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
            await send(message)

        begun = time.perf_counter()
        try:
            await self.app(scope, receive, send_and_note)
        finally:
            self._seconds.labels(route_of(scope), code).observe(time.perf_counter() - begun)


def route_of(scope: Scope) -> str:
    """The template of the path that answered, such as ``/api/traces/{id}``: never a client's text."""
    if route := getattr(scope.get("route"), "path", ""):
        return str(route)
    if "endpoint" in scope and not scope.get("path_params"):
        return str(scope["path"])  # a route without parameters
    return "/{path}"
