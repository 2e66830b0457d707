"""/api/v1/compare: two periods of a map, and which differences between them are significant."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from api.app import create_app
from api.graph.build import edge_id, node_id
from api.schemas.compare import ComparedFigures, Comparison
from api.schemas.map import ServiceMap
from api.schemas.v1 import MapNumbers
from store.deployments import Deployment
from store.memory import MemoryStore
from store.model import Call, Document, NodeKey, State
from store.times import DAY, HOUR, MINUTE, SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment, trace_id

NOON = T0 // DAY * DAY + 12 * HOUR
SHOP = NodeKey("", "shop", "")
RATE = 20
"""Requests a minute."""
LENGTH = 10
"""Minutes of a period."""
Make = Callable[[random.Random, bytes, int], list[Document]]


def shop(fault: float = 0.0, time: int = 100_000, calls: str = "") -> Make:
    """A request that faults with this probability, takes about this time, and calls another service."""

    def make(r: random.Random, trace: bytes, at: int) -> list[Document]:
        took = round(time * r.lognormvariate(0, 0.3))
        state = State.FAULT if r.random() < fault else State.OK
        made: list[Call] = []
        if calls:
            made = [
                call(
                    node=NodeKey("", calls, "remote"),
                    service=calls,
                    host=calls,
                    start=at,
                    end=at + took // 2,
                )
            ]
        times = {"start": at, "end": at + took}
        return [segment(1, name=SHOP.name, trace_id=trace, state=state, calls=made, **times)]

    return make


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def fill(
    store: MemoryStore,
    start: int,
    make: Make | None = None,
    minutes: int = LENGTH,
    rate: int = RATE,
) -> None:
    """Requests in each of some minutes."""
    r = random.Random(start)
    make = make or shop()
    for minute in range(minutes):
        at = start + minute * MINUTE
        for number in range(rate):
            moment = at + number * MINUTE // rate
            trace = trace_id(number, epoch=moment // SECOND)
            store.put(make(r, trace, moment), f"{moment}")


def compared(
    store: MemoryStore, query: str = "", minutes: int = LENGTH, start: int = NOON
) -> Comparison:
    app = create_app(store, version="1", clock=lambda: (NOON + HOUR) / SECOND)
    window = f"from={start // SECOND}&to={start // SECOND + minutes * 60}"
    found: Comparison = get(TestClient(app), f"/api/v1/compare?{window}{query}", Comparison)
    return found


def changes(found: Comparison) -> list[tuple[str, str]]:
    return [(each["name"], each["measure"]) for each in found["changes"]]


def test_equal_periods_do_not_differ(store: MemoryStore) -> None:
    fill(store, NOON)
    fill(store, NOON - LENGTH * MINUTE)
    found = compared(store)
    assert (found["summary"], found["changes"]) == ("No significant difference", [])
    assert (found["then"]["from"], found["then"]["to"]) == (
        found["now"]["from"] - 600,
        found["now"]["from"],
    )


def test_more_faults_are_found_with_both_shares(store: MemoryStore) -> None:
    fill(store, NOON, shop(fault=0.3))
    fill(store, NOON - LENGTH * MINUTE)
    found = compared(store)
    first = found["changes"][0]
    assert (first["id"], first["measure"], first["trend"], first["then"]) == (
        node_id(SHOP),
        "fault",
        "failing",
        0,
    )
    assert 0.2 < first["now"] < 0.4
    assert first["p"] < 1e-6
    assert found["summary"].startswith("1 failing more")


def test_slower_requests_are_found_with_both_times(store: MemoryStore) -> None:
    fill(store, NOON, shop(time=200_000))
    fill(store, NOON - DAY)
    found = compared(store, "&then=yesterday")
    shop_itself = [each for each in found["changes"] if each["id"] == node_id(SHOP)]
    assert {each["measure"] for each in shop_itself} == {"p50", "p90"}
    assert {(each["unit"], round(each["now"] / each["then"])) for each in shop_itself} == {
        ("ms", 2)
    }
    assert found["summary"] == "1 slower; 1 that follow from it"


def test_new_and_vanished_edges_are_found(store: MemoryStore) -> None:
    fill(store, NOON, shop(calls="new.example.com"))
    fill(store, NOON - 7 * DAY, shop(calls="old.example.com"))
    found = compared(store, "&then=week")
    assert found["summary"] == "1 new node, 1 vanished node; 2 that follow from these"
    nodes = {each["name"]: each for each in found["nodes"]}
    assert nodes["new.example.com"]["then"] is None
    assert nodes["old.example.com"]["now"] is None
    assert {
        (e["target_name"], e["now"] is None) for e in found["edges"] if e["source"] == node_id(SHOP)
    } == {
        ("new.example.com", False),
        ("old.example.com", True),
    }


@pytest.mark.parametrize("earlier", [[], [NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - HOUR]])
def test_what_a_job_calls_each_hour_is_neither_new_nor_vanished(
    store: MemoryStore, earlier: list[int]
) -> None:
    """It is in one of two periods of ten minutes, as it was before; without a past it is new, and vanished ten minutes later."""
    for start in earlier:
        fill(store, start, shop(calls="report.example.com"), minutes=3)
    fill(store, NOON - LENGTH * MINUTE)
    fill(store, NOON, shop(calls="report.example.com"), minutes=3)
    fill(store, NOON + 3 * MINUTE, minutes=LENGTH - 3)
    found = [measure for _, measure in changes(compared(store))]
    assert ("new" in found) is (not earlier)
    fill(store, NOON + LENGTH * MINUTE)
    found = [measure for _, measure in changes(compared(store, start=NOON + LENGTH * MINUTE))]
    assert ("vanished" in found) is (not earlier)


def test_figures_are_those_of_the_map(store: MemoryStore) -> None:
    fill(store, NOON, shop(fault=0.1, calls="db"))
    fill(store, NOON - DAY, shop(calls="db"))
    found = compared(store, "&then=yesterday")
    app = create_app(store, version="1", clock=lambda: (NOON + HOUR) / SECOND)
    for side in ("now", "then"):
        window = found[side]
        numbers = get(
            TestClient(app), f"/api/v1/map?from={window['from']}&to={window['to']}", MapNumbers
        )
        for each in numbers["services"]:
            (node,) = [n for n in found["nodes"] if n["id"] == each["id"]]
            figures = node[side]
            assert figures is not None
            assert {name: each[name] for name in figures if name in each} == {
                name: value for name, value in figures.items() if name in each
            }


def test_a_filter_selects_what_is_compared(store: MemoryStore) -> None:
    fill(store, NOON, shop(fault=0.3))
    fill(store, NOON - DAY)
    found = compared(store, '&then=yesterday&filter=service("nothing")')
    assert found["nodes"] == []
    found = compared(store, f'&then=yesterday&filter=service("{SHOP.name}")')
    assert ("shop", "fault") in changes(found)
    assert any("filter" in each for each in found["notes"])


def test_an_empty_period_is_said_and_makes_nothing_new(store: MemoryStore) -> None:
    fill(store, NOON)
    found = compared(store, "&then=week")
    assert (found["changes"], found["summary"]) == ([], "Nothing to compare")
    assert found["notes"][0] == (
        "The earlier period has no requests: nothing was received, or what was is no longer retained."
    )


def test_minutes_without_requests_are_said(store: MemoryStore) -> None:
    fill(store, NOON)
    fill(store, NOON - DAY, minutes=4)
    found = compared(store, "&then=yesterday")
    assert found["notes"][0] == "The earlier period has requests in 4 of 10 minutes."
    assert (found["then"]["counted"], found["then"]["minutes"]) == (4, 10)


def test_other_days_say_what_is_usual(store: MemoryStore) -> None:
    """Half of the requests fault every day but yesterday: that is nothing new, though it differs."""
    for back in range(9):
        fill(store, NOON - back * DAY, shop(fault=0.05 if back == 1 else 0.5))
    found = compared(store, "&then=yesterday")
    assert found["days"] == 5
    assert changes(found) == []


def test_the_period_before_the_last_deployment(store: MemoryStore) -> None:
    fill(store, NOON - 20 * MINUTE, minutes=24)
    fill(store, NOON + 4 * MINUTE, shop(fault=0.3), minutes=6)
    deployed = Deployment(id="d1", at=NOON + 4 * MINUTE, service="shop", version="42")
    store.put_deployment(deployed, NOON)
    for then in ("deployment", "deployment:d1"):
        found = compared(store, f"&then={then}")
        assert found["deployment"] is not None
        assert found["deployment"]["version"] == "42"
        assert found["now"]["from"] == found["then"]["to"] == deployed.at / SECOND
        assert ("shop", "fault") in changes(found)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("from=-1h&then=tomorrow", 400, "then must be before, yesterday, week"),
        ("from=-1h&then=now", 400, "then must be a period before the window"),
        ("from=-1h&then=-30m", 400, "then must be a period before the window"),
        ("from=-2m", 400, "at least 3 whole minutes"),
        ("from=-2d", 400, "at most 24 hours, got 48"),
        ("from=-1h&then=deployment", 404, "no deployment was reported"),
        ("from=-1h&then=deployment:x", 404, "no deployment 'x' was reported"),
        ("from=-1h&then=problem", 404, "no problem in the window"),
        ("from=-1h&group_by=version", 400, "unknown parameter"),
        ("from=-1h&filter=(", 400, "filter:"),
    ],
)
def test_what_is_refused(client: TestClient, query: str, status: int, words: str) -> None:
    response = client.get(f"/api/v1/compare?{query}")
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def test_a_map_that_is_too_large_is_refused(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, NOON)
    monkeypatch.setattr("api.comparison.whole_minutes.MOST_ROWS", 5)
    app = create_app(store, version="1", clock=lambda: (NOON + HOUR) / SECOND)
    start = NOON // SECOND
    answer = TestClient(app).get(f"/api/v1/compare?from={start}&to={start + 600}")
    assert answer.status_code == 400
    assert "the map is too large for periods of 10 minutes" in answer.json()["error"]["message"]


def test_edges_have_the_ids_of_the_map(store: MemoryStore) -> None:
    fill(store, NOON, shop(calls="db"))
    fill(store, NOON - DAY, shop(calls="db"))
    found = compared(store, "&then=yesterday")
    assert all(each["id"] == f"{each['source']}:{each['target']}" for each in found["edges"])
    assert edge_id(SHOP, NodeKey("", "db", "remote")) in {each["id"] for each in found["edges"]}


def many(failing: frozenset[str]) -> Make:
    """A request to each of twelve services in four teams, some of which always fault."""

    def make(r: random.Random, trace: bytes, at: int) -> list[Document]:
        names = [f"team{team}-service{member:02}" for team in range(4) for member in range(3)]
        return [
            segment(
                1 + number,
                name=name,
                trace_id=trace,
                state=State.FAULT if name in failing else State.OK,
                start=at,
                end=at + 100_000 + r.randrange(1000),
            )
            for number, name in enumerate(names)
        ]

    return make


def test_a_change_says_which_box_of_the_map_it_is_in(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.boxes.MOST_APART", 10)
    fill(
        store,
        NOON,
        many(frozenset({"team1-service01", "team1-service02", "team3-service00"})),
        rate=8,
    )
    fill(store, NOON - LENGTH * MINUTE, many(frozenset()), rate=8)
    app = create_app(store, version="1", clock=lambda: (NOON + HOUR) / SECOND)
    window = f"from={NOON // SECOND}&to={NOON // SECOND + LENGTH * 60}"
    drawn = get(TestClient(app), f"/api/map?{window}&boxes=auto", ServiceMap)
    names = {node["id"]: node["name"] for node in drawn["nodes"]}

    found = compared(store, "&boxes=auto")
    differing = {each["id"]: each["name"] for each in found["changes"]}
    assert sorted((differing[id], names[box]) for id, box in found["boxes"].items()) == [
        ("team1-service01", "team1"),
        ("team1-service01 → team1-service01", "team1"),  # of its clients
        ("team1-service02", "team1"),
        ("team1-service02 → team1-service02", "team1"),
        ("team3-service00", "team3"),
        ("team3-service00 → team3-service00", "team3"),
    ]
    assert compared(store)["boxes"] == {}
    inside = next(id for id, name in names.items() if name == "team1")
    assert compared(store, f"&boxes=auto&inside={inside}")["boxes"] == {}  # its nodes are drawn


GATE, STOCK = "team0-service00", "team1-service00"


def linked(failing: int = 0, calls: int = 1) -> Make:
    """As `many`, and one of the first team calls one of the second, which faults on the first so many of eight requests."""

    def make(r: random.Random, trace: bytes, at: int) -> list[Document]:
        first, *others = many(frozenset())(r, trace, at)
        fails = at // (MINUTE // 8) % 8 < failing
        state = State.FAULT if fails else State.OK
        times = {"start": at + 1_000, "end": at + 41_000}
        for number in range(calls):
            made = call(
                0xC1 + number,
                node=NodeKey("", STOCK, ""),
                service=STOCK,
                host="",
                state=state,
                **times,
            )
            first = replace(first, calls=[*first.calls, made])
            others.append(
                segment(
                    0xD1 + number,
                    name=STOCK,
                    parent_id=0xC1 + number,
                    trace_id=trace,
                    state=state,
                    **times,
                )
            )
        return [first, *others]

    return make


def in_boxes(store: MemoryStore, query: str = "") -> tuple[Comparison, dict[str, str]]:
    """A comparison of a map in boxes, and the names of these."""
    found = compared(store, f"&boxes=prefix{query}")
    return found, {each["id"]: each["name"] for each in found["box_figures"]}


def counted(figures: ComparedFigures | None) -> tuple[int | None, ...] | None:
    return figures and tuple(figures[each] for each in ("requests", "ok", "fault"))


def test_boxes_and_lines_have_the_sums_of_both_periods(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 requests to each of three services, as clients call them, and 80 calls of the first team to the second."""
    monkeypatch.setattr("api.console.boxes.MOST_APART", 10)
    fill(store, NOON, linked(failing=4), rate=8)
    fill(store, NOON - LENGTH * MINUTE, linked(), rate=8)
    found, names = in_boxes(store)
    boxes = {
        each["name"]: (counted(each["then"]), counted(each["now"])) for each in found["box_figures"]
    }
    assert boxes == {
        "team0": ((240, 240, 0), (240, 240, 0)),
        "team1": ((320, 320, 0), (320, 280, 40)),
        "team2": ((240, 240, 0), (240, 240, 0)),
        "team3": ((240, 240, 0), (240, 240, 0)),
    }
    now = next(each["now"] for each in found["box_figures"] if each["name"] == "team1")
    assert now is not None
    assert now["requests_per_min"] == 32
    assert now["avg_ms"] == pytest.approx((240 * 100.5 + 80 * 40) / 320, abs=0.5)
    (line,) = found["lines"]
    assert (names[line["source"]], names[line["target"]]) == ("team0", "team1")
    assert (counted(line["then"]), counted(line["now"])) == ((80, 80, 0), (80, 40, 40))
    assert line["now"] is not None
    assert (line["now"]["avg_ms"], line["now"]["requests_per_min"]) == (40, 8)
    (change,) = line["changes"]
    assert (change["measure"], change["then"], change["now"]) == ("fault", 0, 0.5)
    assert (change["name"], change["follows"]) == (
        "team0 → team1",
        line["target"],
    )  # where it is marked


