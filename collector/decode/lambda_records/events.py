"""A log line or event of Lambda's platform → the facts in it, whichever form it has.

Text lines are those of the text log format; events those of the Telemetry API, which the JSON log
format writes as lines. Lines that the function wrote are nothing here. Raises Rejected for records
that are damaged, and nothing else.
"""

from __future__ import annotations

import re
from math import isfinite

import msgspec
from msgspec import Struct

from collector.decode.ids import read_id
from collector.decode.rejected import Reason, Rejected
from store.times import DAY, parse_instant
from store.trace_id import parse_trace_id

MILLISECOND = 1_000
"""Microseconds."""
LONGEST = 400 * DAY
"""A duration above this is damage."""
_START = re.compile(r"START RequestId: (\S+)(?:\s+Version: (\S+))?")
_REPORT = re.compile(r"REPORT RequestId: (\S+)")
EVENT = re.compile(r'"type"\s*:\s*"platform\.')
_FIELDS = re.compile(r"[\t\n\r]+")


class Tracing(Struct, frozen=True):
    """The trace of an invocation; ids 0 where the record has none."""

    trace_id: bytes
    segment_id: int = 0
    span_id: int = 0
    parent_id: int = 0
    sampled: bool = True
    """Also where the record does not say."""


class Start(Struct, frozen=True):
    """An invocation began."""

    request_id: str
    version: str = ""
    tracing: Tracing | None = None


class InitStart(Struct, frozen=True):
    """An environment is being initialized: it names the function."""

    function: str
    version: str = ""
    runtime: str = ""


class Report(Struct, frozen=True):
    """An invocation ended. Durations in microseconds; 0 and '' where the record says nothing."""

    request_id: str
    end: int
    duration: int
    tracing: Tracing | None = None
    billed_ms: float = 0.0
    memory_mb: int = 0
    max_memory_mb: int = 0
    init: int = 0
    restore: int = 0
    billed_restore_ms: float = 0.0
    status: str = ""
    error_type: str = ""
    is_text: bool = False


Fact = Start | InitStart | Report


def read_line(message: str, timestamp: int) -> Fact | None:
    """What a log line says; ``timestamp``: of the log event, microseconds. None for other lines."""
    if message.startswith("REPORT RequestId: "):
        return _read_report(message, timestamp)
    if message.startswith("START RequestId: "):
        match = _START.match(message)
        return Start(match[1], match[2] or "") if match else None
    if message.startswith("{") and EVENT.search(message):
        return read_event(message.encode())
    return None


def _read_report(message: str, timestamp: int) -> Report:
    match = _REPORT.match(message)
    if match is None:
        raise damaged("REPORT: expected a request id")
    values = {}
    for field in _FIELDS.split(message[match.end() :].strip()):
        name, found, value = field.partition(": ")
        if found:
            values[name.strip()] = value.strip()
    if "Duration" not in values:
        raise damaged(f"REPORT of request {match[1][:60]}: expected a Duration")
    return Report(
        match[1],
        timestamp,
        _milliseconds(values, "Duration"),
        _text_tracing(values),
        billed_ms=_number(values, "Billed Duration"),
        memory_mb=int(_number(values, "Memory Size")),
        max_memory_mb=int(_number(values, "Max Memory Used")),
        init=_milliseconds(values, "Init Duration"),
        restore=_milliseconds(values, "Restore Duration"),
        billed_restore_ms=_number(values, "Billed Restore Duration"),
        status=values.get("Status", ""),
        error_type=values.get("Error Type", ""),
        is_text=True,
    )


def _text_tracing(values: dict[str, str]) -> Tracing | None:
    text = values.get("XRAY TraceId")
    if not text:
        return None
    segment_id = read_id(values.get("SegmentId"))
    return Tracing(
        _trace_id(text), segment_id, sampled=values.get("Sampled", "true").lower() != "false"
    )


def _number(values: dict[str, str], name: str) -> float:
    """The number in ``102.25 ms`` or ``128 MB``; 0 where the field is absent."""
    text = values.get(name)
    if text is None:
        return 0.0
    return _checked(text.partition(" ")[0], name)


def _checked(value: object, name: str) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = -1.0
    if not isfinite(number) or not 0 <= number * MILLISECOND <= LONGEST:
        raise damaged(f"{name}: expected a number, got {str(value)[:40]!r}")
    return number


