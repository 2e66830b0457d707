"""Every number on the map leads to a list of exactly what was counted."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.console import filtered, trace_lists
from api.graph.build import node_id
from api.schemas.details import EdgeDetail, NodeDetail
from api.schemas.filters import CompletionList
from api.schemas.map import ServiceMap
from api.schemas.traces import TraceFigure, TraceList
from store.memory import MemoryStore
from store.model import Document, NodeKey, State
from store.rules import other_names
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, http, segment, trace_id

START = T0 // SECOND
WINDOW = f"from={START}&to={START + 600}"
FRONT, PAYMENTS = NodeKey("", "front", ""), NodeKey("", "payments", "")
BANK = NodeKey("", "bank.example.com", "remote")
STATUSES = ("ok", "error", "throttle", "fault")


def checkout(number: int, state: State, exception: str = "", attempts: int = 1) -> list[Document]:
    """The entry succeeds; it calls payments, which calls the bank once per attempt."""
    id, at = trace_id(number), T0 + number * SECOND
    bank = BANK.name
    calls = tuple(
        call(
            number * 100 + turn,
            start=at + 20 + turn,
            end=at + 70,
            state=state,
            node=BANK,
            host=bank,
        )
        for turn in range(attempts)
    )
    to_payments = call(
        number * 100 + 90, start=at + 1, end=at + 90, state=state, exception=exception
    )
    return [
        segment(
            number * 10 + 1, trace_id=id, name="front", start=at, end=at + 100, calls=(to_payments,)
        ),
        segment(
            number * 10 + 2,
            trace_id=id,
            name="payments",
            parent_id=number * 100 + 90,
            start=at + 10,
            end=at + 80,
            state=state,
            exception=exception,
            http=http(503 if state is State.FAULT else 200),
            calls=calls,
        ),
    ]


@pytest.fixture
def client(app: FastAPI, store: MemoryStore) -> TestClient:
    """32 faults of payments by three causes, and what else happens in ten minutes."""
    documents: list[Document] = []
    for number in range(1, 33):
        exception = "TaskTimedOut" if number <= 20 else "Refused" if number <= 27 else ""
        documents += checkout(number, State.FAULT, exception, attempts=1 + number % 2)
    for number in range(33, 60):
        documents += checkout(number, State.OK)
    documents += checkout(60, State.ERROR, "TaskTimedOut")
    # Begun before the window, at payments within it; and the other way round.
    early = [d for d in checkout(0, State.FAULT, "TaskTimedOut") if d.node == PAYMENTS]
    documents += [segment(1, trace_id=early[0].trace_id, name="front", start=T0 - 5, end=T0 + 9)]
    store.put([*documents, *early], "all")
    return TestClient(app, raise_server_exceptions=False)


def listed(client: TestClient, query: str, limit: int = 7) -> tuple[int, int, int, int | None]:
    """Traces in all pages of a list, units in them, what the chart says of the first and the first page of both."""
    first = page = get(client, f"/api/traces?{WINDOW}&limit={limit}&{query}", TraceList)
    lines = list(page["traces"])
    while page["next"]:
        url = f"/api/traces?{WINDOW}&limit={limit}&{query}&cursor={page['next']}"
        page = get(client, url, TraceList)
        lines += page["traces"]
    assert len({line["id"] for line in lines}) == len(lines)
    units = sum(line["units_there"] for line in lines)
    chart = get(client, f"/api/traces/figure?{WINDOW}&{query}", TraceFigure)
    assert first["total"] in ((None,) if first["next"] else (len(lines),))
    assert chart["counted_all"]
    return len(lines), units, chart["total"], first["matching_units"]


def places(client: TestClient) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every node and edge: the list's words for it, its numbers, its details."""
    drawn = get(client, f"/api/map?{WINDOW}", ServiceMap)
    found = []
    for node in drawn["nodes"]:
        detail = get(client, f"/api/nodes/{node['id']}?{WINDOW}", NodeDetail)
        found.append((f"node={node['id']}", node, detail))
    for edge in drawn["edges"]:
        url = f"/api/edges/{edge['source']}/{edge['target']}?{WINDOW}"
        found.append((f"edge={edge['id']}", edge, get(client, url, EdgeDetail)))
    return found


