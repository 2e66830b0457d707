"""An app with one trace of an X-Ray SDK's front and an OpenTelemetry shop, and nine of a worker."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from api.app import create_app
from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from store.memory import MemoryStore
from store.model import Document
from tests.collector.otlp_samples import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    MILLISECOND,
    SERVER,
    START,
    TRACE,
    export,
    pairs,
    span,
)
from tests.collector.samples import segment_bytes

NOW = START // 1_000_000_000 + 600
"""Ten minutes after the traces, epoch seconds: their ids say they are of the ninth."""
ARRIVED = START // 1000 + 200_000
"""Microseconds: a store drops what arrived before its retention."""
BIG = (1 << 53) + 1


def front() -> Document:
    """An X-Ray segment that failed: it calls the shop and a table."""
    call = {"id": "00000000000000aa", "name": "shop", "namespace": "remote",
            "start_time": 1_795_560_000.26, "end_time": 1_795_560_000.3,
            "http": {"response": {"status": 503}}, "fault": True}  # fmt: skip
    local = {"id": "00000000000000ab", "name": "render", "start_time": 1_795_560_000.3,
             "end_time": 1_795_560_000.31}  # fmt: skip
    body = segment_bytes(
        name="front",
        origin="AWS::ECS::Container",
        http={"request": {"method": "GET", "url": "http://x/a"}, "response": {"status": 502}},
        annotations={"tier": "gold", "age": 42, "first": True},
        cause={"exceptions": [{"id": "00000000000000e1", "type": "Refused", "message": "no"}]},
        fault=True,
        subsegments=[call, local],
    )
    return decode_document(body, ARRIVED)


def shop() -> bytes:
    """Spans of every kind of attribute, one in progress, one with a link."""
    attributes = {
        "http.request.method": "GET",
        "http.response.status_code": 503,
        "ratio": 0.5,
        "big": BIG,
        "nothing": float("nan"),
        "list": ["a", 1],
        "blob": b"\x00\xff",
        "retry": False,
    }
    events = [Span.Event(name="cache miss", time_unix_nano=START + 5, attributes=pairs({"n": 1}))]
    linked = [Span.Link(trace_id=TRACE[:-1] + b"\7", span_id=bytes(7) + b"\7")]
    return export(
        span(SERVER, attributes, id=1, name="GET /orders", failed="boom", events=events,
             trace_state="ot=th:0"),
        span(CLIENT, {"db.system": "redis"}, id=2, parent=bytes(7) + b"\1", name="HGET"),
        span(INTERNAL, {}, id=3, parent=bytes(7) + b"\1", name="sum", end_time_unix_nano=0),
        span(CONSUMER, {}, id=4, parent=bytes(7) + b"\1", name="poll", links=linked),
        resource={"service.version": "1.2", "host.cpus": 4},
    )  # fmt: skip


def worker(number: int) -> bytes:
    """A trace of one span of ``number`` times 100 ms that failed locally if the number is odd."""
    id = TRACE[:-1] + bytes([16 + number])
    start = START + number * 1000 * MILLISECOND
    root = span(SERVER, {"shard": number}, id=1, parent=b"", trace_id=id, name=f"job {number % 3}",
                start_time_unix_nano=start, end_time_unix_nano=start + number * 100 * MILLISECOND)  # fmt: skip
    local = span(INTERNAL, {}, id=2, parent=bytes(7) + b"\1", trace_id=id, name="step",
                 failed=number % 2 == 1, start_time_unix_nano=start,
                 end_time_unix_nano=start + MILLISECOND)  # fmt: skip
    return export(root, local, resource={"service.name": "worker/a"})


def documents() -> list[Document]:
    bodies = [shop(), *map(worker, range(1, 10))]
    decoded = [each for body in bodies for each in decode_otlp(body, ARRIVED)]
    return [front(), *(each for each in decoded if isinstance(each, Document))]


@pytest.fixture(scope="module")
def client() -> TestClient:
    store = MemoryStore()
    store.put(documents(), "all")
    app = create_app(store, version="1", clock=lambda: NOW)
    return TestClient(app, raise_server_exceptions=False)
