"""The OTLP/gRPC door: ``TraceService/Export`` beside Raymap's own service, usually port 4317.

Requests stay bytes until the decoder takes them apart: no span costs its neighbours.
"""

from __future__ import annotations

import asyncio
from functools import partial

import grpc

from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from collector.pipeline import Decoded, IngestPipeline
from collector.queue import QueueFull
from collector.receivers.otlp_response import UNAVAILABLE, failure, success
from collector.receivers.span_http import BIG, RETRY_AFTER

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


def add_otlp(server: grpc.aio.Server, pipeline: IngestPipeline) -> None:
    """Let a server that has not started yet take spans."""
    handlers = {
        "Export": grpc.unary_unary_rpc_method_handler(
            _TraceService(pipeline).export, response_serializer=lambda r: r.SerializeToString()
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


class _TraceService:
    def __init__(self, pipeline: IngestPipeline) -> None:
        self._intake = pipeline

    async def export(self, body: bytes, context: grpc.aio.ServicerContext) -> object:
        """Answer when the spans are kept."""
        try:
            decoded = await self._decode(body)
        except Rejected as rejected:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, rejected.message)
            raise
        try:
            refused = await asyncio.wrap_future(self._intake.submit(decoded.documents))
        except QueueFull as error:
            # Clients wait before they repeat when told how long; UNAVAILABLE all of them repeat.
            status = failure(UNAVAILABLE, str(error), retry_after=RETRY_AFTER)
            details = ("grpc-status-details-bin", status.SerializeToString())
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error), (details,))
            raise
        return success([rejected for _, rejected in decoded.rejected], refused)

    async def _decode(self, body: bytes) -> Decoded:
        decode = partial(self._intake.decode_request, partial(decode_otlp, body), "otlp-grpc")
        if len(body) <= BIG:
            return decode()
        return await asyncio.get_running_loop().run_in_executor(None, decode)
