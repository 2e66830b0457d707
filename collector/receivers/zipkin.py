"""The Zipkin receiver: ``POST /api/v2/spans``, JSON or protobuf, answered 202 once durable.

Zipkin's protocol cannot report single rejected spans: they are counted and logged, and the request
fails only when all are rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from collector.journal.format import Kind
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.media_types import JSON, PROTOBUF
from collector.receivers.span_http import SpanHttpReceiver
from collector.settings import HttpLimits


def create_zipkin_router(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> APIRouter:
    """The route over a pipeline that its owner starts and stops."""
    return _ZipkinReceiver(pipeline, limits).router()


class _ZipkinReceiver(SpanHttpReceiver):
    """Lists of v2 spans."""

    path = "/api/v2/spans"
    name = "zipkin"
    kinds: ClassVar[Mapping[str, Kind]] = {
        JSON: Kind.ZIPKIN_JSON,
        PROTOBUF: Kind.ZIPKIN_PROTOBUF,
    }

    def success(self, media: str, decoded: Decoded) -> Response:
        if decoded.rejected and not decoded.documents:
            _, first = decoded.rejected[0]
            message = f"none of {len(decoded.rejected)} spans is valid: {first}"
            return self.failure(media, 400, message)
        return Response(status_code=202)

    def failure(self, media: str, status: int, message: str) -> Response:
        return PlainTextResponse(message, status)
