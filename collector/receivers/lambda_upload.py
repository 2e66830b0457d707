"""The receiver for the extension ``raymap-lambda``: ``POST /lambda/telemetry``, answered once durable."""

from __future__ import annotations

import asyncio
import os
from functools import partial

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from collector.decode.lambda_records.upload import Upload, decode_upload
from collector.decode.rejected import Rejected
from collector.derived import submit_records
from collector.group_commit import JournalFull
from collector.log_records import submit_lines
from collector.pipeline import IngestPipeline
from collector.receivers.access import AccessKey
from collector.receivers.body import Bodies, BodyError
from collector.receivers.offload import decode_off_loop
from collector.receivers.refusals import refusal_headers
from collector.settings import HttpLimits

KEY_VARIABLE = "RAYMAP_LAMBDA_KEY"
KEY_HEADER = "X-Api-Key"
NAME = "lambda"


def create_lambda_router(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> APIRouter:
    """The route over a pipeline that its owner starts and stops."""
    key = AccessKey(os.environ.get(KEY_VARIABLE, ""), KEY_HEADER)
    receiver = _LambdaReceiver(pipeline, limits or HttpLimits(), key)
    router = APIRouter()
    router.add_api_route(
        "/lambda/telemetry",
        receiver.post,
        methods=["POST"],
        response_class=Response,
        include_in_schema=False,
        name=NAME,
    )
    return router


class _LambdaReceiver:
    def __init__(self, pipeline: IngestPipeline, limits: HttpLimits, key: AccessKey) -> None:
        self._pipeline = pipeline
        self._key = key
        self._bodies = Bodies.within(limits)

    async def post(self, request: Request) -> Response:
        """Derive, store and respond."""
        refusal = self._key.refusal(request)
        if refusal is not None:
            return _answer(401, error=refusal)
        try:
            async with self._bodies.read(request) as body:
                upload = await decode_off_loop(len(body), partial(decode_upload, body))
                return _answer(200, rejected=await self._submit(upload))
        except Rejected as rejected:
            self._pipeline.reject([rejected])
            return _answer(400, error=rejected.message)
        except BodyError as error:
            return _answer(error.status, error=error.message)
        except JournalFull as error:
            return _answer(503, error=str(error))

    async def _submit(self, upload: Upload) -> int:
        """How many documents and events were rejected."""
        pipeline, folded = self._pipeline, upload.folded
        size = sum(map(len, upload.documents))
        decode = partial(pipeline.decode, upload.documents, NAME)
        decoded = await decode_off_loop(size, decode)
        pipeline.reject_received(NAME, upload.rejected)
        acks = [pipeline.submit(decoded)] if decoded.documents else []
        acks += submit_records(pipeline, folded.invocations, folded.skipped, NAME)
        acks += submit_lines(pipeline, upload.logs)
        for ack in acks:
            await asyncio.wrap_future(ack)
        return len(upload.rejected) + len(decoded.rejected)


def _answer(status: int, **content: object) -> Response:
    body = msgspec.json.encode(content)
    return Response(body, status, refusal_headers(status), media_type="application/json")
