"""Zipkin's query API answers as Zipkin's server does (ZipkinQueryApiV2.java, QueryRequest.java)."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from raymap.contrib.jaeger import search
from raymap.contrib.jaeger.spans import ReadTrace, export_named
from raymap.contrib.zipkin.schemas import ZipkinTrace
from raymap.contrib.zipkin.search import ZipkinQuery, matches, may_have_called, spans_of
from store.filters import evaluate as filters
from store.memory import MemoryStore
from store.model import Document, TimeRange
from tests.collector.otlp_samples import CLIENT, PRODUCER, SERVER, START, TRACE, export, span
from tests.collector.samples import segment_bytes
from tests.raymap.contrib.jaeger.conftest import ARRIVED, NOW, documents
from tests.raymap.contrib.jaeger.conftest import client as client
from tests.raymap.contrib.jaeger.test_search import ALL, SHOP, worker

V2 = "/zipkin/api/v2"
HOUR = {"endTs": NOW * 1000, "lookback": 3_600_000}


def traces(client: TestClient, **query: Any) -> list[list[dict[str, Any]]]:
    answer = client.get(f"{V2}/traces", params={"limit": 100, **HOUR, **query})
    assert answer.status_code == 200, answer.text
    found: list[list[dict[str, Any]]] = answer.json()
    return found


def ids(client: TestClient, **query: Any) -> list[str]:
    return [spans[0]["traceId"] for spans in traces(client, **query)]


def test_names(client: TestClient) -> None:
    assert {"worker/a", "shop", "front"} <= set(client.get(f"{V2}/services").json())
    names = client.get(f"{V2}/spans?serviceName=worker/a").json()
    assert names == ["job 0", "job 1", "job 2", "step"]
    assert client.get(f"{V2}/autocompleteKeys").json() == []
    assert client.get("/zipkin/config.json").json()["searchEnabled"] is True


def test_what_a_service_called_and_how_often(client: TestClient) -> None:
    assert "shop" in client.get(f"{V2}/remoteServices?serviceName=front").json()
    found = client.get(f"{V2}/dependencies", params=HOUR).json()
    assert {"parent": "front", "child": "shop", "callCount": 1, "errorCount": 1} in found


def test_a_trace_has_zipkins_fields(client: TestClient) -> None:
    spans = client.get(f"{V2}/trace/{worker(3)[0]}").json()
    ZipkinTrace.model_validate(spans, strict=True)
    begun = (START + 3 * 1_000_000_000) // 1000
    root, step = spans
    assert root == {
        "traceId": worker(3)[0],
        "id": "0000000000000001",
        "kind": "SERVER",
        "name": "job 0",
        "timestamp": begun,
        "duration": 300_000,
        "localEndpoint": {"serviceName": "worker/a"},
        "annotations": [],
        "tags": {"shard": "3", "otel.scope.name": "tests"},
    }
    assert (step["parentId"], step["tags"]["error"]) == (root["id"], "true")
    assert "kind" not in step


def test_calls_events_and_resources_are_there(client: TestClient) -> None:
    spans = {each["name"]: each for each in client.get(f"{V2}/trace/{SHOP[0]}").json()}
    assert spans["HGET"]["kind"] == "CLIENT"
    assert spans["HGET"]["remoteEndpoint"] == {"serviceName": "redis"}
    request = spans["GET /orders"]
    assert request["annotations"][0]["value"] == '"cache miss": {"n":1}'
    assert request["tags"]["error"] == "boom"
    assert request["tags"]["list"] == '["a",1]'
    assert request["tags"]["service.version"] == "1.2"
    assert "duration" not in spans["sum"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"serviceName": "worker/a"}, ALL),
        ({"serviceName": "worker/a", "limit": 2}, worker(9, 8)),
        ({"serviceName": "worker/a", "spanName": "job 1"}, worker(7, 4, 1)),
        ({"serviceName": "worker/a", "spanName": "all"}, ALL),
        ({"serviceName": "worker/a", "annotationQuery": "shard=4"}, worker(4)),
        ({"serviceName": "worker/a", "annotationQuery": "error"}, worker(9, 7, 5, 3, 1)),
        # Of several spans: the root has the shard, the step the error.
        ({"serviceName": "worker/a", "annotationQuery": "error and shard=3"}, worker(3)),
        ({"serviceName": "worker/a", "annotationQuery": "error and shard=4"}, []),
        # The span has http.response.status_code and http.request.method.
        ({"serviceName": "shop", "annotationQuery": "http.status_code=503"}, SHOP),
        ({"serviceName": "shop", "annotationQuery": "http.status_code=502"}, []),
        ({"serviceName": "shop", "annotationQuery": "http.method"}, SHOP),
        ({"serviceName": "worker/a", "minDuration": 350_000, "maxDuration": 500_000}, worker(5, 4)),
        ({"minDuration": 850_000}, worker(9)),
        ({"remoteServiceName": "redis"}, SHOP),
        ({"serviceName": "front", "remoteServiceName": "redis"}, []),
        ({}, [*ALL, *SHOP]),
        ({"endTs": 1000, "lookback": 1000}, []),
    ],
)
def test_a_search(client: TestClient, query: dict[str, Any], expected: list[str]) -> None:
    assert ids(client, **query) == expected


@pytest.mark.parametrize(
    ("service", "found"), [("shop", SHOP), ("", SHOP), ("front", []), ("worker/a", [])]
)
def test_a_search_by_what_is_called_reads_traces_with_such_a_call(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, service: str, found: list[str]
) -> None:
    """The worker's nine newer traces are not read, and the search is complete."""
    monkeypatch.setattr(search, "MOST_SCANNED", 2)
    query: dict[str, Any] = {**HOUR, "serviceName": service, "remoteServiceName": "redis"}
    answer = client.get(f"{V2}/traces", params=query)
    assert [spans[0]["traceId"] for spans in answer.json()] == found
    assert "x-raymap-incomplete" not in answer.headers


