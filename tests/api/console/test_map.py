"""The console's API conforms to its schemas (docs/console-api.md, api/schemas)."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.app import create_app
from api.console import trace_lists
from api.context import Thresholds
from api.graph.build import edge_id, node_id
from api.schemas.common import ErrorReply
from api.schemas.details import EdgeDetail, NodeDetail
from api.schemas.map import ServiceMap
from api.schemas.server import ServerStatus
from api.schemas.traces import RawTrace, TraceDetail, TraceFigure, TraceList
from store.memory import MemoryStore
from store.model import NodeKey, State
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.api.conftest import INGEST
from tests.api.shop import END, FRONT, START, TABLE, order, shop
from tests.builders import T0, segment, subsegment, trace_id

WINDOW = f"from={START}&to={END}"
CLIENT = NodeKey("", "front", "client")


@pytest.fixture
def client(app: FastAPI, store: MemoryStore) -> TestClient:
    store.put(shop(), "shop")
    return TestClient(app, raise_server_exceptions=False)


def get(client: TestClient, url: str, shape: Any) -> Any:
    """A successful answer, whose members are exactly those of the shape."""
    response = client.get(url)
    assert response.status_code == 200, response.text
    TypeAdapter(shape).validate_python(response.json(), strict=False, extra="forbid")
    return response.json()


def test_a_folded_map_has_all_nodes_and_figures_of_the_whole(client: TestClient) -> None:
    whole = get(client, f"/api/map?{WINDOW}", ServiceMap)
    folded = get(client, f"/api/map?{WINDOW}&fold=true", ServiceMap)
    places = {"x", "y", "rank", "drawn_with"}
    figures = [{k: v for k, v in node.items() if k not in places} for node in whole["nodes"]]
    assert [
        {k: v for k, v in node.items() if k not in places} for node in folded["nodes"]
    ] == figures
    assert {node["drawn_with"] for node in whole["nodes"]} == {None}
    drawn_with = {node["id"]: node["drawn_with"] for node in folded["nodes"] if node["drawn_with"]}
    service, function = (NodeKey("", "resize", f"AWS::Lambda{half}") for half in ("", "::Function"))
    assert drawn_with[node_id(function)] == node_id(service)
    assert drawn_with[node_id(CLIENT)] == node_id(FRONT)
    assert whole["state_counts"]["ok"] == folded["state_counts"]["ok"] + 1
    ids = [{edge["id"] for edge in found["edges"]} for found in (whole, folded)]
    assert ids[0] == ids[1]


def test_map_has_places_figures_and_rates(client: TestClient) -> None:
    found = get(client, f"/api/map?{WINDOW}", ServiceMap)
    assert (found["from"], found["to"], found["has_traces"]) == (START, END, True)
    assert (found["total_nodes"], found["left_out"]) == (7, 0)
    nodes = {node["id"]: node for node in found["nodes"]}
    front = nodes[node_id(FRONT)]
    assert (front["kind"], front["state"], front["root"]) == ("service", "active", True)
    assert [front[s] for s in ("requests", "ok", "error", "throttle", "fault")] == [6, 3, 1, 1, 1]
    assert (front["avg_ms"], front["p50_ms"], front["p99_ms"]) == (100, 100, 100)
    assert front["traces_per_min"] == 0.6
    assert nodes[node_id(CLIENT)]["x"] < front["x"] < nodes[node_id(TABLE)]["x"]
    assert nodes[node_id(CLIENT)]["requests"] is None
    edges = {edge["id"]: edge for edge in found["edges"]}
    assert edges[edge_id(FRONT, TABLE)]["requests_per_min"] == 0.6
    assert all(edge["source"] in nodes and edge["target"] in nodes for edge in edges.values())


def test_a_newcomer_moves_nothing(client: TestClient, store: MemoryStore) -> None:
    """Neither for who refreshes nor for who comes later, until the map is arranged again."""
    places = _places(client)
    store.put([order(7, name="kiosk", trace_id=trace_id(7, epoch=START))], "kiosk")
    grown = _places(client)
    assert {id: grown[id] for id in places} == places
    assert len(grown) == len(places) + 3
    assert get(client, f"/api/map?{WINDOW}", ServiceMap)["placed_later"] == 3
    assert client.post("/api/map/arrange").status_code == 204
    assert get(client, f"/api/map?{WINDOW}", ServiceMap)["placed_later"] == 0
    assert _places(client) != grown


def _places(client: TestClient) -> dict[str, tuple[float, float]]:
    nodes = get(client, f"/api/map?{WINDOW}", ServiceMap)["nodes"]
    return {node["id"]: (node["x"], node["y"]) for node in nodes}


def test_empty_map_tells_a_new_store_from_a_quiet_hour(app: FastAPI, store: MemoryStore) -> None:
    client = TestClient(app)
    assert get(client, f"/api/map?{WINDOW}", ServiceMap)["has_traces"] is False
    store.put(shop(), "shop")
    quiet = get(client, "/api/map?from=1&to=2", ServiceMap)
    assert (quiet["has_traces"], quiet["nodes"], quiet["edges"]) == (True, [], [])


def test_focus_shows_the_neighbourhood(client: TestClient) -> None:
    url = f"/api/map/focus?{WINDOW}&node={node_id(TABLE)}"
    near = get(client, url, ServiceMap)
    assert {node["id"] for node in near["nodes"]} == {node_id(TABLE), node_id(FRONT)}
    assert len(get(client, f"{url}&hops=2", ServiceMap)["nodes"]) == 4
    assert client.get(f"/api/map/focus?{WINDOW}&node=n0").status_code == 404


def test_node_has_figures_neighbours_and_errors(client: TestClient, store: MemoryStore) -> None:
    earlier = T0 - 300 * SECOND
    store.put([order(50, calls=(), start=earlier, end=earlier + 1000)], "earlier")
    found = get(client, f"/api/nodes/{node_id(FRONT)}?{WINDOW}", NodeDetail)
    assert found["node"]["requests"] == 6
    assert found["before"]["requests"] == 1
    assert [each["name"] for each in found["callers"]] == ["front"]
    assert {each["name"]: each["requests"] for each in found["callees"]} == {
        "orders": 6,
        "stock": 6,
    }
    assert {(each["label"], each["status"], each["count"]) for each in found["errors"]} == {
        ("HTTP 404", "error", 1),
        ("HTTP 429", "throttle", 1),
        ("HTTP 500", "fault", 1),
    }
    (bars,) = found["histogram"]["data"]
    assert len(bars["x"]) == len(bars["y"]) == 60
    assert sum(bars["y"]) == 6
    over_time = found["over_time"]
    assert [trace["name"] for trace in over_time["data"]] == ["ok", "error", "throttle", "fault"]
    assert [sum(trace["y"]) for trace in over_time["data"]] == [3, 1, 1, 1]
    assert len(over_time["data"][0]["x"]) <= 60
    assert "color" not in str(found["over_time"]).lower()


def test_client_node_shows_its_calls(client: TestClient) -> None:
    found = get(client, f"/api/nodes/{node_id(CLIENT)}?{WINDOW}", NodeDetail)
    assert found["node"]["requests"] is None
    assert sum(found["histogram"]["data"][0]["y"]) == 6


def test_edge_is_the_callers_view(client: TestClient) -> None:
    ends = f"{node_id(FRONT)}/{node_id(TABLE)}"
    found = get(client, f"/api/edges/{ends}?{WINDOW}", EdgeDetail)
    assert (found["edge"]["avg_ms"], found["before"], found["errors"]) == (5, None, [])


def test_without_traffic_there_is_no_node_and_no_edge(client: TestClient) -> None:
    for url in (
        f"/api/nodes/{node_id(FRONT)}?from=1&to=2",
        f"/api/edges/{node_id(TABLE)}/{node_id(FRONT)}?{WINDOW}",
    ):
        response = client.get(url)
        assert response.status_code == 404
        TypeAdapter(ErrorReply).validate_python(response.json())


def test_traces_are_listed_newest_first_page_by_page(client: TestClient) -> None:
    first = get(client, f"/api/traces?{WINDOW}&limit=4", TraceList)
    second = get(client, f"/api/traces?{WINDOW}&limit=4&cursor={first['next']}", TraceList)
    starts = [trace["start"] for trace in first["traces"] + second["traces"]]
    assert starts == sorted(starts, reverse=True)
    assert len(starts) == 7
    assert second["next"] is None
    newest = first["traces"][0]
    assert newest["entry"] == {"name": "front", "type": "AWS::ECS::Container"}
    assert newest["services"] == ["front", "orders", "stock"]
    assert (newest["status"], newest["code"], newest["user"]) == ("throttle", 429, "alice")
    assert newest["annotations"] == {"tier": ["gold"], "age": [42], "first": [True]}
    assert newest["segments"] == 2


def test_traces_are_found_by_status_node_and_edge(client: TestClient) -> None:
    def count(query: str) -> int:
        return len(get(client, f"/api/traces?{WINDOW}&{query}", TraceList)["traces"])

    assert count("status=fault,throttle") == 2
    assert count(f"node={node_id(TABLE)}") == 6
    # With a node or edge, the status is the one there: every call to the table succeeded.
    assert count(f"edge={edge_id(FRONT, TABLE)}&status=ok") == 6
    assert count(f"edge={edge_id(FRONT, TABLE)}&status=fault") == 0
    assert count(f"node={node_id(FRONT)}&status=fault,throttle") == 2
    assert count(f"node={node_id(TABLE)}&status=fault,throttle") == 0
    assert count("node=n0") == 0


def test_scatter_has_a_trace_per_status(client: TestClient) -> None:
    found = get(client, f"/api/traces/figure?{WINDOW}", TraceFigure)
    assert found["shown"] == 7
    counts = {trace["name"]: len(trace["x"]) for trace in found["data"]}
    assert counts == {"ok": 4, "error": 1, "throttle": 1, "fault": 1}
    (fault,) = [trace for trace in found["data"] if trace["name"] == "fault"]
    assert fault["y"] == [100]
    assert fault["customdata"] == [format_trace_id(trace_id(3, epoch=START + 3))]


def test_a_figure_says_how_many_traces_it_leaves_out(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest five of seven; or of at least five, when counting takes too long."""
    monkeypatch.setattr(trace_lists, "MAX_DOTS", 5)
    monkeypatch.setattr(trace_lists, "CHUNK", 5)
    path = f"/api/traces/figure?{WINDOW}"
    found = get(client, path, TraceFigure)
    assert (found["shown"], found["total"], found["counted_all"]) == (5, 7, True)
    monkeypatch.setattr(trace_lists, "COUNT_SECONDS", -1)
    found = get(client, path, TraceFigure)
    assert (found["shown"], found["total"], found["counted_all"]) == (5, 5, False)


