"""Headers of every response, and what becomes of exceptions and of clients that leave."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from api.middleware import Headers
from store.memory import MemoryStore
from store.model import TimeRange
from store.protocol import CountedWindow
from tests.api.shop import END, START, shop


class Broken(MemoryStore):
    def counted_window(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> CountedWindow:
        raise ZeroDivisionError("secret")


MAP = f"/api/map?from={START}&to={END}"


def test_an_unexpected_error_is_logged_and_reveals_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = TestClient(create_app(Broken(), version="0")).get(MAP)
    assert (response.status_code, response.json()["error"]["code"]) == (500, "InternalFailure")
    assert "secret" not in response.text
    assert response.headers["x-amzn-RequestId"]
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "ZeroDivisionError: secret" in caplog.text


def test_answers_are_stored_nowhere_unless_they_say_so() -> None:
    app = create_app(MemoryStore(), version="0")
    with TestClient(app, base_url="https://raymap") as client:
        for path in (MAP, "/api/pins", "/healthz", "/api/unknown"):
            headers = client.get(path).headers
            assert headers["cache-control"] == "no-store", path
            assert headers["strict-transport-security"] == "max-age=31536000"
    plain = TestClient(app, base_url="http://raymap").get("/api/pins")
    assert "strict-transport-security" not in plain.headers


def get(app: ASGIApp, path: str, *, messages: int, closed: Exception) -> None:
    """Request ``path``, and close the connection after some messages of the response, as servers
    report it."""
    sent: list[Message] = []
    request = [{"type": "http.request", "body": b"", "more_body": False}]

    async def send(message: Message) -> None:
        if len(sent) == messages:
            raise closed
        sent.append(message)

    async def receive() -> Message:
        while not request:
            await asyncio.sleep(20)
        return request.pop()

    path, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "scheme": "http",
        "http_version": "1.1",
    }
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]


CLOSED = [
    OSError("the transport is closed"),
    RuntimeError("unable to perform operation; the handler is closed"),
]


@pytest.mark.parametrize("closed", CLOSED, ids=["OSError", "RuntimeError"])
@pytest.mark.parametrize("messages", [0, 1])
def test_a_client_that_leaves_during_a_response_is_no_error(
    caplog: pytest.LogCaptureFixture, messages: int, closed: Exception
) -> None:
    store = MemoryStore()
    store.put(shop(), "shop")
    with caplog.at_level(logging.DEBUG, "raymap.api"):
        get(create_app(store, version="0"), MAP, messages=messages, closed=closed)
    assert "Traceback" not in caplog.text
    assert [record.levelname for record in caplog.records if record.name == "raymap.api"] == [
        "DEBUG"
    ]


def test_a_stream_that_fails_half_way_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The response has begun, so its status cannot change; the server closes the connection."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        def body() -> Any:
            yield b"a"
            raise ZeroDivisionError

        await StreamingResponse(body())(scope, receive, send)

    with pytest.raises((ZeroDivisionError, ExceptionGroup)):
        get(Headers(app), "/", messages=9, closed=OSError())
    assert "ZeroDivisionError" in caplog.text
