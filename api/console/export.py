"""A trace as OpenTelemetry has it: GET /api/traces/<id>/otlp.

JSON, or protobuf when Accept prefers it; either is a body for any server's POST /v1/traces.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from fastapi import APIRouter, Request, Response

from api.context import Context, run_cancellable
from api.errors import ApiError
from api.schemas import ErrorReply
from store.otel.from_xray import export_trace, to_json
from store.trace_id import format_trace_id, parse_trace_id

JSON, PROTOBUF = "application/json", "application/x-protobuf"
_MEANS = {
    "application/*": JSON,
    "application/json": JSON,
    "application/protobuf": PROTOBUF,
    "application/x-protobuf": PROTOBUF,
    "*/*": JSON,
}
"""Media types asked for → the one that is given."""


def export_router(context: Context) -> APIRouter:
    """/api/traces/<id>/otlp."""
    router = APIRouter(responses={"4XX": {"model": ErrorReply}})

    @router.get(
        "/api/traces/{id}/otlp",
        response_class=Response,
        responses={200: {"content": {JSON: {}, PROTOBUF: {}}}},
    )
    async def otlp(request: Request, id: str) -> Response:
        """The trace's spans, X-Ray's documents among them as spans."""
        media = chosen_media(request.headers.get("accept") or "*/*")
        return await run_cancellable(request, lambda: export(context, id, media))

    return router


def chosen_media(accept: str) -> str:
    """JSON or protobuf, as an Accept header prefers; the first of those it likes best.

    Raises Refused (406) when it takes neither.
    """
    found = [(share, _MEANS[media]) for media, share in _ranges(accept) if media in _MEANS]
    best = max((share for share, _ in found), default=0.0)
    if best <= 0:
        raise ApiError(
            f"Accept: expected {JSON} or {PROTOBUF}, got {accept[:100]!r}",
            code="NotAcceptable",
            status=406,
        )
    return next(media for share, media in found if share == best)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """The media types of an Accept header with their shares (``q``)."""
    for part in accept.split(","):
        media, *parameters = (word.strip().lower() for word in part.split(";"))
        share = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                try:
                    share = float(value)
                except ValueError:
                    share = 0.0
        yield media, share


def export(context: Context, text: str, media: str) -> Response:
    """The trace in one of the two encodings, as a file."""
    try:
        id = parse_trace_id(text)
    except ValueError as error:
        raise ApiError(f"trace id: {error}") from error
    trace = context.store.get_traces([id], raw=True).get(id)
    if trace is None:
        raise ApiError(
            f"there is no trace {format_trace_id(id)} here", code="NoSuchTrace", status=404
        )
    data = export_trace(trace.documents.values())
    if media == PROTOBUF:
        content, ending = data.SerializeToString(), "pb"
    else:
        content, ending = msgspec.json.encode(to_json(data)), "json"
    answer = Response(content, media_type=media)
    answer.headers["Content-Disposition"] = f'inline; filename="{id.hex()}.otlp.{ending}"'
    answer.headers["Vary"] = "Accept"
    return answer
