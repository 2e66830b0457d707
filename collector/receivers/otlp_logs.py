"""OTLP logs, over HTTP (``/v1/logs``) and gRPC: log lines, and invocations of Lambda's platform.

Records that are related to no trace, request or function are not stored. They are refused in the
protocol's form, as rejected log records of a partial success, which clients report and do not send again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import grpc
from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.decode.lambda_records.lines import Ignored
from collector.decode.lambda_records.otlp_logs import Logs, decode_json_logs, decode_logs
from collector.decode.rejected import Rejected
from collector.derived import submit_records
from collector.group_commit import JournalFull
from collector.log_records import submit_lines
from collector.pipeline import IngestPipeline
from collector.receivers.body import Bodies, BodyError
from collector.receivers.offload import decode_off_loop
from collector.receivers.otlp_response import INVALID_ARGUMENT, UNAVAILABLE, failure
from collector.receivers.span_http import JSON, PROTOBUF, RETRY_AFTER
from collector.settings import HttpLimits

SERVICE = "opentelemetry.proto.collector.logs.v1.LogsService"
NAME = "otlp-logs"
_DECODERS: dict[str, Callable[[bytes], Logs]] = {PROTOBUF: decode_logs, JSON: decode_json_logs}


async def store_logs(
    pipeline: IngestPipeline, decode: Callable[[bytes], Logs], body: bytes
) -> ExportLogsServiceResponse:
    """The response once the lines and the invocations are durable. Raises Rejected and JournalFull."""
    try:
        logs = await decode_off_loop(len(body), partial(decode, body))
    except Rejected as rejected:
        pipeline.metrics.received.labels(NAME).inc()
        pipeline.reject([rejected])
        raise
    pipeline.metrics.received.labels(NAME).inc(len(logs.rejected))
    pipeline.reject(logs.rejected)
    folded = logs.folded
    acks = submit_records(pipeline, folded.invocations, folded.skipped, NAME)
    for ack in [*acks, *submit_lines(pipeline, logs.lines)]:
        await asyncio.wrap_future(ack)
    return _response(logs)


def _response(logs: Logs) -> ExportLogsServiceResponse:
    response = ExportLogsServiceResponse()
    refused = logs.lines.ignored[Ignored.UNRELATED] + len(logs.rejected)
    if refused:
        response.partial_success.rejected_log_records = refused
        response.partial_success.error_message = (
            "Raymap stores log records with a trace id, a Lambda request id or a function's name "
            "(docs/logs.md)"
        )
    return response


def create_otlp_logs_router(
    pipeline: IngestPipeline, limits: HttpLimits | None = None
) -> APIRouter:
    """The HTTP route over a pipeline that its owner starts and stops."""
    limits = limits or HttpLimits()
    bodies = Bodies(
        max_bytes=limits.max_body, timeout=limits.read_timeout, max_reserved=limits.max_reserved
    )
    router = APIRouter()

    async def post(request: Request) -> Response:
        media = request.headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()
        decode = _DECODERS.get(media)
        if decode is None:
            message = f"content-type: expected {PROTOBUF} or {JSON}, got {media[:60]!r}"
            return _rendered(PROTOBUF, failure(INVALID_ARGUMENT, message), 415)
        try:
            async with bodies.read(request) as body:
                return _rendered(media, await store_logs(pipeline, decode, body), 200)
        except BodyError as error:
            return _rendered(media, failure(INVALID_ARGUMENT, error.message), error.status)
        except Rejected as rejected:
            return _rendered(media, failure(INVALID_ARGUMENT, rejected.message), 400)
        except JournalFull as error:
            status = failure(UNAVAILABLE, str(error), retry_after=RETRY_AFTER)
            return _rendered(media, status, 503)

    router.add_api_route(
        "/v1/logs",
        post,
        methods=["POST"],
        response_class=Response,
        include_in_schema=False,
        name=NAME,
    )
    return router


def _rendered(media: str, message: Message, status: int) -> Response:
    content = json_format.MessageToJson(message) if media == JSON else message.SerializeToString()
    response = Response(content, status, media_type=media)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    elif status not in (200, 400):
        response.headers["Connection"] = "close"  # the rest of the body is not read
    return response


def add_otlp_logs(server: grpc.aio.Server, pipeline: IngestPipeline) -> None:
    """Register the gRPC service with a server that has not started."""

    async def export(body: bytes, context: grpc.aio.ServicerContext) -> object:
        try:
            return await store_logs(pipeline, decode_logs, body)
        except Rejected as rejected:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, rejected.message)
            raise
        except JournalFull as error:
            # All clients retry UNAVAILABLE, and wait as long as RetryInfo says.
            status = failure(UNAVAILABLE, str(error), retry_after=RETRY_AFTER)
            details = ("grpc-status-details-bin", status.SerializeToString())
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error), (details,))
            raise

    handlers = {
        "Export": grpc.unary_unary_rpc_method_handler(
            export, response_serializer=lambda response: response.SerializeToString()
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
