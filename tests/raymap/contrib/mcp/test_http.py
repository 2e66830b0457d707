"""MCP over HTTP with the `mcp` package's client: each caller reads with its own key."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from raymap.contrib.mcp import http
from raymap.contrib.mcp.budget import MAX_TOKENS, count
from raymap.errors import CommandError
from store.memory import MemoryStore
from tests.api.shop import END, shop
from tests.http_server import serve

KEY = "Bearer rmk_good"
WINDOW = {"start": str(END - 600), "end": str(END)}


class Locked:
    """An app that answers one key alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.keys: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get("authorization", "")
        self.keys.append(key)
        if key == KEY:
            await self._app(scope, receive, send)
            return
        body = {"error": {"code": "Unauthorized", "message": "a key is needed"}}
        await JSONResponse(body, 401)(scope, receive, send)


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """With lifespan events, which `tests.http_server` does not send."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}{http.PATH}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def locked() -> Locked:
    store = MemoryStore()
    store.put(shop(), "shop")
    return Locked(create_app(store, version="1", clock=lambda: END + 0.25))


@pytest.fixture(scope="module")
def url(locked: Locked) -> Iterator[str]:
    with serve(locked) as raymap, listening(http.http_app(raymap, "1")) as address:
        yield address


def posted(url: str, headers: dict[str, str], body: bytes = b"{}") -> tuple[int, dict[str, str]]:
    given = {"Content-Type": "application/json", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, given)) as reply:
            return reply.status, dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def test_a_caller_reads_with_its_own_key(url: str, locked: Locked) -> None:
    """Of a server that has no token; and the answer as data is of the shape that the tool says."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            httpx2.AsyncClient(headers={"Authorization": KEY})
        ) as session,
        portal.wrap_async_context_manager(
            Client(streamable_http_client(url, http_client=session))
        ) as client,
    ):
        tools = {tool.name: tool for tool in portal.call(client.list_tools).tools}
        locked.keys.clear()
        answers: dict[str, Any] = {}
        for name, arguments in (
            ("service_map", WINDOW),
            ("stats", {**WINDOW, "by": "annotation.tier,state"}),
            ("find_traces", {**WINDOW, "limit": 3}),
            ("problems", WINDOW),
            ("alarms", {}),
            ("declared", WINDOW),
            ("compare", {**WINDOW, "status": "fault"}),
            ("what_changed", {**WINDOW, "by": "filter", "side": "fault", "other": "ok"}),
            ("filter_values", {**WINDOW, "field": "annotation"}),
        ):
            answers[name] = portal.call(client.call_tool, name, arguments)
            assert not answers[name].is_error, answers[name].content
        id = answers["find_traces"].structured_content["rows"][0]["id"]
        for name in ("trace_critical_path", "trace_outline", "trace_documents", "logs"):
            answers[name] = portal.call(client.call_tool, name, {"trace_id": id})
            assert not answers[name].is_error, answers[name].content
    assert set(locked.keys) == {KEY}
    for name, answer in answers.items():
        # The client has compared it with the schema.
        schema = tools[name].output_schema
        assert schema
        assert schema["properties"].keys() == answer.structured_content.keys()
        assert count(json.dumps(answer.structured_content)) <= MAX_TOKENS + 200
    rows = answers["stats"].structured_content["rows"]
    assert {row["values"][0] for row in rows} >= {"gold"}
    assert answers["trace_critical_path"].structured_content["rows"][0]["share"] > 0


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_without_a_key_nothing_is_answered(url: str, headers: dict[str, str]) -> None:
    status, answered = posted(url, headers)
    assert status == 401
    assert answered["www-authenticate"] == 'Bearer realm="raymap"'


def test_pages_of_other_sites_are_refused(url: str) -> None:
    key = {"Authorization": KEY}
    assert posted(url, {**key, "Origin": "https://evil.example.com"})[0] == 403
    assert posted(url, {**key, "Host": "evil.example.com"})[0] == 421


def test_it_listens_for_other_machines_only_where_keys_are_required() -> None:
    with serve(create_app(MemoryStore(), version="1")) as raymap:
        with pytest.raises(CommandError, match="requires no keys"):
            http.serve_http(raymap, "1", "0.0.0.0:0", [], insecure=False)
        with pytest.raises(CommandError, match="HOST:PORT"):
            http.serve_http(raymap, "1", "localhost", [], insecure=False)
    assert http.answer_to("http://127.0.0.1:9", "") == 0
