"""All 38 operations answer: in AWS's shapes, or with an error in X-Ray's form."""

from __future__ import annotations

import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.xray import operations as api_operations
from store.errors import StoreUnavailable
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import TimeRange
from store.protocol import CountedWindow
from store.times import MINUTE
from tests.api.botocore_model import complaints, operations

THE_COLLECTORS = {"/TraceSegments", "/TelemetryRecords"}
OPERATIONS = operations()
SMALLEST: dict[str, dict[str, Any]] = {
    "/EncryptionConfig": {},
    "/GetGroup": {"GroupName": "Default"},
    "/GetIndexingRules": {},
    "/GetSamplingRules": {"NextToken": None},
    "/GetTraceSegmentDestination": {},
    "/Groups": {},
    "/InsightSummaries": {"StartTime": 1, "EndTime": 2, "GroupName": "Default"},
    "/ListResourcePolicies": {},
    "/ListTagsForResource": {
        "ResourceARN": "arn:aws:xray:local:000000000000:sampling-rule/Default"
    },
    "/SamplingStatisticSummaries": {},
    "/SamplingTargets": {"SamplingStatisticsDocuments": []},
    "/ServiceGraph": {"StartTime": 1, "EndTime": 2},
    "/StartTraceRetrieval": {"TraceIds": [], "StartTime": 1, "EndTime": 2},
    "/TimeSeriesServiceStatistics": {"StartTime": 1, "EndTime": 2},
    "/TraceGraph": {"TraceIds": []},
    "/Traces": {"TraceIds": []},
    "/TraceSummaries": {"StartTime": 1, "EndTime": 2.5},
    "/UpdateTraceSegmentDestination": {},
}
"""Operations that succeed on an empty server, with the least they need."""


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def test_the_model_has_38_operations() -> None:
    assert len(OPERATIONS) == 38


def test_every_operation_of_the_model_has_a_path() -> None:
    assert OPERATIONS.keys() == api_operations.OPERATIONS.keys() | THE_COLLECTORS
    assert set(api_operations.COLLECTORS_OPERATIONS) == THE_COLLECTORS


@pytest.mark.parametrize("path", sorted(SMALLEST))
def test_answer_fits_the_model(client: TestClient, path: str) -> None:
    response = client.post(path, json=SMALLEST[path])
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert complaints(OPERATIONS[path], response.content) == []


@pytest.mark.parametrize("path", sorted(api_operations.OPERATIONS.keys() - SMALLEST.keys()))
def test_the_rest_says_what_is_missing(client: TestClient, path: str) -> None:
    response = client.post(path, json={})
    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "InvalidRequestException"
    assert response.json()["__type"] == "InvalidRequestException"
    said = response.json()["Message"]
    assert any(member in said for member in OPERATIONS[path].input_shape.members), said


@pytest.mark.parametrize("path", sorted(OPERATIONS))
def test_other_methods_are_405(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["__type"] == "MethodNotAllowedException"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/ServiceGraph", b"{", "the body is not JSON"),
        ("/ServiceGraph", b"[]", "the body must be a JSON object, got a list"),
        ("/ServiceGraph", b"", "StartTime is missing; expected epoch seconds"),
        ("/ServiceGraph", b'{"StartTime": true, "EndTime": 2}', "StartTime must be epoch seconds"),
        ("/ServiceGraph", b'{"StartTime": 2, "EndTime": 2}', "StartTime must be before EndTime"),
        ("/ServiceGraph", b'{"StartTime": 1, "EndTime": 1e300}', "EndTime must lie between"),
        ("/ServiceGraph", b'{"StartTime": "noon", "EndTime": 2}', "got 'noon'"),
        ("/Traces", b'{"TraceIds": "x"}', "TraceIds must be a list, got a string"),
        ("/Traces", b'{"TraceIds": [1]}', "TraceIds[0] must be a string, got a number"),
        (
            "/TraceSummaries",
            b'{"StartTime": 1, "EndTime": 2, "TimeRangeType": "Moon"}',
            "TimeRangeType must be one of TraceId, Event, Service, got 'Moon'",
        ),
        (
            "/TraceSummaries",
            b'{"StartTime": 1, "EndTime": 2, "SamplingStrategy": {"Value": 2}}',
            "SamplingStrategy.Value must lie between 0 and 1",
        ),
        (
            "/SamplingTargets",
            b'{"SamplingStatisticsDocuments": [{"RuleName": "Default"}]}',
            "SamplingStatisticsDocuments[0].Timestamp is missing",
        ),
    ],
)
def test_errors_say_what_where_and_what_was_expected(
    client: TestClient, path: str, body: bytes, message: str
) -> None:
    response = client.post(path, content=body)
    assert response.status_code == 400
    assert message in response.json()["Message"]


