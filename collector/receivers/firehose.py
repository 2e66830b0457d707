"""The Firehose receivers: ``POST /firehose/logs``, a CloudWatch Logs subscription of Lambda functions, of API Gateway
and Step Functions and of Transaction Search's spans, and ``POST /firehose/metrics``, a CloudWatch metric stream.

Firehose's HTTP endpoint contract: the answer repeats the request's id, with a timestamp in
milliseconds, and an errorMessage where it failed; anything but 200 is delivered again until the
stream's retry duration is over. A delivery again changes nothing. 200 also when records in the request
are damaged: they are counted, and would be no better the next time.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from collector.decode.lambda_records.cloudwatch import (
    Decoded,
    Delivery,
    decode_delivery,
    read_delivery,
)
from collector.decode.metrics.stream import decode_stream
from collector.decode.rejected import Rejected
from collector.derived import submit_records
from collector.group_commit import JournalFull
from collector.log_records import submit_lines, submit_points
from collector.pipeline import IngestPipeline
from collector.receivers.access import AccessKey
from collector.receivers.body import Bodies, BodyError
from collector.receivers.offload import decode_off_loop
from collector.receivers.refusals import refusal_headers
from collector.receivers.relayed import submit_spans
from collector.settings import HttpLimits
from store.rules.identity import arn_region

KEY_VARIABLE = "RAYMAP_FIREHOSE_KEY"
KEY_HEADER = "X-Amz-Firehose-Access-Key"
MAX_ID = 200
NAME, METRICS = "firehose", "firehose-metrics"


def create_firehose_router(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> APIRouter:
    """The route over a pipeline that its owner starts and stops."""
    key = AccessKey(os.environ.get(KEY_VARIABLE, ""), KEY_HEADER)
    limits = limits or HttpLimits()
    router = APIRouter()
    for path, name, kind in (
        ("/firehose/logs", NAME, _FirehoseReceiver),
        ("/firehose/metrics", METRICS, _MetricsReceiver),
    ):
        router.add_api_route(
            path,
            kind(pipeline, limits, key).post,
            methods=["POST"],
            response_class=Response,
            include_in_schema=False,
            name=name,
        )
    return router


class _FirehoseReceiver:
    def __init__(self, pipeline: IngestPipeline, limits: HttpLimits, key: AccessKey) -> None:
        self._pipeline = pipeline
        self._key = key
        self._bodies = Bodies.within(limits)

    async def post(self, request: Request) -> Response:
        """Derive, store and respond."""
        id = request.headers.get("X-Amz-Firehose-Request-Id", "")[:MAX_ID]
        refusal = self._key.refusal(request)
        if refusal is not None:
            return _answer(id, 401, refusal)
        try:
            async with self._bodies.read(request) as body:
                return await self._store(request, id, body)
        except BodyError as error:
            return _answer(id, error.status, error.message)
        except JournalFull as error:
            return _answer(id, 503, str(error))

    async def _store(self, request: Request, id: str, body: bytes) -> Response:
        try:
            delivery = read_delivery(body)
        except Rejected as rejected:
            self._pipeline.reject([rejected])
            return _answer(id, 400, rejected.message)
        if id and delivery.requestId and delivery.requestId != id:
            return _answer(id, 400, "requestId: expected that of the header")
        await self._take(request, delivery, len(body))
        return _answer(id or delivery.requestId, 200)

    async def _take(self, request: Request, delivery: Delivery, size: int) -> None:
        """Store what was delivered."""
        region = arn_region(request.headers.get("X-Amz-Firehose-Source-Arn", ""))
        decoded = await decode_off_loop(size, partial(decode_delivery, delivery, region))
        await self._submit(decoded)

    async def _submit(self, decoded: Decoded) -> None:
        self._pipeline.reject_received(NAME, decoded.rejected)
        acks = submit_records(
            self._pipeline, decoded.invocations, decoded.skipped, NAME, decoded.requests
        )
        acks += submit_lines(self._pipeline, decoded.logs)
        acks += await submit_spans(self._pipeline, decoded.spans, NAME)
        for ack in acks:
            await asyncio.wrap_future(ack)


class _MetricsReceiver(_FirehoseReceiver):
    async def _take(self, request: Request, delivery: Delivery, size: int) -> None:
        found = await decode_off_loop(size, partial(decode_stream, delivery))
        self._pipeline.reject_received(METRICS, found.rejected)
        for ack in submit_points(self._pipeline, found.points, found.ignored):
            await asyncio.wrap_future(ack)


def _answer(id: str, status: int, error: str = "") -> Response:
    content = {"requestId": id, "timestamp": time.time_ns() // 1_000_000}
    if error:
        content["errorMessage"] = error
    body = msgspec.json.encode(content)
    return Response(body, status, refusal_headers(status), media_type="application/json")
