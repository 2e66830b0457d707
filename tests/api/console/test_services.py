"""Maps above 2,000 nodes: unhealthy services stay visible, all names can be searched."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.app import create_app
from api.schemas.map import ServiceList, ServiceMap
from store.graph import ServiceGraph, ServiceStats, Statistics, Work
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange

WINDOW = {"from": 0, "to": 600}
FAILING, HEALTHY = 412, 2_600


class LargeMap(MemoryStore):
    """Few quiet services that fault among thousands of busy, healthy ones."""

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        failing = [stats(f"worker-{at}", ok=1, fault=1) for at in range(FAILING)]
        healthy = [stats(f"calm-{at}", ok=100 + at) for at in range(HEALTHY)]
        return ServiceGraph({each.key: each for each in failing + healthy}, {})


def stats(name: str, *, ok: int = 0, fault: int = 0) -> ServiceStats:
    """A node that answered requests, without edges."""
    statistics = Statistics(ok=ok, fault=fault, total_time=ok + fault, observed=ok + fault)
    work = Work(statistics, ok + fault)
    return ServiceStats(NodeKey("", name, ""), frozenset(), True, True, 0, 1, work)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(LargeMap(), version="0"))


@pytest.fixture(scope="module")
def drawn(client: TestClient) -> ServiceMap:
    found = client.get("/api/map", params=WINDOW).json()
    return TypeAdapter(ServiceMap).validate_python(found)


def search(client: TestClient, text: str, **more: int) -> ServiceList:
    found = client.get("/api/services", params={**WINDOW, "q": text, **more})
    assert found.status_code == 200, found.text
    return TypeAdapter(ServiceList).validate_python(found.json())


def test_failing_services_are_drawn_first_then_busy_ones(drawn: ServiceMap) -> None:
    names = {node["name"] for node in drawn["nodes"]}
    assert (len(names), drawn["left_out"]) == (2_000, FAILING + HEALTHY - 2_000)
    assert {f"worker-{at}" for at in range(FAILING)} <= names
    calm = {int(name.partition("-")[2]) for name in names if name.startswith("calm")}
    assert calm == set(range(HEALTHY - len(calm), HEALTHY))


def test_the_legend_counts_the_whole_map(drawn: ServiceMap) -> None:
    assert drawn["state_counts"] == {
        "ok": FAILING + HEALTHY,
        "error": 0,
        "throttle": 0,
        "fault": FAILING,
        "unknown": 0,
    }


def test_a_service_outside_the_drawn_map_is_found(client: TestClient) -> None:
    found = search(client, "CALM-7")
    assert found["total"] == 1 + 10 + 100
    first = found["services"][0]
    assert (first["name"], first["drawn"], first["requests"]) == ("calm-7", False, 107)
    assert len(found["services"]) == 50


def test_hits_are_ordered_by_match_then_health_then_traffic(client: TestClient) -> None:
    found = search(client, "worker-1", limit=3)
    assert found["services"][0]["name"] == "worker-1"
    assert [each["drawn"] for each in found["services"]] == [True] * 3
    mixed = search(client, "-41", limit=500)["services"]
    assert [each["fault"] for each in mixed[:3]] == [1, 1, 1]  # worker-41, -410, -411
    requests = [each["requests"] for each in mixed[3:]]
    assert requests == sorted(requests, key=lambda count: -(count or 0))


def test_a_search_without_text_is_refused(client: TestClient) -> None:
    for text in ("", "  "):
        refused = client.get("/api/services", params={**WINDOW, "q": text})
        assert refused.status_code == 400
        assert "q" in refused.json()["error"]["message"]
    assert search(client, "absent")["total"] == 0
