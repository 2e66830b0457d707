"""Refuses HTTP requests that a web page of another site makes through the user's browser.

Two attacks need no network access of the attacker's own. With DNS rebinding, a page's own host name
resolves to this server, so its scripts may read every response; the ``Host`` header then has a name
that is not ours (421). With cross-site requests, a page posts to this server without reading the
response; browsers mark them with ``Origin`` or ``Sec-Fetch-Site`` (403). SDKs and collectors send
neither header. There is no authentication, so this check is what protects a developer's machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Refusal(NamedTuple):
    """The status and the text of a refused request."""

    status: int
    message: str


class HttpGuard:
    """ASGI middleware around every HTTP app, the outermost.

    ``allowed_hosts`` are names in addition to IP addresses and names without a dot: an attacker
    cannot register those, so no page of his has them as its origin.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = frozenset(map(_host_of, allowed_hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = refuse(scope["method"], Headers(scope=scope), self._allowed)
            if refusal is not None:
                response = PlainTextResponse(f"{refusal.message}\n", refusal.status)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def refuse(method: str, headers: Headers, allowed: frozenset[str]) -> Refusal | None:
    """Why a request is refused; None when it is not. ``allowed`` as `_host_of` normalises."""
    host = headers.get("host", "")
    if not _is_allowed_host(host, allowed):
        return Refusal(
            421,
            f"Raymap does not serve the host {_host_of(host)[:100]!r}. "
            "If it is yours, start Raymap with --allowed-host and this name.",
        )
    if not _is_own_page(method, headers, host, allowed):
        return Refusal(403, "Raymap accepts no requests from web pages of other sites.")
    return None


def _is_allowed_host(host: str, allowed: frozenset[str]) -> bool:
    name = _host_of(host)
    return "." not in name or name in allowed or name.endswith(".localhost") or _is_address(name)


def _is_own_page(method: str, headers: Headers, host: str, allowed: frozenset[str]) -> bool:
    """Whether a page of this server, or no page at all, made the request."""
    origin = headers.get("origin")
    if origin is not None:
        netloc = urlsplit(origin).netloc.lower()
        return bool(netloc) and (netloc == host.lower() or _host_of(netloc) in allowed)
    if headers.get("sec-fetch-site") not in ("cross-site", "same-site"):
        return True
    # A link from another site opens the console; its page reads nothing of it.
    return method in SAFE_METHODS and headers.get("sec-fetch-mode") == "navigate"


def _host_of(netloc: str) -> str:
    """The name or address of ``host:port`` in lower case, without port, brackets and final dot."""
    text = netloc.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name = text if text.count(":") > 1 else text.partition(":")[0]
    return name.removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