@pytest.mark.parametrize("spelling", [format_trace_id, bytes.hex])
def test_trace_has_rows_map_and_documents(client: TestClient, spelling: Any) -> None:
    found = get(client, f"/api/traces/{spelling(trace_id(99))}", TraceDetail)
    rows = [(row["name"], row["depth"], row["kind"], row["parent"]) for row in found["rows"]]
    assert rows == [
        ("resize", 0, "segment", None),
        ("resize", 1, "segment", f"{0x1A:016x}"),
        ("frontend", 2, "subsegment", f"{0x1B:016x}"),
    ]
    assert {row["id"] for row in found["rows"]} == found["documents"].keys()
    assert found["rows"][2]["duration_ms"] == 90
    assert len(found["map"]["nodes"]) == 3
    assert found["segments"] == 2
    url = f"/api/traces/{spelling(trace_id(99))}/raw"
    raw = get(client, url, RawTrace)["raw"]
    assert [each["Id"] for each in raw] == [f"{0x1A:016x}", f"{0x1B:016x}"]
    assert not any("subsegments" in document for document in found["documents"].values())


def test_ring_of_segments_is_shown_once(app: FastAPI, store: MemoryStore) -> None:
    """Segments that call each other have no top; all are shown all the same."""
    store.put([segment(0xA, parent_id=0xB), segment(0xB, parent_id=0xA), subsegment(0xC, 0xC)], "t")
    id = format_trace_id(segment().trace_id)
    rows = get(TestClient(app), f"/api/traces/{id}", TraceDetail)["rows"]
    assert sorted(int(row["id"], 16) for row in rows) == [0xA, 0xB, 0xC]


