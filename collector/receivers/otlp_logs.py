"""OTLP logs, over HTTP (``/v1/logs``) and gRPC: log lines, and invocations of Lambda's platform.

Records that are related to no trace, request or function are not stored. They are refused in the
protocol's form, as rejected log records of a partial success, which clients report and do not send again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from collector.decode.lambda_records.lines import Ignored
from collector.decode.lambda_records.otlp_logs import Logs, decode_json_logs, decode_logs
from collector.derived import submit_records
from collector.log_records import submit_lines
from collector.pipeline import IngestPipeline
from collector.receivers.media_types import JSON, PROTOBUF
from collector.receivers.otlp_signal import Signal, add_service, decode_signal

SERVICE = "opentelemetry.proto.collector.logs.v1.LogsService"
NAME = "otlp-logs"


async def store_logs(
    pipeline: IngestPipeline, decode: Callable[[bytes], Logs], body: bytes
) -> ExportLogsServiceResponse:
    """The response once the lines and the invocations are durable. Raises Rejected and JournalFull."""
    logs = await decode_signal(pipeline, NAME, decode, body)
    folded = logs.folded
    acks = submit_records(pipeline, folded.invocations, folded.skipped, NAME)
    for ack in [*acks, *submit_lines(pipeline, logs.lines)]:
        await asyncio.wrap_future(ack)
    return _response(logs)


def _response(logs: Logs) -> ExportLogsServiceResponse:
    response = ExportLogsServiceResponse()
    refused = logs.lines.ignored[Ignored.UNRELATED] + len(logs.rejected)
    if refused:
        response.partial_success.rejected_log_records = refused
        response.partial_success.error_message = (
            "Raymap stores log records with a trace id, a Lambda request id or a function's name "
            "(docs/logs.md)"
        )
    return response


LOGS = Signal(
    "/v1/logs", NAME, SERVICE, {PROTOBUF: decode_logs, JSON: decode_json_logs}, store_logs
)


def add_otlp_logs(server: grpc.aio.Server, pipeline: IngestPipeline) -> None:
    """Register the gRPC service with a server that has not started."""
    add_service(LOGS, server, pipeline)
