"""Export of a trace as OTLP: GET /api/traces/<id>/otlp.

JSON, or protobuf when Accept prefers it; either is a valid body of POST /v1/traces.
"""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from api.console.params import require_trace
from api.console.part import console_part
from api.context import Context, run_cancellable
from api.errors import ApiError
from api.media import media_ranges
from store.otel.from_xray import export_trace, to_json

JSON, PROTOBUF = "application/json", "application/x-protobuf"
_OFFERED = {
    "application/*": JSON,
    "application/json": JSON,
    "application/protobuf": PROTOBUF,
    "application/x-protobuf": PROTOBUF,
    "*/*": JSON,
}
"""Media type in Accept → media type of the response."""


def export_router(context: Context) -> APIRouter:
    """/api/traces/<id>/otlp."""
    router = console_part("traces")

    @router.get(
        "/api/traces/{id}/otlp",
        response_class=Response,
        responses={200: {"content": {JSON: {}, PROTOBUF: {}}}},
    )
    async def export_trace_otlp(request: Request, id: str) -> Response:
        """The trace as OTLP's TracesData; X-Ray documents become spans."""
        media = chosen_media(request.headers.get("accept") or "*/*")
        return await run_cancellable(request, lambda: export(context, id, media))

    return router


def chosen_media(accept: str) -> str:
    """The media type that an Accept header prefers; of equal quality the first.

    Raises ApiError (406) when it accepts neither.
    """
    found = [(q, _OFFERED[media]) for media, q in media_ranges(accept) if media in _OFFERED]
    best = max((q for q, _ in found), default=0.0)
    if best <= 0:
        raise ApiError(
            f"Accept: expected {JSON} or {PROTOBUF}, got {accept[:100]!r}",
            code="NotAcceptable",
            status=406,
        )
    return next(media for q, media in found if q == best)


def export(context: Context, text: str, media: str) -> Response:
    """The trace in one of the two encodings, with a file name."""
    trace = require_trace(context.store, text)
    data = export_trace(trace.documents.values())
    if media == PROTOBUF:
        content, ending = data.SerializeToString(), "pb"
    else:
        content, ending = msgspec.json.encode(to_json(data)), "json"
    response = Response(content, media_type=media)
    response.headers["Content-Disposition"] = (
        f'inline; filename="{trace.trace_id.hex()}.otlp.{ending}"'
    )
    response.headers["Vary"] = "Accept"
    return response
