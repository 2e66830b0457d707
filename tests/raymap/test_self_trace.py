"""`--self-trace`: requests become traces, bounded, and none of them for being traced."""

from __future__ import annotations

import asyncio
import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from collector.journal.format import Kind
from raymap.self_trace import (
    DROPPED,
    MOST_PER_SECOND,
    MOST_WAITING,
    Handled,
    SelfTrace,
    export_request,
)
from store.metrics import QueryTime, timed_query
from store.model import Document
from tests.conftest import Server, start_server, stop_server
from tests.otlp_json import decode_otlp_json
from tests.waiting import eventually


class Pipeline:
    """What would be stored."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def decode_request(self, kind: Kind, body: bytes, receiver: str) -> bytes:
        assert (kind, receiver) == (Kind.OTLP_JSON, "self-trace")
        return body

    def offer(self, decoded: bytes, wait: float) -> bool:
        self.bodies.append(decoded)
        return True

    def spans(self) -> list[dict[str, Any]]:
        return [
            span
            for body in self.bodies
            for scope in json.loads(body)["resourceSpans"][0]["scopeSpans"]
            for span in scope["spans"]
        ]


async def answer(request: Request) -> PlainTextResponse:
    with timed_query("graph/nodes"):
        pass
    if "fail" in request.query_params:
        with timed_query("graph/edges"):
            raise ValueError("it fails")
    return PlainTextResponse("done")


def app_of(pipeline: Pipeline) -> SelfTrace:
    routes = [
        Route("/api/traces/{id}", answer),
        Route("/{path:path}", answer, methods=["GET", "POST"]),
    ]
    return SelfTrace(Starlette(routes=routes), pipeline, "1.2")  # type: ignore[arg-type]


async def ask(app: SelfTrace, *paths: str, method: str = "GET") -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://raymap") as client:
        for path in paths:
            await client.request(method, path)


def test_a_request_and_its_queries() -> None:
    """Named by route and file; nothing of the client's text is in it."""
    pipeline = Pipeline()
    asyncio.run(ask(app_of(pipeline), "/api/traces/secret-1?fail=secret-2"))
    eventually(lambda: len(pipeline.spans()) == 3, "the spans are handed over")
    request, first, second = pipeline.spans()
    assert request["name"] == "GET /api/traces/{id}"
    assert request["kind"] == 2
    assert request["status"] == {"code": 2}
    assert [each["name"] for each in (first, second)] == ["graph/nodes", "graph/edges"]
    assert {each["parentSpanId"] for each in (first, second)} == {request["spanId"]}
    assert len({each["traceId"] for each in pipeline.spans()}) == 1
    assert "status" not in first
    assert second["status"] == {"code": 2}
    assert b"secret" not in b"".join(pipeline.bodies)


def test_what_is_not_traced() -> None:
    """Requests with traces, health, metrics, files: else each would be the cause of more."""
    pipeline = Pipeline()
    app = app_of(pipeline)
    asyncio.run(ask(app, "/healthz", "/readyz", "/metrics", "/", "/assets/index.js"))
    asyncio.run(ask(app, "/TraceSegments", "/v1/traces", "/api/v2/spans", method="POST"))
    asyncio.run(ask(app, "/api/status"))
    eventually(lambda: pipeline.spans(), "the spans are handed over")
    names = {each["name"] for each in pipeline.spans() if each["kind"] == 2}
    assert names == {"GET /{path:path}"}
    assert sum(each["kind"] == 2 for each in pipeline.spans()) == 1


def test_requests_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of a second; the others are answered, and counted."""
    monkeypatch.setattr("raymap.self_trace.time.monotonic", lambda: 5.0)
    pipeline = Pipeline()
    before = DROPPED._value.get()
    asyncio.run(ask(app_of(pipeline), *["/api/status"] * (MOST_PER_SECOND + 7)))
    eventually(
        lambda: sum(each["kind"] == 2 for each in pipeline.spans()) == MOST_PER_SECOND,
        "the spans are handed over",
    )
    assert DROPPED._value.get() == before + 7


def test_a_full_queue_drops_and_blocks_no_one(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(Pipeline())
    monkeypatch.setattr(app._waiting, "put_nowait", _full)
    before = DROPPED._value.get()
    asyncio.run(ask(app, "/api/status"))
    assert DROPPED._value.get() == before + 1
    assert app._waiting.maxsize == MOST_WAITING


def _full(_: Handled) -> None:
    raise queue.Full


def test_the_decoder_takes_it() -> None:
    """As any other request of OpenTelemetry: a segment, and calls to ClickHouse in it."""
    now = time.time()
    queries = [QueryTime("graph/nodes", now + 0.1, now + 0.2, failed=False)]
    handled = [Handled("GET", "/api/map", 200, now, now + 0.5, queries)]
    found = list(decode_otlp_json(export_request(handled, "1.2"), 1))
    documents = [each for each in found if isinstance(each, Document)]
    assert len(documents) == len(found) == 2
    segment = next(each for each in documents if not each.independent)
    assert (segment.service, segment.end - segment.start) == ("raymap", 500_000)


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Server]:
    server = start_server(tmp_path / "data", "--self-trace")
    yield server
    assert stop_server(server) == 0


@pytest.mark.server
def test_a_server_draws_itself(traced: Server) -> None:
    """On its own map, with ClickHouse behind it; reading that map does not flood it."""

    def drawn() -> bool:
        window = f"from={time.time() - 300:.0f}&to={time.time() + 60:.0f}"
        nodes = traced.get(f"/api/map?{window}")["nodes"]
        return {"raymap", "clickhouse"} <= {each["name"].lower() for each in nodes}

    eventually(drawn, "it is on its map", ignore=(OSError,))