MESSAGES = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
OUTGOING: list[tuple[int, dict[str, Any]]] = [
    (PRODUCER, MESSAGES),
    (PRODUCER, {"messaging.destination.name": "late", "server.address": "broker"}),
    (CLIENT, {**MESSAGES, "messaging.operation.type": "receive"}),
    (CLIENT, {"server.address": "stock.example.com"}),
    (CLIENT, {"peer.service": "stock"}),
    (CLIENT, {"rpc.system": "aws-api", "rpc.service": "DynamoDB",
              "aws.dynamodb.table_names": ["one", "two"]}),
    (CLIENT, {}),
]  # fmt: skip


def outgoing(kind: int, attributes: dict[str, Any]) -> list[Document]:
    """A trace with one span that leaves its service."""
    body = export(
        span(SERVER, {}, id=1, parent=b"", name="root"),
        span(kind, attributes, id=2, parent=bytes(7) + b"\1", name="call"),
        resource={"service.namespace": "eu"},
    )
    return [each for each in decode_otlp(body, ARRIVED) if isinstance(each, Document)]


def test_every_span_is_found_by_all_that_its_answer_says() -> None:
    """What is compared are OpenTelemetry's spans, what the store narrows are rows, and what is shown are Zipkin's."""
    remote = set()
    for stored in (documents(), *(outgoing(*each) for each in OUTGOING)):
        store = MemoryStore()
        store.put(stored, "all")
        for id, trace in store.get_traces([TRACE], raw=True).items():
            read = ReadTrace(id, export_named(trace))
            for each in spans_of(read):
                called = each.get("remoteEndpoint", {"serviceName": ""})["serviceName"]
                length = each.get("duration")
                exactly = ZipkinQuery(
                    each["localEndpoint"]["serviceName"],
                    called,
                    each["name"],
                    {**each["tags"], **{said["value"]: "" for said in each["annotations"]}},
                    length,
                    length,
                    TimeRange(0, 1),
                    1,
                )
                assert matches(read.exported, exactly)
                others = [exactly._replace(span="other"), exactly._replace(service="other")]
                others += [exactly._replace(terms={key: "other"}) for key in exactly.terms]
                others.append(exactly._replace(remote="other"))
                assert not any(matches(read.exported, other) for other in others)
                if called:
                    remote.add(called)
                    for service in (exactly.service, ""):
                        assert filters.matches(trace, may_have_called(service, called))
    assert {"orders", "late", "stock.example.com", "stock", "one", "redis", "shop"} <= remote


