"""The OTLP/HTTP door: ``POST /v1/traces``, protobuf or JSON, usually port 4318.

The answer comes when the spans are kept, in the request's encoding; failures are google.rpc.Status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response

from collector.decode.otlp import decode_otlp, decode_otlp_json
from collector.decode.rejected import Rejected
from collector.intake import Decoded, Intake
from collector.queue import Full
from collector.receivers.body import BadBody, Bodies
from collector.receivers.http import HttpLimits
from collector.receivers.otlp_answer import (
    INVALID_ARGUMENT,
    RESOURCE_EXHAUSTED,
    UNAVAILABLE,
    failure,
    failure_json,
    success,
    success_json,
)
from store.model import Document

PROTOBUF, JSON = "application/x-protobuf", "application/json"
BIG = 64 << 10
"""Bodies above this are decoded in a thread."""
RETRY_AFTER = 1

Decoder = Callable[[int], Iterable[Document | Rejected]]


def create_otlp_router(intake: Intake, limits: HttpLimits | None = None) -> APIRouter:
    """The door over an intake that its owner starts and stops."""
    door = _Door(intake, limits or HttpLimits())
    router = APIRouter()
    router.add_api_route(
        "/v1/traces",
        door.export,
        methods=["POST"],
        response_class=Response,
        include_in_schema=False,
        name="otlp_export",
    )
    return router


class _Door:
    def __init__(self, intake: Intake, limits: HttpLimits) -> None:
        self._intake = intake
        self._bodies = Bodies(
            max_bytes=limits.max_body, timeout=limits.read_timeout, max_held=limits.max_held
        )

    async def export(self, request: Request) -> Response:
        """ExportTraceServiceRequest in, ExportTraceServiceResponse out."""
        media = request.headers.get("content-type", PROTOBUF).partition(";")[0].strip().lower()
        if media not in (PROTOBUF, JSON):
            message = f"content-type: expected {PROTOBUF} or {JSON}, got {media[:60]!r}"
            return _failure(415, PROTOBUF, message)
        try:
            return await self._export(request, media)
        except BadBody as error:
            return _failure(error.status, media, error.message)
        except Rejected as rejected:
            return _failure(400, media, rejected.message)
        except Full as error:
            return _failure(503, media, str(error))

    async def _export(self, request: Request, media: str) -> Response:
        async with self._bodies.read(request) as body:
            read = decode_otlp if media == PROTOBUF else decode_otlp_json
            decoded = await decode_off_loop(self._intake, body, partial(read, body), "otlp-http")
            refused = await asyncio.wrap_future(self._intake.submit(decoded.documents))
        answer = success([rejected for _, rejected in decoded.rejected], refused)
        content = answer.SerializeToString() if media == PROTOBUF else success_json(answer)
        return Response(content, media_type=media)


async def decode_off_loop(intake: Intake, body: bytes, decode: Decoder, door: str) -> Decoded:
    """Understand a request, a large one in a thread. Raises Rejected as ``decode`` does."""
    if len(body) <= BIG:
        return intake.decode_request(decode, door)
    run = partial(intake.decode_request, decode, door)
    return await asyncio.get_running_loop().run_in_executor(None, run)


def _failure(status: int, media: str, message: str) -> Response:
    code = {413: RESOURCE_EXHAUSTED, 503: UNAVAILABLE}.get(status, INVALID_ARGUMENT)
    again = RETRY_AFTER if status == 503 else 0
    body = failure(code, message, retry_after=again)
    content = body.SerializeToString() if media == PROTOBUF else failure_json(body)
    answer = Response(content, status, media_type=media)
    if again:
        answer.headers["Retry-After"] = str(again)
    elif status != 400:
        answer.headers["Connection"] = "close"  # the rest of the body is not read
    return answer
