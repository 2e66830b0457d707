"""/api/v1 conforms to its schemas, and its numbers agree with each other and with the console's."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.graph.build import edge_id, node_id
from api.schemas.map import ServiceMap
from api.schemas.traces import TraceReport
from api.schemas.v1 import (
    AnnotationKeys,
    AnnotationValues,
    EdgePage,
    MapNumbers,
    ServicePage,
    TimeSeries,
    TracePage,
)
from store.model import NodeKey
from store.trace_id import format_trace_id
from tests.api.console.test_map import get
from tests.api.shop import END, FRONT, START, TABLE
from tests.builders import trace_id

WINDOW = f"from={START}&to={END}"
COUNTS = ("requests", "ok", "error", "throttle", "fault")
CLIENT = NodeKey("", "front", "client")
FILTERS = ["", "fault", 'service("stock") AND !fault']


def test_the_map_has_the_consoles_numbers_and_no_layout(client: TestClient) -> None:
    numbers = get(client, f"/api/v1/map?{WINDOW}", MapNumbers)
    console = get(client, f"/api/map?{WINDOW}", ServiceMap)
    for mine, theirs in ((numbers["services"], console["nodes"]), (numbers["edges"], console["edges"])):  # fmt: skip
        assert [each["id"] for each in mine] == [each["id"] for each in theirs]
        for one, other in zip(mine, theirs, strict=True):
            same = one.keys() & other.keys()
            assert {*COUNTS, "p99_ms"} <= same
            assert {key: one[key] for key in same} == {key: other[key] for key in same}
            assert not one.keys() & {"x", "y", "rank", "bends", "back"}


@pytest.mark.parametrize("filter", FILTERS)
def test_lists_have_what_the_map_has(client: TestClient, filter: str) -> None:
    window = f"{WINDOW}&filter={filter}"
    numbers = get(client, f"/api/v1/map?{window}", MapNumbers)
    assert numbers["services"] == get(client, f"/api/v1/services?{window}", ServicePage)["services"]
    edges = get(client, f"/api/v1/edges?{window}", EdgePage)["edges"]
    by_id = {each["id"]: each for each in numbers["edges"]}
    assert {each["id"]: each for each in edges} == by_id
    assert all(each["source_name"] and each["target_name"] for each in edges)


def test_lists_are_narrowed(client: TestClient) -> None:
    named = get(client, f"/api/v1/services?{WINDOW}&q=ORD", ServicePage)["services"]
    assert [each["name"] for each in named] == ["orders"]
    edges = get(client, f"/api/v1/edges?{WINDOW}&node={node_id(TABLE)}", EdgePage)["edges"]
    assert [each["id"] for each in edges] == [edge_id(FRONT, TABLE)]
    assert client.get(f"/api/v1/edges?{WINDOW}&node=n0").status_code == 404


@pytest.mark.parametrize("filter", FILTERS)
def test_series_add_up_to_the_map(client: TestClient, filter: str) -> None:
    """Of every service and every edge."""
    window = f"{WINDOW}&filter={filter}"
    numbers = get(client, f"/api/v1/map?{window}", MapNumbers)
    places = {
        f"node={each['id']}": each for each in numbers["services"] if each["type"] != "client"
    }
    places |= {f"edge={each['id']}": each for each in numbers["edges"]}
    assert len(places) > 4
    for place, expected in places.items():
        points = get(client, f"/api/v1/timeseries?{window}&{place}&step=1m", TimeSeries)["points"]
        assert len(points) == (END - START) / 60
        for name in (*COUNTS, "in_progress"):
            assert sum(point[name] for point in points) == expected[name], place


def test_series_without_a_place_count_what_enters(client: TestClient) -> None:
    found = get(client, f"/api/v1/timeseries?{WINDOW}&step=300", TimeSeries)
    assert (found["from"], found["to"], found["step"]) == (START, END, 300)
    assert [point["requests"] for point in found["points"]] == [7, 0]
    assert [point["p50_ms"] for point in found["points"]] == [100, None]
    of_client = f"/api/v1/timeseries?{WINDOW}&step=300&node={node_id(CLIENT)}"
    assert [point["fault"] for point in get(client, of_client, TimeSeries)["points"]] == [1, 0]


def test_steps_are_aligned_and_cover_the_window(client: TestClient) -> None:
    url = f"/api/v1/timeseries?from={START + 10}&to={START + 70}&step=1m"
    found = get(client, url, TimeSeries)
    assert (found["from"], found["to"]) == (START, START + 120)
    assert len(get(client, f"/api/v1/timeseries?{WINDOW}", TimeSeries)["points"]) == 60


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("step=0", 400, "multiple of 1 s"),
        ("step=fast", 400, "is no duration"),
        ("step=1s&from=-30d", 400, "step must be longer"),
        ("node=n0", 404, "no traffic"),
        ("edge=n0:n1", 404, "no traffic"),
        ("edge=n0:n1:n2", 400, "<source>:<target>"),
        ("edge=n0:n1&node=n0", 400, "exclude each other"),
        ("filter=fault%20AND", 400, "filter: "),
    ],
)
def test_series_refuse(client: TestClient, query: str, status: int, words: str) -> None:
    response = client.get(f"/api/v1/timeseries?{query}")
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def test_traces_are_found_by_filter(client: TestClient) -> None:
    found = get(client, f"/api/v1/traces?{WINDOW}&filter=fault", TracePage)
    assert [(each["status"], each["code"]) for each in found["traces"]] == [("fault", 500)]
    at_node = get(client, f"/api/v1/traces?{WINDOW}&node={node_id(TABLE)}&limit=2", TracePage)
    assert [each["units_there"] for each in at_node["traces"]] == [1, 1]
    assert at_node["next"]


def test_one_trace(client: TestClient) -> None:
    id = trace_id(3, epoch=START + 3)
    for text in (format_trace_id(id), id.hex()):
        found = get(client, f"/api/v1/traces/{text}", TraceReport)
        assert (found["w3c_id"], found["status"], len(found["rows"])) == (id.hex(), "fault", 2)
    missing = client.get(f"/api/v1/traces/{trace_id(77).hex()}")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NoSuchTrace")
    assert client.get("/api/v1/traces/77").status_code == 400


def test_annotations(client: TestClient) -> None:
    keys = get(client, f"/api/v1/annotations?{WINDOW}", AnnotationKeys)["keys"]
    assert {each["value"]: each["traces"] for each in keys} == {"age": 6, "first": 6, "tier": 6}
    url = f"/api/v1/annotations/tier?{WINDOW}"
    assert get(client, url, AnnotationValues)["values"] == [{"value": "gold", "traces": 6}]
    assert get(client, f"{url}&prefix=x", AnnotationValues)["values"] == []
    assert get(client, f"/api/v1/annotations/a/b.c?{WINDOW}", AnnotationValues)["key"] == "a/b.c"
