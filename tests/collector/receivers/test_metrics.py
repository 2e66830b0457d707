"""``POST /firehose/metrics`` and OTLP metrics: answers, and what is stored."""

from __future__ import annotations

import asyncio
import base64

import grpc
import pytest
from fastapi import FastAPI
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from starlette.testclient import TestClient

from collector.pipeline import IngestPipeline
from collector.receivers.firehose import KEY_VARIABLE, create_firehose_router
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.http_routers import http_routers
from collector.receivers.otlp_metrics import SERVICE
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from tests.collector.decode.metrics.test_points import FUNCTION, cloudwatch, delimited, export
from tests.lambda_samples import ACCOUNT, REGION, delivery

NODE = NodeKey(ACCOUNT, "checkout", FUNCTION, REGION)
ALWAYS = TimeRange(0, 1 << 62)
HEADERS = {"X-Amz-Firehose-Request-Id": "ed4acda5-034f-9f42"}


@pytest.fixture
def http(pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    app = FastAPI()
    for router in http_routers(pipeline):
        app.include_router(router)
    return TestClient(app, client=("127.0.0.1", 5000))


def sums(memory: MemoryStore) -> list[float]:
    return [step.sum for step in memory.metric_steps(NODE, (FUNCTION,), ALWAYS, 1)]


def body(*contents: bytes) -> dict[str, object]:
    return delivery(*({"data": base64.b64encode(content).decode()} for content in contents))


def test_a_stream_that_is_delivered_twice_counts_once(
    http: TestClient, pipeline: IngestPipeline, memory: MemoryStore
) -> None:
    for _ in range(2):
        answer = http.post(
            "/firehose/metrics", json=body(delimited(export(cloudwatch()))), headers=HEADERS
        )
        assert answer.status_code == 200
        assert set(answer.json()) == {"requestId", "timestamp"}
    assert sums(memory) == [8.0]
    text = pipeline.metrics.render().decode()
    assert 'raymap_metric_points_total{outcome="accepted"} 2.0' in text


def test_the_key_is_that_of_the_logs(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    app = FastAPI()
    app.include_router(create_firehose_router(pipeline))
    content, http = body(delimited(export(cloudwatch()))), TestClient(app)
    for key, status in (("secret", 200), ("other", 401)):
        headers = HEADERS | {"X-Amz-Firehose-Access-Key": key}
        assert http.post("/firehose/metrics", json=content, headers=headers).status_code == status


def test_otlp_says_what_it_does_not_store(http: TestClient, memory: MemoryStore) -> None:
    gauge = Metric(name="app.queue")
    gauge.gauge.data_points.add(time_unix_nano=5, as_double=0.5)
    content = export(cloudwatch(), gauge).SerializeToString()
    answer = http.post("/v1/metrics", content=content)
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_data_points) == (200, 1)
    assert "Raymap stores metrics of CloudWatch, and faas.* of functions" in partial.error_message
    assert sums(memory) == [8.0]
    assert http.post("/v1/metrics", content=b"\xff\xff").status_code == 400


def test_over_grpc(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    async def send() -> object:
        receiver = GrpcReceiver(pipeline, "127.0.0.1", 0)
        address = await receiver.start()
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                call = channel.unary_unary(f"/{SERVICE}/Export")
                return await call(export(cloudwatch()).SerializeToString())
        finally:
            await receiver.stop(0)

    assert asyncio.run(send()) == b""
    assert sums(memory) == [8.0]
