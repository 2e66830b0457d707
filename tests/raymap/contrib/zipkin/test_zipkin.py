"""Zipkin's query API answers as Zipkin's server does (ZipkinQueryApiV2.java, QueryRequest.java)."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from raymap.contrib.jaeger import search
from raymap.contrib.zipkin.schemas import ZipkinTrace
from tests.collector.otlp_samples import START
from tests.raymap.contrib.jaeger.conftest import NOW
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
