"""Services, operations and dependencies by name."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.v1 import OperationList
from raymap.contrib.jaeger.schemas import JaegerDependencies, JaegerNames, JaegerOperations
from store.errors import QueryLimitExceeded
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from store.protocol import CountedWindow
from store.times import DAY, SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment, trace_id
from tests.raymap.contrib.jaeger.conftest import ARRIVED, NOW

NAMES = ["job 0", "job 1", "job 2", "step"]


def test_services_are_those_that_sent_something(client: TestClient) -> None:
    """Neither clients nor nodes that are inferred from calls."""
    assert get(client, "/jaeger/api/services", JaegerNames)["data"] == ["front", "shop", "worker/a"]


def test_names_that_only_callers_use_are_no_services() -> None:
    """A function in an account, which the caller only knows as Lambda's."""
    function = NodeKey("", "resize", "AWS::Lambda::Function")
    caller = segment(1, calls=(call(2, node=function, service="Lambda", host=""),))
    store = MemoryStore()
    store.put([caller, segment(3, name="resize", node=function._replace(account="1"))], "a")
    (resize,) = (
        stats
        for node, stats in store.service_graph(TimeRange(T0, T0 + SECOND)).services.items()
        if node.name == "resize" and stats.active
    )
    assert "Lambda" in resize.names
    app = create_app(store, version="1", clock=lambda: T0 / 1e6 + 60)
    found = get(TestClient(app), "/jaeger/api/services", JaegerNames)["data"]
    assert found == ["frontend", "resize"]


class Uncounted(MemoryStore):
    """A store whose map takes longer than a request may: minutes wait to be counted."""

    def counted_window(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> CountedWindow:
        raise QueryLimitExceeded("ClickHouse ended a query: Timeout exceeded: elapsed 60 s")


@pytest.fixture
def uncounted() -> TestClient:
    store = Uncounted()
    store.put([segment(1), segment(2, trace_id=trace_id(2), start=T0 - 8 * DAY)], "a")
    app = create_app(store, version="1", clock=lambda: T0 / 1e6 + 60)
    return TestClient(app, raise_server_exceptions=False)


def test_names_need_no_map(uncounted: TestClient) -> None:
    assert get(uncounted, "/jaeger/api/services", JaegerNames)["data"] == ["frontend"]
    operations = "/jaeger/api/services/frontend/operations"
    assert get(uncounted, operations, JaegerNames)["data"] == ["frontend"]


def test_a_store_that_does_not_answer_in_time_is_503_in_jaegers_form(uncounted: TestClient) -> None:
    answer = uncounted.get("/jaeger/api/dependencies")
    assert answer.status_code == 503
    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["code"] == 503
    assert "elapsed 60 s" in answer.json()["errors"][0]["msg"]


@pytest.mark.parametrize("name", ["worker/a", "worker%2Fa"])
def test_operations_by_path(client: TestClient, name: str) -> None:
    url = f"/jaeger/api/services/{name}/operations"
    assert get(client, url, JaegerNames)["data"] == NAMES
    nothing = get(client, "/jaeger/api/services/none/operations", JaegerNames)
    assert (nothing["data"], nothing["total"]) == ([], 0)


def test_operations_by_parameter(client: TestClient) -> None:
    url = "/jaeger/api/operations?service=shop"
    found = get(client, url, JaegerOperations)["data"]
    kinds = {
        ("GET /orders", "server"),
        ("HGET", "client"),
        ("poll", "consumer"),
        ("sum", "internal"),
    }
    assert {(each["name"], each["spanKind"]) for each in found} == kinds
    client_side = get(client, f"{url}&spanKind=client", JaegerOperations)["data"]
    assert [each["name"] for each in client_side] == ["HGET"]
    refused = client.get("/jaeger/api/operations")
    assert (refused.status_code, refused.json()["errors"][0]["msg"]) == (
        400,
        "parameter 'service' is required",
    )


def test_operations_of_v1(client: TestClient) -> None:
    """Of X-Ray's segments by what they did, as in their traces."""
    window = f"from={NOW - 3600}&to={NOW}"
    found = get(client, f"/api/v1/operations?service=worker/a&{window}", OperationList)
    assert [(each["name"], each["kind"]) for each in found["operations"]] == [
        ("job 0", "server"),
        ("job 1", "server"),
        ("job 2", "server"),
        ("step", "internal"),
    ]
    assert {each["last_seen"] for each in found["operations"]} == {ARRIVED / SECOND}
    front = get(client, f"/api/v1/operations?service=front&{window}", OperationList)
    assert [(each["name"], each["kind"]) for each in front["operations"]] == [("GET /a", "server")]
    query = f"service=front&operation=GET%20/a&start={(NOW - 3600) * 10**6}&end={NOW * 10**6}"
    (trace,) = client.get(f"/jaeger/api/traces?{query}").json()["data"]
    assert "GET /a" in {span["operationName"] for span in trace["spans"]}
    later = f"from={NOW}&to={NOW + 60}"
    none = get(client, f"/api/v1/operations?service=front&{later}", OperationList)
    assert none["operations"] == []


def test_dependencies_are_the_edges(client: TestClient) -> None:
    url = f"/jaeger/api/dependencies?endTs={NOW * 1000}&lookback=604800000"
    found = get(client, url, JaegerDependencies)["data"]
    calls = {(each["parent"], each["child"]): each["callCount"] for each in found}
    assert calls == {("front", "shop"): 1, ("shop", "redis"): 1, ("shop", "shop"): 1}
    narrowed = get(client, f"{url}&service=redis", JaegerDependencies)["data"]
    assert narrowed == [{"parent": "shop", "child": "redis", "callCount": 1}]
    assert get(client, f"{url}&endTs=60000", JaegerDependencies)["data"] == []


@pytest.mark.parametrize("query", ["endTs=x", "lookback=1h", "lookback=0", "endTs=-5"])
def test_bad_dependencies(client: TestClient, query: str) -> None:
    answer = client.get(f"/jaeger/api/dependencies?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 400)


def test_what_is_not_there_is_404_in_jaegers_form(client: TestClient) -> None:
    for path in ("traces/" + "f" * 32, "metrics/jobs", ""):
        answer = client.get(f"/jaeger/api/{path}")
        assert (answer.status_code, answer.json()["data"]) == (404, None)
        assert answer.json()["errors"][0]["code"] == 404
    assert client.get("/jaeger/api/traces/xyz").status_code == 400


def test_a_function_does_not_call_itself() -> None:
    """Both nodes of a Lambda pair have one name: what joins them is no call. A recursive one is."""
    pair = [
        segment(1, name="resize", type="AWS::Lambda"),
        segment(2, name="resize", type="AWS::Lambda::Function", parent_id=1),
        segment(3, trace_id=trace_id(2), name="shop", calls=(call(4),)),
        segment(5, trace_id=trace_id(2), name="shop", parent_id=4),
    ]
    store = MemoryStore()
    store.put(pair, "a")
    app = create_app(store, version="1", clock=lambda: T0 / 1e6 + 60)
    found = get(TestClient(app), "/jaeger/api/dependencies", JaegerDependencies)["data"]
    assert found == [{"parent": "shop", "child": "shop", "callCount": 1}]