def test_unfinished_trace(app: FastAPI, store: MemoryStore) -> None:
    store.put([segment(trace_id=trace_id(1), state=State.IN_PROGRESS)], "t")
    id = format_trace_id(trace_id(1))
    found = get(TestClient(app), f"/api/traces/{id}", TraceDetail)
    assert (found["status"], found["response_ms"], found["partial"]) == ("in_progress", None, True)
    assert found["rows"][0]["duration_ms"] is None


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/api/traces/nonsense", 400, "InvalidRequest"),
        (f"/api/traces/{format_trace_id(trace_id(5000))}", 404, "NoSuchTrace"),
        (f"/api/traces?{WINDOW}&status=red", 400, "InvalidRequest"),
        (f"/api/traces?{WINDOW}&limit=many", 400, "InvalidRequest"),
        (f"/api/traces?{WINDOW}&cursor=x", 400, "InvalidRequest"),
        (f"/api/traces?{WINDOW}&edge=x", 400, "InvalidRequest"),
        ("/api/map", 400, "InvalidRequest"),
        ("/api/map?from=nan&to=2", 400, "InvalidRequest"),
        ("/api/map?from=2&to=1", 400, "InvalidRequest"),
        ("/api/nowhere", 404, "NotFound"),
    ],
)
def test_errors_are_in_the_consoles_form(
    client: TestClient, url: str, status: int, code: str
) -> None:
    response = client.get(url)
    assert response.status_code == status
    TypeAdapter(ErrorReply).validate_python(response.json())
    assert response.json()["error"]["code"] == code


