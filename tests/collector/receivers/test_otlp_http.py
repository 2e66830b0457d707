"""OTLP over HTTP: by hand, and by the OpenTelemetry SDK's own exporter."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from fastapi import FastAPI
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from collector.batches import Limits
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.otlp_http import create_otlp_router
from collector.receivers.zipkin import create_zipkin_router
from collector.settings import HttpLimits
from store.errors import StoreUnavailable
from store.memory import MemoryStore
from store.model import Document, NodeKey
from store.service_graph import build_service_graph
from tests.collector.otlp_samples import CLIENT, SERVER, export, span
from tests.http_server import serve
from tests.waiting import eventually

MAX_BODY = 100_000
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
JSON_SPAN = {
    "traceId": "6b061440000000000000000000000001",
    "spanId": "00000000000000b1",
    "kind": 2,
    "startTimeUnixNano": "1795560000000000000",
    "endTimeUnixNano": "1795560000010000000",
}
ZIPKIN_SPAN = {
    "traceId": "6b061440000000000000000000000001",
    "id": "00000000000000b1",
    "kind": "SERVER",
    "timestamp": 1795560000000000,
    "duration": 10000,
    "localEndpoint": {"serviceName": "shop"},
}


def json_export(*spans: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


@contextmanager
def serve_receivers(pipeline: IngestPipeline) -> Iterator[str]:
    """Where the receivers are served."""
    app = FastAPI()
    limits = HttpLimits(max_body=MAX_BODY)
    app.include_router(create_otlp_router(pipeline, limits))
    app.include_router(create_zipkin_router(pipeline, limits))
    with serve(app) as url:
        yield url


@pytest.fixture
def url(pipeline: IngestPipeline) -> Iterator[str]:
    with serve_receivers(pipeline) as url:
        yield url


def ack(memory: MemoryStore) -> list[Document]:
    """Everything stored."""
    return [d for trace in memory._traces.values() for d in trace.documents.values()]


def post(url: str, body: bytes, headers: dict[str, str], **more: str) -> httpx.Response:
    return httpx.post(url + "/v1/traces", content=body, headers={**headers, **more})


def test_protobuf(url: str, memory: MemoryStore) -> None:
    """Answered in protobuf once everything is durable, with an empty response."""
    answer = post(url, export(span(SERVER, id=1), span(CLIENT, id=2)), PROTOBUF)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert answer.content == b""
    assert len(ack(memory)) == 2


def test_json(url: str, memory: MemoryStore) -> None:
    """Answered in JSON."""
    answer = post(url, json_export(JSON_SPAN), {"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {}
    assert len(ack(memory)) == 1


def test_partial_success(url: str, memory: MemoryStore) -> None:
    """What was refused is named, and the rest is stored."""
    bad = span(id=0xBAD, trace_id=b"\1")
    answer = post(url, export(span(id=1), bad, span(id=2)), PROTOBUF)
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 1
    assert partial.error_message.startswith("0000000000000bad: InvalidTraceId")
    assert len(ack(memory)) == 2
    answer = post(url, json_export(JSON_SPAN, *[{**JSON_SPAN, "spanId": "x"}] * 9), JSON)
    partial_json = answer.json()["partialSuccess"]
    assert partial_json["rejectedSpans"] == "9"
    assert partial_json["errorMessage"].endswith("; and 4 more")


@pytest.mark.parametrize("encode", [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_packed(url: str, memory: MemoryStore, encode: tuple[str, Any]) -> None:
    """gzip and zstd; broken ones are named, bombs stopped at the bound."""
    encoding, compress = encode
    headers = {**PROTOBUF, "Content-Encoding": encoding}
    body = compress(export(*[span(SERVER, id=id) for id in range(1001, 1200)]))
    assert post(url, body, headers).status_code == 200
    assert len(ack(memory)) == 199
    for broken in (b"nonsense", body[:-7], b""):
        assert post(url, broken, headers).status_code == 400
    bomb = compress(bytes(50_000_000))
    assert len(bomb) < MAX_BODY
    answer = post(url, bomb, headers)
    assert answer.status_code == 413
    assert "larger" in Status.FromString(answer.content).message


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff", PROTOBUF, 400),
        (b"\xff", {}, 400),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"x", {"Content-Type": "text/plain"}, 415),
        (b"x", {**PROTOBUF, "Content-Encoding": "br"}, 415),
        (b"x" * (MAX_BODY + 1), PROTOBUF, 413),
        (b"x" * (MAX_BODY + 1), JSON, 413),
    ],
)
def test_failures(url: str, body: bytes, headers: dict[str, str], status: int) -> None:
    """google.rpc.Status in the request's encoding."""
    answer = post(url, body, headers)
    assert answer.status_code == status
    if headers.get("Content-Type") == "application/json":
        assert answer.json()["message"]
    else:
        assert Status.FromString(answer.content).message


