"""Headers of every response: X-Ray's request id and browser security policies.

Also the outermost exception handler, so that responses to unexpected errors carry them too, and that
a client which leaves during its response is no error.
"""

from __future__ import annotations

import logging
import uuid

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ClientDisconnected, respond

log = logging.getLogger("raymap.api")

# Plotly inserts a <style> element of its own; everything else must come from this origin.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HSTS_SECONDS = 365 * 24 * 3600
"""How long browsers remember that this host speaks TLS."""


class Head:
    """ASGI middleware: HEAD is answered as GET, without its body, wherever there is a GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a HEAD on as a GET."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, send_without_body)


def add_headers(headers: MutableHeaders, scheme: str) -> None:
    """What every response carries. Answers have data unless they say how long they may be stored."""
    headers["x-amzn-RequestId"] = str(uuid.uuid4())
    headers["Content-Security-Policy"] = POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Cache-Control", "no-store")
    if scheme == "https":
        headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"


class Headers:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to HTTP responses; pass everything else through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        started = left = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started, left
            if message["type"] == "http.response.start":
                started = True
                add_headers(MutableHeaders(scope=message), scope.get("scheme", "http"))
            try:
                await send(message)
            except (OSError, RuntimeError) as error:  # as servers report a closed connection
                left = True
                raise ClientDisconnected from error

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if left:
                log.debug("client left", extra={"path": scope["path"]})
                return
            log.exception("request failed", extra={"path": scope["path"]})
            if started:
                raise
            await respond(scope["path"], error)(scope, receive, send_with_headers)
