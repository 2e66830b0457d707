"""The map with its ratios, and in networkx's formats."""

from __future__ import annotations

import io
from typing import Any

import networkx as nx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore
from store.model import State
from store.times import SECOND
from tests.api.graph.test_ratios import RATIOS, store
from tests.builders import T0, segment, trace_id

__all__ = ["store"]
QUERY = f"from={T0 // SECOND}&to={T0 // SECOND + 120}"


@pytest.fixture
def http(store: MemoryStore) -> TestClient:
    return TestClient(create_app(store, version="1", clock=lambda: T0 / SECOND + 120))


def read(http: TestClient, format: str) -> nx.DiGraph:
    answer = http.get(f"/api/v1/map?{QUERY}&format={format}")
    if format == "graphml":
        assert answer.headers["content-type"] == "application/graphml+xml"
        return nx.read_graphml(io.BytesIO(answer.content))
    return nx.node_link_graph(answer.json(), edges="edges")


def test_the_maps_ratios_are_its_counts_divided(http: TestClient) -> None:
    """So those that the console divides itself agree."""
    answer = http.get(f"/api/v1/map?{QUERY}").json()
    assert len(answer["services"]) == 3
    for each in answer["services"] + answer["edges"]:
        for state in ("ok", "error", "throttle", "fault"):
            share = each[state] / each["requests"] if each["requests"] else None
            assert each[f"{state}_ratio"] == share
        assert each["average_ms"] == each["avg_ms"]
    (edge,) = (each for each in answer["edges"] if each["target_name"] == "orders")
    assert edge["traces_per_min"] == edge["requests_per_min"] == 5.0


def test_pages_have_the_same_ratios(http: TestClient) -> None:
    whole = http.get(f"/api/v1/map?{QUERY}").json()
    for name in ("services", "edges"):
        page = http.get(f"/api/v1/{name}?{QUERY}").json()[name]
        key = [(each["id"], each["fault_ratio"]) for each in page]
        assert sorted(key) == sorted((each["id"], each["fault_ratio"]) for each in whole[name])


@pytest.mark.parametrize("format", ["node-link", "graphml"])
def test_networkx_reads_the_graph_back(http: TestClient, format: str) -> None:
    graph, numbers = read(http, format), http.get(f"/api/v1/map?{QUERY}").json()
    assert graph.is_directed()
    by_id: dict[str, Any] = {each["id"]: each for each in numbers["services"]}
    assert set(graph) == set(by_id)
    for id, values in graph.nodes(data=True):
        assert values == {k: v for k, v in by_id[id].items() if k in values}
        assert {"name", "type", "kind", "state"} <= values.keys()
    (table,) = (id for id, values in graph.nodes(data=True) if values["name"] == "orders")
    ((_, _, edge),) = graph.in_edges(table, data=True)
    assert {name: edge[name] for name in RATIOS} == RATIOS
    assert (edge["average_ms"], edge["traces_per_min"]) == (10.0, 5.0)
    assert graph.graph["to"] == T0 / SECOND + 120


def test_names_that_xml_cannot_contain(store: MemoryStore, http: TestClient) -> None:
    of = {"trace_id": trace_id(99, epoch=T0 // SECOND), "start": T0, "end": T0 + 9}
    store.put([segment(0x99, name="a\x01<b>", state=State.OK, **of)], "odd")
    names = {values["name"] for _, values in read(http, "graphml").nodes(data=True)}
    assert "a\ufffd<b>" in names


def test_an_unknown_format_is_refused(http: TestClient) -> None:
    assert http.get(f"/api/v1/map?{QUERY}&format=dot").status_code == 400