def test_iso_times_are_understood(client: TestClient) -> None:
    body = {"StartTime": "2026-11-24T22:40:00Z", "EndTime": "2026-11-24T22:41:00+00:00"}
    assert client.post("/ServiceGraph", json=body).json()["StartTime"] == 1795560000.0


def test_unknown_path_is_404_in_xrays_form(client: TestClient) -> None:
    response = client.post("/Nowhere")
    assert response.status_code == 404
    assert response.headers["x-amzn-errortype"] == response.json()["__type"]
    assert response.json()["__type"] == "UnknownOperationException"


def test_large_body_is_413(client: TestClient) -> None:
    response = client.post("/Traces", content=b" " * (1 << 20) + b"{}")
    assert response.status_code == 413
    assert "__type" in response.json()


def test_request_ids_differ(client: TestClient) -> None:
    ids = {client.post("/Groups").headers["x-amzn-requestid"] for _ in range(3)}
    assert len(ids) == 3


class Unreachable(MemoryStore):
    """A database that cannot be reached."""

    def check(self) -> None:
        raise StoreUnavailable("connection refused (clickhouse:9000)")

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        raise StoreUnavailable("connection refused (clickhouse:9000)")


class Broken(MemoryStore):
    """A store with a mistake in it."""

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        raise KeyError("secret")


class Long(MemoryStore):
    """Whose minutes are too long to be divided."""

    def counted_window(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> CountedWindow:
        whole = TimeRange(window.start // MINUTE * MINUTE, -(-window.end // MINUTE) * MINUTE)
        return super().counted_window(whole, settled_before=settled_before)


def test_a_map_says_which_window_it_shows() -> None:
    client = TestClient(create_app(Long(), version="0"))
    graph = client.post("/ServiceGraph", json={"StartTime": 90, "EndTime": 200}).json()
    assert (graph["StartTime"], graph["EndTime"]) == (60, 240)
    drawn = client.get("/api/map?from=90&to=200").json()
    assert (drawn["from"], drawn["to"]) == (60, 240)


def test_unavailable_store_is_503_in_the_form_of_the_api() -> None:
    client = TestClient(create_app(Unreachable(), version="0"), raise_server_exceptions=False)
    response = client.post("/ServiceGraph", json={"StartTime": 1, "EndTime": 2})
    assert response.status_code == 503
    assert response.json()["__type"] == "ServiceUnavailableException"
    response = client.get("/api/map?from=1&to=2")
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "ServiceUnavailable"
    assert "connection refused" in response.json()["error"]["message"]
    assert client.get("/readyz").status_code == 503
    assert client.head("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    status = client.get("/api/status").json()
    assert (status["ready"], status["detail"]) == (False, "connection refused (clickhouse:9000)")


def test_mistakes_are_500_and_tell_nothing() -> None:
    client = TestClient(create_app(Broken(), version="0"), raise_server_exceptions=False)
    for response in (
        client.post("/ServiceGraph", json={"StartTime": 1, "EndTime": 2}),
        client.get("/api/map?from=1&to=2"),
    ):
        assert response.status_code == 500
        assert "secret" not in response.text
        assert "Traceback" not in response.text
        assert response.headers["x-amzn-requestid"]


def test_client_that_leaves_does_not_stop_the_server(address: str, store: MemoryStore) -> None:
    """Other requests are answered while the abandoned query still runs."""
    started, go_on = threading.Event(), threading.Event()

    def slow(window: TimeRange, *, settled_before: int | None = None) -> ServiceGraph:
        started.set()
        go_on.wait(60)
        return ServiceGraph({}, {})

    store.service_graph = slow  # type: ignore[method-assign]
    host, port = urlsplit(address).netloc.split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /api/map?from=1&to=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert started.wait(60)  # the client leaves while the query runs
    assert requests.get(f"{address}/healthz", timeout=60).status_code == 200
    go_on.set()
