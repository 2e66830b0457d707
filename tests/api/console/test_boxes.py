"""Large maps in boxes, over HTTP: what is summed leads to its members, and small maps stay as they are."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from api.app import create_app
from api.console.boxes import _is_unhealthy, graph_of_boxes, render_boxes
from api.context import Thresholds
from api.graph.box_layout import lay_out_boxes
from api.graph.groups import MOST_LINES, Arrivals, Box, Boxes, By, Grouping
from api.schemas.map import ServiceMap
from store.graph import Statistics
from store.memory import MemoryStore
from store.model import State, TimeRange
from store.times import MINUTE
from tests.builders import T0, segment, trace_id

TEAMS, MEMBERS = 4, 45
WINDOW = f"from={T0 / 1e6 - 60}&to={T0 / 1e6 + 60}"


def name(team: int, member: int) -> str:
    return f"team{team}-service{member:02}"


@pytest.fixture
def store() -> MemoryStore:
    """Teams of services with a request each; one of team 2 failed three times."""
    found = MemoryStore()
    names = [name(team, member) for team in range(TEAMS) for member in range(MEMBERS)]
    documents = [
        segment(
            1 + number,
            trace_id=trace_id(number),
            name=each,
            state=State.FAULT if number >= len(names) else State.OK,
        )
        for number, each in enumerate([*names, *[name(2, 7)] * 3])
    ]
    found.put(documents, "teams")
    return found


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def get(client: TestClient, query: str, path: str = "/api/map") -> Any:
    answer = client.get(f"{path}?{WINDOW}&{query}")
    assert answer.status_code == 200, answer.text
    TypeAdapter(ServiceMap).validate_python(answer.json(), strict=False, extra="forbid")
    return answer.json()


def test_a_box_for_each_group_with_what_arrives_and_the_unhealthy_by_name(
    client: TestClient,
) -> None:
    found = get(client, "boxes=auto")
    assert found["boxes"] == {"by": "prefix", "trail": [], "edges_left_out": 0}
    boxes = {node["name"]: node for node in found["nodes"]}
    assert sorted(boxes) == [f"team{team}" for team in range(TEAMS)]
    assert [boxes[f"team{team}"]["requests"] for team in range(TEAMS)] == [45, 45, 48, 45]
    box = boxes["team2"]["box"]
    assert (box["members"], box["figures"], box["work"]["fault"]) == (MEMBERS, "arrivals", 3)
    assert [(each["name"], each["failed"]) for each in box["unhealthy"]] == [(name(2, 7), 3)]
    assert found["left_out"] == found["total_nodes"] == len(get(client, "")["nodes"])
    assert found["state_counts"] == get(client, "")["state_counts"]


def test_places_stay_and_boxes_do_not_overlap(client: TestClient) -> None:
    places = {(node["x"], node["y"]) for node in get(client, "boxes=prefix")["nodes"]}
    assert len(places) == TEAMS
    assert {(node["x"], node["y"]) for node in get(client, "boxes=prefix")["nodes"]} == places


def test_inside_of_a_box_are_its_members(client: TestClient) -> None:
    box = next(n for n in get(client, "boxes=auto")["nodes"] if n["name"] == "team2")
    inside = get(client, f"boxes=auto&inside={box['id']}")
    assert inside["boxes"]["by"] is None
    assert [each["name"] for each in inside["boxes"]["trail"]] == ["team2"]
    services = {node["name"] for node in inside["nodes"] if node["kind"] != "client"}
    assert services == {name(2, member) for member in range(MEMBERS)}
    opened = get(client, f"box={box['id']}", "/api/map/box")
    assert {node["id"] for node in opened["nodes"]} == {node["id"] for node in inside["nodes"]}


def test_a_node_leads_to_its_box(client: TestClient) -> None:
    whole = get(client, "")
    node = next(n for n in whole["nodes"] if n["name"] == name(3, 1) and n["kind"] != "client")
    found = get(client, f"node={node['id']}", "/api/map/box")
    assert found["boxes"]["trail"][-1]["name"] == "team3"
    assert node["id"] in {each["id"] for each in found["nodes"]}
    hits = client.get(f"/api/services?{WINDOW}&q={name(3, 1)}").json()["services"]
    assert node["id"] in {each["id"] for each in hits}


@pytest.mark.parametrize("query", ["box=b0", "node=n0", "box=b0&node=n0"])
def test_what_is_in_no_box_is_not_found(client: TestClient, query: str) -> None:
    assert client.get(f"/api/map/box?{WINDOW}&{query}").status_code == 404
    assert client.get(f"/api/map/box?{WINDOW}").status_code == 400
    assert client.get(f"/api/map?{WINDOW}&boxes=auto&inside=b0").status_code == 404
    assert client.get(f"/api/map?{WINDOW}&boxes=colour").status_code == 400
    assert client.get(f"/api/map?{WINDOW}&inside={'b,' * 9}").status_code == 400


def test_a_wish_that_makes_no_groups_is_passed_over(client: TestClient) -> None:
    assert get(client, "boxes=namespace")["boxes"]["by"] == "prefix"


def test_the_server_says_by_what_unless_a_view_does(store: MemoryStore) -> None:
    plain = TestClient(create_app(store, version="1", map_boxes="none"))
    assert get(plain, "boxes=auto")["boxes"]["by"] is None
    assert get(plain, "boxes=auto")["left_out"] == 0
    assert get(plain, "boxes=prefix")["boxes"]["by"] == "prefix"
    assert get(plain, "")["boxes"] is None


def test_few_nodes_and_split_ones_are_drawn_themselves(client: TestClient) -> None:
    assert get(client, "boxes=auto&group_by=version")["boxes"] is None
    filtered = get(client, f'boxes=auto&filter=service("{name(1, 1)}")')
    assert filtered["boxes"]["by"] is None
    assert {node["name"] for node in filtered["nodes"]} == {name(1, 1)}


@pytest.mark.parametrize(
    ("bad", "of", "ill"), [(1, 10, False), (3, 1000, False), (3, 60, True), (0, 0, False)]
)
def test_what_is_unhealthy_is_so_in_the_console_too(bad: int, of: int, ill: bool) -> None:
    """The cases of ui/src/model/health.test.ts."""
    figures = Statistics(ok=of - bad, fault=bad)
    assert _is_unhealthy(Thresholds(0.05, 3), figures) is ill


def test_only_the_lines_that_are_drawn_are_sent() -> None:
    """`edges_left_out` counts the others."""
    values = [f"team{number}" for number in range(25)]
    empty = Arrivals(Statistics(), Statistics())
    edges = {
        (source, target): Arrivals(Statistics(ok=1, observed=1), Statistics())
        for source in values
        for target in values
        if source != target
    }
    drawn = {each: Box(each, [], empty, Statistics(), []) for each in values}
    boxes = Boxes(Grouping(By.PREFIX, {}), drawn, edges)
    nodes, lines = render_boxes(boxes, TimeRange(0, MINUTE), lay_out_boxes(graph_of_boxes(boxes)))
    assert (len(nodes), len(lines)) == (25, MOST_LINES)
