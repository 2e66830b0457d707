"""Version 3 of Jaeger's query API answers as Jaeger's gateway does (apiv3/http_gateway.go, snapshots/*.json)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from raymap.contrib.jaeger import search, spans
from raymap.contrib.jaeger.schemas_v3 import (
    Dependencies,
    OperationNames,
    OtlpTraces,
    ServiceNames,
)
from tests.api.console.test_map import get
from tests.collector.otlp_samples import START
from tests.raymap.contrib.jaeger.conftest import NOW
from tests.raymap.contrib.jaeger.test_search import ALL, SHOP, worker

V3 = "/jaeger/api/v3"


def at(seconds: float) -> str:
    """A time as Jaeger's UI writes it."""
    return (
        datetime.fromtimestamp(seconds, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


WINDOW = {"query.startTimeMin": at(NOW - 3600), "query.startTimeMax": at(NOW)}


def summaries(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    named = {f"query.{name}": value for name, value in query.items()}
    answer = client.get(f"{V3}/trace-summaries", params={**WINDOW, **named})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["summaries"]
    return found


def test_services_and_operations(client: TestClient) -> None:
    assert "worker/a" in get(client, f"{V3}/services", ServiceNames)["services"]
    found = get(client, f"{V3}/operations?service=worker/a", OperationNames)["operations"]
    assert {"name": "step", "spanKind": "internal"} in found
    assert {"name": "job 1", "spanKind": "server"} in found
    for name in ("spanKind", "span_kind"):
        some = get(client, f"{V3}/operations?service=worker/a&{name}=internal", OperationNames)
        assert {each["spanKind"] for each in some["operations"]} == {"internal"}


def test_a_summary_says_what_the_list_of_jaegers_ui_shows(client: TestClient) -> None:
    [found] = [s for s in summaries(client, serviceName="worker/a") if s["traceId"] == worker(3)[0]]
    begun = START + 3 * 1_000_000_000
    assert found == {
        "traceId": worker(3)[0],
        "rootServiceName": "worker/a",
        "rootOperationName": "job 0",
        "minStartTimeUnixNano": str(begun),
        "maxEndTimeUnixNano": str(begun + 300_000_000),
        "spanCount": 2,
        "errorSpanCount": 1,
        "orphanSpanCount": 0,
        "services": [{"name": "worker/a", "spanCount": 2, "errorSpanCount": 1}],
    }


def test_an_orphan_is_a_span_whose_parent_is_not_stored(client: TestClient) -> None:
    """The spans of the shop lie under one of the front, whose segment has none above it."""
    [found] = summaries(client, serviceName="shop")
    assert [each["name"] for each in found["services"]] == ["front", "shop"]
    assert found["rootServiceName"] == "front"
    stored = client.get(f"{V3}/traces/{found['traceId']}").json()["result"]["resourceSpans"]
    all_spans = [s for part in stored for scope in part["scopeSpans"] for s in scope["spans"]]
    ids = {span["spanId"] for span in all_spans}
    orphans = [s for s in all_spans if "parentSpanId" in s and s["parentSpanId"] not in ids]
    assert (found["spanCount"], found["orphanSpanCount"]) == (len(all_spans), len(orphans))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"serviceName": "worker/a", "searchDepth": 2}, worker(9, 8)),
        ({"serviceName": "worker/a", "operationName": "job 1"}, worker(7, 4, 1)),
        ({"serviceName": "worker/a", "durationMin": "350ms", "durationMax": "0.5s"}, worker(5, 4)),
        ({"serviceName": "worker/a", "attributes": '{"shard":"4"}'}, worker(4)),
        ({"serviceName": "worker/a", "attributes": '{"error":"true"}'}, worker(9, 7, 5, 3, 1)),
        # Without a service, spans of any: what Jaeger's UI calls All Services.
        ({"operationName": "job 1"}, worker(7, 4, 1)),
        ({"operationName": "GET /orders"}, SHOP),
        ({"attributes": '{"tier":"gold"}'}, SHOP),
        ({"durationMin": "850ms"}, worker(9)),
        ({}, [*ALL, *SHOP]),
        ({"service_name": "worker/a", "num_traces": 1}, worker(9)),
    ],
)
def test_a_search(client: TestClient, query: dict[str, Any], expected: list[str]) -> None:
    assert [each["traceId"] for each in summaries(client, **query)] == expected


