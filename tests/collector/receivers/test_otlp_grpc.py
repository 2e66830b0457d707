"""OTLP over gRPC, beside Raymap's own service: by hand, and by the SDK's own exporter."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.otlp_grpc import SERVICE
from store.memory import MemoryStore
from store.model import NodeKey
from store.service_graph import build_service_graph
from tests.collector.otlp_samples import SERVER, export, span
from tests.collector.receivers.test_otlp_http import ack, trace_with
from tests.waiting import SECONDS


def serve(pipeline: IngestPipeline) -> Iterator[str]:
    """The receiver on a free port, its loop in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[GrpcReceiver, str]:
        receiver = GrpcReceiver(pipeline, "127.0.0.1", 0)
        return receiver, await receiver.start()

    receiver, address = asyncio.run_coroutine_threadsafe(start(), loop).result(SECONDS)
    yield address
    asyncio.run_coroutine_threadsafe(receiver.stop(1.0), loop).result(SECONDS)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(SECONDS)
    loop.close()


@pytest.fixture
def address(pipeline: IngestPipeline) -> Iterator[str]:
    yield from serve(pipeline)


def ask(address: str, body: bytes, **options: Any) -> ExportTraceServiceResponse:
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(
            f"/{SERVICE}/Export", response_deserializer=ExportTraceServiceResponse.FromString
        )
        response: ExportTraceServiceResponse = call(body, timeout=60, **options)
        return response


def test_export(address: str, memory: MemoryStore) -> None:
    """Answered once everything is durable; compressed requests too."""
    assert not ask(address, export(span(SERVER))).HasField("partial_success")
    assert len(ack(memory)) == 1
    many = export(*[span(SERVER, id=id) for id in range(1001, 3000)])
    ask(address, many, compression=grpc.Compression.Gzip)
    assert len(ack(memory)) == 2000
    ask(address, b"")


def test_partial_success(address: str, memory: MemoryStore) -> None:
    answer = ask(address, export(span(id=1), span(id=2, trace_id=b"\1"), span(id=3)))
    assert answer.partial_success.rejected_spans == 1
    assert "InvalidTraceId" in answer.partial_success.error_message
    assert len(ack(memory)) == 2


def test_not_protobuf(address: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(address, b"\xff")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "ExportTraceServiceRequest" in caught.value.details()


def test_no_room(tmp_path: Path, metrics: IngestMetrics) -> None:
    """UNAVAILABLE, and when to come again."""
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics, journal_bytes=10)
    pipeline.start()
    for address in serve(pipeline):
        with pytest.raises(grpc.RpcError) as caught:
            ask(address, export(span()))
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        (details,) = [
            value
            for key, value in caught.value.trailing_metadata()
            if key == "grpc-status-details-bin"
        ]
        retry = RetryInfo()
        assert Status.FromString(details).details[0].Unpack(retry)
        assert retry.retry_delay.seconds == 1
    pipeline.stop(2.0)


def test_sdk_exporter(address: str, memory: MemoryStore) -> None:
    """The Python SDK as anyone would set it up."""
    provider = TracerProvider(resource=Resource.create({"service.name": "cart"}))
    exporter = OTLPSpanExporter(endpoint=f"http://{address}", insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace_with(provider)
    edges = build_service_graph(memory._traces.values()).edges
    assert (NodeKey("", "cart", ""), NodeKey("", "stock.example.com", "remote")) in edges
