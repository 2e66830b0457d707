"""OTLP log records → invocations and log lines.

The line is the body. As the OpenTelemetry Collector's receivers write those of Lambda, the resource names
the function (``faas.name``) or the log group and stream; other records say their trace themselves.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage

from collector.decode.lambda_records.events import damaged, read_line
from collector.decode.lambda_records.fold import Folded, Origin, Skipped, fold, origin_of_logs
from collector.decode.lambda_records.lines import Lines, StreamLine, collect
from collector.decode.log_text import is_request_id
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
_IDS = ("traceId", "spanId", "trace_id", "span_id")
_MICROSECOND = 1_000
"""Nanoseconds."""


class Logs(NamedTuple):
    """What a request contains."""

    folded: Folded
    rejected: list[Rejected]
    lines: Lines


def decode_logs(body: bytes) -> Logs:
    """The protobuf encoding. Raises Rejected when the request is unreadable."""
    request = ExportLogsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise damaged(f"the request body: {error}") from error
    return _read(request)


def decode_json_logs(body: bytes) -> Logs:
    """The JSON encoding."""
    request = ExportLogsServiceRequest()
    try:
        content = msgspec.json.decode(body)
        _encode_ids(content)
        json_format.ParseDict(content, request, ignore_unknown_fields=True)
    except (json_format.ParseError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise damaged(f"the request body: {error!s:.200}") from error
    return _read(request)


def _encode_ids(value: Any) -> None:
    """Ids are hex in OTLP's JSON and base64 in protobuf's: rewrite them in place, wherever they are."""
    for inner in value if isinstance(value, list) else ():
        _encode_ids(inner)
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key not in _IDS:
            _encode_ids(inner)
        elif isinstance(inner, str):
            value[key] = b64encode(bytes.fromhex(inner)).decode()


def _read(request: ExportLogsServiceRequest) -> Logs:
    invocations: list[Invocation] = []
    skipped: list[Skipped] = []
    rejected: list[Rejected] = []
    lines = Lines([], Counter(), [])
    for logs in request.resource_logs:
        origin, stream = _origin(logs.resource), list(_stream(logs))
        found = collect(origin, stream, SOURCE)
        folded, damaged_ones = fold(origin, [line.fact for line in stream], found.failed)
        invocations += folded.invocations
        skipped += folded.skipped
        rejected += damaged_ones
        lines.add(found)
    return Logs(Folded(invocations, skipped), rejected, lines)


def _stream(logs: ResourceLogs) -> Iterator[StreamLine]:
    for scope in logs.scope_logs:
        for record in scope.log_records:
            line = _line(record)
            try:
                yield line._replace(fact=read_line(line.text, line.time))
            except Rejected as rejected:
                yield line._replace(fact=rejected)


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
        "" if resource.service == UNKNOWN else resource.service,
        resource.origin,
    )
