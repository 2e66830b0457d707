"""Answers without the traces of some cells say so: in a header, and those of /api/v1 as ``missing``, too."""

from __future__ import annotations

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from store.missing import Lacking, gathering

HEADER = "X-Raymap-Missing"
"""Names of the cells that did not answer, separated by semicolons."""
_V1 = "/api/v1/"


class MissingCells:
    """ASGI middleware, inside of what compresses."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gather what the answer to a request lacks; pass everything else through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def send_with_missing(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message  # until what comes first has been made
                return
            if start is not None:
                message = _name(lacking, scope["path"], start, message)
                lacking.closed = True
                begun, start = start, None
                await send(begun)
            await send(message)

        with gathering() as lacking:
            await self.app(scope, receive, send_with_missing)


def _name(lacking: Lacking, path: str, start: Message, first: Message) -> Message:
    """The first part of the body; the header is added to the ``start`` of the response."""
    if not lacking.names or start["status"] >= 400:
        return first
    headers = MutableHeaders(scope=start)
    headers[HEADER] = "; ".join(lacking.names)
    body: bytes = first.get("body", b"")
    is_object = headers.get("content-type", "").startswith("application/json") and body[:1] == b"{"
    if not (path.startswith(_V1) and is_object) or first.get("more_body"):
        return first
    rest = body[1:]
    comma = b"" if rest.lstrip().startswith(b"}") else b","
    body = b'{"missing":' + msgspec.json.encode(lacking.names) + comma + rest
    headers["content-length"] = str(len(body))
    return {**first, "body": body}
