"""Deployments on the console's charts."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.console.marks import MOST_MARKS, with_marks
from api.graph.build import node_id
from store.deployments import Deployment
from store.memory import MemoryStore
from store.model import NodeKey
from store.times import SECOND
from tests.api.shop import END, FRONT, START, shop
from tests.builders import T0

WINDOW = f"from={START}&to={END}"
STOCK = NodeKey("", "stock", "")


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.put(shop(), "shop")
    for deployment in (
        Deployment("a", T0 + SECOND, "front", "42", state="success", note="<b>"),
        Deployment("b", T0 + 2 * SECOND, "stock", "7"),
        Deployment("c", T0 + 3 * SECOND, state="start", note="d-1"),
        Deployment("d", T0 - SECOND, "front", "41"),
    ):
        store.put_deployment(deployment, T0)
    return store


@pytest.fixture
def client(store: MemoryStore) -> TestClient:
    return TestClient(create_app(store, version="1", clock=lambda: END + 0.25))


def words(figure: Any) -> list[str]:
    layout = figure["layout"]
    assert len(layout["shapes"]) == len(layout["annotations"])
    return [each["text"] for each in layout["annotations"]]


def test_a_nodes_chart_has_its_deployments(client: TestClient) -> None:
    """And those of no service in particular, as CodeDeploy's."""
    figure = client.get(f"/api/nodes/{node_id(FRONT)}?{WINDOW}").json()["over_time"]
    assert words(figure) == ["start", "front v42"]
    line, text = figure["layout"]["shapes"][1], figure["layout"]["annotations"][1]
    assert line["x0"] == line["x1"] == text["x"]
    assert text["hovertext"] == "front v42 · success · &lt;b&gt;"
    filtered = client.get(f"/api/nodes/{node_id(FRONT)}?{WINDOW}&filter=fault").json()
    assert words(filtered["over_time"]) == ["start", "front v42"]


def test_an_edges_chart_has_those_of_both_ends(client: TestClient) -> None:
    address = f"/api/edges/{node_id(FRONT)}/{node_id(STOCK)}?{WINDOW}"
    assert words(client.get(address).json()["over_time"]) == ["start", "stock v7", "front v42"]


def test_the_chart_of_traces_has_all(client: TestClient) -> None:
    assert words(client.get(f"/api/traces/figure?{WINDOW}").json()) == [
        "start",
        "stock v7",
        "front v42",
    ]


def test_marks_are_bounded(client: TestClient, store: MemoryStore) -> None:
    """The latest ones are shown."""
    for number in range(MOST_MARKS):
        store.put_deployment(Deployment(f"x{number}", T0 + 10 * SECOND, "front", "43"), T0)
    figure = client.get(f"/api/traces/figure?{WINDOW}").json()
    assert words(figure) == ["front v43"] * MOST_MARKS


def test_a_chart_without_deployments_is_as_before(client: TestClient, store: MemoryStore) -> None:
    for id in "abcd":
        store.remove_deployment(id, T0)
    layout = client.get(f"/api/traces/figure?{WINDOW}").json()["layout"]
    assert not layout.keys() & {"shapes", "annotations"}


@pytest.mark.parametrize(
    ("service", "version", "expected"),
    [
        ("catalog", "497", "catalog v497"),
        ("catalog", "v497", "catalog v497"),
        ("catalog", "3fa9c1e", "catalog v3fa9c1e"),
        ("catalog", "release-9", "catalog release-9"),
        ("", "497", "v497"),
        ("a-service-of-a-long-name-in", "1.4.2", "…f-a-long-name-in v1.4.2"),
    ],
)
def test_a_mark_says_of_what(store: MemoryStore, service: str, version: str, expected: str) -> None:
    """A bare 497 is a riddle; the end of long words is what tells two apart."""
    figure = with_marks({"data": [], "layout": {}}, [Deployment("a", T0, service, version)])
    assert words(figure) == [expected]
