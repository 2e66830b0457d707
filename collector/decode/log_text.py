"""What the text of a log line says of itself: its time, severity, request of Lambda, trace and span. Pure.

Read are the formats of Lambda's runtimes (text and JSON), of Powertools, and what OpenTelemetry's
instrumentations add to a line. What a line does not say is empty; nothing is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from collector.decode.ids import read_id
from store.log_lines import MAX_BODY, NO_TRACE
from store.rules.log_severity import severity_of
from store.times import parse_instant
from store.trace_id import parse_trace_id

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REQUEST = re.compile(rf"{_UUID}\Z")
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_NODE = re.compile(rf"({_TIME})\s+({_UUID}|undefined)\s+(?:([A-Z]{{4,6}})\s)?")
"""Node's runtime, and the platform's ``… Task timed out after 3.00 seconds``."""
_PYTHON = re.compile(rf"\[([A-Z]{{4,8}})\]\s+({_TIME})\s+({_UUID})?")
_LEVEL = re.compile(
    r"(?:\[|level=\"?|\b)(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b", re.I
)
_LEVEL_AT = 60
"""Characters in which a level stands, if a line has one."""
_TRACE = re.compile(r"\b1-[0-9a-f]{8}-[0-9a-f]{24}\b")
_PLATFORM_ERROR = ("Task timed out after", "Error: Runtime exited", "Runtime exited")
_TIMES = ("timestamp", "time", "@timestamp", "ts")
_LEVELS = ("level", "severity", "severity_text", "log.level", "levelname", "severityText")
_REQUESTS = (
    "requestId",
    "AWSRequestId",
    "aws_request_id",
    "awsRequestId",
    "function_request_id",
    "request_id",
    "faas.invocation_id",
)
_TRACES = ("trace_id", "traceId", "xray_trace_id", "otelTraceID", "traceid", "TraceId", "trace.id")
_SPANS = ("span_id", "spanId", "otelSpanID", "spanid", "SpanId", "span.id")


class Said(NamedTuple):
    """What a line says of itself; 0, zeros and empty text where it does not."""

    time: int = 0
    severity: str = ""
    request_id: str = ""
    trace_id: bytes = NO_TRACE
    span_id: int = 0
    members: Mapping[str, Any] | None = None
    """Of a line that is a JSON object."""


def read_text(text: str) -> Said:
    """What a line says, in whichever format."""
    if text.startswith("{"):
        members = _members(text)
        if members is not None:
            return _of_json(members)
    if match := _NODE.match(text):
        request = match[2] if match[2] != "undefined" else ""
        failed = text[match.end() :].startswith(_PLATFORM_ERROR)
        severity = severity_of(match[3]) or ("error" if failed else "")
        return Said(_time(match[1]), severity, request, _trace_in(text))
    if match := _PYTHON.match(text):
        severity = severity_of(match[1])
        return Said(_time(match[2]), severity, match[3] or "", _trace_in(text))
    level = _LEVEL.search(text, 0, _LEVEL_AT)
    return Said(severity=severity_of(level[1]) if level else "", trace_id=_trace_in(text))


def bounded(text: str) -> str:
    """A line without the white space at its end, and what is beyond the bound said in words."""
    text = text.rstrip()
    if len(text) <= MAX_BODY:
        return text
    return f"{text[:MAX_BODY]} … {len(text) - MAX_BODY:,} more characters"


def is_request_id(text: object) -> bool:
    """Whether a text has the form of a request id of Lambda."""
    return isinstance(text, str) and _REQUEST.match(text) is not None


def read_trace_id(value: object) -> bytes:
    """A trace id in X-Ray's or W3C's form, or in a trace header; zeros for anything else."""
    if not isinstance(value, str) or len(value) < 32:
        return NO_TRACE
    if match := _TRACE.search(value):
        value = match[0]
    try:
        return parse_trace_id(value)
    except ValueError:
        return NO_TRACE


def _members(text: str) -> Mapping[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _of_json(members: Mapping[str, Any]) -> Said:
    requests = (value for value in _values(members, _REQUESTS) if is_request_id(value))
    traces = (read_trace_id(value) for value in _values(members, _TRACES))
    times = (_time(value) for value in _values(members, _TIMES) if isinstance(value, str))
    return Said(
        next(filter(None, times), 0),
        next(filter(None, map(severity_of, _values(members, _LEVELS))), ""),
        next(requests, ""),
        next((trace for trace in traces if trace != NO_TRACE), NO_TRACE),
        next(filter(None, map(_span_id, _values(members, _SPANS))), 0),
        members,
    )


def _values(members: Mapping[str, Any], names: Iterable[str]) -> Iterable[Any]:
    return (members[name] for name in names if name in members)


def _span_id(value: object) -> int:
    return read_id(value) if isinstance(value, str) else 0


def _trace_in(text: str) -> bytes:
    return read_trace_id(match[0]) if (match := _TRACE.search(text)) else NO_TRACE


def _time(text: str) -> int:
    """Microseconds of an ISO 8601 time; 0 for anything else."""
    try:
        return parse_instant(text)
    except ValueError:
        return 0
