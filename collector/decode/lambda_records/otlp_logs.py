"""OTLP log records → invocations and log lines.

The line is the body. As the OpenTelemetry Collector's receivers write those of Lambda, the resource names
the function (``faas.name``) or the log group and stream; other records say their trace themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from google.protobuf import json_format
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage

from collector.decode.lambda_records.events import read_line
from collector.decode.lambda_records.fold import Folded, Origin, Skipped, fold, origin_of_logs
from collector.decode.lambda_records.lines import Lines, StreamLine, collect
from collector.decode.limits import PAIR, VALUE, MessageCount, Shape, request_of
from collector.decode.log_text import is_request_id
from collector.decode.otlp.frames import ResourceFrame, read_frames
from collector.decode.otlp.items import Kind, read_items
from collector.decode.otlp.json import Form, read_json_frames
from collector.decode.otlp.json_values import add_attributes, read_ids, set_value
from collector.decode.rejected import Rejected
from store.log_lines import NO_TRACE
from store.otel.attributes import read_attributes, read_value, text, texts
from store.otel.resource import UNKNOWN, read_resource
from store.rules.invocations import Invocation
from store.rules.log_severity import severity_by_number, severity_of

SOURCE = "otlp"
_GROUPS = ("aws.log.group.names", "aws.log.group.name", "cloudwatch.log.group.name")
_STREAMS = ("aws.log.stream.names", "aws.log.stream.name", "cloudwatch.log.stream")
_REQUESTS = ("faas.invocation_id", "faas.execution", "aws.lambda.request_id", "aws.request_id")
_RECORD = Shape({5: VALUE, 6: PAIR})
_KIND = Kind("the log record", _RECORD, LogRecord.FromString)
MAX_RECORDS = 50_000
"""Log records of one request, with their resources and scopes: one costs some twenty microseconds."""
_MICROSECOND = 1_000
"""Nanoseconds."""


class Logs(NamedTuple):
    """What a request contains."""

    folded: Folded
    rejected: list[Rejected]
    lines: Lines


def decode_logs(body: bytes) -> Logs:
    """The protobuf encoding. Raises Rejected when the request is unreadable, or has too many records."""
    parts = read_frames(body, MAX_RECORDS, "ExportLogsServiceRequest")
    return _read(parts, MessageCount(_RECORD, request_of(_RECORD), body))


def decode_json_logs(body: bytes) -> Logs:
    """The JSON encoding."""
    return _read(read_json_frames(body, _FORM, MAX_RECORDS), MessageCount(_RECORD))


def _encode(content: dict[str, Any]) -> LogRecord:
    """A record in OTLP's JSON, whose ids are hex."""
    ids = read_ids(content)
    body, attributes = content.pop("body", None), content.pop("attributes", None)
    record: LogRecord = json_format.ParseDict(content, LogRecord(), ignore_unknown_fields=True)
    record.trace_id, record.span_id = ids
    if body is not None:
        set_value(record.body, body)
    add_attributes(record.attributes, attributes)
    return record


_FORM = Form(
    "ExportLogsServiceRequest",
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    "the log record",
    _encode,
)


def _read(parts: Iterable[ResourceFrame], count: MessageCount) -> Logs:
    invocations: list[Invocation] = []
    skipped: list[Skipped] = []
    rejected: list[Rejected] = []
    lines = Lines([], Counter(), [])
    for logs in read_items(parts, _KIND, count):
        origin, stream = _origin(logs.resource), list(map(_stream_line, logs.messages))
        found = collect(origin, stream, SOURCE)
        folded, damaged_ones = fold(origin, [line.fact for line in stream], found.failed)
        invocations += folded.invocations
        skipped += folded.skipped
        rejected += [*logs.rejected, *damaged_ones]
        lines.add(found)
    return Logs(Folded(invocations, skipped), rejected, lines)


def _stream_line(record: LogRecord) -> StreamLine:
    line = _line(record)
    try:
        return line._replace(fact=read_line(line.text, line.time))
    except Rejected as rejected:
        return line._replace(fact=rejected)


def _line(record: LogRecord) -> StreamLine:
    attributes = read_attributes(record.attributes)
    request = text(attributes, *_REQUESTS)
    trace_id = record.trace_id if len(record.trace_id) == 16 else NO_TRACE
    span_id = int.from_bytes(record.span_id) if len(record.span_id) == 8 else 0
    return StreamLine(
        _text(record.body),
        (record.time_unix_nano or record.observed_time_unix_nano) // _MICROSECOND,
        None,
        request if is_request_id(request) else "",
        trace_id,
        span_id,
        severity_by_number(record.severity_number) or severity_of(record.severity_text),
    )


def _text(body: AnyValue) -> str:
    """A text as it is, another value as JSON."""
    value = body.string_value or read_value(body)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _origin(message: ResourceMessage) -> Origin:
    attributes = read_attributes(message.attributes)
    resource = read_resource(message.attributes)
    group = next(iter(texts(attributes, *_GROUPS)), "")
    stream = next(iter(texts(attributes, *_STREAMS)), "")
    account = text(attributes, "cloud.account.id") or resource.account
    region = text(attributes, "cloud.region") or resource.region
    named = origin_of_logs(group, stream, account, region)
    return Origin(
        text(attributes, "faas.name") or named.function,
        text(attributes, "faas.version") or named.version,
        account,
        region,
        group,
        stream,
        "" if resource.service == UNKNOWN else resource.full_name,
        resource.origin,
    )
