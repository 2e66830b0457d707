"""The gRPC receiver, in this process."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from collector import budget as budget_module
from collector._pb import segments_pb2
from collector.budget import Budget
from collector.charges import UNKNOWN
from collector.decode.limits import MAX_DOCUMENTS
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.grpc_messages import BoundedMessages
from collector.receivers.segment_service import SERVICE
from store.memory import MemoryStore
from tests.collector.samples import TRACE_ID, segment_bytes, segment_json, segment_service


def run(
    pipeline: IngestPipeline, talk: Callable[[Any], Awaitable[None]], max_message: int = 1 << 20
) -> None:
    """Start the receiver, talk over a channel, stop it."""

    async def whole() -> None:
        receiver = GrpcReceiver(pipeline, "127.0.0.1", 0, max_message=max_message)
        address = await receiver.start()
        async with grpc.aio.insecure_channel(address) as channel:
            await talk(channel)
        await receiver.stop(1.0)

    asyncio.run(whole())


def documents(*ids: int) -> list[bytes]:
    """Valid ones."""
    return [segment_bytes(f"{id:016x}") for id in ids]


def stored(memory: MemoryStore) -> int:
    """Stored documents."""
    return sum(len(trace.documents) for trace in memory._traces.values())


def test_put_segments(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    """Each document has its own result."""

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        first, last = documents(1, 2)
        request = segments_pb2.PutSegmentsRequest(documents=[first, b"\xff", b"{}", last])
        answer = await stub.PutSegments(request)
        assert answer.stored == 2
        assert [(r.index, r.code) for r in answer.rejected] == [
            (1, "InvalidSegmentDocument"),
            (2, "MissingId"),
        ]
        assert all(r.message for r in answer.rejected)
        assert stored(memory) == 2
        empty = await stub.PutSegments(segments_pb2.PutSegmentsRequest())
        assert empty.stored == 0

    run(pipeline, talk)


def test_stream_segments(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    """One answer for the stream; places are counted through it."""

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        requests = [
            segments_pb2.PutSegmentsRequest(documents=[*documents(3 * n + 1, 3 * n + 2), b"x"])
            for n in range(40)
        ]
        answer = await stub.StreamSegments(iter(requests))
        assert answer.stored == 80
        assert [r.index for r in answer.rejected] == [3 * n + 2 for n in range(40)]
        assert stored(memory) == 80

    run(pipeline, talk)


def test_put_traces(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    """Inferred segments are left out."""

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        segments = [segment_json(), segment_json("00000000000000a2", inferred=True)]
        trace = json.dumps({"Id": TRACE_ID, "Segments": segments}).encode()
        answer = await stub.PutTraces(segments_pb2.PutTracesRequest(traces=[trace, b"x"]))
        assert (answer.stored, answer.skipped_inferred) == (1, 1)
        assert [r.index for r in answer.rejected] == [-1]
        assert stored(memory) == 1

    run(pipeline, talk)


def test_health_and_reflection(pipeline: IngestPipeline) -> None:
    """What load balancers and grpcurl ask for."""

    async def talk(channel: Any) -> None:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in reflection.ServerReflectionInfo(iter([request])):
            names = {service.name for service in answer.list_services_response.service}
            assert SERVICE in names

    run(pipeline, talk)


def test_too_large_a_message(pipeline: IngestPipeline) -> None:
    """Refused by its size, before it is unpacked."""

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        request = segments_pb2.PutSegmentsRequest(documents=[bytes(2 << 20)])
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.PutSegments(request)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        again = await stub.PutSegments(segments_pb2.PutSegmentsRequest(documents=documents(1)))
        assert again.stored == 1

    run(pipeline, talk)


@pytest.mark.slow
def test_a_large_message_is_decoded_beside_the_loop(pipeline: IngestPipeline) -> None:
    """More than a quarter of a megabyte."""

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        request = segments_pb2.PutSegmentsRequest(documents=documents(*range(1, 3001)))
        assert (await stub.PutSegments(request)).stored == 3000

    run(pipeline, talk)


@pytest.mark.parametrize("documents_in_message", [MAX_DOCUMENTS + 1, 600_000])
def test_too_many_documents(
    pipeline: IngestPipeline, metrics: IngestMetrics, documents_in_message: int
) -> None:
    """INVALID_ARGUMENT at once, for every method; nothing is decoded, and the next call is served."""

    async def talk(channel: Any) -> None:
        body = b"\x0a\x00" * documents_in_message
        started = time.process_time()
        for method in ("PutSegments", "PutTraces", "StreamSegments"):
            path = f"/{SERVICE}/{method}"
            call = (
                channel.stream_unary(path)(iter([body]))
                if method == "StreamSegments"
                else channel.unary_unary(path)(body)
            )
            with pytest.raises(grpc.aio.AioRpcError, match="20,000 documents") as caught:
                await call
            assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert time.process_time() - started < 5
        assert metrics.snapshot()["received"] == 0
        request = segments_pb2.PutSegmentsRequest(documents=documents(1))
        assert (await segment_service(channel).PutSegments(request)).stored == 1

    run(pipeline, talk, max_message=4 << 20)


def test_after_a_large_message_memory_is_given_back(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back = threading.Event()
    monkeypatch.setattr(budget_module, "GIVE_BACK_AFTER", 0.0)
    monkeypatch.setattr(budget_module, "give_back_memory", given_back.set)

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        await stub.PutSegments(segments_pb2.PutSegmentsRequest(documents=documents(1)))
        await asyncio.sleep(0.1)
        assert not given_back.is_set()
        large = segments_pb2.PutSegmentsRequest(documents=[b"x" * budget_module.LARGE])
        await stub.PutSegments(large)
        await asyncio.to_thread(given_back.wait, 60)
        assert given_back.is_set()

    run(pipeline, talk, max_message=8 << 20)


def test_rejections_are_named_up_to_a_hundred(pipeline: IngestPipeline) -> None:
    """And counted, in one message and over a stream."""

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        request = segments_pb2.PutSegmentsRequest(documents=[b""] * 5000 + documents(1))
        for answer in (await stub.PutSegments(request), await stub.StreamSegments(iter([request]))):
            assert (answer.stored, answer.rejected_count) == (1, 5000)
            assert [r.index for r in answer.rejected] == list(range(100))
            assert answer.ByteSize() < 20_000
        traces = segments_pb2.PutTracesRequest(traces=[b"x"] * 500)
        answer = await stub.PutTraces(traces)
        assert (len(answer.rejected), answer.rejected_count) == (100, 500)

    run(pipeline, talk)


def test_not_a_message(pipeline: IngestPipeline) -> None:
    """INVALID_ARGUMENT: a retry would not help."""

    async def talk(channel: Any) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(f"/{SERVICE}/PutSegments")(b"\xff\xff")
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    run(pipeline, talk)


def test_a_large_message_of_a_stream_is_refused(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for it is reserved as long as the stream is open."""
    monkeypatch.setattr("collector.receivers.grpc_messages.STREAM_MESSAGE", 1000)

    async def talk(channel: Any) -> None:
        small = segments_pb2.PutSegmentsRequest(documents=documents(1))
        large = segments_pb2.PutSegmentsRequest(documents=[b"x" * 1000])
        assert (await segment_service(channel).StreamSegments(iter([small, small]))).stored == 2
        with pytest.raises(grpc.aio.AioRpcError, match="at most 1,000 bytes") as caught:
            await segment_service(channel).StreamSegments(iter([small, large]))
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED

    run(pipeline, talk)


