"""``POST /firehose/logs`` with records of the log group ``aws/spans``: stored as spans, refused one by one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from collector.decode.aws_spans import read_spans
from collector.journal.format import encode, parse_header
from collector.payloads import Decoded, decode_again
from collector.pipeline import IngestPipeline
from collector.receivers.firehose import KEY_VARIABLE
from store.log_lines import Wanted
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange, is_derived
from tests.aws_spans import delivered
from tests.collector.receivers.test_firehose import client, counts, post
from tests.lambda_samples import ACCOUNT, REGION, delivery, log_batch, record, report_line

Json = dict[str, Any]
START = 1_795_560_000
STAGE = NodeKey(ACCOUNT, "shop-api/prod", "AWS::ApiGateway::Stage", REGION)


def gateway(id: int = 1, **change: Any) -> Json:
    """The segment of a stage, which a client called."""
    return {
        "resource": {
            "attributes": {
                "cloud.provider": "aws",
                "cloud.platform": "aws_api_gateway",
                "cloud.resource_id": f"arn:aws:apigateway:{REGION}::/restapis/a1/stages/prod",
                "service.name": "shop-api",
                "aws.api_gateway.stage": "prod",
            }
        },
        "traceId": f"{START:08x}{id:024x}",
        "spanId": f"{id:016x}",
        "name": "GET /orders",
        "kind": "SERVER",
        "startTimeUnixNano": START * 10**9,
        "endTimeUnixNano": START * 10**9 + 5_000_064,
        "attributes": {"http.response.status_code": 200, "aws.request_id": "r"},
        "status": {"code": "UNSET"},
        "_aws": {"xray": {"name": "shop-api", "type": "segment"}},
        **change,
    }


def native(id: int = 2, **change: Any) -> Json:
    """The span of a service that uses OpenTelemetry."""
    return {
        "resource": {"attributes": {"service.name": "shop"}},
        "traceId": f"{START:08x}{id:024x}",
        "spanId": f"{id:016x}",
        "name": "GET /",
        "kind": "SERVER",
        "startTimeUnixNano": START * 10**9,
        "endTimeUnixNano": START * 10**9 + 5,
        "attributes": {},
        **change,
    }


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.fixture
def http(pipeline: IngestPipeline) -> TestClient:
    return client(pipeline)


def test_records_are_spans_and_no_log_lines(http: TestClient, memory: MemoryStore) -> None:
    """A stage by X-Ray's own segment, a service by OpenTelemetry's: in the account and region of the log."""
    assert post(http, delivered(gateway(), native()))[0] == 200
    found = counts(memory)
    assert found[STAGE] == found[NodeKey(ACCOUNT, "shop", "", REGION)] == 1
    for each in (gateway, native):
        wanted = Wanted(TimeRange(0, 1 << 62), bytes.fromhex(each()["traceId"]))
        assert memory.request_lines(wanted, limit=9).lines == []


def test_another_delivery_changes_nothing(http: TestClient, memory: MemoryStore) -> None:
    for _ in range(2):
        post(http, delivered(gateway(), native()))
    assert (counts(memory)[STAGE], len(counts(memory))) == (1, 4)


DAMAGED: dict[str, object] = {
    "no JSON": "{",
    "no object": [1],
    "a trace id": gateway(9, traceId="x"),
    "no trace id": gateway(9, traceId=None),
    "a span id": gateway(9, spanId=7),
    "no name": gateway(9, name="", _aws={"xray": {"type": "segment"}}),
    "no start": gateway(9, startTimeUnixNano=None),
    "a start": gateway(9, startTimeUnixNano="soon"),
    "an endless start": gateway(9, startTimeUnixNano=10**400),
    "an end": gateway(9, endTimeUnixNano=[1]),
    "a subsegment without parent": gateway(9, _aws={"xray": {"type": "subsegment", "name": "x"}}),
    "a native trace id": native(9, traceId="zz"),
    "native attributes": native(9, attributes={"x": {"y": [10**400]}}),
    "native events": native(9, events=5),
    "native links": native(9, links=[{"spanId": 5}]),
    "a native time": native(9, startTimeUnixNano=-1),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_costs_itself_only(
    http: TestClient, pipeline: IngestPipeline, memory: MemoryStore, damaged: object
) -> None:
    """In front of, between and behind others."""
    messages = [damaged, gateway(), damaged, native(), damaged]
    lines = [each if isinstance(each, str) else json.dumps(each) for each in messages]
    batch = log_batch(*lines, report_line(), logGroup="aws/spans", logStream="default")
    assert post(http, delivery(record(batch), record(log_batch(report_line()))))[0] == 200
    found = counts(memory)
    assert (found[STAGE], found[NodeKey(ACCOUNT, "shop", "", REGION)]) == (1, 1)
    assert sum(1 for key in found if key.type == "AWS::Lambda::Function") == 1
    rejected = [
        float(line.rpartition(" ")[2])
        for line in pipeline.metrics.render().decode().splitlines()
        if line.startswith("raymap_documents_rejected_total{")
    ]
    assert sum(rejected) == 4  # the REPORT line among the spans is one


def test_what_is_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msgspec.json, "decode", lambda raw: pytest.fail("parsed"))
    found, rejected = read_spans(['{"x": "' + "y" * (3 << 20) + '"}'], "", "")
    assert not found.finished.documents
    assert "bytes" in rejected[0].message


def test_many_spans_go_in_requests_that_none_of_them_can_spoil() -> None:
    """A record of nothing but brackets is alone in its request, which is refused."""
    bad = json.dumps(native(1, attributes={"x": "{" * 600_000}))
    messages = [json.dumps(native(2)), bad, *(json.dumps(native(n)) for n in range(3, 30))]
    found, rejected = read_spans(messages, "", "")
    assert not rejected
    sizes = [body.count(b'"spanId"') for body in found.finished.requests]
    assert sum(sizes) == 29
    assert 1 in sizes
    spoilt = [body for body in found.finished.requests if b"{{{" in body]
    assert [body.count(b'"spanId"') for body in spoilt] == [1]


@pytest.mark.parametrize("form", [gateway, native])
def test_secrets_are_removed_of_either_form(
    http: TestClient, pipeline: IngestPipeline, memory: MemoryStore, form: Any
) -> None:
    """By the rules that every receiver applies."""
    secret = "postgres://app:hunter2secret@db/orders"
    post(http, delivered(form(attributes={"note": secret, "db.statement": secret})))
    (trace,) = memory.get_traces([bytes.fromhex(form()["traceId"])], raw=True).values()
    (document,) = trace.documents.values()
    assert b"db/orders" in document.raw
    assert b"hunter2secret" not in document.raw
    assert "_redacted_total{rule=" in pipeline.metrics.render().decode()


def test_the_journal_returns_relayed_documents_as_such(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the versions by which they lose to what their senders report."""
    submitted: list[Decoded] = []
    submit = pipeline.submit

    def note(decoded: Decoded) -> object:
        submitted.append(decoded)
        return submit(decoded)

    monkeypatch.setattr(pipeline, "submit", note)
    post(client(pipeline), delivered(*map(gateway, range(1, 5)), native(7)))
    assert len(submitted) == 2
    for decoded in submitted:
        payload, documents = decoded.payload, list(decoded.documents)
        assert all(each.version < 0 and not is_derived(each.version) for each in documents)
        entry = encode(payload.kind, payload.version, len(documents), payload.encoded)
        header = parse_header(entry)
        assert header is not None
        assert list(decode_again(header.kind, header.version, payload.encoded)) == documents
