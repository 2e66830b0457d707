"""Background work in answers: counted apart from requests, each number with its list."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import networkx as nx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.graph.build import node_id
from api.schemas.details import NodeDetail
from api.schemas.map import MapNode, ServiceMap
from api.schemas.traces import TraceList
from api.schemas.v1 import MapNumbers, TimeSeries
from store.memory import MemoryStore
from store.model import Document, Kind, NodeKey, State
from store.times import MINUTE, SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment, trace_id

START = T0 // SECOND
WINDOW = f"from={START}&to={START + 600}"
SHOP, BATCH = NodeKey("", "shop", ""), NodeKey("", "batch", "")
STATES = ("ok", "error", "throttle", "fault", "in_progress")


def request(number: int, **change: object) -> Document:
    """A request of the shop, 20 ms."""
    at = T0 + number * SECOND
    given = {"node": SHOP, "kind": Kind.SERVER, "start": at, "end": at + 20_000}
    return segment(number, trace_id=trace_id(number), **{**given, **change})


def job(number: int, **change: object) -> Document:
    """A job of 20 minutes, which calls a table."""
    end = T0 + number * SECOND + 20 * MINUTE
    table = call(1000 + number, node=NodeKey("", "orders", "AWS::DynamoDB::Table"))
    return request(number, **{"kind": Kind.INTERNAL, "end": end, "calls": (table,), **change})


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app)


@pytest.fixture
def stored(client: TestClient, store: MemoryStore) -> TestClient:
    """A shop with requests and jobs, and a service with jobs alone."""
    requests = [request(number) for number in range(1, 9)]
    failed = [request(9, state=State.FAULT), request(10, state=State.IN_PROGRESS)]
    jobs = [job(20), job(21), job(22, state=State.ERROR), job(23, state=State.IN_PROGRESS)]
    batch = [job(number, node=BATCH) for number in (30, 31)]
    store.put([*requests, *failed, *jobs, *batch], "all")
    return client


def node_of(client: TestClient, node: NodeKey, more: str = "") -> MapNode:
    """A node of the map."""
    found: list[MapNode] = get(client, f"/api/map?{WINDOW}{more}", ServiceMap)["nodes"]
    return next(each for each in found if each["id"] == node_id(node))


def listed(client: TestClient, node: NodeKey, more: str = "") -> TraceList:
    """The list of a node."""
    path = f"/api/traces?{WINDOW}&limit=500&node={node_id(node)}{more}"
    found: TraceList = get(client, path, TraceList)
    return found


def counts_of(figures: Mapping[str, Any], work: str) -> dict[str, int]:
    """Units of a node by state: its figures, its requests or its background work."""
    none = dict.fromkeys(STATES, 0)
    if work in ("", figures["work"]):
        return {state: figures[state] for state in STATES}
    return (
        {state: figures["background"][state] for state in STATES}
        if work == "background" and figures["background"]
        else none
    )


def test_a_job_is_not_among_the_requests(stored: TestClient) -> None:
    shop = node_of(stored, SHOP)
    assert (shop["requests"], shop["fault"], shop["error"], shop["in_progress"]) == (9, 1, 0, 1)
    assert (shop["avg_ms"], shop["traces_per_min"], shop["work"]) == (20, 1, "requests")
    apart = shop["background"]
    assert apart is not None
    assert (apart["requests"], apart["error"], apart["in_progress"]) == (3, 1, 1)
    assert (apart["avg_ms"], apart["observed"], apart["traces_per_min"]) == (1_200_000, 4, 0.4)


def test_a_service_with_jobs_alone_shows_them(stored: TestClient) -> None:
    batch = node_of(stored, BATCH)
    assert batch["work"] == "background"
    assert batch["background"] == {name: batch[name] for name in batch["background"] or ()}  # type: ignore[literal-required]
    assert (batch["requests"], batch["avg_ms"], batch["traces_per_min"]) == (2, 1_200_000, 0.2)


def test_each_number_has_its_list(stored: TestClient) -> None:
    for node in (SHOP, BATCH):
        figures = node_of(stored, node)
        for work in ("", "requests", "background"):
            of_work = f"&work={work}" if work else ""
            counts = counts_of(figures, work)
            for state in STATES:
                found = listed(stored, node, f"{of_work}&status={state}")
                number = counts[state]
                assert len(found["traces"]) == found["matching_units"] == number, (
                    node,
                    work,
                    state,
                )
    ids = [{each["id"] for each in listed(stored, SHOP, f"&work={work}")["traces"]} for work in ("requests", "background")]  # fmt: skip
    assert ids[0].isdisjoint(ids[1])


def test_of_selected_traces_too(stored: TestClient) -> None:
    chosen = f"&filter={quote('error OR ok')}"
    shop = node_of(stored, SHOP, chosen)
    assert shop["background"] is not None
    for work, number in (("requests", shop["requests"]), ("background", shop["background"]["requests"])):  # fmt: skip
        assert len(listed(stored, SHOP, f"&work={work}{chosen}")["traces"]) == number
    only = f"&filter={quote('error')}"
    assert node_of(stored, SHOP, only)["work"] == "background"


def test_details_are_those_of_the_ring(stored: TestClient) -> None:
    for node, number in ((SHOP, 10), (BATCH, 2)):
        found = get(stored, f"/api/nodes/{node_id(node)}?{WINDOW}", NodeDetail)
        assert found["histogram"]["layout"]["yaxis"]["title"]["text"] == found["node"]["work"]
        bars = found["over_time"]["data"]
        assert sum(sum(bar["y"]) for bar in bars) + (found["node"]["in_progress"] or 0) == number
        series = get(stored, f"/api/v1/timeseries?{WINDOW}&node={node_id(node)}", TimeSeries)
        assert sum(each["requests"] or 0 for each in series["points"]) == found["node"]["requests"]


def test_the_period_before_is_compared_by_the_same_work(
    client: TestClient, store: MemoryStore
) -> None:
    """Jobs of before are not what the requests of now are compared with."""
    store.put([job(1), request(301), job(302)], "all")
    halves = f"from={START + 300}&to={START + 600}"
    found = get(client, f"/api/nodes/{node_id(SHOP)}?{halves}", NodeDetail)
    assert (found["node"]["work"], found["before"]) == ("requests", None)


@pytest.mark.parametrize("format", ["node-link", "graphml"])
def test_exports_have_them(stored: TestClient, format: str) -> None:
    numbers = get(stored, f"/api/v1/map?{WINDOW}", MapNumbers)
    answer = stored.get(f"/api/v1/map?{WINDOW}&format={format}")
    if format == "graphml":
        graph = nx.read_graphml(io.BytesIO(answer.content))
    else:
        graph = nx.node_link_graph(answer.json(), edges="edges")
    for node in numbers["services"]:
        attributes = graph.nodes[node["id"]]
        assert attributes["work"] == node["work"]
        apart = node["background"] or {}
        there = {name for name in attributes if name.startswith("background_")}
        assert there == {f"background_{name}" for name, value in apart.items() if value is not None}
        assert all(attributes[f"background_{name}"] == value for name, value in apart.items())


def test_xray_has_the_ring(stored: TestClient) -> None:
    body = {"StartTime": START, "EndTime": START + 600}
    services = stored.post("/ServiceGraph", json=body).json()["Services"]
    by_name = {each["Name"]: each for each in services if each.get("Type") != "client"}
    shop, batch = by_name["shop"]["SummaryStatistics"], by_name["batch"]["SummaryStatistics"]
    assert (shop["TotalCount"], shop["TotalResponseTime"]) == (9, 0.18)
    assert (batch["TotalCount"], batch["TotalResponseTime"]) == (2, 2400.0)


def test_what_is_meant_is_said(client: TestClient) -> None:
    answer = client.get(f"/api/traces?{WINDOW}&work=background")
    assert answer.status_code == 400
    assert "work needs the node" in answer.json()["error"]["message"]
    assert client.get(f"/api/traces?{WINDOW}&node=n1&work=jobs").status_code == 400
