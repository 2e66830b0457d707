"""MCP over HTTP (streamable HTTP, without sessions): each caller reads with its own key of the Raymap server."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Final

import uvicorn
from anyio.to_thread import run_sync
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from collector import net
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.server import address, build_server
from raymap.errors import CommandError, print_status
from raymap.http_guard import HttpGuard

PATH = "/mcp"
MAX_BODY = 1 << 20
"""Bytes of a request: those of tools have some hundreds."""
PROBE = "/api/filter/check?filter="
"""What everyone may request who may read traces."""
REFUSALS: Final = frozenset({401, 403})


class KeyGuard:
    """ASGI middleware: refuses who has no key that the Raymap server takes, as the protocol wants it."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app, self._url = app, url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            authorization = Headers(scope=scope).get("authorization", "")
            status = await run_sync(answer_to, self._url, authorization)
            if status in REFUSALS:
                words = "a key of the Raymap server is needed, as a bearer token"
                headers = {"WWW-Authenticate": 'Bearer realm="raymap"'}
                await JSONResponse({"error": words}, status, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def answer_to(url: str, authorization: str) -> int:
    """The status that a server answers to who sends this; 0 if it does not answer."""
    headers = {"Authorization": authorization} if authorization else {}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url + PROBE, headers=headers), timeout=10.0
        ) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


def http_app(url: str, version: str, allowed_hosts: Sequence[str] = ()) -> ASGIApp:
    """The application that answers POST /mcp."""
    server = build_server(Client(url), version)
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=MAX_BODY,
        # `HttpGuard` refuses what pages of other sites send.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return HttpGuard(KeyGuard(app, url), allowed_hosts)


def serve_http(
    url: str, version: str, listen: str, allowed_hosts: Sequence[str], *, insecure: bool
) -> None:
    """Answer over HTTP until a signal. CommandError where anyone could read without a key."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65_535:
        raise CommandError(f"--listen must be HOST:PORT or PORT, got {listen!r}.")
    server = address(url)
    if not insecure and not net.is_loopback(host) and answer_to(server, "") not in REFUSALS:
        raise CommandError(
            f"With --listen {listen} every machine that reaches this one could read traces: {server} "
            "requires no keys. Start it with --auth on, listen on 127.0.0.1, or accept it with --insecure."
        )
    with net.naming_port(int(port), "HTTP"):
        listener = net.listen(host, int(port))
    shown = net.format_address(*listener.getsockname()[:2])
    print_status(f"MCP at http://{shown}{PATH}, reading {server}")
    config = uvicorn.Config(
        http_app(server, version, allowed_hosts), log_config=None, access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])
