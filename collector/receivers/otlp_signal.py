"""Receiving one of OTLP's further signals, logs or metrics: what HTTP and gRPC share, and gRPC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from collector.decode.rejected import Rejected
from collector.group_commit import JournalFull
from collector.pipeline import IngestPipeline
from collector.receivers.media_types import PROTOBUF
from collector.receivers.offload import decode_off_loop
from collector.receivers.otlp_response import abort_without_room


class Signal(NamedTuple):
    """What is different for logs and metrics."""

    path: str
    name: str
    """The label ``receiver`` of the metrics."""
    service: str
    """Of gRPC."""
    decoders: Mapping[str, Callable[[bytes], Any]]
    """By media type, protobuf first."""
    store: Callable[[IngestPipeline, Callable[[bytes], Any], bytes], Awaitable[Message]]
    """The response once everything is durable. Raises Rejected and JournalFull."""


class HasRejected(Protocol):
    """What a decoder returns: beside what it read, what it could not."""

    @property
    def rejected(self) -> Sequence[Rejected]: ...


Read = TypeVar("Read", bound=HasRejected)


async def decode_signal(
    pipeline: IngestPipeline, name: str, decode: Callable[[bytes], Read], body: bytes
) -> Read:
    """What the body says; what is invalid in it is counted. Raises Rejected, counted as well."""
    try:
        read = await decode_off_loop(len(body), partial(decode, body))
    except Rejected as rejected:
        pipeline.reject_received(name, [rejected])
        raise
    pipeline.reject_received(name, read.rejected)
    return read


def add_service(signal: Signal, server: grpc.aio.Server, pipeline: IngestPipeline) -> None:
    """Register the gRPC service with a server that has not started."""

    async def export(body: bytes, context: grpc.aio.ServicerContext) -> object:
        try:
            return await signal.store(pipeline, signal.decoders[PROTOBUF], body)
        except Rejected as rejected:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, rejected.message)
            raise
        except JournalFull as error:
            # All clients retry UNAVAILABLE.
            await abort_without_room(context, grpc.StatusCode.UNAVAILABLE, error)

    handlers = {
        "Export": grpc.unary_unary_rpc_method_handler(
            export, response_serializer=lambda response: response.SerializeToString()
        )
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(signal.service, handlers),)
    )