def test_32_faults_are_a_list_of_32(client: TestClient) -> None:
    """Although every entry succeeded."""
    query = f"node={node_id(PAYMENTS)}&status=fault"
    # The 33rd began before the window and reached payments within it.
    assert listed(client, query) == (33, 33, 33, 33)
    first = get(client, f"/api/traces?{WINDOW}&{query}", TraceList)["traces"][0]
    assert (first["status"], first["status_there"], first["inner"]["fault"]) == ("ok", "fault", 3)


@pytest.mark.slow
def test_every_number_of_every_node_and_edge_leads_to_as_many_units(client: TestClient) -> None:
    seen = 0
    for query, thing, detail in places(client):
        for status in STATUSES:
            number = thing[status]
            if number is not None:  # clients have none
                traces, units, total, counted = listed(client, f"{query}&status={status}", 25)
                assert units == counted == number, (query, status)
                assert traces == total
                seen += number > 0
        for row in detail["errors"]:
            traces, units, total, counted = listed(
                client, f"{query}&error={quote(row['filter'])}", 25
            )
            assert (units, counted) == (row["count"], row["count"]), (query, row)
            assert traces == total
            seen += 1
    assert seen > 15


def test_an_error_row_is_more_than_its_status(client: TestClient) -> None:
    """The same exception as an error is another row."""
    found = get(client, f"/api/nodes/{node_id(PAYMENTS)}?{WINDOW}", NodeDetail)
    assert {row["filter"]: row["count"] for row in found["errors"]} == {
        "fault:TaskTimedOut": 21,
        "fault:Refused": 7,
        "fault:HTTP 503": 5,
        "error:TaskTimedOut": 1,
    }


def test_a_chart_shows_the_status_at_the_node(client: TestClient) -> None:
    query = f"{WINDOW}&node={node_id(PAYMENTS)}"
    found = get(client, f"/api/traces/figure?{query}", TraceFigure)
    assert {series["name"]: len(series["x"]) for series in found["data"]} == {
        "ok": 27,
        "error": 1,
        "fault": 33,
    }
    assert (found["shown"], found["total"], found["counted_all"]) == (61, 61, True)


def test_a_page_is_not_counted(client: TestClient) -> None:
    """Counting takes longer than the page: the chart beside it does."""
    expression = quote('service("payments") { fault }')
    for query in ("", f"&node={node_id(PAYMENTS)}&status=fault", f"&filter={expression}"):
        found = get(client, f"/api/traces?{WINDOW}&limit=7{query}", TraceList)
        assert (len(found["traces"]), found["total"]) == (7, None)
        found = get(client, f"/api/traces?{WINDOW}&limit=500{query}", TraceList)
        assert found["total"] == len(found["traces"])


@pytest.mark.parametrize(
    "query",
    [
        "error=fault:X",
        f"node={node_id(PAYMENTS)}&error=red:X",
        f"node={node_id(PAYMENTS)}&error=fault:",
        f"node={node_id(PAYMENTS)}&edge=a:b",
    ],
)
def test_what_cannot_be_meant_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/api/traces?{WINDOW}&{query}").status_code == 400


def test_a_filter_expression_narrows_the_list_and_the_place(client: TestClient) -> None:
    expression = quote('service("payments") { fault }')
    found = get(client, f"/api/traces?{WINDOW}&filter={expression}", TraceList)
    assert (found["total"], found["matching_units"]) == (33, None)
    expression = quote('NOT service("payments") { fault }')
    query = f"node={node_id(BANK)}&filter={expression}"
    assert listed(client, query) == (28, 28, 28, None)


def test_an_error_in_an_expression_says_where(client: TestClient) -> None:
    response = client.get(f"/api/traces?{WINDOW}&filter=fault+AND+respnsetime+>+2")
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["position"]) == ("InvalidFilter", 10)
    assert "did you mean responsetime?" in error["message"]


