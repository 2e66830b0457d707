"""The Zipkin door: ``POST /api/v2/spans``, JSON or protobuf, answered 202 when the spans are kept.

Zipkin's protocol has no word for spans that were turned away: they are counted and logged, and only
when none was taken the sender is told.
"""

from __future__ import annotations

import asyncio
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from collector.decode.rejected import Rejected
from collector.decode.zipkin import decode_zipkin, decode_zipkin_protobuf
from collector.intake import Intake
from collector.queue import Full
from collector.receivers.body import BadBody, Bodies
from collector.receivers.http import HttpLimits
from collector.receivers.otlp_http import JSON, PROTOBUF, RETRY_AFTER, decode_off_loop

_DECODERS = {JSON: decode_zipkin, PROTOBUF: decode_zipkin_protobuf}


def create_zipkin_router(intake: Intake, limits: HttpLimits | None = None) -> APIRouter:
    """The door over an intake that its owner starts and stops."""
    door = _Door(intake, limits or HttpLimits())
    router = APIRouter()
    router.add_api_route(
        "/api/v2/spans",
        door.post_spans,
        methods=["POST"],
        response_class=Response,
        include_in_schema=False,
        name="zipkin_spans",
    )
    return router


class _Door:
    def __init__(self, intake: Intake, limits: HttpLimits) -> None:
        self._intake = intake
        self._bodies = Bodies(
            max_bytes=limits.max_body, timeout=limits.read_timeout, max_held=limits.max_held
        )

    async def post_spans(self, request: Request) -> Response:
        """A list of v2 spans."""
        media = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if media not in _DECODERS:
            message = f"content-type: expected {JSON} or {PROTOBUF}, got {media[:60]!r}"
            return PlainTextResponse(message, 415)
        try:
            return await self._post(request, media)
        except BadBody as error:
            return _failure(error.status, error.message)
        except Rejected as rejected:
            return _failure(400, rejected.message)
        except Full as error:
            return _failure(503, str(error))

    async def _post(self, request: Request, media: str) -> Response:
        async with self._bodies.read(request) as body:
            decode = partial(_DECODERS[media], body)
            decoded = await decode_off_loop(self._intake, body, decode, "zipkin")
            await asyncio.wrap_future(self._intake.submit(decoded.documents))
        if decoded.rejected and not decoded.documents:
            _, first = decoded.rejected[0]
            return _failure(400, f"none of {len(decoded.rejected)} spans was taken: {first}")
        return Response(status_code=202)


def _failure(status: int, message: str) -> Response:
    answer = PlainTextResponse(message, status)
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    elif status != 400:
        answer.headers["Connection"] = "close"  # the rest of the body is not read
    return answer