def test_a_call_waits_for_room_and_is_refused_in_the_end(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UNAVAILABLE, and when to come again."""
    budget = Budget(1 << 20)
    bounded = partial(BoundedMessages, budget=budget)
    monkeypatch.setattr("collector.receivers.grpc.BoundedMessages", bounded)
    monkeypatch.setattr("collector.budget.MAX_WAIT", 0.1)

    async def talk(channel: Any) -> None:
        stub, request = segment_service(channel), segments_pb2.PutSegmentsRequest()
        await stub.PutSegments(request)
        assert budget.reserved == 0
        budget.reserve(1, UNKNOWN)
        with pytest.raises(grpc.aio.AioRpcError, match="too many large requests") as caught:
            await stub.PutSegments(request)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
        budget.release(1, UNKNOWN)
        await stub.PutSegments(request)
        assert budget.reserved == 0

    run(pipeline, talk)


def test_a_call_without_a_message(pipeline: IngestPipeline) -> None:
    async def talk(channel: Any) -> None:
        with pytest.raises(grpc.aio.AioRpcError, match="expected a message"):
            await channel.stream_unary(f"/{SERVICE}/PutSegments")(iter([]))

    run(pipeline, talk)


def test_large_metadata(pipeline: IngestPipeline) -> None:
    """Beyond 64 KiB it is refused, and other calls are served."""

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        request = segments_pb2.PutSegmentsRequest(documents=documents(1))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.PutSegments(request, metadata=(("x", "y" * 100_000),))
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await stub.PutSegments(request, metadata=(("x", "y" * 1000),))).stored == 1

    run(pipeline, talk)


def test_no_room(tmp_path: Path, metrics: IngestMetrics) -> None:
    """RESOURCE_EXHAUSTED, and when to come again."""
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics, journal_bytes=10)
    pipeline.start()

    async def talk(channel: Any) -> None:
        stub = segment_service(channel)
        request = segments_pb2.PutSegmentsRequest(documents=documents(1))
        for answer in (stub.PutSegments(request), stub.StreamSegments(iter([request]))):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await answer
            assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            details = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
            retry = RetryInfo()
            assert Status.FromString(details).details[0].Unpack(retry)
            assert retry.retry_delay.seconds == 1

    run(pipeline, talk)
    pipeline.stop(2.0)


def test_taken_port(pipeline: IngestPipeline) -> None:
    """Said as the system says it."""

    async def whole() -> None:
        first = GrpcReceiver(pipeline, "127.0.0.1", 0)
        address = await first.start()
        second = GrpcReceiver(pipeline, "127.0.0.1", int(address.rpartition(":")[2]))
        with pytest.raises(OSError, match="bind"):
            await second.start()
        await first.stop(0)

    asyncio.run(whole())
