"""From a datagram to the map: every step real, one segment followed all the way."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import pytest
from amazon.opentelemetry.distro.otlp_udp_exporter import OTLPUdpSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from tests.conftest import Server
from tests.waiting import eventually
from tests.xray_client import xray_client


def xray(server: Server) -> Any:
    """The real client, as a user of X-Ray makes it."""
    return xray_client(server.http)


def documents(shop: str) -> tuple[str, list[dict[str, Any]]]:
    """A shop whose backend answers 503 to one of two calls, and a table."""
    now = time.time() - 2
    trace_id = f"1-{int(now):08x}-{secrets.token_hex(12)}"

    def subsegment(id: str, name: str, **more: Any) -> dict[str, Any]:
        return {"id": id, "name": name, "start_time": now + 0.01, "end_time": now + 0.2, **more}

    calls = [
        subsegment("00000000000000c1", "backend.local", namespace="remote", fault=True,
                   http={"response": {"status": 503}}),
        subsegment("00000000000000c2", "dynamodb", namespace="aws", error=True, fault=True,
                   http={"response": {"status": 400}}, aws={"table_name": f"{shop}-orders"}),
    ]  # fmt: skip
    front = {
        "id": "00000000000000a1",
        "trace_id": trace_id,
        "name": shop,
        "start_time": now,
        "end_time": now + 0.25,
        "http": {"request": {"method": "GET", "url": "http://shop/"}, "response": {"status": 200}},
        "subsegments": calls,
        "annotations": {"customer": "Ola"},
    }
    back = {
        "id": "00000000000000b1",
        "trace_id": trace_id,
        "parent_id": "00000000000000c1",
        "name": f"{shop}-backend",
        "start_time": now + 0.02,
        "end_time": now + 0.18,
        "fault": True,
    }
    return trace_id, [back, front]


@pytest.fixture
def shop(raymap_server: Server) -> tuple[str, str]:
    """A shop of its own, sent by UDP, and stored: its name and its trace id."""
    name = f"shop-{secrets.token_hex(4)}"
    trace_id, sent = documents(name)
    for document in sent:
        header = b'{"format": "json", "version": 1}\n'
        raymap_server.send_datagram(header + json.dumps(document).encode())

    def stored() -> bool:
        traces = xray(raymap_server).batch_get_traces(TraceIds=[trace_id])["Traces"]
        return bool(traces) and len(traces[0]["Segments"]) == 3

    eventually(stored, "the datagrams become a trace")
    return name, trace_id


def test_from_datagram_to_graph(raymap_server: Server, shop: tuple[str, str]) -> None:
    name, trace_id = shop
    raymap_server.picture(name, f"{name}-backend", f"{name}-orders")
    now = time.time()
    answer = xray(raymap_server).get_service_graph(StartTime=now - 60, EndTime=now)
    nodes = {
        (service["Name"], service.get("Type")): service
        for service in answer["Services"]
        if service["Name"].startswith(name)
    }
    table = (f"{name}-orders", "AWS::DynamoDB::Table")
    assert set(nodes) == {(name, "client"), (name, None), (f"{name}-backend", None), table}
    assert nodes[name, None]["Root"]
    assert nodes[name, None]["SummaryStatistics"]["OkCount"] == 1
    assert nodes[f"{name}-backend", None]["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1
    errors = nodes[table]["SummaryStatistics"]["ErrorStatistics"]
    assert errors == {"ThrottleCount": 0, "OtherCount": 1, "TotalCount": 1}
    targets = {edge["ReferenceId"] for edge in nodes[name, None]["Edges"]}
    assert targets == {nodes[f"{name}-backend", None]["ReferenceId"], nodes[table]["ReferenceId"]}

    summaries = xray(raymap_server).get_trace_summaries(StartTime=now - 60, EndTime=now + 1)
    (mine,) = [s for s in summaries["TraceSummaries"] if s["Id"] == trace_id]
    assert not mine["HasFault"]
    assert mine["Annotations"]["customer"][0]["AnnotationValue"] == {"StringValue": "Ola"}


def test_from_datagram_to_picture(raymap_server: Server, shop: tuple[str, str]) -> None:
    name, trace_id = shop
    picture = raymap_server.picture(name, f"{name}-backend", f"{name}-orders")
    now = time.time()
    mine = {node["name"]: node for node in picture["nodes"] if node["name"].startswith(name)}
    assert mine[f"{name}-orders"]["kind"] == "table"
    assert mine[f"{name}-backend"]["fault"] == 1
    trace = raymap_server.get(f"/api/traces/{trace_id}")
    assert trace["rows"][0]["name"] == name
    assert {row["status"] for row in trace["rows"]} == {"ok", "fault", "error"}
    listed = raymap_server.get(f"/api/traces?from={now - 60}&to={now + 1}&limit=500")
    assert trace_id in {row["id"] for row in listed["traces"]}


def test_unsampled_spans_change_counts_only(raymap_server: Server) -> None:
    """AWS's distribution sends what it did not sample as T1U: the map counts, no list shows it."""
    name = f"lambda-{secrets.token_hex(4)}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    host = raymap_server.udp
    exporter = OTLPUdpSpanExporter(endpoint=host, sampled=False)
    spans = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    for _ in range(20):
        provider.get_tracer("t").start_span("work", kind=SpanKind.SERVER).end()
    exporter.export(spans.get_finished_spans())

    def counted() -> list[int]:
        now = time.time()
        picture = raymap_server.get(f"/api/map?from={now - 60}&to={now + 1}")
        return [n["requests"] for n in picture["nodes"] if n["name"] == name and n["requests"]]

    eventually(lambda: counted() == [20], "20 requests are counted")
    now = time.time()
    listed = raymap_server.get(f"/api/traces?from={now - 60}&to={now + 1}&limit=500")
    assert all(row["entry"]["name"] != name for row in listed["traces"])
