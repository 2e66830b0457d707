"""Requests are measured by route and code, never by what a client made up."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from api.app import create_app
from store.memory import MemoryStore
from tests.api.shop import END, START, shop


@pytest.fixture
def client() -> TestClient:
    store = MemoryStore()
    store.put(shop(), "shop")
    return TestClient(create_app(store, version="0"))


def count(route: str, code: int) -> float:
    labels = {"route": route, "code": str(code)}
    return REGISTRY.get_sample_value("raymap_http_request_seconds_count", labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "route", "code"),
    [
        ("GET", f"/api/map?from={START}&to={END}", "/api/map", 200),
        ("GET", "/api/map?from=x&to=y", "/api/map", 400),
        ("GET", "/api/traces/nonsense", "/api/traces/{id}", 400),
        ("GET", f"/api/v1/services?from={START}&to={END}", "/api/v1/services", 200),
        ("POST", "/GetSamplingRules", "/GetSamplingRules", 200),
        ("GET", "/healthz", "/healthz", 200),
        ("GET", "/api/made/up", "/{path}", 404),
        ("POST", "/made/up", "/{path}", 404),
        ("DELETE", "/api/map", "/{path}", 405),
    ],
)
def test_a_request_is_counted_by_its_route(
    client: TestClient, method: str, path: str, route: str, code: int
) -> None:
    before = count(route, code)
    assert client.request(method, path, json={} if method == "POST" else None).status_code == code
    assert count(route, code) == before + 1


def test_made_up_paths_make_no_series(client: TestClient) -> None:
    for number in range(20):
        client.get(f"/made-up-{number}")
    samples = [s for metric in REGISTRY.collect() for s in metric.samples]
    assert not [s for s in samples if "made-up" in s.labels.get("route", "")]
