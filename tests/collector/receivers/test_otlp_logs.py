"""OTLP logs with lines of Lambda's platform, over HTTP and gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import grpc
import pytest
from fastapi import FastAPI
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from starlette.testclient import TestClient

from collector.group_commit import JournalFull
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.otlp_http import create_signal_router
from collector.receivers.otlp_logs import LOGS, SERVICE
from collector.settings import HttpLimits
from store.log_lines import Wanted
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from tests.lambda_samples import (
    ACCOUNT,
    END,
    GROUP,
    REGION,
    STREAM,
    TRACE_ID,
    events,
    report_line,
)

FUNCTION = NodeKey(ACCOUNT, "checkout", "AWS::Lambda::Function", REGION)
PROTOBUF, JSON = "application/x-protobuf", "application/json"
BY_NAME = {"faas.name": "checkout", "cloud.account.id": ACCOUNT, "cloud.region": REGION}
BY_GROUP = {
    "aws.log.group.names": [GROUP],
    "aws.log.stream.names": [STREAM],
    "cloud.account.id": ACCOUNT,
    "cloud.region": REGION,
}


def request(
    *lines: str, resource: Mapping[str, str | list[str]] = BY_NAME
) -> ExportLogsServiceRequest:
    export = ExportLogsServiceRequest()
    logs = export.resource_logs.add()
    for key, value in resource.items():
        attribute = logs.resource.attributes.add(key=key)
        for text in value if isinstance(value, list) else ():
            attribute.value.array_value.values.add(string_value=text)
        if isinstance(value, str):
            attribute.value.string_value = value
    records = logs.scope_logs.add().log_records
    for line in lines:
        records.add(time_unix_nano=END * 1000).body.string_value = line
    return export


def client(pipeline: IngestPipeline, max_body: int = 1 << 20) -> TestClient:
    app = FastAPI()
    app.include_router(create_signal_router(LOGS, pipeline, HttpLimits(max_body=max_body)))
    return TestClient(app)


def functions(memory: MemoryStore) -> int:
    services = memory.service_graph(TimeRange(0, 1 << 62)).services
    return services[FUNCTION].statistics.total if FUNCTION in services else 0


@pytest.mark.parametrize("resource", [BY_NAME, BY_GROUP])
@pytest.mark.parametrize("lines", [[report_line()], list(map(json.dumps, events()))])
@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_a_report_becomes_the_functions_segment(
    pipeline: IngestPipeline,
    memory: MemoryStore,
    resource: Mapping[str, str | list[str]],
    lines: list[str],
    media: str,
) -> None:
    export = request(*lines, resource=resource)
    body = export.SerializeToString() if media == PROTOBUF else json_format.MessageToJson(export)
    response = client(pipeline).post("/v1/logs", content=body, headers={"Content-Type": media})
    assert response.status_code == 200
    assert response.content in (b"", b"{}")
    assert functions(memory) == 1


def test_other_lines_are_refused_in_the_protocols_form(
    pipeline: IngestPipeline, memory: MemoryStore
) -> None:
    export = request(report_line(), "REPORT RequestId: x\tDuration: quick")
    export.MergeFrom(request("hello", resource={}))
    response = client(pipeline).post("/v1/logs", content=export.SerializeToString())
    partial = ExportLogsServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_log_records == 2
    assert "a trace id, a Lambda request id or a function's name" in partial.error_message
    assert functions(memory) == 1


@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_lines_of_a_service_are_stored_with_their_span(
    pipeline: IngestPipeline, memory: MemoryStore, media: str
) -> None:
    """Ids are hex in OTLP's JSON."""
    export = request(resource={"service.name": "web"})
    logged = export.resource_logs[0].scope_logs[0].log_records.add(time_unix_nano=END * 1000)
    logged.body.kvlist_value.values.add(key="msg").value.string_value = "hi"
    logged.severity_number = SeverityNumber.SEVERITY_NUMBER_ERROR
    logged.trace_id, logged.span_id = TRACE_ID, bytes(7) + b"\x05"
    content = json.loads(json_format.MessageToJson(export))
    as_hex = content["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    as_hex |= {"traceId": TRACE_ID.hex(), "spanId": "0000000000000005"}
    body = export.SerializeToString() if media == PROTOBUF else json.dumps(content).encode()
    response = client(pipeline).post("/v1/logs", content=body, headers={"Content-Type": media})
    assert response.content in (b"", b"{}")
    (line,) = memory.request_lines(Wanted(TimeRange(0, 1 << 62), TRACE_ID), limit=9).lines
    assert (line.name, line.body, line.severity, line.span_id) == (
        "web",
        '{"msg":"hi"}',
        "error",
        5,
    )


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [
        (PROTOBUF, b"\xff\xff", 400),
        (JSON, b"[1", 400),
        (JSON, b'{"resourceLogs": 5}', 400),
        ("text/plain", b"", 415),
        (PROTOBUF, b"x" * 2000, 413),
    ],
)
def test_an_unreadable_request_says_why(
    pipeline: IngestPipeline, media: str, body: bytes, status: int
) -> None:
    http = client(pipeline, max_body=1000)
    response = http.post("/v1/logs", content=body, headers={"Content-Type": media})
    assert response.status_code == status
    assert response.content


def test_a_full_journal_asks_to_retry(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(decoded: object) -> None:
        raise JournalFull("the journal is full")

    monkeypatch.setattr(pipeline, "submit", full)
    body = request(report_line()).SerializeToString()
    response = client(pipeline).post("/v1/logs", content=body)
    assert response.status_code == 503
    assert response.headers["Retry-After"]


def test_over_grpc(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    async def export(*bodies: bytes) -> tuple[object, object]:
        receiver = GrpcReceiver(pipeline, "127.0.0.1", 0)
        address = await receiver.start()
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                call = channel.unary_unary(f"/{SERVICE}/Export")
                first, second = await asyncio.gather(*map(call, bodies), return_exceptions=True)
                return first, second
        finally:
            await receiver.stop(0)

    some = request(report_line())
    some.MergeFrom(request("hello", resource={}))
    good = some.SerializeToString()
    answer, failure = asyncio.run(export(good, b"\xff\xff"))
    assert isinstance(answer, bytes)
    assert ExportLogsServiceResponse.FromString(answer).partial_success.rejected_log_records == 1
    assert isinstance(failure, grpc.aio.AioRpcError)
    assert failure.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert functions(memory) == 1
