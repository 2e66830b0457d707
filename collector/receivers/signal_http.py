"""OTLP's logs and metrics over HTTP."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from google.protobuf import json_format
from google.protobuf.message import Message

from collector.decode.rejected import Rejected
from collector.group_commit import JournalFull
from collector.pipeline import IngestPipeline
from collector.receivers.body import Bodies, BodyError
from collector.receivers.media_types import JSON, PROTOBUF
from collector.receivers.otlp_response import INVALID_ARGUMENT, UNAVAILABLE, failure
from collector.receivers.otlp_signal import Signal
from collector.receivers.refusals import RETRY_AFTER, refusal_headers
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
