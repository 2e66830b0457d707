"""The Monitor tab of Jaeger's UI has the map's figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from raymap.contrib.jaeger.schemas_v3 import MetricFamily
from store.memory import MemoryStore
from tests.api.console.test_map import get
from tests.builders import T0, segment
from tests.raymap.contrib.jaeger.conftest import NOW

METRICS = "/jaeger/api/metrics"
HOUR = f"endTs={NOW * 1000}&lookback=3600000&step=60000"


def family(client: TestClient, name: str, query: str) -> dict[str, Any]:
    found: dict[str, Any] = get(client, f"{METRICS}/{name}?{HOUR}&{query}", MetricFamily)
    return found


def values(metric: dict[str, Any]) -> list[Any]:
    return [point["gaugeValue"]["doubleValue"] for point in metric["metricPoints"]]


def test_rates_add_up_to_the_requests(client: TestClient) -> None:
    found = family(client, "calls", "service=worker/a")
    assert (found["name"], found["type"]) == ("service_call_rate", "GAUGE")
    [metric] = found["metrics"]
    assert metric["labels"] == [{"name": "service_name", "value": "worker/a"}]
    assert len(metric["metricPoints"]) in (60, 61)
    assert sum(values(metric)) * 60 == pytest.approx(9, abs=0.001)


@pytest.mark.parametrize("seconds", [0, 30, 59])
def test_a_step_that_has_not_ended_is_none(client: TestClient, seconds: int) -> None:
    """Its rate would be that of a service whose traffic breaks off."""
    end = NOW + seconds
    query = f"endTs={end * 1000}&lookback=600000&step=60000&service=worker/a"
    [metric] = get(client, f"{METRICS}/calls?{query}", MetricFamily)["metrics"]
    last = datetime.fromisoformat(metric["metricPoints"][-1]["timestamp"]).timestamp()
    assert end - 60 < last <= end


def test_a_window_before_the_first_step_has_one(client: TestClient) -> None:
    found = get(client, f"{METRICS}/calls?endTs=1000&lookback=500&service=worker/a", MetricFamily)
    assert found["metrics"] == []


def test_latencies_are_milliseconds_and_nan_without_requests(client: TestClient) -> None:
    [metric] = family(client, "latencies", "service=worker/a&quantile=0.5")["metrics"]
    values_of_steps = [value for value in values(metric) if value != "NaN"]
    assert values_of_steps == [pytest.approx(500, rel=0.02)]
    assert "NaN" in values(metric)


def test_errors_are_the_share_of_faults(client: TestClient) -> None:
    """One of the two requests of the shop failed, what it took from a queue did not."""
    [metric] = family(client, "errors", "service=shop")["metrics"]
    assert [value for value in values(metric) if value != "NaN"] == [0.5]


def test_each_operation_by_itself(client: TestClient) -> None:
    found = family(client, "calls", "service=worker/a&groupByOperation=true")
    assert found["name"] == "service_operation_call_rate"
    rates = {metric["labels"][1]["value"]: values(metric) for metric in found["metrics"]}
    assert set(rates) == {"job 0", "job 1", "job 2"}
    assert [rate * 3600 for [rate] in rates.values()] == [pytest.approx(3, rel=0.02)] * 3


def test_a_segment_without_an_operation_is_called_like_its_service(client: TestClient) -> None:
    found = family(client, "calls", "service=front&groupByOperation=true")["metrics"]
    names = {metric["labels"][1]["value"] for metric in found}
    listed = client.get("/jaeger/api/v3/operations?service=front").json()["operations"]
    assert names == {each["name"] for each in listed if each["spanKind"] == "server"}


def test_an_invocation_of_a_function_counts_once() -> None:
    """Lambda's segment and the function's have one name."""
    pair = [
        segment(1, name="resize", type="AWS::Lambda"),
        segment(2, name="resize", type="AWS::Lambda::Function", parent_id=1),
    ]
    store = MemoryStore()
    store.put(pair, "a")
    client = TestClient(create_app(store, version="1", clock=lambda: T0 / 1e6 + 60))
    query = f"service=resize&endTs={T0 // 1000 + 60_000}&lookback=600000"
    [metric] = get(client, f"{METRICS}/calls?{query}", MetricFamily)["metrics"]
    assert sum(values(metric)) * 60 == pytest.approx(1, abs=0.001)


def test_an_unknown_service_has_no_metrics(client: TestClient) -> None:
    assert family(client, "calls", "service=unknown")["metrics"] == []


def test_several_services_as_jaegers_ui_joins_them(client: TestClient) -> None:
    for query in ("service=shop&service=front", "service=shop,service=front"):
        found = family(client, "calls", query)["metrics"]
        assert [metric["labels"][0]["value"] for metric in found] == ["shop", "front"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("calls", "at least one service name"),
        ("latencies?service=shop", "quantile"),
        ("latencies?service=shop&quantile=nan", "quantile"),
        ("calls?service=shop&spanKind=client", "'client' is not counted"),
        ("calls?service=shop&spanKind=x", "unsupported span kind"),
        ("calls?service=shop&endTs=soon", "endTs"),
    ],
)
def test_what_cannot_be_answered_is_refused(client: TestClient, path: str, words: str) -> None:
    answer = client.get(f"{METRICS}/{path}")
    assert answer.status_code == 400
    assert words in answer.json()["errors"][0]["msg"]


def test_the_least_step(client: TestClient) -> None:
    assert client.get(f"{METRICS}/minstep").json()["data"] == 60_000
