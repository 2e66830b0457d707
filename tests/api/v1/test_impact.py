"""What would stop if a service did, over HTTP."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import node_id
from api.schemas.v1 import ImpactReply, StructureReply
from api.v1 import impact as module
from store.memory import MemoryStore
from store.model import Document, Link, NodeKey
from store.rules.other_names import OTHER_NAMES
from store.times import MINUTE, SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment, trace_id

WEB, STOCK, TABLE = NodeKey("", "web", ""), NodeKey("", "stock", ""), NodeKey("", "items", "remote")
MINUTES = 10
NOW = (T0 + MINUTES * MINUTE) // SECOND
WINDOW = f"from={T0 // SECOND}&to={NOW}"


def request(number: int, *, needs_stock: bool, at: int = T0) -> list[Document]:
    """A request to ``web``, which calls ``stock`` if need be, which calls ``items``."""
    id = trace_id(number, epoch=at // SECOND)
    base = number * 16
    times = {"trace_id": id, "start": at, "end": at + SECOND}
    if not needs_stock:
        return [segment(base + 1, name="web", **times)]
    to_stock = call(base + 2, node=NodeKey("", "stock", "remote"), start=at, end=at + SECOND)
    items = call(base + 4, node=TABLE, start=at, end=at + SECOND)
    return [
        segment(base + 1, name="web", calls=(to_stock,), **times),
        segment(base + 3, name="stock", parent_id=base + 2, calls=(items,), **times),
    ]


def client_of(*documents: Document) -> TestClient:
    store = MemoryStore()
    store.put(list(documents), "all")
    return TestClient(create_app(store, version="1", clock=lambda: float(NOW)))


def shares(reply: ImpactReply) -> dict[str, tuple[int | None, int | None, float | None]]:
    return {
        row["name"] if row["type"] != "client" else "client": (
            row["through"],
            row["requests"],
            row["share"],
        )
        for row in reply["callers"]
    }


@pytest.fixture
def client() -> TestClient:
    """Of eight requests two need the stock."""
    requests = [request(number, needs_stock=number < 2) for number in range(8)]
    return client_of(*(each for one in requests for each in one))


def test_whose_requests_need_it(client: TestClient) -> None:
    reply = get(client, f"/api/v1/nodes/{node_id(STOCK)}/impact?{WINDOW}", ImpactReply)
    assert shares(reply) == {"web": (2, 8, 0.25), "client": (2, 8, 0.25)}
    assert [row["hops"] for row in reply["callers"]] == [1, 2]
    assert reply["counted"] == {"from": T0 / SECOND, "to": float(NOW)}
    assert [each["name"] for each in reply["only_through"]] == ["items"]
    assert reply["circle"] == []


def test_what_is_below_it_and_how_much_of_that_comes_by_it() -> None:
    """Of the table's four requests two come through the shop, which calls it over the stock; messages lead to others' traces."""
    shop, table = NodeKey("", "shop", ""), NodeKey("", "items", "remote")
    documents: list[Document] = []
    for number in range(4):
        base, trace = number * 16 + 0x100, {"trace_id": trace_id(number)}
        items = call(base + 4, node=table)
        if number < 2:
            to_stock = call(base + 2, node=NodeKey("", "stock", "remote"))
            documents.append(segment(base + 1, name="shop", calls=(to_stock,), **trace))
            stock = {"parent_id": base + 2, "calls": (items,), **trace}
            documents.append(segment(base + 3, name="stock", **stock))
        else:
            documents.append(segment(base + 3, name="stock", calls=(items,), **trace))
    reply = get(
        client_of(*documents), f"/api/v1/nodes/{node_id(shop)}/impact?{WINDOW}", ImpactReply
    )
    rows = [
        (each["name"], each["hops"], each["through"], each["requests"]) for each in reply["callees"]
    ]
    assert sorted(rows) == [("items", 2, 2, 4), ("stock", 1, 2, 4)]
    assert {each["share"] for each in reply["callees"]} == {0.5}
    assert reply["callees_left_out"] == 0


def test_who_receives_messages_is_named_and_not_counted() -> None:
    sent = call(0x12, node=NodeKey("", "queue", "AWS::SQS::Queue"))
    sender = segment(0x11, name="web", trace_id=trace_id(1), calls=(sent,))
    received = segment(0x21, name="worker", trace_id=trace_id(2), links=(Link(trace_id(1), 0x12),))
    path = f"/api/v1/nodes/{node_id(WEB)}/impact?{WINDOW}"
    reply = get(client_of(sender, received), path, ImpactReply)
    found = {each["name"]: (each["by"], each["share"]) for each in reply["callees"]}
    assert found == {"queue": ("calls", 1.0), "worker": ("messages", None)}


def test_a_filter_narrows_both(client: TestClient) -> None:
    expression = quote('!service("stock")')
    reply = get(
        client, f"/api/v1/nodes/{node_id(WEB)}/impact?{WINDOW}&filter={expression}", ImpactReply
    )
    assert shares(reply) == {"client": (6, 6, 1.0)}


def test_of_many_traces_those_of_the_newest_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both numbers of a share are of the same minutes."""
    monkeypatch.setattr(module, "MOST_TRACES", 4)
    old = [request(n, needs_stock=True, at=T0 + SECOND) for n in range(8)]
    new = [request(n, needs_stock=n < 10, at=T0 + 9 * MINUTE) for n in range(8, 12)]
    client = client_of(*(each for one in old + new for each in one))
    reply = get(client, f"/api/v1/nodes/{node_id(STOCK)}/impact?{WINDOW}", ImpactReply)
    assert shares(reply)["web"] == (2, 4, 0.5)
    assert reply["counted"] is not None
    assert reply["counted"]["to"] - reply["counted"]["from"] == 4 * 60
    assert reply["from"] == T0 / SECOND


