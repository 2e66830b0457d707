"""Log lines → a request of OTLP from which another Raymap reads the same lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from store.log_lines import NO_TRACE, LogLine
from store.rules.invocations import FUNCTION


def export_request(lines: Iterable[LogLine]) -> ExportLogsServiceRequest:
    """The lines by who wrote them, in their order."""
    request = ExportLogsServiceRequest()
    for writer, few in groupby(lines, _writer):
        logs = request.resource_logs.add()
        for key, value in writer:
            logs.resource.attributes.add(key=key).value.string_value = value
        logs.scope_logs.add().log_records.extend(map(_record, few))
    return request


def _writer(line: LogLine) -> tuple[tuple[str, str], ...]:
    """The attributes of a line's resource."""
    named = {
        "faas.name" if line.type == FUNCTION else "service.name": line.name,
        "aws.xray.origin": "" if line.type == FUNCTION else line.type,
        "cloud.account.id": line.account,
        "cloud.region": line.region,
        "aws.log.group.names": line.log_group,
        "aws.log.stream.names": line.log_stream,
    }
    return tuple((key, value) for key, value in named.items() if value)


def _record(line: LogLine) -> LogRecord:
    record = LogRecord(time_unix_nano=line.time * 1_000, severity_text=line.severity)
    record.body.string_value = line.body
    if line.trace_id != NO_TRACE:
        record.trace_id = line.trace_id
    if line.span_id:
        record.span_id = line.span_id.to_bytes(8, "big")
    if line.request_id:
        record.attributes.add(key="faas.invocation_id").value.string_value = line.request_id
    return record
