"""Declarations over HTTP, and the comparison with a map."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.declared import ComparisonReply, StackList
from store.declared.model import Declaration
from store.memory import MemoryStore
from store.model import NodeKey
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment
from tests.store.contract.declared import SHOP

NOW = T0 // SECOND + 60
PATH = "/api/v1/declarations"
FUNCTION = {"id": "Fn", "type": "AWS::Lambda::Function", "name": "checkout"}
ORDERS = {"id": "Orders", "type": "AWS::DynamoDB::Table", "name": "orders"}
GONE = {"id": "Gone", "type": "AWS::DynamoDB::Table", "name": "archive"}
CALLS = [{"source": "Fn", "target": each, "evidence": ["policy"]} for each in ("Orders", "Gone")]
STACK = {"stack": "shop", "resources": [FUNCTION, ORDERS, GONE], "calls": CALLS}


@pytest.fixture
def client() -> TestClient:
    """A function that calls one table of the two it may, and a queue that it may not."""
    store = MemoryStore()
    table = NodeKey("", "orders", "AWS::DynamoDB::Table")
    queue = NodeKey("", "mail", "AWS::SQS::Queue")
    calls = (call(1, node=table), call(2, node=queue))
    function = NodeKey("", "checkout", "AWS::Lambda::Function")
    store.put([segment(node=function, service="checkout", calls=calls)], "a")
    return TestClient(create_app(store, version="1", clock=lambda: float(NOW)))


def declare(client: TestClient, **body: Any) -> dict[str, Any]:
    reply = client.post(PATH, json=body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def stacks(client: TestClient, query: str = "") -> list[tuple[str, str]]:
    found = get(client, f"{PATH}{query}", StackList)["stacks"]
    return [(each["stack"], each["region"]) for each in found]


def compared(client: TestClient, query: str = "") -> ComparisonReply:
    answer: ComparisonReply = get(client, f"{PATH}/compare{query}", ComparisonReply)
    return answer


def test_stacks_are_declared_replaced_and_removed(client: TestClient) -> None:
    answer = declare(client, **STACK)
    assert (answer["resources"], answer["calls"], answer["declared_at"]) == (3, 2, NOW)
    declare(client, **STACK)
    declare(client, stack="shop", region="eu-west-1")
    declare(client, stack="a/b c")
    assert stacks(client) == [("a/b c", ""), ("shop", ""), ("shop", "eu-west-1")]
    assert stacks(client, "?stack=shop&region=us-east-1") == [("shop", "")]
    assert client.delete(f"{PATH}/shop?region=eu-west-1").status_code == 204
    assert client.delete(f"{PATH}/a/b c").status_code == 204
    assert stacks(client) == [("shop", "")]
    for _ in range(2):
        assert client.delete(f"{PATH}/shop").status_code == 204
    assert stacks(client) == []


def test_what_the_command_sends_is_what_is_listed(client: TestClient) -> None:
    body = msgspec.json.decode(msgspec.json.encode(SHOP))
    answer = declare(client, **body)
    assert (answer["account"], answer["environment"], answer["template"], answer["notes"]) == (
        *("123456789012", "dev", "template.yaml", ["a note"]),
    )


def test_the_comparison(client: TestClient) -> None:
    """A table that is gone, and a queue that no template allows."""
    declare(client, **STACK)
    answer = compared(client)
    assert (answer["to"] - answer["from"], answer["traffic_since"]) == (86_400, T0 / SECOND)
    assert {each["name"]: each["status"] for each in answer["nodes"]} == {
        "checkout": "seen",
        "orders": "seen",
        "archive": "never_seen",
        "mail": "undeclared",
    }
    assert {each["target_name"]: each["status"] for each in answer["edges"]} == {
        "orders": "seen",
        "archive": "never_seen",
        "mail": "undeclared",
    }
    assert answer["counts"] == {"seen": 3, "never_seen": 2, "undeclared": 2, "unknown": 0}
    map_ids = {node["id"] for node in client.get("/api/v1/map?from=-1h").json()["services"]}
    for node in answer["nodes"]:
        assert bool({*node["ids"]} & map_ids) is (node["status"] != "never_seen")
        assert node["stacks"] == ["shop"]
    edge = next(each for each in answer["edges"] if each["status"] == "seen")
    assert {edge["source"], edge["target"]} <= map_ids
    assert (edge["evidence"], edge["id"]) == (["policy"], f"{edge['source']}:{edge['target']}")


def test_a_window_without_traffic_says_so(client: TestClient) -> None:
    declare(client, **STACK)
    answer = compared(client, "?from=-10s")
    assert answer["traffic_since"] is None
    assert answer["counts"]["never_seen"] == 5


def test_stacks_are_selected(client: TestClient) -> None:
    declare(client, **STACK, environment="prod")
    assert compared(client, "?environment=dev")["stacks"] == []
    assert compared(client, "?environment=prod&account=1")["counts"]["seen"] == 3
    assert compared(client, "?stack=other")["nodes"] == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body must be a JSON object"),
        (b"{}", "missing required field `stack`"),
        (b'{"stack": "s", "at": 5}', "unknown field `at`"),
        (b'{"stack": "s", "resources": [{"id": "A", "type": "X"}]}', "resources[0].type must be"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, body: bytes, message: str) -> None:
    reply = client.post(PATH, content=body)
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]
    assert stacks(client) == []


def test_limits(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.v1.declarations.MAX_STACKS", 1)
    declare(client, stack="one")
    declare(client, stack="one")
    reply = client.post(PATH, json={"stack": "two"})
    assert reply.status_code == 400
    assert "the most there can be" in reply.json()["error"]["message"]
    assert client.post(PATH, content=b"x" * 4_000_001).status_code == 413


def test_times_that_are_none(client: TestClient) -> None:
    assert client.get(f"{PATH}/compare?from=soon").status_code == 400
    assert client.get(f"{PATH}/compare?form=-1h").json()["error"]["code"] == "UnknownParameter"


def test_a_stored_declaration_is_the_one_sent() -> None:
    store = MemoryStore()
    with TestClient(create_app(store, version="1", clock=lambda: float(NOW))) as client:
        declare(client, stack="shop", notes=["x"])
    assert store.declarations()[0].declaration == Declaration("shop", notes=("x",))
