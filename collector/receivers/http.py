"""The HTTP receiver: X-Ray's PutTraceSegments and PutTelemetryRecords, and the import of traces.

Bodies are read raw: no model stands between the socket and the decoder. Responses are X-Ray's
(docs/xray-format.md §3.1, §10). Failures are HTTPExceptions, which the app renders: the collector's
own by `install_error_handler`, in X-Ray's form; another app as it renders its own.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from msgspec import Struct
from starlette.exceptions import HTTPException

from collector.decode.limits import check_string_count, check_value_count
from collector.decode.rejected import Rejected
from collector.decode.trace_document import read_traces
from collector.group_commit import JournalFull
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.body import Bodies, BodyError
from collector.receivers.media_types import JSON
from collector.receivers.offload import decode_off_loop
from collector.receivers.refusals import refusal_headers
from collector.receivers.segment_service import MAX_NAMED
from collector.settings import HttpLimits

NDJSON = "application/x-ndjson"
IMPORTED = frozenset(
    {JSON, NDJSON, "application/jsonl", "text/plain", "application/x-www-form-urlencoded"}
)
"""Media types of imports. The last is what curl says of any data."""

_T = TypeVar("_T")
_Handler = Callable[[Request], Awaitable[Response]]


class _PutTraceSegments(Struct):
    TraceSegmentDocuments: list[str]


class _TelemetryRecord(Struct):
    Timestamp: msgspec.Raw


class _PutTelemetryRecords(Struct):
    TelemetryRecords: list[_TelemetryRecord]


def create_router(pipeline: IngestPipeline, limits: HttpLimits | None = None) -> APIRouter:
    """Routes over a pipeline that its owner starts and stops."""
    receiver = _HttpReceiver(pipeline, limits or HttpLimits())
    router = APIRouter()
    for path, endpoint in (
        ("/TraceSegments", receiver.put_trace_segments),
        ("/TelemetryRecords", receiver.put_telemetry_records),
        ("/api/traces", receiver.import_traces),
    ):
        router.add_api_route(
            path,
            _raising_http_exceptions(endpoint),
            methods=["POST"],
            response_class=Response,
            include_in_schema=path.startswith("/api/"),
            name=endpoint.__name__,
        )
    return router


class _HttpReceiver:
    def __init__(self, pipeline: IngestPipeline, limits: HttpLimits) -> None:
        self._pipeline = pipeline
        self._bodies = Bodies.within(limits)

    async def put_trace_segments(self, request: Request) -> Response:
        """X-Ray's PutTraceSegments: 200 even when every document is rejected."""
        async with self._bodies.read(request) as body:
            decoded = await decode_off_loop(len(body), partial(self._decode_put, body))
            await asyncio.wrap_future(self._pipeline.submit(decoded))
        rejected = [rejection for _, rejection in decoded.rejected]
        response = {"UnprocessedTraceSegments": list(map(_unprocessed, rejected[:MAX_NAMED]))}
        if len(rejected) > MAX_NAMED:
            return xray_response({**response, "UnprocessedCount": len(rejected)})
        return xray_response(response)

    async def put_telemetry_records(self, request: Request) -> Response:
        """X-Ray's PutTelemetryRecords: counted and discarded."""
        async with self._bodies.read(request) as body:
            check_value_count(body)
            put = _decode_request(body, _PutTelemetryRecords)
        self._pipeline.metrics.telemetry.inc(len(put.TelemetryRecords))
        return xray_response({})

    async def import_traces(self, request: Request) -> Response:
        """Traces as BatchGetTraces returns them: one, a list, {"Traces": [..]} or one per line; 400 when a body
        contains nothing of the kind. Jaeger's clients post their own format to this path."""
        _require_import(request)
        async with self._bodies.read(request) as body:
            decoded, skipped, unread = await decode_off_loop(
                len(body), partial(self._decode_import, body)
            )
            if unread and not (skipped or decoded.documents or decoded.rejected):
                raise HTTPException(400, unread[0].message)
            await asyncio.wrap_future(self._pipeline.submit(decoded))
        rejected = [*unread, *(rejection for _, rejection in decoded.rejected)]
        return _json(
            200,
            {
                "stored": len(decoded.documents),
                "skipped_inferred": skipped,
                "rejected": list(map(_rejection, rejected[:MAX_NAMED])),
                "rejected_count": len(rejected),
            },
        )

    def _decode_put(self, body: bytes) -> Decoded:
        check_string_count(body)
        put = _decode_request(body, _PutTraceSegments)
        return self._pipeline.decode([text.encode() for text in put.TraceSegmentDocuments], "http")

    def _decode_import(self, body: bytes) -> tuple[Decoded, int, Sequence[Rejected]]:
        found = read_traces(body)
        metrics = self._pipeline.metrics
        metrics.received.labels("import").inc(len(found.rejected) + found.skipped_inferred)
        metrics.skipped_inferred.inc(found.skipped_inferred)
        self._pipeline.reject(found.rejected)
        return self._pipeline.decode(found.raws, "import"), found.skipped_inferred, found.rejected


def _raising_http_exceptions(endpoint: _Handler) -> _Handler:
    """An endpoint whose few failures are HTTPExceptions."""

    async def handle(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BodyError as error:
            if error.status == 503:
                raise _unavailable(error.message) from error
            # The rest of the body is not read, so the connection cannot be used again.
            raise HTTPException(error.status, error.message, {"Connection": "close"}) from error
        except Rejected as rejected:
            raise HTTPException(413, rejected.message) from rejected
        except JournalFull as error:
            raise _unavailable(str(error)) from error

    return handle


def _unavailable(message: str) -> HTTPException:
    return HTTPException(503, message, refusal_headers(503))


def _require_import(request: Request) -> None:
    """HTTPException for what an import does not take: other media types than JSON's, and parameters."""
    media = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media not in IMPORTED:
        expected = " or ".join((JSON, NDJSON))
        raise HTTPException(415, f"content-type: expected {expected}, got {media[:60]!r}")
    for name in request.query_params:
        raise HTTPException(400, f"unknown parameter {name[:60]!r}; this path has none")


def _decode_request(body: bytes, type: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body or b"{}", type=type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, f"the request body: {error}") from error


def _unprocessed(rejected: Rejected) -> dict[str, str]:
    entry = {"ErrorCode": str(rejected.reason), "Message": rejected.message}
    return {"Id": rejected.id, **entry} if rejected.id else entry


def _rejection(rejected: Rejected) -> dict[str, str | None]:
    return {"id": rejected.id, "code": str(rejected.reason), "message": rejected.message}


def xray_response(value: object) -> Response:
    """A response in X-Ray's form."""
    response = _json(200, value)
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response


_ERROR_TYPES = {408: "RequestTimeout", 503: "ServiceUnavailableException"}


def install_error_handler(app: FastAPI) -> None:
    """Render failures as botocore reads them (docs/xray-format.md §10)."""

    async def handle(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        type = _ERROR_TYPES.get(error.status_code, "InvalidRequestException")
        response = _json(error.status_code, {"__type": type, "Message": error.detail})
        response.headers.update(error.headers or {})
        response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
        response.headers["x-amzn-ErrorType"] = type
        return response

    app.add_exception_handler(HTTPException, handle)


def _json(status: int, value: object) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
