"""What a set of traces has in common, against those that could have been in it."""

from __future__ import annotations

import random
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.console import differences
from api.graph.build import edge_id, node_id
from api.schemas.traces import TraceDifferences, TraceList
from collector.payloads import decode_documents
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import Document, NodeKey, State
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, http, segment, trace_id
from tests.vectors import NOON, demo_documents

START = T0 // SECOND
WINDOW = f"from={START}&to={START + 600}"
FRONT, PAYMENTS = NodeKey("", "front", ""), NodeKey("", "payments", "")
AT_PAYMENTS = f"node={node_id(PAYMENTS)}"
IMPLIED = ("service(", "http.", "annotation.order_id", "annotation.stage")


def visit(number: int, chance: random.Random) -> list[Document]:
    """A third of the visits pay, by four brands of cards, of which one fails half the time."""
    id, at = trace_id(number, START + number // 2), T0 + number * SECOND // 2
    tier, pays = chance.choice(("free", "plus")), number % 3 == 0
    brand = chance.choice(("visa", "visa", "maestro", "amex"))
    failed = (brand == "amex" and chance.random() < 0.5) or chance.random() < 0.02
    state = State.FAULT if failed and pays else State.OK
    to_payments = call(number * 10 + 5, start=at + 1, end=at + 90, state=state)
    annotations = (f'tier="{tier}"', f'order_id="o-{number}"', 'a b="x"')
    entry = segment(
        number * 10 + 1,
        trace_id=id,
        name="front",
        start=at,
        end=at + 100,
        http=http(
            500 if state is State.FAULT else 200, url=f"https://shop/{'pay' if pays else ''}"
        ),
        state=state,
        annotations=annotations,
        calls=(to_payments,) if pays else (),
    )
    payment = segment(
        number * 10 + 2,
        trace_id=id,
        name="payments",
        parent_id=to_payments.id,
        start=at + 10,
        end=at + 80,
        state=state,
        annotations=(f'brand="{brand}"', 'stage="prod"'),
        service_version="7" if brand == "amex" else "6",
    )
    return [entry, payment] if pays else [entry]


@pytest.fixture
def client(app: FastAPI, store: MemoryStore) -> TestClient:
    chance = random.Random(5)
    documents = [document for number in range(1, 1100) for document in visit(number, chance)]
    store.put(documents, "all")
    return TestClient(app)


def compared(client: TestClient, query: str) -> TraceDifferences:
    found: TraceDifferences = get(
        client, f"/api/traces/differences?{WINDOW}&{query}", TraceDifferences
    )
    return found


def listed(found: TraceDifferences) -> list[str]:
    return [name for line in found["attributes"] for name in (line["filter"], *line["same"])]


@pytest.mark.parametrize(
    "query",
    [
        f"{AT_PAYMENTS}&status=fault",
        f"edge={edge_id(FRONT, PAYMENTS)}&status=fault",
        "filter=" + quote('service("payments") { fault }'),
    ],
)
def test_what_makes_a_node_fail_comes_first_and_nothing_restates_it(
    client: TestClient, query: str
) -> None:
    """Neither what all payments have in common, nor single orders, nor the status itself."""
    found = compared(client, query)
    assert found["attributes"][0]["filter"] == 'annotation.brand = "amex"'
    assert [name for name in listed(found) if name.startswith(IMPLIED) and "{" not in name] == []
    assert found["selected"] + found["rest"] == 366
    assert {"field": "annotation.order_id", "values": found["selected"]} in found["distinct"]


def test_a_version_is_named_with_its_service(client: TestClient) -> None:
    """Here the brand has a version of its own: one line."""
    first = compared(client, f"{AT_PAYMENTS}&status=fault")["attributes"][0]
    assert first["same"] == ['service(id(name: "payments", type: "")) { version = "7" }']


def test_the_sets_are_said_in_words(client: TestClient) -> None:
    found = compared(client, f"{AT_PAYMENTS}&status=fault")
    faults, others = found["selected"], found["rest"]
    assert (
        found["words"] == f"{faults} faults against {others} others of payments in the same window"
    )
    found = compared(client, f"edge={edge_id(FRONT, PAYMENTS)}&error=fault:HTTP 500")
    assert found["words"] == (
        "0 with HTTP 500 against 0 others of calls from front to payments in the same window"
    )
    found = compared(client, AT_PAYMENTS)
    assert found["words"] == (
        "366 selected traces of payments against 733 other traces in the same window"
    )
    some = quote('annotation.tier = "plus" AND responsetime >= 0')
    assert compared(client, f"filter={some}")["words"].endswith(
        "against 0 other traces that satisfy the rest of the filter in the same window"
    )


def test_lines_are_filters_of_so_many_traces(client: TestClient) -> None:
    found = compared(client, "status=fault")
    assert found["selected"] + found["rest"] == 1099
    for each in found["attributes"]:
        assert parse(each["filter"])
        both = quote(f"fault AND {each['filter']}")
        answer = get(client, f"/api/traces?{WINDOW}&filter={both}&limit=1000", TraceList)
        assert answer["total"] == each["selected"]


def test_where_all_payments_pass_is_no_news_of_payments(client: TestClient) -> None:
    """All traces of a node against all others: what each of them has is how it was selected."""
    found = listed(compared(client, AT_PAYMENTS))
    assert 'annotation.brand = "amex"' in found
    everywhere = ("http.url", "http.method", "annotation.stage", "region", "resource.arn")
    assert [name for name in found if name.startswith(everywhere)] == []
    assert 'service(id(name: "payments", type: ""))' not in found


def test_a_random_part_has_nothing_of_its_own(client: TestClient) -> None:
    part = quote('annotation.order_id ENDSWITH "7"')
    found = compared(client, f"filter={part}")
    assert found["attributes"] == []
    assert "other traces with other values of annotation.order_id in" in found["words"]


def test_too_many_others_are_taken_from_the_whole_window(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many of each part, so that what was deployed in between is not a difference; and none of the
    selection."""
    monkeypatch.setattr(differences, "MOST_TRACES", 320)
    monkeypatch.setattr(differences, "PARTS", 4)
    found = compared(client, "status=fault")
    assert found["rest"] > 250
    assert found["words"].endswith(f"{found['rest']} of the other traces in the same window")
    faults = found["selected"]
    monkeypatch.setattr(differences, "MOST_TRACES", 20)
    found = compared(client, "status=fault")
    assert found["selected"] == 20 < faults
    assert found["words"].startswith("the newest 20 faults against ")


def test_nothing_differs_from_no_others(client: TestClient) -> None:
    """Not those of a window without traces, and not all of them."""
    nowhere = get(client, f"/api/traces/differences?from=0&to=600&{AT_PAYMENTS}", TraceDifferences)
    assert (nowhere["selected"], nowhere["attributes"]) == (0, [])
    everything = compared(client, "")
    assert (everything["rest"], everything["attributes"]) == (0, [])


@pytest.mark.parametrize("name", ["payments", "payments.example.com"])
def test_what_makes_the_demos_payments_fail(app: FastAPI, store: MemoryStore, name: str) -> None:
    """Of an hour of the demo: the brand of cards that the provider cannot charge, and nothing that every payment has."""
    raws = demo_documents(1000)
    store.put([d for raw in raws for d in decode_documents([raw], 1).documents], "demo")
    client = TestClient(app)
    hour = f"from={NOON - 3600}&to={NOON + 60}"
    nodes = client.get(f"/api/map?{hour}").json()["nodes"]
    payments = [node["id"] for node in nodes if node["name"] == name]
    assert payments
    for node in payments:
        found = get(
            client,
            f"/api/traces/differences?{hour}&node={node}&status=fault",
            TraceDifferences,
        )
        assert found["selected"] >= 10
        assert listed(found) == ['annotation.card_brand = "amex"']
