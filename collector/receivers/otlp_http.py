"""The OTLP/HTTP receiver: ``POST /v1/traces``, protobuf or JSON, usually port 4318.

Responds once the spans are durable, in the request's encoding; failures are google.rpc.Status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fastapi import APIRouter
from fastapi.responses import Response

from collector.journal.format import Kind
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
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
from collector.receivers.refusals import RETRY_AFTER
from collector.receivers.span_http import SpanHttpReceiver
from collector.settings import HttpLimits

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
