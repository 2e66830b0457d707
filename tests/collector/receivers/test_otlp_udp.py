"""Spans in X-Ray datagrams, as AWS's OpenTelemetry distribution sends them from Lambda."""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.http import create_router
from collector.receivers.udp import UdpReceiver
from store.memory import MemoryStore
from store.model import NodeKey
from store.service_graph import build_service_graph
from tests.collector.otlp_samples import SERVER, export, span
from tests.collector.receivers.test_otlp_http import ack, trace_with
from tests.collector.samples import datagram, segment_bytes
from tests.waiting import eventually

# `make setup` installs AWS's distribution without its dependencies, which pin older ones.
DISTRIBUTION: Any = importlib.import_module("amazon.opentelemetry.distro.otlp_udp_exporter")

EDGE = (NodeKey("", "cart", ""), NodeKey("", "stock.example.com", "remote"))


@pytest.fixture
def address(pipeline: IngestPipeline) -> Iterator[tuple[str, int]]:
    receiver = UdpReceiver(pipeline, port=0)
    receiver.start()
    yield receiver.address
    receiver.stop()


class Exporter(SpanExporter):
    """What the distribution's exporter does: header, kind, base64."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def export(self, spans: Any) -> SpanExportResult:
        batch: list[ReadableSpan] = list(spans)
        body = b"T1S" + base64.b64encode(encode_spans(batch).SerializeToString())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b'{"format":"json","version":1}\n' + body, self._address)
        return SpanExportResult.SUCCESS


def send(exporter: SpanExporter) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "cart"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_with(provider)


def test_spans(address: tuple[str, int], memory: MemoryStore) -> None:
    send(Exporter(address))
    eventually(lambda: EDGE in build_service_graph(memory._traces.values()).edges)


def test_distribution(address: tuple[str, int], memory: MemoryStore) -> None:
    """The distribution's own exporter."""
    send(DISTRIBUTION.OTLPUdpSpanExporter(endpoint=f"{address[0]}:{address[1]}"))
    eventually(lambda: EDGE in build_service_graph(memory._traces.values()).edges)


def test_unsampled_and_metrics(
    address: tuple[str, int], memory: MemoryStore, metrics: IngestMetrics
) -> None:
    """Spans not chosen are marked; metrics are counted; documents come as ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for body in (
            b"T1U" + base64.b64encode(export(span(SERVER, id=1))),
            b"M1" + base64.b64encode(b"\x0a\x00"),
            b"T1S!",
            segment_bytes("00000000000000a1"),
        ):
            sender.sendto(datagram(body), address)
    eventually(lambda: len(ack(memory)) == 2)
    assert {document.id: document.sampled for document in ack(memory)} == {
        1: False,
        0xA1: True,
    }
    registry = metrics.registry
    assert registry.get_sample_value("raymap_metrics_ignored_total") == 1
    reason = {"reason": "InvalidDatagram"}
    assert registry.get_sample_value("raymap_documents_rejected_total", reason) == 1


def test_in_put_trace_segments(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    """The same strings stand among the documents of PutTraceSegments."""
    app = FastAPI()
    app.include_router(create_router(pipeline))
    spans = b"T1S" + base64.b64encode(export(span(SERVER, id=1), span(SERVER, id=2)))
    documents = [spans.decode(), segment_bytes().decode(), "M1AAA=", "T1S?"]

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            body = json.dumps({"TraceSegmentDocuments": documents})
            return await client.post("/TraceSegments", content=body)

    (unprocessed,) = asyncio.run(ask()).json()["UnprocessedTraceSegments"]
    assert unprocessed["ErrorCode"] == "InvalidDatagram"
    assert len(ack(memory)) == 3