@pytest.mark.slow
def test_a_filtered_map_counts_the_traces_of_the_filtered_list(client: TestClient) -> None:
    """Every number of it, and of its details; the window selects traces, not units."""
    expression = f"filter={quote('service(payments) { fault }')}"
    drawn = get(client, f"/api/map?{WINDOW}&{expression}", ServiceMap)
    assert drawn["filtered"] == {"traces": 33, "complete": True}
    payments = next(node for node in drawn["nodes"] if node["name"] == "payments")
    assert (payments["fault"], payments["ok"], payments["error"]) == (33, 0, 0)
    for node in drawn["nodes"]:
        for status in STATUSES:
            if node[status] is not None:
                query = f"node={node['id']}&status={status}&{expression}"
                traces, units, total, _ = listed(client, query, 25)
                assert (units, traces) == (node[status], total), (node["name"], status)
    detail = get(client, f"/api/nodes/{payments['id']}?{WINDOW}&{expression}", NodeDetail)
    assert sum(row["count"] for row in detail["errors"]) == 33
    assert sum(sum(bars["y"]) for bars in detail["over_time"]["data"]) == 33
    for row in detail["errors"]:
        query = f"node={payments['id']}&error={quote(row['filter'])}&{expression}"
        assert listed(client, query, 25)[1] == row["count"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "expression",
    [
        "ok",
        "!ok",
        'edge("front", "payments") { error }',
        'service("bank.example.com") { fault } AND duration >= 0.00008',
        "rootcause.fault.exception { name = TaskTimedOut }",
        'http.url CONTAINS "shop" OR group.name = "failing"',
    ],
)
def test_map_and_list_of_a_filter_count_the_same_traces(
    client: TestClient, expression: str
) -> None:
    """Each node and each edge of the one leads to as many units in the other, by status."""
    group = {"GroupName": "failing", "FilterExpression": "service(payments) { fault }"}
    assert client.post("/CreateGroup", json=group).status_code == 200
    words = f"filter={quote(expression)}"
    drawn = get(client, f"/api/map?{WINDOW}&{words}", ServiceMap)
    found = get(client, f"/api/traces?{WINDOW}&{words}", TraceList)
    assert drawn["filtered"] == {"traces": found["total"], "complete": True}
    places = [(f"node={node['id']}", node) for node in drawn["nodes"]]
    places += [(f"edge={edge['id']}", edge) for edge in drawn["edges"]]
    assert bool(places) == bool(found["total"])
    for place, numbers in places:
        for status in STATUSES:
            if numbers[status] is not None:
                units = listed(client, f"{place}&status={status}&{words}", 25)[1]
                assert units == numbers[status], (place, status)


def test_a_filtered_map_has_the_places_of_the_whole_map(client: TestClient) -> None:
    def drawn(query: str) -> dict[str, tuple[float, float]]:
        nodes = get(client, f"/api/map?{WINDOW}{query}", ServiceMap)["nodes"]
        return {node["id"]: (node["x"], node["y"]) for node in nodes}

    whole = drawn("")
    part = drawn(f"&filter={quote('service(payments) { error }')}")
    assert part.items() <= whole.items()
    assert drawn("") == whole


def test_a_filtered_map_says_when_it_counts_the_newest_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtered, "MOST_SELECTED_TRACES", 20)
    found = get(client, f"/api/map?{WINDOW}&filter=ok", ServiceMap)
    assert found["filtered"] == {"traces": 20, "complete": False}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("field=service", [("front", 60), ("payments", 61)]),
        ("field=service&prefix=PAY", [("payments", 61)]),
        ("field=http.status", [(200, 28), (503, 33)]),
        ("field=http.status&prefix=5", [(503, 33)]),
        ("field=annotation", []),
        ("field=annotation.tier", []),
    ],
)
def test_completions_have_counts(client: TestClient, query: str, expected: Any) -> None:
    url = f"/api/filter/completions?{WINDOW}&{query}"
    found = get(client, url, CompletionList)["completions"]
    listed = {each["value"]: each["count"] for each in found}
    assert {value: listed[value] for value, _ in expected} == dict(expected)
    assert [each["count"] for each in found] == sorted(
        (each["count"] for each in found), reverse=True
    )


def test_an_expression_can_be_checked(client: TestClient) -> None:
    assert client.get("/api/filter/check?filter=fault").status_code == 204
    wrong = client.get("/api/filter/check?filter=fault+AND")
    assert (wrong.status_code, wrong.json()["error"]["position"]) == (400, 9)
    assert client.get(f"/api/filter/completions?{WINDOW}&field=duration").status_code == 400