def test_nothing(url: str) -> None:
    """An empty request is answered."""
    assert post(url, b"", PROTOBUF).status_code == 200
    assert post(url, b"{}", JSON).json() == {}


def test_no_room(tmp_path: Path, metrics: IngestMetrics) -> None:
    """With the journal full the sender is requested to retry."""
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics, journal_bytes=10)
    pipeline.start()
    with serve_receivers(pipeline) as url:
        answer = post(url, export(span()), PROTOBUF)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        status = Status.FromString(answer.content)
        assert status.code == 14
        assert status.details[0].type_url.endswith("google.rpc.RetryInfo")
        assert post(url, json_export(JSON_SPAN), JSON).status_code == 503
        answer = httpx.post(url + "/api/v2/spans", json=[ZIPKIN_SPAN])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    pipeline.stop(2.0)


def test_the_store_returns(tmp_path: Path, metrics: IngestMetrics, memory: MemoryStore) -> None:
    """What was acknowledged while the store was unavailable is stored afterwards."""

    class Returning(MemoryStore):
        unavailable = True

        def check(self) -> None:
            if self.unavailable:
                raise StoreUnavailable("connection refused")

    store = Returning()
    limits = Limits(gather=0.0, linger=0.01, retry_pause=0.05)
    pipeline = IngestPipeline(store, tmp_path, metrics=metrics, limits=limits)
    pipeline.start()
    with serve_receivers(pipeline) as url:
        assert post(url, export(span(SERVER)), PROTOBUF).status_code == 200
    assert ack(store) == []
    store.unavailable = False
    eventually(lambda: len(ack(store)) == 1)
    pipeline.stop(2.0)


def trace_with(provider: TracerProvider) -> None:
    """A request with a call in it."""
    tracer = provider.get_tracer("tests")
    with (
        tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER),
        tracer.start_as_current_span("load"),
        tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as call,
    ):
        call.set_attribute("server.address", "stock.example.com")
    provider.shutdown()


def test_sdk_exporter(url: str, memory: MemoryStore) -> None:
    """The Python SDK as anyone would set it up."""
    provider = TracerProvider(resource=Resource.create({"service.name": "cart"}))
    exporter = OTLPSpanExporter(endpoint=url + "/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace_with(provider)
    graph = build_service_graph(memory._traces.values())
    cart = NodeKey("", "cart", "")
    assert (cart, NodeKey("", "stock.example.com", "remote")) in graph.edges
    assert graph.services[cart].active


def test_zipkin(url: str, memory: MemoryStore) -> None:
    """202 once durable; 400 when no span was valid."""
    answer = httpx.post(url + "/api/v2/spans", json=[ZIPKIN_SPAN, {"id": "x"}])
    assert (answer.status_code, answer.content) == (202, b"")
    assert len(ack(memory)) == 1
    answer = httpx.post(url + "/api/v2/spans", json=[])
    assert answer.status_code == 202
    answer = httpx.post(url + "/api/v2/spans", json=[{"id": "x"}])
    assert answer.status_code == 400
    assert "none of 1 spans" in answer.text
    for body, headers, status in (
        (b"nonsense", JSON, 400),
        (b"\xff", PROTOBUF, 400),
        (b"", {"Content-Type": "text/plain"}, 415),
        (b" " * (MAX_BODY + 1), JSON, 413),
    ):
        answer = httpx.post(url + "/api/v2/spans", content=body, headers=headers)
        assert answer.status_code == status
        assert answer.text
