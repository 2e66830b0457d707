"""GET /api/traces/<id>/otlp, and what another server makes of it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from prometheus_client import CollectorRegistry

from api.console.export import JSON, PROTOBUF
from collector.batches import Limits
from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from collector.metrics import IngestMetrics
from store.memory import MemoryStore
from store.model import Document, Trace
from store.service_graph import build_service_graph
from tests.collector.conftest import StoringPipeline
from tests.collector.otlp_samples import CLIENT, SERVER, TRACE, export, span
from tests.collector.receivers.test_otlp_http import serve_receivers
from tests.collector.samples import TRACE_ID, segment_bytes

SPELLINGS = (TRACE_ID, TRACE.hex(), TRACE.hex().upper())


def mixed() -> list[Document]:
    """A trace of an X-Ray SDK's front and an OpenTelemetry back."""
    call = {"id": "00000000000000aa", "name": "back", "namespace": "remote",
            "start_time": 1_795_560_000.26, "end_time": 1_795_560_000.3}  # fmt: skip
    back = export(
        span(SERVER, {"http.response.status_code": 500}, id=1, failed=True),
        span(
            CLIENT, {"db.system": "redis", "server.address": "cache"}, id=2, parent=bytes(7) + b"\1"
        ),
        resource={"service.name": "back"},
    )
    spans = [d for d in decode_otlp(back, 2) if isinstance(d, Document)]
    return [decode_document(segment_bytes(subsegments=[call]), 1), *spans]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[str, MemoryStore]]:
    """Another server's OTLP receiver, and its store."""
    store = MemoryStore()
    limits = Limits(gather=0.0, linger=0.0)
    intake = StoringPipeline(
        store, tmp_path, metrics=IngestMetrics(CollectorRegistry()), limits=limits
    )
    intake.start()
    with serve_receivers(intake) as url:
        yield url, store
    intake.stop(5.0)


def graph_of(store: MemoryStore) -> Any:
    traces: list[Trace] = list(store.get_traces([TRACE]).values())
    graph = build_service_graph(traces)
    return [
        {key: {**msgspec.structs.asdict(value), "durations": None} for key, value in part.items()}
        for part in (graph.services, graph.edges)
    ]


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
@pytest.mark.parametrize("id", SPELLINGS)
def test_another_server_draws_the_same(
    address: str, store: MemoryStore, other: tuple[str, MemoryStore], id: str, media: str
) -> None:
    """The body goes as it is to POST /v1/traces: same map, same documents."""
    store.put(mixed(), "mixed")
    url, others = other
    answer = httpx.get(f"{address}/api/traces/{id}/otlp", headers={"Accept": media})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media
    sent = httpx.post(f"{url}/v1/traces", content=answer.content, headers={"Content-Type": media})
    assert (sent.status_code, sent.content) == (200, b"{}" if media == JSON else b"")
    assert graph_of(others) == graph_of(store)
    assert set(graph_of(store)[0]) > {("", "cache", "Database::Redis", "")}
    trace, theirs = (s.get_traces([TRACE], raw=True)[TRACE] for s in (store, others))
    assert {d.id: d.raw for d in theirs.documents.values() if d.id in (1, 2)} == {
        d.id: d.raw for d in trace.documents.values() if d.id in (1, 2)
    }


def test_encodings(address: str, store: MemoryStore) -> None:
    """The same spans in both, ids spelt as OTLP's JSON has them."""
    store.put(mixed(), "mixed")
    url = f"{address}/api/traces/{TRACE_ID}/otlp"
    written = httpx.get(url, headers={"Accept": JSON}).json()
    packed = TracesData.FromString(httpx.get(url, headers={"Accept": PROTOBUF}).content)
    spans = [s for part in written["resourceSpans"] for s in part["scopeSpans"][0]["spans"]]
    messages = [s for part in packed.resource_spans for s in part.scope_spans[0].spans]
    assert [s["spanId"] for s in spans] == [s.span_id.hex() for s in messages]
    assert {s["traceId"] for s in spans} == {TRACE.hex()}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        ("application/*", JSON),
        ("application/x-protobuf", PROTOBUF),
        ("Application/Protobuf", PROTOBUF),
        ("application/json;q=0.5, application/x-protobuf", PROTOBUF),
        ("application/x-protobuf, application/json", PROTOBUF),
        ("application/json, application/x-protobuf;q=high", JSON),
        ("text/html", None),
        ("application/json;q=0", None),
    ],
)
def test_accept(address: str, store: MemoryStore, accept: str, media: str | None) -> None:
    store.put(mixed(), "mixed")
    answer = httpx.get(f"{address}/api/traces/{TRACE_ID}/otlp", headers={"Accept": accept})
    if media is None:
        assert answer.status_code == 406
        assert answer.json()["error"]["code"] == "NotAcceptable"
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (200, media)


@pytest.mark.parametrize(
    ("id", "status", "code", "words"),
    [
        ("1-6b061440-0000000000000000000000ff", 404, "NoSuchTrace", "1-6b061440-"),
        (f"{random.Random(1).getrandbits(127) + 1:032x}", 404, "NoSuchTrace", "no trace"),
        ("0" * 32, 400, "InvalidRequest", "all-zero"),
        ("nonsense", 400, "InvalidRequest", "32 hex digits"),
        ("00000000000000b1", 400, "InvalidRequest", "32 hex digits"),
    ],
)
def test_no_such_trace(address: str, id: str, status: int, code: str, words: str) -> None:
    for accept in (JSON, PROTOBUF):
        answer = httpx.get(f"{address}/api/traces/{id}/otlp", headers={"Accept": accept})
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == code
        assert words in answer.json()["error"]["message"]


def test_documented(address: str) -> None:
    """The console's own description of its API has the route."""
    paths = httpx.get(f"{address}/api/openapi.json").json()["paths"]
    content = paths["/api/traces/{id}/otlp"]["get"]["responses"]["200"]["content"]
    assert set(content) >= {JSON, PROTOBUF}, json.dumps(content)