def test_the_slowest_come_first(app: FastAPI, store: MemoryStore) -> None:
    """Over all pages, with the same traces as in order of time."""
    for number in range(1, 13):
        took = (number * 7) % 12 * SECOND
        id, at = trace_id(number), T0 + number
        store.put([segment(number, trace_id=id, start=at, end=at + took)], str(number))
    client = TestClient(app)
    found: list[float] = []
    cursor: str | None = ""
    for _ in range(3):
        url = f"/api/traces?{WINDOW}&sort=response&limit=5&cursor={cursor}"
        page = get(client, url, TraceList)
        found += [line["response_ms"] for line in page["traces"]]
        cursor = page["next"]
    assert found == [float(ms) for ms in range(11_000, -1, -1_000)]
    assert (cursor, page["total"], page["sorted"]) == (None, 12, {"traces": 12, "complete": True})
    wrong = client.get(f"/api/traces?{WINDOW}&sort=response&cursor=abc")
    assert wrong.status_code == 400


def test_a_sorted_list_says_what_it_left_out(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_lists, "MAX_DOTS", 10)
    found = get(client, f"/api/traces?{WINDOW}&sort=response", TraceList)
    assert (found["total"], found["sorted"]) == (None, {"traces": 10, "complete": False})


def test_names_counted_together_have_figures_and_no_list(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel of such a node has all of its units; a list of its traces would lack some, and is
    refused with what to do instead."""
    monkeypatch.setattr(other_names, "MOST_NAMES", 2)
    found = get(client, f"/api/map?{WINDOW}", ServiceMap)
    others = [node for node in found["nodes"] if node["name"] == other_names.OTHER_NAMES]
    assert others
    assert len(found["problems"]) == sum(node["kind"] != "client" for node in others)
    for node in others:
        panel = get(client, f"/api/nodes/{node['id']}?{WINDOW}", NodeDetail)
        assert panel["node"]["requests"] == node["requests"]
        answer = client.get(f"/api/traces?{WINDOW}&node={node['id']}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "NamesCountedTogether")


def test_names_in_excess_over_a_window_have_no_history(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their units have too many keys to query, so the panel refuses, where the map has figures."""
    monkeypatch.setattr(other_names, "MOST_NAMES_OF_WINDOW", 2)
    found = get(client, f"/api/map?{WINDOW}", ServiceMap)
    (node, *_) = [n for n in found["nodes"] if n["name"] == other_names.OTHER_NAMES]
    assert node["requests"]
    edge = next(edge for edge in found["edges"] if edge["target"] == node["id"])
    for path in (f"nodes/{node['id']}", f"edges/{edge['source']}/{edge['target']}"):
        refused = client.get(f"/api/{path}?{WINDOW}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (
            400,
            "NamesCountedTogether",
        )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("status", lambda line: STATUSES.index(line["status"])),
        ("response", lambda line: line["response_ms"]),
        ("duration", lambda line: line["duration_ms"]),
        ("entry", lambda line: line["entry"]["name"].casefold()),
        ("request", lambda line: line["url"].casefold() if line["url"] else None),
        ("code", lambda line: line["code"]),
        ("services", lambda line: len(line["services"])),
    ],
)
def test_every_column_sorts_both_ways(
    app: FastAPI, store: MemoryStore, column: str, value: Any
) -> None:
    """Through all pages; traces without a value come last in both."""
    documents = []
    for number in range(1, 24):
        ms, status = number * 37 % 11 * 1000 + 10, 200 + number * 7 % 5
        names = ("Front", "back", "mail")
        documents.append(
            segment(
                number,
                trace_id=trace_id(number),
                name=names[number % 3],
                start=T0 + number,
                end=T0 + number + ms,
                state=(State.OK, State.FAULT, State.ERROR, State.THROTTLE)[number % 4],
                http=http(status, f"https://shop/{number * 5 % 7}") if number % 6 else http(0, ""),
            )
        )
    store.put(documents, "all")
    client = TestClient(app)
    for order, reverse in (("desc", True), ("asc", False)):
        url = f"/api/traces?{WINDOW}&sort={column}&order={order}&limit=5"
        page = get(client, url, TraceList)
        lines = list(page["traces"])
        while page["next"]:
            page = get(client, f"{url}&cursor={page['next']}", TraceList)
            lines += page["traces"]
        values = [value(line) for line in lines]
        known = [each for each in values if each is not None]
        assert len({line["id"] for line in lines}) == 23
        assert values == sorted(known, reverse=reverse) + [None] * (23 - len(known))