def test_the_map_of_the_period_has_the_same_sums(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.boxes.MOST_APART", 10)
    fill(store, NOON, linked(failing=4), rate=8)
    fill(store, NOON - LENGTH * MINUTE, linked(failing=1), rate=8)
    found, _ = in_boxes(store)
    app = create_app(store, version="1", clock=lambda: (NOON + HOUR) / SECOND)
    for side, of in (("now", NOON), ("then", NOON - LENGTH * MINUTE)):
        window = f"from={of // SECOND}&to={of // SECOND + LENGTH * 60}"
        drawn = get(TestClient(app), f"/api/map?{window}&boxes=prefix", ServiceMap)
        figures = [*found["box_figures"], *found["lines"]]
        assert {each["id"]: each[side]["fault"] for each in figures} == {  # type: ignore[literal-required]
            each["id"]: each["fault"] for each in (*drawn["nodes"], *drawn["edges"])
        }


def test_a_line_differs_by_the_calls_per_request_of_its_callers(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.boxes.MOST_APART", 10)
    fill(store, NOON, linked(calls=4), rate=8)
    fill(store, NOON - LENGTH * MINUTE, linked(), rate=8)
    found, _ = in_boxes(store)
    (line,) = found["lines"]
    change = next(each for each in line["changes"] if each["measure"] == "rate")
    assert (change["unit"], change["then"], change["now"]) == ("per request", 1, 4)
    assert change["follows"] is None


def test_a_new_line_has_no_earlier_figures(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.boxes.MOST_APART", 10)
    fill(store, NOON, linked(calls=0), rate=8)
    fill(store, NOON - LENGTH * MINUTE, linked(), rate=8)
    found, _ = in_boxes(store)
    (line,) = found["lines"]
    assert (line["now"], counted(line["then"])) == (None, (80, 80, 0))
    assert [each["measure"] for each in line["changes"]] == ["vanished"]


@pytest.mark.parametrize("query", ["", "&boxes=prefix"])
def test_equal_boxes_do_not_differ_and_nodes_have_no_sums(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    if query:
        monkeypatch.setattr("api.console.boxes.MOST_APART", 10)
    fill(store, NOON, linked(failing=1), rate=8)
    fill(store, NOON - LENGTH * MINUTE, linked(failing=1), rate=8)
    found = compared(store, query)
    assert [each["changes"] for each in found["lines"]] == ([[]] if query else [])
    assert len(found["box_figures"]) == (4 if query else 0)
