"""Requests of foreign web pages are refused; those of SDKs and of the console are not."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from raymap.http_guard import HttpGuard

LOCAL = "127.0.0.1:2000"


def status(method: str = "POST", host: str = LOCAL, **headers: str) -> int:
    """The status of a request through a guard that also allows raymap.example."""

    async def request() -> httpx.Response:
        guard = HttpGuard(PlainTextResponse("stored"), ["Raymap.Example:8443"])
        transport = httpx.ASGITransport(guard)
        sent = {"host": host, **{key.replace("_", "-"): value for key, value in headers.items()}}
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request(method, "/TraceSegments", headers=sent)

    return asyncio.run(request()).status_code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:2000", "127.8.9.1", "localhost", "LOCALHOST:2000", "localhost.", "[::1]:2000", "::1",
        "192.168.1.9:2000", "raymap", "raymap:2000", "app.localhost:2000", "raymap.example",
        "RAYMAP.example:2000", "raymap.example.:443", "",
    ],
)  # fmt: skip
def test_own_hosts(host: str) -> None:
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:2000", "raymap.example.evil.example", "127.0.0.1.evil.example",
        "localhost.evil.example", "evilraymap.example", "xlocalhost.example", "1.2.3", "127.1.evil",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_dns_rebinding(host: str, method: str) -> None:
    """The page's own name resolves here: neither reads nor writes are served."""
    assert status(method, host) == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "https://evil.example:2000", "sec_fetch_site": "cross-site"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:8080", "sec_fetch_site": "same-site"},
        {"origin": "http://127.0.0.1:2000.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_cross_site_writes(headers: dict[str, str]) -> None:
    """A form, a no-cors fetch, a sandboxed frame, another port of the same machine."""
    assert status(**headers) == 403
    assert status("DELETE", **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:2000", "sec_fetch_site": "same-origin"},
        {"origin": "https://raymap.example", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_own_pages_and_sdks(headers: dict[str, str]) -> None:
    """A proxy in front may change Host: the browser's origin is then the allowed name."""
    assert status(**headers) == 200


def test_links_from_other_sites() -> None:
    """They open the console, but embed and read nothing of it."""
    linked = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert status("GET", **linked) == 200
    assert status("GET", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert status("GET", origin="http://evil.example", sec_fetch_mode="cors") == 403
