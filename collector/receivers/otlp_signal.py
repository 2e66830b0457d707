"""Receiving one of OTLP's further signals, logs or metrics, over HTTP and gRPC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import grpc
from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf import json_format
from google.protobuf.message import Message

from collector.decode.rejected import Rejected
from collector.group_commit import JournalFull
from collector.pipeline import IngestPipeline
from collector.receivers.body import Bodies, BodyError
from collector.receivers.offload import decode_off_loop
from collector.receivers.otlp_response import (
    INVALID_ARGUMENT,
    UNAVAILABLE,
    abort_without_room,
    failure,
)
from collector.receivers.refusals import RETRY_AFTER, refusal_headers
from collector.receivers.span_http import JSON, PROTOBUF
from collector.settings import HttpLimits


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


def create_signal_router(
    signal: Signal, pipeline: IngestPipeline, limits: HttpLimits | None = None
) -> APIRouter:
    """The HTTP route over a pipeline that its owner starts and stops."""
    limits = limits or HttpLimits()
    bodies = Bodies.within(limits)
    router = APIRouter()

    async def post(request: Request) -> Response:
        media = request.headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()
        decode = signal.decoders.get(media)
        if decode is None:
            message = f"content-type: expected {PROTOBUF} or {JSON}, got {media[:60]!r}"
            return _rendered(PROTOBUF, failure(INVALID_ARGUMENT, message), 415)
        try:
            async with bodies.read(request) as body:
                return _rendered(media, await signal.store(pipeline, decode, body), 200)
        except BodyError as error:
            return _rendered(media, failure(INVALID_ARGUMENT, error.message), error.status)
        except Rejected as rejected:
            return _rendered(media, failure(INVALID_ARGUMENT, rejected.message), 400)
        except JournalFull as error:
            status = failure(UNAVAILABLE, str(error), retry_after=RETRY_AFTER)
            return _rendered(media, status, 503)

    router.add_api_route(
        signal.path,
        post,
        methods=["POST"],
        response_class=Response,
        include_in_schema=False,
        name=signal.name,
    )
    return router


def _rendered(media: str, message: Message, status: int) -> Response:
    content = json_format.MessageToJson(message) if media == JSON else message.SerializeToString()
    return Response(content, status, refusal_headers(status), media_type=media)


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
