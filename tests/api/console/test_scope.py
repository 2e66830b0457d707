"""Account, region and environment narrow every filtered read, in both APIs."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.v1 import PlaceList
from store.memory import MemoryStore
from store.model import Document, NodeKey
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0, segment, trace_id

NOW = T0 // SECOND + 60
WINDOW = f"from={NOW - 600}&to={NOW}"
EU, US = "eu-west-1", "us-east-1"


def request(number: int, account: str, region: str, environment: str = "", **more: Any) -> Document:
    """A request of its own trace; its service is named after the place."""
    name = f"shop-{account}-{region}-{environment or 'none'}"
    return segment(
        number,
        node=NodeKey(account, name, "AWS::Lambda::Function", region),
        service=name,
        trace_id=trace_id(number, epoch=T0 // SECOND),
        environment=environment,
        **more,
    )


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Two accounts with two stages each, one of them in another region, and one by annotation."""
    store = MemoryStore()
    store.put(
        [
            request(1, "111111111111", EU, "prod"),
            request(2, "111111111111", EU, "dev"),
            request(3, "222222222222", US, "prod"),
            request(4, "222222222222", US, "dev"),
            request(5, "222222222222", US, annotations=('stage="dev"',)),
        ],
        "a",
    )
    app = create_app(store, version="1", clock=lambda: float(NOW), environment_annotation="stage")
    return TestClient(app)


def traces(client: TestClient, query: str) -> set[int]:
    """The numbers of the traces, which both APIs agree on."""
    pages = [
        client.get(f"{path}?{WINDOW}&{query}").json() for path in ("/api/traces", "/api/v1/traces")
    ]
    first, second = ({int(each["id"][-4:], 16) for each in page["traces"]} for page in pages)
    assert first == second
    return first


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {1, 2, 3, 4, 5}),
        ("account=111111111111", {1, 2}),
        ("region=us-east-1", {3, 4, 5}),
        ("environment=prod", {1, 3}),
        ("environment=dev", {2, 4, 5}),
        ("account=222222222222&environment=prod", {3}),
        ("account=111111111111&region=us-east-1", set()),
        ('environment=prod&filter=account.id = "111111111111" OR fault', {1}),
        ("environment=%22%20OR%20ok", set()),
    ],
)
def test_traces(client: TestClient, query: str, expected: set[int]) -> None:
    assert traces(client, query) == expected


@pytest.mark.parametrize("path", ["/api/map", "/api/v1/map"])
def test_maps(client: TestClient, path: str) -> None:
    found = client.get(f"{path}?{WINDOW}&environment=prod&region=eu-west-1").json()
    names = {each["name"] for each in found.get("nodes") or found["services"]}
    assert names == {"shop-111111111111-eu-west-1-prod"}


def test_series_and_services(client: TestClient) -> None:
    services = client.get(f"/api/v1/services?{WINDOW}&environment=dev").json()["services"]
    assert sum(each["requests"] or 0 for each in services) == 3
    points = client.get(f"/api/v1/timeseries?{WINDOW}&environment=dev").json()["points"]
    assert sum(each["requests"] for each in points) == 3


def test_places(client: TestClient) -> None:
    places = get(client, f"/api/v1/places?{WINDOW}", PlaceList)
    assert places["accounts"] == ["111111111111", "222222222222"]
    assert places["regions"] == [EU, US]
    assert {(each["value"], each["traces"]) for each in places["environments"]} == {
        ("prod", 2),
        ("dev", 2),
    }


def test_an_empty_window_has_no_places(client: TestClient) -> None:
    places = get(client, "/api/v1/places?from=2020-01-01&to=2020-01-02", PlaceList)
    assert (places["accounts"], places["regions"], places["environments"]) == ([], [], [])


def test_without_the_annotation_only_what_is_known() -> None:
    store = MemoryStore()
    store.put([request(5, "222222222222", US, annotations=('stage="dev"',))], "a")
    client = TestClient(create_app(store, version="1", clock=lambda: float(NOW)))
    assert traces(client, "environment=dev") == set()
