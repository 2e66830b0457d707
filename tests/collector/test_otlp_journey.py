"""Spans through the real store, and through the whole server: from the SDK to the picture."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from api.app import create_app
from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import Document, TimeRange
from store.times import HOUR
from store.trace_documents import processed_documents
from tests.collector.otlp_samples import (
    CLIENT,
    INTERNAL,
    PRODUCER,
    SERVER,
    START,
    TRACE,
    export,
    span,
)
from tests.collector.receivers.test_otlp_grpc import ask
from tests.collector.receivers.test_otlp_http import ack, trace_with
from tests.collector.samples import segment_bytes
from tests.collector.test_app import Running
from tests.conftest import Server
from tests.waiting import eventually

ARRIVED = START // 1000 + 1_000_000


def parent(id: int) -> bytes:
    return id.to_bytes(8, "big")


def spans() -> list[Document]:
    """Two services, a table, a cache, a topic, and a call that nothing precedes."""
    shop = export(
        span(SERVER, {"http.method": "GET", "http.status_code": 500}, id=1, parent=b"", failed=True),
        span(INTERNAL, id=2, parent=parent(1), name="work"),
        span(CLIENT, {"server.address": "pay"}, id=3, parent=parent(2)),
        span(CLIENT, {"rpc.system": "aws-api", "rpc.service": "DynamoDB",
                      "aws.dynamodb.table_names": ["orders"]}, id=4, parent=parent(1)),
        span(CLIENT, {"db.system": "redis", "server.address": "cache"}, id=5, parent=parent(2)),
        span(PRODUCER, {"messaging.system": "kafka", "messaging.destination.name": "news"}, id=6,
             parent=parent(1)),
        resource={"cloud.platform": "aws_ecs", "cloud.account.id": "123456789012"},
    )  # fmt: skip
    pay = export(span(SERVER, id=7, parent=parent(3)), resource={"service.name": "pay-service"})
    job = export(
        span(CLIENT, {"server.address": "mail"}, id=8, parent=b"", trace_id=TRACE[::-1]),
        resource={"service.name": "job"},
    )
    return [
        d
        for body in (shop, pay, job)
        for d in decode_otlp(body, ARRIVED)
        if isinstance(d, Document)
    ]


def test_through_clickhouse(clickhouse_store: ClickHouseStore) -> None:
    """The bytes, the traces and the map are what memory has."""
    documents = [*spans(), decode_document(segment_bytes("00000000000000f1"), ARRIVED)]
    assert len(documents) == 9
    memory = MemoryStore()
    for store in (memory, clickhouse_store):
        store.put(documents, "spans")
    ids = [TRACE, TRACE[::-1]]
    expected, found = (s.get_traces(ids, raw=True) for s in (memory, clickhouse_store))
    for id in ids:
        assert {d.id: d.raw for d in found[id].documents.values()} == {
            d.id: d.raw for d in expected[id].documents.values()
        }
        assert processed_documents(found[id]) == processed_documents(expected[id])
    at = START // 1000
    window = TimeRange(at - HOUR, at + HOUR)
    first, second = memory.service_graph(window), clickhouse_store.service_graph(window)
    assert set(first.services) == set(second.services)
    assert {k: e.statistics for k, e in first.edges.items()} == {
        k: e.statistics for k, e in second.edges.items()
    }
    names = {(key.name, key.type) for key in first.services}
    assert {("cache", "Database::Redis"), ("news", "Messaging::Kafka"), ("job", "")} <= names


def test_sampled(clickhouse_store: ClickHouseStore, tmp_path: Path) -> None:
    """One trace of eight was sampled and says so: it counts for eight, and is one in the list."""
    own = ClickHouseStore(clickhouse_store.address, connections=1)  # which it closes when it stops
    collector = Running(own, tmp_path)
    sampled: dict[str, Any] = {"trace_id": TRACE[:9] + b"\xff" * 7, "trace_state": "ot=th:e"}
    batch = export(
        span(SERVER, {"http.status_code": 500}, id=1, parent=b"", **sampled),
        span(CLIENT, {"server.address": "pay"}, id=2, parent=parent(1), **sampled),
    )
    try:
        assert not ask(collector.addresses["grpc"], batch).HasField("partial_success")
    finally:
        collector.stop()
    app = create_app(clickhouse_store, version="1", metrics=lambda: b"", ingest_status=dict)
    client, at = TestClient(app), START // 1_000_000_000
    window = f"from={at}&to={at + 60}"
    picture = client.get(f"/api/map?{window}").json()
    nodes = {node["name"]: node for node in picture["nodes"] if node["kind"] != "client"}
    assert nodes.keys() == {"shop", "pay"}
    for thing in (*nodes.values(), *picture["edges"]):
        assert (thing["requests"], thing["observed"], thing["avg_ms"]) == (8, 1, 10)
    assert nodes["shop"]["fault"] == nodes["shop"]["traces_per_min"] == 8
    detail = client.get(f"/api/nodes/{nodes['shop']['id']}?{window}").json()
    failures = [{"label": "HTTP 500", "status": "fault", "count": 8, "filter": "fault:HTTP 500"}]
    assert detail["errors"] == failures
    services = client.post("/ServiceGraph", json={"StartTime": at, "EndTime": at + 60}).json()
    totals = {
        s["Name"]: s["SummaryStatistics"] for s in services["Services"] if s.get("Type") != "client"
    }
    assert {name: each["TotalCount"] for name, each in totals.items()} == {"shop": 8, "pay": 8}
    (listed,) = client.get(f"/api/traces?from={at}&to={at + 3600}").json()["traces"]
    of_trace = client.get(f"/api/traces/{listed['id']}").json()["map"]
    assert {node["requests"] for node in of_trace["nodes"]} == {1, None}
    minute = TimeRange(START // 1000, START // 1000 + 60_000_000)
    assert [each for part in clickhouse_store.verify(minute) for each in part.differences] == []


def test_own_port(memory: MemoryStore, tmp_path: Path) -> None:
    """OpenTelemetry's own HTTP port has its route; the common one has all."""
    collector = Running(memory, tmp_path, otlp_port=0, http=True)
    try:
        headers = {"Content-Type": "application/x-protobuf"}
        for id, receiver in ((1, "otlp"), (2, "http")):
            url = f"http://{collector.addresses[receiver]}/v1/traces"
            body = export(span(SERVER, id=id))
            assert httpx.post(url, content=body, headers=headers).status_code == 200
        eventually(lambda: len(ack(memory)) == 2)
        url = f"http://{collector.addresses['otlp']}/TraceSegments"
        assert httpx.post(url, json={}).status_code == 404
        url = f"http://{collector.addresses['http']}/api/v2/spans"
        assert httpx.post(url, json=[]).status_code == 202
    finally:
        collector.stop()


@pytest.mark.slow
def test_from_sdk_to_picture(raymap_server: Server) -> None:
    """The Python SDK's exporter against `raymap serve`; then the map, the trace, its document."""
    name = f"cart-{time.time_ns()}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    endpoint = f"http://{raymap_server.grpc}"
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=True))
    )
    trace_with(provider)
    now = int(time.time())
    listed: list[dict[str, Any]] = []

    def arrived() -> bool:
        answer = raymap_server.get(f"/api/traces?from={now - 60}&to={now + 60}&limit=500")
        listed[:] = [trace for trace in answer["traces"] if name in json.dumps(trace)]
        return bool(listed)

    eventually(arrived)
    picture = json.dumps(raymap_server.picture(name, "stock.example.com"))
    assert name in picture
    assert "stock.example.com" in picture
    answer = raymap_server.post("/Traces", {"TraceIds": [listed[0]["id"]]})
    documents = [json.loads(each["Document"]) for each in answer["Traces"][0]["Segments"]]
    assert {d["name"] for d in documents} == {name, "stock.example.com"}
    (segment,) = [d for d in documents if d["name"] == name]
    assert segment["subsegments"][0]["name"] == "load"
