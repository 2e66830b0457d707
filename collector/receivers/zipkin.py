"""The Zipkin door: ``POST /api/v2/spans``, JSON or protobuf, answered 202 when the spans are kept.

Zipkin's protocol has no word for spans that were turned away: they are counted and logged, and only
when none was taken the sender is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
from collector.pipeline import Decoded, IngestPipeline
from collector.receivers.http import HttpLimits
from collector.receivers.span_http import JSON, PROTOBUF, Decoder, SpanHttpReceiver
from store.model import Document


def create_zipkin_router(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> APIRouter:
    """The door over an intake that its owner starts and stops."""
    return _ZipkinDoor(pipeline, limits).router()


class _ZipkinDoor(SpanHttpReceiver):
    """A list of v2 spans in."""

    path = "/api/v2/spans"
    name = "zipkin"
    decoders: ClassVar[Mapping[str, Decoder]] = {
        JSON: decode_zipkin,
        PROTOBUF: decode_zipkin_protobuf,
    }

    def answer(self, media: str, decoded: Decoded, refused: tuple[Document, ...]) -> Response:
        if decoded.rejected and not decoded.documents:
            _, first = decoded.rejected[0]
            message = f"none of {len(decoded.rejected)} spans was taken: {first}"
            return self.failure(media, 400, message)
        return Response(status_code=202)

    def failure(self, media: str, status: int, message: str) -> Response:
        return PlainTextResponse(message, status)
