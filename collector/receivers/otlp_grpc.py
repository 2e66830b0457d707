"""The OTLP/gRPC receiver: ``TraceService/Export`` beside Raymap's own service, usually port 4317.

Requests arrive as bytes and are split by the decoder: an invalid span costs none of its neighbours.
"""

from __future__ import annotations

import asyncio
from functools import partial

import grpc

from collector.decode.rejected import Rejected
from collector.group_commit import JournalFull
from collector.journal.format import Kind
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.offload import decode_off_loop
from collector.receivers.otlp_response import abort_without_room, export_response

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


def add_otlp(server: grpc.aio.Server, pipeline: IngestPipeline) -> None:
    """Register the service with a server that has not started."""
    handlers = {
        "Export": grpc.unary_unary_rpc_method_handler(
            _TraceService(pipeline).export, response_serializer=lambda r: r.SerializeToString()
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


class _TraceService:
    def __init__(self, pipeline: IngestPipeline) -> None:
        self._pipeline = pipeline

    async def export(self, body: bytes, context: grpc.aio.ServicerContext) -> object:
        """Respond once the spans are durable."""
        try:
            decoded = await self._decode(body)
        except Rejected as rejected:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, rejected.message)
            raise
        try:
            await asyncio.wrap_future(self._pipeline.submit(decoded))
        except JournalFull as error:
            # All clients retry UNAVAILABLE.
            await abort_without_room(context, grpc.StatusCode.UNAVAILABLE, error)
        return export_response([rejected for _, rejected in decoded.rejected])

    async def _decode(self, body: bytes) -> Decoded:
        decode = partial(self._pipeline.decode_request, Kind.OTLP, body, "otlp-grpc")
        return await decode_off_loop(len(body), decode)