def test_what_answered_is_listed_found_and_shown() -> None:
    """A caller knows another service by a host, as Zipkin's dependencies do not."""
    root = bytes(7) + b"\1"
    call = {"server.address": "stock.example.com"}
    caller = export(
        span(SERVER, {}, id=1, parent=b"", name="root"),
        span(CLIENT, call, id=2, parent=root, name="call"),
        resource={"service.name": "web"},
    )
    answer = export(
        span(SERVER, {}, id=3, parent=bytes(7) + b"\2", name="answer"),
        resource={"service.name": "stock"},
    )
    store = MemoryStore()
    for key, body in (("caller", caller), ("answer", answer)):
        store.put([d for d in decode_otlp(body, ARRIVED) if isinstance(d, Document)], key)
    with TestClient(create_app(store, version="1", clock=lambda: NOW)) as client:
        assert client.get(f"{V2}/remoteServices?serviceName=web").json() == ["stock"]
        [spans] = traces(client, serviceName="web", remoteServiceName="stock")
        remote = {each["name"]: each.get("remoteEndpoint") for each in spans}
        assert remote == {"root": None, "call": {"serviceName": "stock"}, "answer": None}
        assert traces(client, serviceName="web", remoteServiceName="stock.example.com") == []


def test_a_function_that_a_bus_invokes_answers_no_call() -> None:
    put = {"id": "00000000000000aa", "name": "EventBridge", "namespace": "aws",
           "start_time": 1_795_560_000.26, "end_time": 1_795_560_000.3}  # fmt: skip
    caller = decode_document(segment_bytes(name="front", subsegments=[put]), ARRIVED)
    function = segment_bytes(
        id="00000000000000ac", parent_id="00000000000000aa", name="audit", origin="AWS::Lambda"
    )
    store = MemoryStore()
    store.put([caller, decode_document(function, ARRIVED)], "all")
    [(id, trace)] = store.get_traces([caller.trace_id], raw=True).items()
    spans = spans_of(ReadTrace(id, export_named(trace)))
    assert [s["remoteEndpoint"]["serviceName"] for s in spans if "remoteEndpoint" in s] == [
        "Events"
    ]


def test_several_traces_by_id(client: TestClient) -> None:
    wanted = ",".join([*worker(2, 5), "f" * 32])
    found = client.get(f"{V2}/traceMany?traceIds={wanted}").json()
    assert [spans[0]["traceId"] for spans in found] == worker(2, 5)


def test_a_search_that_ends_early_says_so_in_a_header(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    monkeypatch.setattr(search, "MOST_SCANNED", 3)
    query: dict[str, Any] = {**HOUR, "serviceName": "worker/a", "limit": 100}
    answer = client.get(f"{V2}/traces", params=query)
    assert 0 < len(answer.json()) < 9
    assert "after 3 traces" in answer.headers["x-raymap-incomplete"]
    nothing = client.get(f"{V2}/traces", params={**query, "spanName": "no"})
    assert (nothing.status_code, nothing.json()) == (200, [])
    assert "x-raymap-incomplete" in nothing.headers


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("spans", 400, "serviceName is required"),
        ("traces?limit=0", 400, "limit must lie between"),
        ("traces?endTs=soon", 400, "endTs"),
        ("traces?maxDuration=1", 400, "only valid with minDuration"),
        ("traces?minDuration=2&maxDuration=1", 400, "maxDuration < minDuration"),
        ("trace/xyz", 400, "trace id"),
        ("trace/" + "f" * 32, 404, "not found"),
        ("traceMany", 400, "is empty"),
        ("nothing", 404, ""),
    ],
)
def test_errors_are_plain_text(client: TestClient, path: str, status: int, words: str) -> None:
    answer = client.get(f"{V2}/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")
    assert words in answer.text
