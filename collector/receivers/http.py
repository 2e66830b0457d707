"""The HTTP doors: X-Ray's PutTraceSegments and PutTelemetryRecords, and traces to import.

Bodies are read raw: no model stands between the socket and the decoder. Answers are X-Ray's
(docs/xray-format.md §3.1, §10), and the console's for ``/api/…``.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from collector.decode.rejected import Reason, Rejected
from collector.decode.trace_document import read_traces
from collector.pipeline import Decoded, IngestPipeline
from collector.queue import Ack, QueueFull
from collector.receivers.body import Bodies, BodyError
from store.model import Document

MAX_BODY = 32 << 20
READ_TIMEOUT = 30.0
BIG = 256 << 10
"""Bodies above this are decoded in a thread, so that the event loop goes on answering."""
RETRY_AFTER = "1"

_T = TypeVar("_T")
_Handler = Callable[[Request], Awaitable[Response]]


class HttpLimits(Struct, frozen=True):
    """What one request may cost. More than X-Ray's 50 documents are taken, up to these bytes."""

    max_body: int = MAX_BODY
    read_timeout: float = READ_TIMEOUT
    max_held: int = 4 * MAX_BODY
    """Bytes of all bodies being read or worked on; more are told 503."""


class _PutTraceSegments(Struct):
    TraceSegmentDocuments: list[str]


class _TelemetryRecord(Struct):
    Timestamp: Any


class _PutTelemetryRecords(Struct):
    TelemetryRecords: list[_TelemetryRecord]


class _Invalid(Exception):
    """A request of the wrong shape."""


def create_router(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> APIRouter:
    """The doors over an intake that its owner starts and stops."""
    doors = _Receivers(pipeline, limits or HttpLimits())
    router = APIRouter()
    for path, endpoint, failing in (
        ("/TraceSegments", doors.put_trace_segments, xray_error),
        ("/TelemetryRecords", doors.put_telemetry_records, xray_error),
        ("/api/traces", doors.import_traces, console_error),
    ):
        router.add_api_route(
            path,
            _guarded(endpoint, failing),
            methods=["POST"],
            response_class=Response,
            include_in_schema=path.startswith("/api/"),
            name=endpoint.__name__,
        )
    return router


class _Receivers:
    def __init__(self, pipeline: IngestPipeline, limits: HttpLimits) -> None:
        self._intake = pipeline
        self._bodies = Bodies(
            max_bytes=limits.max_body, timeout=limits.read_timeout, max_held=limits.max_held
        )

    async def put_trace_segments(self, request: Request) -> Response:
        """X-Ray's PutTraceSegments: 200 even when every document fails."""
        async with self._bodies.read(request) as body:
            decoded = await _off_loop(body, self._decode_put)
            refused = await _kept(self._intake.submit(decoded.documents))
        unprocessed = [_unprocessed(rejected) for _, rejected in decoded.rejected]
        unprocessed += [_unprocessed(_refusal(document)) for document in refused]
        return xray_answer({"UnprocessedTraceSegments": unprocessed})

    async def put_telemetry_records(self, request: Request) -> Response:
        """X-Ray's PutTelemetryRecords: counted, nothing more is made of them."""
        async with self._bodies.read(request) as body:
            put = _decode_request(body, _PutTelemetryRecords)
        self._intake.counters.telemetry.inc(len(put.TelemetryRecords))
        return xray_answer({})

    async def import_traces(self, request: Request) -> Response:
        """Traces as BatchGetTraces returns them: one, a list, {"Traces": [..]} or one per line."""
        async with self._bodies.read(request) as body:
            decoded, skipped, unread = await _off_loop(body, self._decode_import)
            refused = await _kept(self._intake.submit(decoded.documents))
        rejected = [*unread, *(r for _, r in decoded.rejected), *map(_refusal, refused)]
        answer = {
            "stored": len(decoded.documents) - len(refused),
            "skipped_inferred": skipped,
            "rejected": [
                {"id": r.id, "code": str(r.reason), "message": r.message} for r in rejected
            ],
        }
        return _json(200, answer)

    def _decode_put(self, body: bytes) -> Decoded:
        put = _decode_request(body, _PutTraceSegments)
        return self._intake.decode([text.encode() for text in put.TraceSegmentDocuments], "http")

    def _decode_import(self, body: bytes) -> tuple[Decoded, int, list[Rejected]]:
        found = read_traces(body)
        counters = self._intake.counters
        counters.received.labels("import").inc(len(found.rejected) + found.skipped_inferred)
        counters.skipped_inferred.inc(found.skipped_inferred)
        self._intake.reject(found.rejected)
        return self._intake.decode(found.raws, "import"), found.skipped_inferred, found.rejected


def _guarded(endpoint: _Handler, failing: Callable[[int, str, str], Response]) -> _Handler:
    """An endpoint whose few failures are said in the words of its door."""

    async def handle(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BodyError as error:
            if error.status == 503:
                return _unavailable(failing, error.message)
            code = "RequestTimeout" if error.status == 408 else "InvalidRequestException"
            answer = failing(error.status, code, error.message)
            answer.headers["Connection"] = "close"  # the rest of the body is not read
            return answer
        except _Invalid as error:
            return failing(400, "InvalidRequestException", str(error))
        except QueueFull as error:
            return _unavailable(failing, str(error))

    return handle


def _unavailable(failing: Callable[[int, str, str], Response], message: str) -> Response:
    answer = failing(503, "ServiceUnavailableException", message)
    answer.headers["Retry-After"] = RETRY_AFTER
    return answer


async def _off_loop(body: bytes, decode: Callable[[bytes], _T]) -> _T:
    if len(body) <= BIG:
        return decode(body)
    return await asyncio.get_running_loop().run_in_executor(None, partial(decode, body))


async def _kept(ack: Ack) -> tuple[Document, ...]:
    """The documents the store refused, once the others are kept."""
    return await asyncio.wrap_future(ack)


def _decode_request(body: bytes, type: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body or b"{}", type=type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _Invalid(f"the request body: {error}") from error


def _refusal(document: Document) -> Rejected:
    return Rejected(Reason.REFUSED, "the store cannot take this document", f"{document.id:016x}")


def _unprocessed(rejected: Rejected) -> dict[str, str]:
    entry = {"ErrorCode": str(rejected.reason), "Message": rejected.message}
    return {"Id": rejected.id, **entry} if rejected.id else entry


def xray_answer(value: object) -> Response:
    """A reply as X-Ray's own."""
    answer = _json(200, value)
    answer.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return answer


def xray_error(status: int, code: str, message: str) -> Response:
    """A failure as botocore reads it (docs/xray-format.md §10)."""
    answer = _json(status, {"__type": code, "Message": message})
    answer.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    answer.headers["x-amzn-ErrorType"] = code
    return answer


def console_error(status: int, code: str, message: str) -> Response:
    """A failure as the console reads it."""
    short = code.removesuffix("Exception")
    return _json(status, {"error": {"code": short, "message": message}})


def _json(status: int, value: object) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
