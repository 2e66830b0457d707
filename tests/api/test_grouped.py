"""Maps whose nodes are split, in /api/v1 and in the console's API: counts, ids, and the lists behind them."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.details import EdgeDetail, NodeDetail
from api.schemas.map import ServiceMap
from api.schemas.traces import TraceList
from api.schemas.v1 import EdgePage, MapNumbers, OperationNumbers, ServicePage, TracePage
from store.memory import MemoryStore
from store.model import State
from tests.api.console.test_map import get
from tests.api.shop import END, START
from tests.api.v1.test_numbers import COUNTS
from tests.store.contract.grouped import story

WINDOW = f"from={START}&to={END}"
DIMENSIONS = ("version", "environment", "region", "method", "status", "operation")


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Six requests to the checkout, of version 1, 2/b:~ and none; those of 2 fail. Two are of senders that sample."""
    store = MemoryStore()
    for number, version in enumerate(("1", "1", "2/b:~", "2/b:~", "", "1"), 1):
        state = State.FAULT if version.startswith("2") else State.OK
        store.put(story(number, version, state, weight=1 + number % 2), str(number))
    app = create_app(store, version="1", clock=lambda: END + 0.25)
    return TestClient(app, raise_server_exceptions=False)


def refusal(client: TestClient, path: str) -> tuple[int, str]:
    answer = client.get(path)
    return answer.status_code, answer.json()["error"]["message"]


@pytest.mark.parametrize("by", DIMENSIONS)
def test_parts_add_up_to_the_whole_map(client: TestClient, by: str) -> None:
    """Of services and of edges, in /api/v1 and in the console."""
    for path, model, nodes in (
        ("/api/v1/map", MapNumbers, "services"),
        ("/api/map", ServiceMap, "nodes"),
    ):
        whole: Any = get(client, f"{path}?{WINDOW}", model)
        split: Any = get(client, f"{path}?{WINDOW}&group_by={by}", model)
        assert (whole["group_by"], split["group_by"]) == (None, by)
        assert _sums(split[nodes], lambda each: each["id"].partition("~")[0]) == _sums(
            whole[nodes], lambda each: each["id"]
        )
        whole_edge = _sums(whole["edges"], lambda each: each["id"])
        assert _sums(split["edges"], _whole_edge) == whole_edge
        assert all(each["value"] is None for each in whole[nodes])


def _whole_edge(edge: Any) -> str:
    return ":".join(end.partition("~")[0] for end in edge["id"].split(":"))


def _sums(parts: list[Any], key: Any) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for each in parts:
        sums = found.setdefault(key(each), [0] * len(COUNTS))
        sums[:] = [a + (each[name] or 0) for a, name in zip(sums, COUNTS, strict=True)]
    return found


def test_lists_have_what_the_map_has(client: TestClient) -> None:
    query = f"{WINDOW}&group_by=version"
    numbers = get(client, f"/api/v1/map?{query}", MapNumbers)
    assert numbers["services"] == get(client, f"/api/v1/services?{query}", ServicePage)["services"]
    edges = get(client, f"/api/v1/edges?{query}", EdgePage)["edges"]
    assert {each["id"]: each for each in edges} == {each["id"]: each for each in numbers["edges"]}
    assert {
        (each["source_name"], each["source_value"], each["target_name"], each["target_value"])
        for each in edges
    } == {
        ("frontend", None, "frontend", "7"),
        *(("frontend", "7", "checkout", value) for value in ("1", "2/b:~", "")),
        *(("checkout", value, "orders", None) for value in ("1", "2/b:~", "")),
    }


@pytest.mark.parametrize("filter", ["", 'service("checkout"){fault}'])
@pytest.mark.parametrize("by", DIMENSIONS)
def test_every_number_is_a_link(client: TestClient, by: str, filter: str) -> None:
    """The list behind a part of a node or an edge has the requests that the console's map counts there, and so has
    its panel."""
    query = f"{WINDOW}&group_by={by}&filter={quote(filter)}"
    split = get(client, f"/api/map?{query}", ServiceMap)
    assert split["nodes"]
    for node in split["nodes"]:
        detail = get(client, f"/api/nodes/{node['id']}?{query}", NodeDetail)
        assert detail["node"]["requests"] == node["requests"]
        page = get(client, f"/api/traces?{query}&node={node['id']}", TraceList)
        listed = sum(each["units_there"] or 0 for each in page["traces"])
        assert listed == node["requests"] or node["kind"] == "client"
    for edge in split["edges"]:
        found = get(client, f"/api/edges/{edge['source']}/{edge['target']}?{query}", EdgeDetail)
        assert found["edge"]["requests"] == edge["requests"]
        page = get(client, f"/api/traces?{query}&edge={edge['id']}", TraceList)
        assert sum(each["units_there"] or 0 for each in page["traces"]) == edge["requests"]


