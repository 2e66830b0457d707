"""The OTLP/HTTP receiver: ``POST /v1/traces``, protobuf or JSON, usually port 4318.

Responds once the spans are durable, in the request's encoding; failures are google.rpc.Status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf import json_format
from google.protobuf.message import Message

from collector.decode.rejected import Rejected
from collector.group_commit import JournalFull
from collector.journal.format import Kind
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.body import Bodies, BodyError
from collector.receivers.media_types import JSON, PROTOBUF
from collector.receivers.otlp_response import (
    INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED,
    UNAVAILABLE,
    export_response,
    export_response_json,
    failure,
    failure_json,
)
from collector.receivers.otlp_signal import Signal
from collector.receivers.refusals import RETRY_AFTER, refusal_headers
from collector.receivers.span_http import SpanHttpReceiver
from collector.settings import HttpLimits


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


_CODES = {413: RESOURCE_EXHAUSTED, 503: UNAVAILABLE}


def create_otlp_router(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> APIRouter:
    """The route over a pipeline that its owner starts and stops."""
    return _OtlpReceiver(pipeline, limits).router()


class _OtlpReceiver(SpanHttpReceiver):
    """ExportTraceServiceRequest → ExportTraceServiceResponse."""

    path = "/v1/traces"
    name = "otlp-http"
    kinds: ClassVar[Mapping[str, Kind]] = {PROTOBUF: Kind.OTLP, JSON: Kind.OTLP_JSON}

    def success(self, media: str, decoded: Decoded) -> Response:
        response = export_response([rejected for _, rejected in decoded.rejected])
        content = (
            response.SerializeToString() if media == PROTOBUF else export_response_json(response)
        )
        return Response(content, media_type=media)

    def failure(self, media: str, status: int, message: str) -> Response:
        code = _CODES.get(status, INVALID_ARGUMENT)
        body = failure(code, message, retry_after=RETRY_AFTER if status == 503 else 0)
        content = body.SerializeToString() if media == PROTOBUF else failure_json(body)
        return Response(content, status, media_type=media)
