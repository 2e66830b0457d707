"""Headers are bounded in size and time, and clients that leave early are no error."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from collector.receivers import http_protocol
from collector.receivers.http_protocol import MAX_HEADERS, HttpProtocol
from tests.waiting import eventually

BIG = "x" * 500_000


async def answer(request: Request) -> PlainTextResponse:
    await request.body()
    await asyncio.sleep(0.02)
    return PlainTextResponse(BIG)


@pytest.fixture(params=["asyncio", "uvloop"])
def server(request: pytest.FixtureRequest) -> Iterator[uvicorn.Server]:
    """On a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
    config = uvicorn.Config(
        app, http=HttpProtocol, loop=request.param, log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    eventually(lambda: server.started)
    yield server
    server.should_exit = True
    thread.join(60)


@pytest.fixture
def address(server: uvicorn.Server) -> tuple[str, int]:
    found: tuple[str, int] = server.servers[0].sockets[0].getsockname()
    return found


def send(address: tuple[str, int], *pieces: bytes, pause: float = 0.0) -> bytes:
    """The response to bytes sent on one connection, until the server closes it."""
    with socket.create_connection(address, timeout=60) as client:
        with suppress(ConnectionError):
            for piece in pieces:
                client.sendall(piece)
                time.sleep(pause)
        response = b""
        with suppress(ConnectionError):
            while data := client.recv(65_536):
                response += data
        return response


def test_ordinary_requests(address: tuple[str, int]) -> None:
    """Many on one connection, with headers and bodies of any size below the limit."""
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}") as client:
        for size in (1, 1000, 60_000):
            response = client.post("/", headers={"x": "y" * size}, content=b"z" * 300_000)
            assert (response.status_code, len(response.text)) == (200, len(BIG))


@pytest.mark.parametrize(
    "headers",
    [
        b"x: " + b"y" * MAX_HEADERS + b"\r\n\r\n",
        b"x: y\r\n" * (MAX_HEADERS // 6) + b"\r\n",
        b"x: " + b"y" * (4 * MAX_HEADERS),
        b"x" * (4 * MAX_HEADERS),
    ],
)
def test_large_headers(address: tuple[str, int], headers: bytes) -> None:
    """One large, many small, one without an end: refused with 431 at the bound."""
    start = b"POST / HTTP/1.1\r\nHost: x\r\n"
    pieces = [headers[at : at + 5000] for at in range(0, len(headers), 5000)]
    for sent in ([start + headers], [start, *pieces]):
        assert send(address, *sent).startswith(b"HTTP/1.1 431 ")


def test_a_flood_of_headers_is_cut_off(address: tuple[str, int]) -> None:
    """The server stops reading soon after the bound."""
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        sent = 0
        with suppress(ConnectionError):
            while sent < 100_000_000:
                sent += client.send(b"x: " + b"y" * 60_000 + b"\r\n")
    assert sent < 50_000_000


@pytest.mark.slow
def test_headers_that_never_end(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """408 after the timeout, however busily they trickle."""
    monkeypatch.setattr(http_protocol, "HEADER_TIMEOUT", 0.5)
    started = time.monotonic()
    response = send(address, b"GET / HTTP/1.1\r\nHost: x\r\n", *[b"a: b\r\n"] * 1000, pause=0.02)
    assert response.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 16, "20 s if all were read"


def test_connections_without_a_request(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Are closed without a response."""
    monkeypatch.setattr(http_protocol, "IDLE_TIMEOUT", 0.3)
    assert send(address) == b""


@pytest.mark.slow
def test_a_slow_body_is_not_the_headers(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEADER_TIMEOUT", 1.0)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(head + b"ab")
        time.sleep(1.2)
        client.sendall(b"cd")
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_clients_that_leave_early(
    server: uvicorn.Server, address: tuple[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    """Pipelined requests closed unread make no traceback, and the server goes on."""
    caplog.set_level(logging.DEBUG)
    for _ in range(20):
        with socket.create_connection(address) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert httpx.get(f"http://{address[0]}:{address[1]}/").status_code == 200  # after those before
    state = server.server_state
    eventually(lambda: not state.connections and not state.tasks, "all of them have left")
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, errors[0].getMessage()


def test_bad_requests_are_logged_at_a_bounded_rate_with_their_address(
    address: tuple[str, int], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """One line a minute; anyone can send as many as they like."""
    http_protocol._Bounded._limiter._last.clear()
    for _ in range(5):
        assert send(address, b"no HTTP at all\r\n\r\n").startswith(b"HTTP/1.1 400")
    lines = [line for line in capsys.readouterr().out.splitlines() if "bad_request" in line]
    assert len(lines) == 1
    assert "127.0.0.1" in lines[0]
    assert "Invalid HTTP request received." in lines[0]
    assert "Invalid HTTP" not in caplog.text
