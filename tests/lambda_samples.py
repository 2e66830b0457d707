"""Records of Lambda's platform in the forms in which they are delivered."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

from store.rules.invocations import Invocation, Source
from store.times import SECOND
from tests.builders import T0

REQUEST = "f5507533-9175-4dea-83b0-a71384c4f507"
TRACE_TEXT = "1-6b061440-000000000000000000000001"
TRACE_ID = bytes.fromhex(TRACE_TEXT[2:].replace("-", ""))
FUNCTION_ID, SERVICE_ID = 0xF00F, 0x5E41CE
"""Of the function's segment, which its subsegments name as their parent, and of the service's."""
END = T0 + SECOND
ACCOUNT, REGION = "111122223333", "eu-west-1"
GROUP, STREAM = "/aws/lambda/checkout", "2026/11/24/[42]3893aa"
DELIVERY_STREAM = f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/logs"


def invocation(**change: Any) -> Invocation:
    """A warm invocation of 100 ms, by its REPORT line."""
    fields: dict[str, Any] = {
        "request_id": REQUEST,
        "trace_id": TRACE_ID,
        "function": "checkout",
        "end": END,
        "duration": 100_000,
        "segment_id": FUNCTION_ID,
        "version": "42",
        "account": ACCOUNT,
        "region": REGION,
        "log_group": GROUP,
    }
    return Invocation(**(fields | change))


def telemetry(**change: Any) -> Invocation:
    """The same by the Telemetry API, with the tracing of its start."""
    known = {"segment_id": 0, "span_id": FUNCTION_ID, "parent_id": SERVICE_ID}
    return invocation(source=Source.START, **(known | change))


def report_line(more: str = "", *, xray: str | None = None, request: str = REQUEST) -> str:
    """A REPORT line of the text format."""
    if xray is None:
        xray = f"XRAY TraceId: {TRACE_TEXT}\tSegmentId: {FUNCTION_ID:016x}\tSampled: true\t\n"
    return (
        f"REPORT RequestId: {request}\tDuration: 100.00 ms\tBilled Duration: 101 ms\t"
        f"Memory Size: 1024 MB\tMax Memory Used: 90 MB\t{more}\n{xray}"
    )


def event(type: str, at: int = END, **record: Any) -> dict[str, Any]:
    """An event of the Telemetry API, or a line of the JSON log format."""
    moment = datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds")
    return {"time": moment.replace("+00:00", "Z"), "type": type, "record": record}


def tracing(span_id: int = FUNCTION_ID, parent_id: int = SERVICE_ID, sampled: int = 1) -> Any:
    """The ``tracing`` of a record."""
    value = f"Root={TRACE_TEXT};Parent={parent_id:016x};Sampled={sampled}"
    named = {"spanId": f"{span_id:016x}"} if span_id else {}
    return {**named, "type": "X-Amzn-Trace-Id", "value": value}


def events(request: str = REQUEST, *, end: int = END, **report: Any) -> list[dict[str, Any]]:
    """The start and the report of one invocation of 100 ms."""
    metrics = {
        "durationMs": 100.0,
        "billedDurationMs": 101,
        "memorySizeMB": 1024,
        "maxMemoryUsedMB": 90,
        **report.pop("metrics", {}),
    }
    start = event(
        "platform.start", end - 100_000, requestId=request, version="42", tracing=tracing()
    )
    done = event(
        "platform.report",
        end,
        **{"requestId": request, "status": "success", "metrics": metrics, **report},
    )
    return [start, done]


def log_batch(*messages: str, at: int = END, **change: Any) -> dict[str, Any]:
    """Log events of one stream, as a subscription delivers them."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": GROUP,
        "logStream": STREAM,
        "subscriptionFilters": ["raymap"],
        "logEvents": [
            {"id": str(number), "timestamp": at // 1000, "message": message}
            for number, message in enumerate(messages)
        ],
        **change,
    }


def record(*batches: Any, compress: bool = True) -> dict[str, str]:
    """A record of Firehose."""
    content = b"".join(json.dumps(batch).encode() for batch in batches)
    return {"data": base64.b64encode(gzip.compress(content) if compress else content).decode()}


def delivery(*records: dict[str, Any], id: str = "ed4acda5-034f-9f42") -> dict[str, Any]:
    """A request of Firehose."""
    return {"requestId": id, "timestamp": END // 1000, "records": list(records)}