def test_who_sends_messages_is_named_and_not_counted() -> None:
    """The messages are received in other traces."""
    sent = call(0x12, node=NodeKey("", "queue", "AWS::SQS::Queue"))
    sender = segment(0x11, name="web", trace_id=trace_id(1), calls=(sent,))
    received = segment(0x21, name="worker", trace_id=trace_id(2), links=(Link(trace_id(1), 0x12),))
    reply = get(
        client_of(sender, received),
        f"/api/v1/nodes/{node_id(NodeKey('', 'worker', ''))}/impact?{WINDOW}",
        ImpactReply,
    )
    assert "web" in shares(reply)
    assert set(shares(reply).values()) == {(None, None, None)}
    assert {row["by"] for row in reply["callers"]} == {"messages"}
    assert reply["counted"] is None


def test_a_node_without_traffic_is_none(client: TestClient) -> None:
    answer = client.get(f"/api/v1/nodes/n0/impact?{WINDOW}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NoSuchNode")


def test_names_that_are_counted_together_are_refused() -> None:
    folded = segment(1, name=OTHER_NAMES)
    answer = client_of(folded).get(
        f"/api/v1/nodes/{node_id(NodeKey('', OTHER_NAMES, ''))}/impact?{WINDOW}"
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "NamesCountedTogether")


def test_the_structure_of_a_map(client: TestClient) -> None:
    reply = get(client, f"/api/v1/structure?{WINDOW}", StructureReply)
    points = [(p["name"], p["only_through"], p["requests_lost"]) for p in reply["single_points"]]
    assert points == [("web", 2, 4), ("stock", 1, 2)]
    assert reply["circles"] == []


def test_the_two_nodes_of_a_function_are_one_service() -> None:
    """Otherwise each function would be a single point, of itself."""
    trace = {"trace_id": trace_id(1)}
    invoked = call(0x12, node=NodeKey("", "resize", "AWS::Lambda"))
    handled = call(0x16, node=TABLE)
    documents = [
        segment(0x11, name="web", calls=(invoked,), **trace),
        segment(0x13, name="resize", type="AWS::Lambda", parent_id=0x12, **trace),
        segment(
            0x15,
            name="resize",
            type="AWS::Lambda::Function",
            parent_id=0x13,
            calls=(handled,),
            **trace,
        ),
    ]
    reply = get(client_of(*documents), f"/api/v1/structure?{WINDOW}", StructureReply)
    points = {(p["name"], p["type"]): p["only_through"] for p in reply["single_points"]}
    assert points == {("web", ""): 2, ("resize", "AWS::Lambda"): 1}


def test_services_that_call_each_other_are_a_circle() -> None:
    there = call(0x12, node=NodeKey("", "stock", "remote"))
    back = call(0x14, node=NodeKey("", "web", "remote"))
    found = client_of(
        segment(0x11, name="web", calls=(there,)),
        segment(0x13, name="stock", parent_id=0x12, calls=(back,)),
        segment(0x15, name="web", parent_id=0x14),
    )
    reply = get(found, f"/api/v1/structure?{WINDOW}", StructureReply)
    assert [[each["name"] for each in circle] for circle in reply["circles"]] == [["stock", "web"]]
    one = get(found, f"/api/v1/nodes/{node_id(STOCK)}/impact?{WINDOW}", ImpactReply)
    assert [each["name"] for each in one["circle"]] == ["stock", "web"]