def _milliseconds(values: dict[str, str], name: str) -> int:
    return round(_number(values, name) * MILLISECOND)


class _TracingContext(Struct):
    spanId: str | None = None
    value: str | None = None


class _Metrics(Struct):
    durationMs: float | None = None
    billedDurationMs: float = 0.0
    memorySizeMB: float = 0.0
    maxMemoryUsedMB: float = 0.0
    initDurationMs: float = 0.0
    restoreDurationMs: float = 0.0
    billedRestoreDurationMs: float = 0.0


class _Record(Struct):
    requestId: str | None = None
    version: str | None = None
    functionName: str | None = None
    functionVersion: str | None = None
    runtimeVersion: str | None = None
    status: str | None = None
    errorType: str | None = None
    tracing: _TracingContext | None = None
    metrics: _Metrics | None = None


class _Event(Struct):
    time: str
    type: str
    record: msgspec.Raw = msgspec.Raw(b"{}")


_read_event = msgspec.json.Decoder(_Event).decode
_read_record = msgspec.json.Decoder(_Record).decode


def read_event(raw: bytes | msgspec.Raw) -> Fact | None:
    """What an event of the Telemetry API says; None for those that say nothing of interest."""
    try:
        event = _read_event(raw)
        if event.type not in _READERS:
            return None
        record = _read_record(event.record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"a platform event: {error}") from error
    return _READERS[event.type](event, record)


def event_time(raw: bytes | msgspec.Raw) -> int:
    """When an event occurred, in microseconds. Raises Rejected."""
    try:
        return _time(_read_event(raw).time)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"a platform event: {error}") from error


def _read_init_start(event: _Event, record: _Record) -> Fact | None:
    if not record.functionName:
        return None
    return InitStart(record.functionName, record.functionVersion or "", record.runtimeVersion or "")


def _read_start(event: _Event, record: _Record) -> Fact | None:
    return Start(_request_id(event, record), record.version or "", _tracing(record))


def _read_platform_report(event: _Event, record: _Record) -> Fact | None:
    metrics = record.metrics or _Metrics()
    if metrics.durationMs is None:
        raise damaged("platform.report: expected metrics.durationMs")

    def micros(value: float, name: str) -> int:
        return round(_checked(value, name) * MILLISECOND)

    return Report(
        _request_id(event, record),
        _time(event.time),
        micros(metrics.durationMs, "durationMs"),
        _tracing(record),
        billed_ms=_checked(metrics.billedDurationMs, "billedDurationMs"),
        memory_mb=int(_checked(metrics.memorySizeMB, "memorySizeMB")),
        max_memory_mb=int(_checked(metrics.maxMemoryUsedMB, "maxMemoryUsedMB")),
        init=micros(metrics.initDurationMs, "initDurationMs"),
        restore=micros(metrics.restoreDurationMs, "restoreDurationMs"),
        billed_restore_ms=_checked(metrics.billedRestoreDurationMs, "billedRestoreDurationMs"),
        status=record.status or "",
        error_type=record.errorType or "",
    )


_READERS = {
    "platform.initStart": _read_init_start,
    "platform.start": _read_start,
    "platform.report": _read_platform_report,
}


def _request_id(event: _Event, record: _Record) -> str:
    if not record.requestId:
        raise damaged(f"{event.type}: expected a requestId")
    return record.requestId


def _tracing(record: _Record) -> Tracing | None:
    context = record.tracing
    if context is None or not context.value:
        return None
    header = read_header(context.value)
    if not header.get("Root"):
        return None
    return Tracing(
        _trace_id(header["Root"]),
        span_id=read_id(context.spanId),
        parent_id=read_id(header.get("Parent")),
        sampled=header.get("Sampled", "1") != "0",
    )


def read_header(text: str) -> dict[str, str]:
    """The members of a trace header, ``Root=…;Parent=…;Sampled=1``."""
    parts = (part.partition("=") for part in text.split(";"))
    return {key.strip(): value.strip() for key, _, value in parts}


def _trace_id(text: str) -> bytes:
    try:
        return parse_trace_id(text)
    except ValueError as error:
        raise damaged(f"the trace id: {error}") from error


def _time(text: str) -> int:
    """Microseconds of an ISO 8601 time."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise damaged(f"time: {error}") from error


def damaged(message: str) -> Rejected:
    """A record that cannot be read."""
    return Rejected(Reason.INVALID_PLATFORM_RECORD, message)
