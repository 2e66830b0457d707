"""The gRPC door: `raymap.v1.SegmentService` and OTLP, with health and reflection beside them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeVar

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from collector._pb import segments_pb2, segments_pb2_grpc
from collector.decode.rejected import Reason, Rejected
from collector.decode.trace_document import TraceDocuments, read_traces
from collector.pipeline import Decoded, IngestPipeline
from collector.queue import Ack, QueueFull
from collector.receivers import otlp_grpc
from collector.receivers.otlp_grpc import add_otlp
from store.model import Document

MAX_MESSAGE = 32 << 20
BIG = 256 << 10
"""Messages above this are decoded in a thread."""
IN_FLIGHT = 20_000
"""Documents of one stream that may wait for the store before the next message is read: a batch."""
SERVICE = "raymap.v1.SegmentService"

_T = TypeVar("_T")


class SegmentService(segments_pb2_grpc.SegmentServiceServicer):
    """Raymap's own service over an intake."""

    def __init__(self, pipeline: IngestPipeline) -> None:
        self._intake = pipeline

    async def PutSegments(
        self, request: segments_pb2.PutSegmentsRequest, context: grpc.aio.ServicerContext
    ) -> segments_pb2.PutSegmentsResponse:
        """Answer when the documents are kept."""
        tally = _Tally()
        await self._put(request, tally, context)
        await tally.complete(context)
        return segments_pb2.PutSegmentsResponse(stored=tally.stored, rejected=tally.rejected)

    async def StreamSegments(
        self,
        request_iterator: AsyncIterator[segments_pb2.PutSegmentsRequest],
        context: grpc.aio.ServicerContext,
    ) -> segments_pb2.PutSegmentsResponse:
        """Answer when everything the stream carried is kept."""
        tally = _Tally()
        async for request in request_iterator:
            await self._put(request, tally, context)
            await tally.complete(context, leaving=IN_FLIGHT)
        await tally.complete(context)
        return segments_pb2.PutSegmentsResponse(stored=tally.stored, rejected=tally.rejected)

    async def PutTraces(
        self, request: segments_pb2.PutTracesRequest, context: grpc.aio.ServicerContext
    ) -> segments_pb2.PutTracesResponse:
        """Answer when the traces' own segments are kept."""
        tally = _Tally()
        skipped = 0
        for body in request.traces:
            decoded, found = await _off_loop(len(body), partial(self._decode_trace, body))
            skipped += found.skipped_inferred
            tally.reject([(-1, r) for r in found.rejected])
            tally.reject([(-1, r) for _, r in decoded.rejected])
            await self._submit(decoded.documents, tally, context)
        await tally.complete(context)
        return segments_pb2.PutTracesResponse(
            stored=tally.stored, skipped_inferred=skipped, rejected=tally.rejected
        )

    async def _put(
        self,
        request: segments_pb2.PutSegmentsRequest,
        tally: _Tally,
        context: grpc.aio.ServicerContext,
    ) -> None:
        raws: Sequence[bytes] = request.documents
        decoded = await _off_loop(request.ByteSize(), lambda: self._intake.decode(raws, "grpc"))
        tally.reject([(tally.seen + index, r) for index, r in decoded.rejected])
        tally.seen += len(raws)
        await self._submit(decoded.documents, tally, context)

    async def _submit(
        self, documents: Sequence[Document], tally: _Tally, context: grpc.aio.ServicerContext
    ) -> None:
        try:
            tally.waiting.append((len(documents), self._intake.submit(documents)))
            tally.in_flight += len(documents)
        except QueueFull as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))

    def _decode_trace(self, body: bytes) -> tuple[Decoded, TraceDocuments]:
        found = read_traces(body)
        counters = self._intake.counters
        counters.received.labels("import").inc(len(found.rejected) + found.skipped_inferred)
        counters.skipped_inferred.inc(found.skipped_inferred)
        self._intake.reject(found.rejected)
        return self._intake.decode(found.raws, "import"), found


class _Tally:
    """What has become of the documents of one call."""

    def __init__(self) -> None:
        self.seen = 0
        self.stored = 0
        self.rejected: list[segments_pb2.RejectedDocument] = []
        self.waiting: deque[tuple[int, Ack]] = deque()
        self.in_flight = 0

    def reject(self, rejections: list[tuple[int, Rejected]]) -> None:
        self.rejected += [
            segments_pb2.RejectedDocument(
                index=index, id=r.id or "", code=str(r.reason), message=r.message
            )
            for index, r in rejections
        ]

    async def complete(self, context: grpc.aio.ServicerContext, leaving: int = 0) -> None:
        """Wait until at most ``leaving`` documents are not yet kept."""
        while self.waiting and (self.in_flight > leaving or not leaving):
            count, ack = self.waiting.popleft()
            self.in_flight -= count
            try:
                refused = await asyncio.wrap_future(ack)
            except QueueFull as error:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
                raise
            self.stored += count - len(refused)
            message = "the store cannot take this document"
            self.reject([(-1, Rejected(Reason.REFUSED, message, f"{d.id:016x}")) for d in refused])


class GrpcReceiver:
    """The server; `start` binds."""

    def __init__(
        self,
        pipeline: IngestPipeline,
        host: str,
        port: int,
        *,
        reuse_port: bool = False,
        max_message: int = MAX_MESSAGE,
    ) -> None:
        self._host = host
        self._port = port
        options = [
            ("grpc.so_reuseport", int(reuse_port)),
            ("grpc.max_receive_message_length", max_message),
        ]
        self._server = grpc.aio.server(options=options)
        self._health = health.aio.HealthServicer()
        segments_pb2_grpc.add_SegmentServiceServicer_to_server(  # type: ignore[no-untyped-call]
            SegmentService(pipeline), self._server
        )
        add_otlp(self._server, pipeline)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE, otlp_grpc.SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def start(self) -> str:
        """Open the door; the address it listens on. Raises OSError when the port is taken."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            port = self._server.add_insecure_port(f"{host}:{self._port}")
        except RuntimeError as error:
            raise OSError(str(error)) from error
        await self._server.start()
        for name in ("", SERVICE, otlp_grpc.SERVICE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return f"{host}:{port}"

    async def stop(self, grace: float) -> None:
        """Take no new calls, and let running ones finish for ``grace`` seconds."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)


async def _off_loop(size: int, decode: Callable[[], _T]) -> _T:
    if size <= BIG:
        return decode()
    return await asyncio.get_running_loop().run_in_executor(None, decode)
