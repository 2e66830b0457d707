"""OTLP responses: partial success, and failures as google.rpc.Status; in protobuf, JSON and gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import grpc
import msgspec
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from collector.budget import NoRoom
from collector.decode.rejected import Rejected
from collector.group_commit import JournalFull
from collector.receivers.refusals import RETRY_AFTER

MAX_NAMED = 5
"""Rejected spans that a response names."""

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE = 3, 8, 14
"""google.rpc.Code."""


def export_response(rejected: Sequence[Rejected]) -> ExportTraceServiceResponse:
    """Full success, or the number of rejected spans and the reasons."""
    if not rejected:
        return ExportTraceServiceResponse()
    partial = ExportTracePartialSuccess(
        rejected_spans=len(rejected), error_message=_summary(rejected)
    )
    return ExportTraceServiceResponse(partial_success=partial)


def export_response_json(response: ExportTraceServiceResponse) -> bytes:
    """The response in OTLP's JSON: 64-bit integers are strings."""
    if not response.HasField("partial_success"):
        return b"{}"
    partial = response.partial_success
    return msgspec.json.encode(
        {
            "partialSuccess": {
                "rejectedSpans": str(partial.rejected_spans),
                "errorMessage": partial.error_message,
            }
        }
    )


def failure(code: int, message: str, *, retry_after: int = 0) -> Status:
    """A failed request: the reason, and after how many seconds to retry."""
    status = Status(code=code, message=message)
    if retry_after:
        detail = Any()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=retry_after)))
        status.details.append(detail)
    return status


async def abort_without_room(
    context: grpc.aio.ServicerContext, code: grpc.StatusCode, error: JournalFull | NoRoom
) -> NoReturn:
    """End a call that found no room. Clients that read RetryInfo wait as long as it says."""
    status = failure(code.value[0], str(error), retry_after=RETRY_AFTER)
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, str(error), details)
    raise error


def failure_json(status: Status) -> bytes:
    """The status in JSON."""
    return msgspec.json.encode({"code": status.code, "message": status.message})


def _summary(rejected: Sequence[Rejected]) -> str:
    parts = [f"{r.id}: {r}" if r.id else str(r) for r in rejected[:MAX_NAMED]]
    more = len(rejected) - MAX_NAMED
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
