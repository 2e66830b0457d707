"""What OTLP's doors answer: partial success, and failures as google.rpc.Status.

The same over gRPC and HTTP, in protobuf and in JSON.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from collector.decode.rejected import Reason, Rejected
from store.model import Document

NAMED = 5
"""Refused spans an answer names one by one."""

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE = 3, 8, 14
"""google.rpc.Code."""


def success(
    rejected: Sequence[Rejected], refused: Sequence[Document]
) -> ExportTraceServiceResponse:
    """All kept; or the number of spans that were not, and why."""
    refusals = [*rejected, *map(_refusal, refused)]
    if not refusals:
        return ExportTraceServiceResponse()
    partial = ExportTracePartialSuccess(
        rejected_spans=len(refusals), error_message=_explain(refusals)
    )
    return ExportTraceServiceResponse(partial_success=partial)


def success_json(response: ExportTraceServiceResponse) -> bytes:
    """The answer in OTLP's JSON: 64-bit numbers are text."""
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
    """Why nothing was taken, and after how many seconds to come again."""
    status = Status(code=code, message=message)
    if retry_after:
        detail = Any()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=retry_after)))
        status.details.append(detail)
    return status


def failure_json(status: Status) -> bytes:
    """The same in JSON."""
    return msgspec.json.encode({"code": status.code, "message": status.message})


def _refusal(document: Document) -> Rejected:
    return Rejected(Reason.REFUSED, "the store cannot take this span", f"{document.id:016x}")


def _explain(refusals: Sequence[Rejected]) -> str:
    parts = [f"{r.id}: {r}" if r.id else str(r) for r in refusals[:NAMED]]
    more = len(refusals) - NAMED
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
