"""`raymap.v1.SegmentService`: X-Ray documents and traces over gRPC.

Requests arrive as bytes, so that their documents are counted before they are parsed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from collector._pb import segments_pb2
from collector.batches import Ack
from collector.decode.limits import check_count, check_field_count
from collector.decode.rejected import Rejected
from collector.decode.trace_document import TraceDocuments, read_traces
from collector.group_commit import JournalFull
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.offload import decode_off_loop
from collector.receivers.otlp_response import abort_without_room

SERVICE = "raymap.v1.SegmentService"
MAX_IN_FLIGHT = 20_000
"""Documents of one stream that may be unacknowledged before its next message is read."""
MAX_NAMED = 100
"""Rejections that a response lists; the others are counted."""


def add_segment_service(server: grpc.aio.Server, pipeline: IngestPipeline) -> None:
    """Register the service with a server that has not started."""
    service = SegmentService(pipeline)
    unary, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_unary_rpc_method_handler
    handlers = {
        name: method(behaviour, response_serializer=lambda response: response.SerializeToString())
        for name, method, behaviour in (
            ("PutSegments", unary, service.put_segments),
            ("StreamSegments", stream, service.stream_segments),
            ("PutTraces", unary, service.put_traces),
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


class SegmentService:
    """The service's methods over a pipeline that its owner starts and stops."""

    def __init__(self, pipeline: IngestPipeline) -> None:
        self._pipeline = pipeline

    async def put_segments(
        self, body: bytes, context: grpc.aio.ServicerContext
    ) -> segments_pb2.PutSegmentsResponse:
        """Respond once the documents are durable."""
        progress = _PutProgress()
        await self._put(body, progress, context)
        await progress.complete(context)
        return progress.response()

    async def stream_segments(
        self, bodies: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> segments_pb2.PutSegmentsResponse:
        """Respond once every document of the stream is durable."""
        progress = _PutProgress()
        async for body in bodies:
            await self._put(body, progress, context)
            await progress.complete(context, leaving=MAX_IN_FLIGHT)
        await progress.complete(context)
        return progress.response()

    async def put_traces(
        self, body: bytes, context: grpc.aio.ServicerContext
    ) -> segments_pb2.PutTracesResponse:
        """Respond once the traces' own segments are durable."""
        request = await _parse(body, segments_pb2.PutTracesRequest, context)
        progress = _PutProgress()
        skipped = 0
        for trace in request.traces:
            try:
                decoded, found = await decode_off_loop(
                    len(trace), partial(self._decode_trace, trace)
                )
            except Rejected as rejected:
                await _invalid(context, rejected)
            skipped += found.skipped_inferred
            progress.reject((-1, rejected) for rejected in found.rejected)
            progress.reject((-1, rejected) for _, rejected in decoded.rejected)
            await self._submit(decoded, progress, context)
        await progress.complete(context)
        return segments_pb2.PutTracesResponse(
            stored=progress.stored,
            skipped_inferred=skipped,
            rejected=progress.rejected,
            rejected_count=progress.rejected_count,
        )

    async def _put(
        self, body: bytes, progress: _PutProgress, context: grpc.aio.ServicerContext
    ) -> None:
        request = await _parse(body, segments_pb2.PutSegmentsRequest, context)
        raws: Sequence[bytes] = request.documents
        decoded = await decode_off_loop(len(body), lambda: self._pipeline.decode(raws, "grpc"))
        first = progress.received
        progress.reject((first + index, rejected) for index, rejected in decoded.rejected)
        progress.received += len(raws)
        await self._submit(decoded, progress, context)

    async def _submit(
        self, decoded: Decoded, progress: _PutProgress, context: grpc.aio.ServicerContext
    ) -> None:
        try:
            count = len(decoded.documents)
            progress.pending.append((count, self._pipeline.submit(decoded)))
            progress.in_flight += count
        except JournalFull as error:
            await abort_without_room(context, grpc.StatusCode.RESOURCE_EXHAUSTED, error)

    def _decode_trace(self, body: bytes) -> tuple[Decoded, TraceDocuments]:
        found = read_traces(body)
        metrics = self._pipeline.metrics
        metrics.received.labels("import").inc(len(found.rejected) + found.skipped_inferred)
        metrics.skipped_inferred.inc(found.skipped_inferred)
        self._pipeline.reject(found.rejected)
        return self._pipeline.decode(found.raws, "import"), found


async def _parse(body: bytes, message: Any, context: grpc.aio.ServicerContext) -> Any:
    """The message; aborts the call when it has too many elements or is not protobuf."""
    try:
        check_field_count(body)
        request = message.FromString(body)
        check_count(sum(len(values) for _, values in request.ListFields()))
        return request
    except Rejected as rejected:
        await _invalid(context, rejected)
    except DecodeError as error:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"not a valid message: {error}")
        raise


async def _invalid(context: grpc.aio.ServicerContext, rejected: Rejected) -> NoReturn:
    await context.abort(grpc.StatusCode.INVALID_ARGUMENT, rejected.message)
    raise rejected


class _PutProgress:
    """The outcome so far of the documents of one call."""

    def __init__(self) -> None:
        self.received = 0
        self.stored = 0
        self.rejected: list[segments_pb2.RejectedDocument] = []
        self.rejected_count = 0
        self.pending: deque[tuple[int, Ack]] = deque()
        self.in_flight = 0

    def response(self) -> segments_pb2.PutSegmentsResponse:
        return segments_pb2.PutSegmentsResponse(
            stored=self.stored, rejected=self.rejected, rejected_count=self.rejected_count
        )

    def reject(self, rejections: Iterable[tuple[int, Rejected]]) -> None:
        """Count rejections with their index in the call, and name the first ones."""
        for index, rejected in rejections:
            self.rejected_count += 1
            if len(self.rejected) < MAX_NAMED:
                self.rejected.append(
                    segments_pb2.RejectedDocument(
                        index=index,
                        id=rejected.id or "",
                        code=str(rejected.reason),
                        message=rejected.message,
                    )
                )

    async def complete(self, context: grpc.aio.ServicerContext, leaving: int = 0) -> None:
        """Wait until at most ``leaving`` documents are unacknowledged."""
        while self.pending and (self.in_flight > leaving or not leaving):
            count, ack = self.pending.popleft()
            self.in_flight -= count
            try:
                await asyncio.wrap_future(ack)
            except JournalFull as error:
                await abort_without_room(context, grpc.StatusCode.RESOURCE_EXHAUSTED, error)
            self.stored += count