def test_the_traces_of_a_part_by_the_v1_api(client: TestClient) -> None:
    """With the id of the part; with the whole node's they are all."""
    query = f"{WINDOW}&group_by=version"
    ids = {
        (each["name"], each["value"]): each["id"]
        for each in get(client, f"/api/v1/map?{query}", MapNumbers)["services"]
    }
    part = ids["checkout", "2/b:~"]
    assert part.endswith("~Mi9iOn4")
    failing = get(client, f"/api/v1/traces?{query}&node={part}", TracePage)
    assert [each["id"][-1:] for each in failing["traces"]] == ["4", "3"]
    whole = get(client, f"/api/v1/traces?{query}&node={part.partition('~')[0]}", TracePage)
    assert len(whole["traces"]) == 6


def test_what_cannot_be_grouped_is_refused_with_what_was_expected(
    client: TestClient,
) -> None:
    status, message = refusal(client, f"/api/v1/map?{WINDOW}&group_by=colour")
    assert (status, "group_by" in message, "'version'" in message) == (400, True, True)
    status, message = refusal(client, f"/api/v1/traces?{WINDOW}&node=n0~1")
    assert (status, message) == (
        400, "node is of a map that is split, got 'n0~1'; expected group_by, too",
    )  # fmt: skip
    other = "n0~" + base64.urlsafe_b64encode(b"(other values)").decode().rstrip("=")
    status, message = refusal(client, f"/api/v1/traces?{WINDOW}&group_by=version&node={other}")
    assert (status, message) == (
        400, "the traces of (other values) cannot be listed; filter by a value instead",
    )  # fmt: skip
    status, _ = refusal(client, f"/api/nodes/n0~1?{WINDOW}&group_by=version")
    assert status == 404


def test_what_each_node_did_adds_up_to_its_requests(client: TestClient) -> None:
    """And each operation's requests are those of the part of the grouped map, and of the list behind it."""
    whole = get(client, f"/api/v1/map?{WINDOW}", MapNumbers)
    split = get(client, f"/api/v1/map?{WINDOW}&group_by=operation", MapNumbers)
    parts = {
        (each["name"], each["value"]): each
        for each in split["services"]
        if each["type"] != "client"
    }
    for node in whole["services"]:
        path = f"/api/v1/services/{node['id']}/operations"
        if node["type"] == "client":
            assert refusal(client, f"{path}?{WINDOW}")[0] == 400
            continue
        found = get(client, f"{path}?{WINDOW}", OperationNumbers)
        assert (found["node"], found["work"]) == (node["id"], "requests")
        (sums,) = _sums(found["operations"], lambda _: "all").values()
        assert sums == [node[name] or 0 for name in COUNTS]
        for line in found["operations"]:
            value = line["operation"] if line["named"] else None
            part = parts[node["name"], value]
            assert [line[name] for name in COUNTS] == [part[name] for name in COUNTS]
            assert (line["p50_ms"], line["p95_ms"]) == (part["p50_ms"], part["p95_ms"])
            if not value:
                continue
            filter = quote(f'service("{node["name"]}") {{ operation = "{value}" }}')
            listed = get(client, f"/api/v1/traces?{WINDOW}&filter={filter}", TracePage)["traces"]
            assert len(listed) == line["observed"]
    failing = quote('service("checkout"){fault}')
    (checkout,) = (each["id"] for each in whole["services"] if each["name"] == "checkout")
    path = f"/api/v1/services/{checkout}/operations?{WINDOW}&filter={failing}"
    found = get(client, path, OperationNumbers)
    assert {each["operation"]: each["fault"] for each in found["operations"]} == {
        "POST /orders/1": 2,
        "POST /orders/0": 1,
    }
    assert refusal(client, f"/api/v1/services/none/operations?{WINDOW}")[0] == 404
