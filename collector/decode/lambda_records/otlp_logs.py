"""OTLP log records that are lines of Lambda's platform → invocations.

As the OpenTelemetry Collector's receivers write them: the line is the body, the resource names the
function (``faas.name``) or the log group and stream. Other log records are not Raymap's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs

from collector.decode.lambda_records.events import Fact, damaged, read_line
from collector.decode.lambda_records.fold import Folded, Origin, Skipped, fold, origin_of_logs
from collector.decode.rejected import Rejected
from store.rules.invocations import Invocation

_GROUPS = ("aws.log.group.names", "aws.log.group.name", "cloudwatch.log.group.name")
_STREAMS = ("aws.log.stream.names", "aws.log.stream.name", "cloudwatch.log.stream")
_MICROSECOND = 1_000
"""Nanoseconds."""


class Logs(NamedTuple):
    """What a request contains."""

    folded: Folded
    rejected: list[Rejected]
    others: int
    """Log records that say nothing of an invocation."""


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
        json_format.Parse(body, request, ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(f"the request body: {error}") from error
    return _read(request)


def _read(request: ExportLogsServiceRequest) -> Logs:
    invocations: list[Invocation] = []
    skipped: list[Skipped] = []
    rejected: list[Rejected] = []
    others = 0
    for logs in request.resource_logs:
        facts = list(_facts(logs))
        others += facts.count(None)
        folded, damaged_ones = fold(_origin(logs.resource.attributes), facts)
        invocations += folded.invocations
        skipped += folded.skipped
        rejected += damaged_ones
    return Logs(Folded(invocations, skipped), rejected, others)


def _facts(logs: ResourceLogs) -> Iterator[Fact | Rejected | None]:
    for scope in logs.scope_logs:
        for record in scope.log_records:
            try:
                yield read_line(record.body.string_value, _time(record))
            except Rejected as rejected:
                yield rejected


def _time(record: LogRecord) -> int:
    return (record.time_unix_nano or record.observed_time_unix_nano) // _MICROSECOND


def _origin(attributes: Iterable[KeyValue]) -> Origin:
    values = {each.key: _text(each) for each in attributes}
    group = next(filter(None, map(values.get, _GROUPS)), "")
    stream = next(filter(None, map(values.get, _STREAMS)), "")
    account, region = values.get("cloud.account.id", ""), values.get("cloud.region", "")
    named = origin_of_logs(group, stream, account, region)
    function = values.get("faas.name", "") or named.function
    version = values.get("faas.version", "") or named.version
    return Origin(function, version, account, region, group, stream)


def _text(attribute: KeyValue) -> str:
    """A text, or the first of a list of texts."""
    value = attribute.value
    if value.WhichOneof("value") == "array_value":
        return value.array_value.values[0].string_value if value.array_value.values else ""
    return value.string_value