def test_traces_are_otlp_in_the_envelope_of_a_stream(client: TestClient) -> None:
    query = "&".join(f"{name}={value}" for name, value in WINDOW.items())
    found = get(
        client, f"{V3}/traces?{query}&query.serviceName=worker/a&query.searchDepth=1", OtlpTraces
    )
    [part] = found["result"]["resourceSpans"]
    by_name = {s["name"]: s for scope in part["scopeSpans"] for s in scope["spans"]}
    assert by_name["step"]["parentSpanId"] == by_name["job 0"]["spanId"]
    assert by_name["step"]["traceId"] == worker(9)[0]
    one = get(client, f"{V3}/traces/{worker(9)[0]}", OtlpTraces)
    assert one == found


def test_what_is_left_out_of_a_trace_is_a_warning(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "MOST_SPANS", 1)
    [part] = client.get(f"{V3}/traces/{worker(9)[0]}").json()["result"]["resourceSpans"]
    [span] = [s for scope in part["scopeSpans"] for s in scope["spans"]]
    [warning] = [a for a in span["attributes"] if a["key"] == "@jaeger@warnings"]
    assert warning["value"] == {
        "arrayValue": {"values": [{"stringValue": "1 spans beyond 1 are left out"}]}
    }
    [summary] = [s for s in summaries(client) if s["traceId"] == worker(9)[0]]
    assert summary["spanCount"] == 2


def test_a_search_that_ends_early_says_so_in_a_header(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    monkeypatch.setattr(search, "MOST_SCANNED", 3)
    requested = {**WINDOW, "query.serviceName": "worker/a"}
    answer = client.get(f"{V3}/trace-summaries", params=requested)
    assert answer.status_code == 200
    assert 0 < len(answer.json()["summaries"]) < 9
    assert "after 3 traces" in answer.headers["x-raymap-incomplete"]
    nothing = client.get(f"{V3}/trace-summaries", params={**requested, "query.operationName": "no"})
    assert (nothing.status_code, nothing.json()) == (200, {"summaries": []})
    assert "after 3 traces" in nothing.headers["x-raymap-incomplete"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("trace-summaries", 400, "query.startTimeMin and query.startTimeMax are required"),
        ("trace-summaries?query.startTimeMin=x&query.startTimeMax=y", 400, "expected a time like"),
        (
            f"traces?query.startTimeMin={at(NOW)}&query.startTimeMax={at(NOW)}",
            400,
            "must be before",
        ),
        (f"traces?query.startTimeMin={at(1)}&query.startTimeMax={at(2)}", 404, "No traces found"),
        ("trace-summaries?query.filter=%7B%7D", 400, "query.filter is not supported"),
        ("traces/xyz", 400, "trace id"),
        ("traces/" + "f" * 32, 404, "No traces found"),
        ("operations", 400, "'service' is required"),
        ("dependencies", 400, "startTime and endTime are required"),
        ("nothing", 404, ""),
    ],
)
def test_errors_are_the_gateways(client: TestClient, path: str, status: int, words: str) -> None:
    answer = client.get(f"{V3}/{path}")
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["httpCode"] == status
    assert words in error["message"]


@pytest.mark.parametrize("value", ["x", "-1", "1501", "٣"])
def test_a_search_depth_out_of_bounds_is_refused(client: TestClient, value: str) -> None:
    answer = client.get(f"{V3}/trace-summaries", params={**WINDOW, "query.searchDepth": value})
    assert answer.status_code == 400


def test_dependencies(client: TestClient) -> None:
    window = f"startTime={at(NOW - 3600)}&endTime={at(NOW)}"
    found = get(client, f"{V3}/dependencies?{window}", Dependencies)["dependencies"]
    assert {"parent": "front", "child": "shop", "callCount": 1} in found
