"""A node's metrics: which source of each is shown, over HTTP and as charts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from collector.decode.document import decode_document
from store.log_lines import LogLine
from store.memory import MemoryStore
from store.model import NodeKey
from store.platform_metrics import MetricPoint
from store.times import MINUTE, SECOND
from tests.builders import T0, segment, trace_id

START = T0 // (5 * MINUTE) * 5 * MINUTE
WINDOW = f"from={START // SECOND}&to={START // SECOND + 600}"
FUNCTION = "AWS::Lambda::Function"


@pytest.fixture
def http(store: MemoryStore) -> TestClient:
    app: FastAPI = create_app(store, version="1", clock=lambda: START / SECOND + 600)
    return TestClient(app)


def put(store: MemoryStore, origin: str = FUNCTION, name: str = "checkout") -> None:
    """Two requests, of which one failed."""
    for number in (1, 2):
        document = {
            "trace_id": f"1-{START // SECOND:08x}-{number:024x}",
            "id": f"{number:016x}",
            "name": name,
            "origin": origin,
            "start_time": START / SECOND + number,
            "end_time": START / SECOND + number + 0.1 * number,
            "fault": number == 2,
        }
        store.put([decode_document(json.dumps(document).encode(), T0 + number)], str(number))


def point(metric: str, value: float, minute: int = 0, **members: Any) -> MetricPoint:
    at = START // MINUTE + minute
    known: dict[str, Any] = {"unit": "Count", "point": minute}
    given = ("checkout", FUNCTION, "", "", metric, at, value, 1.0, value, value)
    return MetricPoint(*given, **(known | members))


def put_stage(store: MemoryStore, number: int, environment: str) -> None:
    """A request of a stage."""
    at = START + number * SECOND
    function = NodeKey("", "checkout", FUNCTION)
    of = {"trace_id": trace_id(number, epoch=START // SECOND), "start": at, "end": at + 9}
    known = {"node": function, "environment": environment, **of}
    store.put([segment(number, service="checkout", **known)], environment)


def node_of(http: TestClient, name: str = "checkout", query: str = "") -> str:
    services = http.get(f"/api/v1/services?{WINDOW}{query}").json()["services"]
    (id,) = [each["id"] for each in services if each["name"] == name and each["type"] != "client"]
    return str(id)


def metrics(http: TestClient, name: str = "checkout", query: str = "") -> dict[str, dict[str, Any]]:
    id = node_of(http, name, query)
    answer = http.get(f"/api/v1/nodes/{id}/metrics?{WINDOW}{query}").json()
    assert answer["period"] == 60
    return {each["Label"]: each for each in answer["MetricDataResults"]}


def test_traces_alone(store: MemoryStore, http: TestClient) -> None:
    """What they say is theirs; what they cannot know says how to send it."""
    put(store)
    found = metrics(http)
    assert list(found) == [
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "IteratorAge",
        "DeadLetterErrors",
        "ConcurrentExecutions",
        "InitDuration",
        "MaxMemoryUsed",
        "BilledDuration",
    ]
    invocations = found["Invocations"]
    assert (invocations["Source"], invocations["Values"], invocations["StatusCode"]) == (
        "traces",
        [2.0],
        "Complete",
    )
    assert invocations["Timestamps"] == [START / SECOND]
    assert found["Errors"]["Values"] == [1.0]
    assert found["Duration"]["Values"] == pytest.approx([150.0])
    assert found["IteratorAge"]["Source"] is None
    assert "/firehose/metrics" in found["IteratorAge"]["Help"]
    assert "raymap-lambda" in found["InitDuration"]["Help"]


def test_the_platform_comes_before_records_and_those_before_traces(
    store: MemoryStore, http: TestClient
) -> None:
    put(store)
    store.put_metric_points(
        [
            point("AWS/Lambda/Invocations", 7),
            point("AWS/Lambda/Invocations", 3, 1),
            point("Lambda/Invocations", 5),
            point("Lambda/Errors", 2),
            point("Lambda/InitDuration", 12.5, unit="ms"),
            point("Lambda/InitDuration", 7.5, unit="ms", point=9),
            point("Lambda/MaxMemoryUsed", 90, unit="MB"),
            point("AWS/Lambda/ConcurrentExecutions", 4),
            point("Shop/orders", 2),
            point("Lambda/MemorySize", 512),
        ],
        "t",
    )
    found = metrics(http)
    said = {label: (each["Source"], each["Values"]) for label, each in found.items()}
    assert said["Invocations"] == ("platform metrics", [7, 3])
    assert said["Errors"] == ("platform records", [2])
    assert said["Duration"][0] == "traces"
    assert said["InitDuration"] == ("platform records", [10])
    assert said["MaxMemoryUsed"] == ("platform records", [90])
    assert said["ConcurrentExecutions"] == ("platform metrics", [4])
    assert said["Shop/orders"] == ("application", [2])
    assert len(found) == 11


def test_other_nodes_have_what_is_stored_of_them(store: MemoryStore, http: TestClient) -> None:
    put(store, "AWS::SQS::Queue", "orders")
    assert metrics(http, "orders") == {}
    age = ("orders", "AWS::SQS::Queue", "", "", "AWS/SQS/ApproximateAgeOfOldestMessage")
    store.put_metric_points([MetricPoint(*age, START // MINUTE, 9.0, 3.0, 1.0, 5.0, "s")], "t")
    (found,) = metrics(http, "orders").values()
    assert (found["Stat"], found["Values"], found["Source"]) == ("Average", [3], "platform metrics")


def test_charts(store: MemoryStore, http: TestClient) -> None:
    put(store)
    id = node_of(http)
    charts = http.get(f"/api/nodes/{id}/metrics?{WINDOW}").json()["charts"]
    first = charts[0]
    assert (first["label"], first["total"], first["source"]) == ("Invocations", 2, "traces")
    assert first["figure"]["data"][0]["y"] == [2.0]
    assert [chart["figure"] for chart in charts if chart["source"] is None] == [None] * 6
    assert http.get(f"/api/nodes/x/metrics?{WINDOW}").status_code == 404


def test_a_scope_narrows_what_traces_say(store: MemoryStore, http: TestClient) -> None:
    """The platform does not know which trace its figures are of."""
    put(store)
    put_stage(store, 3, "prod")
    store.put_metric_points([point("AWS/Lambda/Throttles", 7)], "t")
    every, prod = metrics(http), metrics(http, query="&environment=prod")
    assert every["Invocations"]["Values"] == [3.0]
    assert (prod["Invocations"]["Values"], prod["Invocations"]["Source"]) == ([1.0], "traces")
    assert prod["Throttles"]["Values"] == every["Throttles"]["Values"] == [7]
    (id,) = {node_of(http), node_of(http, query="&environment=prod")}
    charts = http.get(f"/api/nodes/{id}/metrics?{WINDOW}&environment=prod").json()["charts"]
    assert charts[0]["total"] == 1
    nowhere = http.get(f"/api/v1/nodes/{id}/metrics?{WINDOW}&environment=test")
    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "NoSuchNode")


def test_errors_that_records_alone_count_say_so(store: MemoryStore, http: TestClient) -> None:
    """They do not contain handlers that raised, unless the function's runtime logs each of them."""
    put(store)
    store.put_metric_points([point("Lambda/Errors", 0.0)], "a")
    assert "docs/lambda.md" in metrics(http)["Errors"]["Help"]
    body = "INIT_START Runtime Version: python:3.12.v38"
    begun = {
        "name": "checkout",
        "type": FUNCTION,
        "record": "init",
        "log_stream": "2026/11/24/[7]0",
    }
    store.put_log_lines([LogLine(START, body, **begun)], "b")  # type: ignore[arg-type]
    assert metrics(http)["Errors"]["Help"] == ""


def test_errors_of_cloudwatch_contain_what_raised(store: MemoryStore, http: TestClient) -> None:
    put(store)
    store.put_metric_points([point("AWS/Lambda/Errors", 0.0)], "a")
    assert metrics(http)["Errors"]["Help"] == ""