def test_status_says_how_the_server_is(client: TestClient) -> None:
    assert get(client, "/api/status", ServerStatus) == {
        "version": "1.2.3",
        "ready": True,
        "detail": "",
        "problems": [],
        "has_traces": True,
        "unhealthy": {"share": 0.05, "count": 2},
        "ingest": INGEST,
    }


def test_status_says_from_when_on_a_service_is_unhealthy(store: MemoryStore) -> None:
    client = TestClient(create_app(store, version="0", unhealthy=Thresholds(0.2, 7)))
    found = get(client, "/api/status", ServerStatus)
    assert found["unhealthy"] == {"share": 0.2, "count": 7}


def test_openapi_tells_of_the_console(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert paths.keys() >= {"/api/map", "/api/traces/{id}", "/api/traces/{id}/otlp"}


def test_large_answers_are_compressed(client: TestClient) -> None:
    response = client.get(f"/api/map?{WINDOW}", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/api/status").headers


def test_old_window_reaches_no_further_back_than_time(client: TestClient) -> None:
    found = client.get(f"/api/nodes/{node_id(FRONT)}?from=0&to={T0 // SECOND + 60}")
    assert found.json()["before"] is None


def test_a_child_stored_before_its_parent_has_no_client(store: MemoryStore) -> None:
    """Nor is it a root; half a minute later it is both, unless the parent has arrived."""
    now = T0 / 1e6 + 10
    app = create_app(store, version="0", clock=lambda: now)
    client = TestClient(app)
    store.put([segment(0xA1, name="child", parent_id=0xB1)], "a")
    window = f"from={T0 // SECOND - 60}&to={T0 // SECOND + 60}"
    drawn = client.get(f"/api/map?{window}").json()
    assert [(node["name"], node["root"]) for node in drawn["nodes"]] == [("child", False)]
    now += 30
    drawn = client.get(f"/api/map?{window}").json()
    assert sorted(node["type"] for node in drawn["nodes"]) == ["", "client"]
