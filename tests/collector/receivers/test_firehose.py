"""``POST /firehose/logs``: the contract of Firehose's HTTP endpoints, and what is stored."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from collector.group_commit import JournalFull
from collector.pipeline import IngestPipeline
from collector.receivers.firehose import KEY_VARIABLE, create_firehose_router
from collector.settings import HttpLimits
from store.log_lines import Wanted
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from tests.lambda_samples import (
    ACCOUNT,
    DELIVERY_STREAM,
    REGION,
    REQUEST,
    delivery,
    events,
    log_batch,
    record,
    report_line,
)

ALWAYS = TimeRange(0, 1 << 62)
ID = "ed4acda5-034f-9f42"
HEADERS = {"X-Amz-Firehose-Request-Id": ID, "X-Amz-Firehose-Source-Arn": DELIVERY_STREAM}
TEXT = delivery(record(log_batch(report_line())))
FUNCTION = NodeKey(ACCOUNT, "checkout", "AWS::Lambda::Function", REGION)
SERVICE = NodeKey(ACCOUNT, "checkout", "AWS::Lambda", REGION)


def client(pipeline: IngestPipeline, host: str = "127.0.0.1", **limits: Any) -> TestClient:
    app = FastAPI()
    app.include_router(create_firehose_router(pipeline, HttpLimits(**limits)))
    return TestClient(app, client=(host, 5000))


def post(client: TestClient, body: object = TEXT, **headers: str) -> tuple[int, dict[str, Any]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = client.post("/firehose/logs", content=content, headers=HEADERS | names)
    return response.status_code, response.json()


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


def counts(memory: MemoryStore) -> dict[NodeKey, int]:
    graph = memory.service_graph(ALWAYS)
    return {key: service.statistics.total for key, service in graph.services.items()}


def test_the_answer_repeats_the_request_id(pipeline: IngestPipeline) -> None:
    status, answer = post(client(pipeline))
    assert status == 200
    assert set(answer) == {"requestId", "timestamp"}
    assert answer["requestId"] == ID
    assert abs(answer["timestamp"] - time.time() * 1000) < 60_000


def test_a_gzip_request_becomes_the_functions_segments(
    pipeline: IngestPipeline, memory: MemoryStore
) -> None:
    body = gzip.compress(json.dumps(TEXT).encode())
    assert post(client(pipeline), body, Content_Encoding="gzip")[0] == 200
    found = counts(memory)
    assert (found[FUNCTION], found[SERVICE]) == (1, 1)


@pytest.mark.parametrize("order", [lambda a, b: (a, b, a, b), lambda a, b: (b, a, b)])
def test_one_invocation_counts_once_by_text_json_and_repetition(
    pipeline: IngestPipeline, memory: MemoryStore, order: Callable[[Any, Any], tuple[Any, ...]]
) -> None:
    http = client(pipeline)
    by_json = delivery(record(log_batch(*map(json.dumps, events()))))
    for body in order(TEXT, by_json):
        assert post(http, body)[0] == 200
    assert (counts(memory)[FUNCTION], counts(memory)[SERVICE]) == (1, 1)


@pytest.mark.parametrize(
    ("given", "expected"), [("secret", 200), ("Secret", 401), ("", 401), ("secrets", 401)]
)
def test_the_key_is_compared(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch, given: str, expected: int
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    status, answer = post(client(pipeline, "203.0.113.9"), X_Amz_Firehose_Access_Key=given)
    assert status == expected
    assert answer["requestId"] == ID
    assert ("errorMessage" in answer) == (status != 200)


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", 200), ("::1", 200), ("203.0.113.9", 401), ("x", 401)]
)
def test_without_a_key_only_this_machine_delivers(
    pipeline: IngestPipeline, host: str, expected: int
) -> None:
    assert post(client(pipeline, host))[0] == expected


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b'{"records": 5}', {"requestId": "another"}]
)
def test_an_unreadable_request_is_400_and_says_why(pipeline: IngestPipeline, body: object) -> None:
    status, answer = post(client(pipeline), body)
    assert (status, answer["requestId"]) == (400, ID)
    assert answer["errorMessage"]


def test_a_request_that_is_too_large_is_413(pipeline: IngestPipeline) -> None:
    assert post(client(pipeline, max_body=100))[0] == 413


def test_a_full_journal_asks_for_another_delivery(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(decoded: object) -> None:
        raise JournalFull("the journal is full")

    monkeypatch.setattr(pipeline, "submit", full)
    assert post(client(pipeline))[0] == 503


def test_what_is_damaged_or_not_sampled_is_counted_by_reason(
    pipeline: IngestPipeline, memory: MemoryStore
) -> None:
    unsampled = report_line(
        xray="XRAY TraceId: 1-6b061440-000000000000000000000002\tSampled: false"
    )
    body = delivery(
        {"data": "?"}, record(log_batch(unsampled, report_line(xray=""))), *TEXT["records"]
    )
    assert post(client(pipeline), body)[0] == 200
    text = pipeline.metrics.render().decode()
    assert 'raymap_documents_rejected_total{reason="InvalidPlatformRecord"} 1.0' in text
    for outcome in ("derived", "not_sampled", "no_trace"):
        assert f'raymap_platform_records_total{{outcome="{outcome}"}} 1.0' in text
    assert counts(memory)[FUNCTION] == 1


def test_lines_are_stored_once_and_counted(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    messages = [f"START RequestId: {REQUEST} Version: 42", "[INFO]\tx\thello", "", report_line()]
    for _ in range(2):
        assert post(client(pipeline), delivery(record(log_batch(*messages))))[0] == 200
    found = memory.request_lines(Wanted(ALWAYS, requests=(REQUEST,)), limit=9)
    assert [line.record for line in found.lines] == ["start", "", "report"]
    text = pipeline.metrics.render().decode()
    assert 'raymap_log_lines_total{outcome="accepted"} 6.0' in text
    assert 'raymap_log_lines_total{outcome="empty"} 2.0' in text


def test_secrets_in_lines_are_masked(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    start = f"START RequestId: {REQUEST}"
    messages = [start, "login password=hunter2 ok", '{"level":"INFO","token":"s3cr3t"}', "plain"]
    assert post(client(pipeline), delivery(record(log_batch(*messages))))[0] == 200
    found = memory.request_lines(Wanted(ALWAYS, requests=(REQUEST,)), limit=9)
    assert [line.body for line in found.lines] == [
        start,
        "login password=***password*** ok",
        '{"level":"INFO","token":"***token***"}',
        "plain",
    ]
    text = pipeline.metrics.render().decode()
    assert 'raymap_values_redacted_total{rule="password"} 1.0' in text
