"""Services of one name in two namespaces: what names and ids from outside lead to, whatever else a window has.

Until 10 minutes after T0 the only ``api`` is that of the shop; then there is one of the CRM, too.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from api.alarms.topology import judge_edges
from api.app import create_app
from api.graph.build import node_id
from store.alarms import Alarm, AlarmKind
from store.deployments import Deployment
from store.log_lines import LogLine
from store.memory import MemoryStore
from store.model import Kind, NodeKey, TimeRange
from store.rules.alarm_state import AlarmState
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

SHOP, CRM, API = (NodeKey("", name, "") for name in ("shop/api", "crm/api", "api"))
TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")
ALONE = TimeRange(T0, T0 + 5 * MINUTE)
BOTH = TimeRange(T0 + 10 * MINUTE, T0 + 15 * MINUTE)


@pytest.fixture
def store(store: MemoryStore) -> MemoryStore:
    requests = ((SHOP, ALONE), (SHOP, BOTH), (CRM, BOTH))
    for number, (node, window) in enumerate(requests, 1):
        start = window.start + MINUTE
        made = (call(0xC0 + number, node=TABLE, start=start, end=start + 5),)
        store.put(
            [
                segment(
                    0xA0 + number,
                    trace_id=trace_id(number),
                    node=node,
                    service="api",
                    start=start,
                    end=start + SECOND,
                    calls=made,
                    kind=Kind.SERVER,
                )
            ],
            str(number),
        )
        for name in ("api", "shop/api", "crm/api", "api.internal"):
            mark = Deployment(f"{number}{name}", start, name, "42")
            store.put_deployment(mark, T0)
    return store


@pytest.fixture
def client(store: MemoryStore) -> TestClient:
    return TestClient(create_app(store, version="1", clock=lambda: BOTH.end / SECOND))


def span(window: TimeRange) -> str:
    return f"from={window.start // SECOND}&to={window.end // SECOND}"


def shown(client: TestClient, window: TimeRange) -> dict[str, str]:
    """Ids by name, clients aside."""
    nodes = client.get(f"/api/map?{span(window)}").json()["nodes"]
    return {node["name"]: node["id"] for node in nodes if node["type"] == ""}


def test_an_id_is_of_one_service_in_every_window(client: TestClient) -> None:
    """What the map of one window links to is the same service where another has its name; an edge likewise."""
    assert shown(client, ALONE) == {"api": node_id(SHOP)}
    assert shown(client, BOTH) == {"shop/api": node_id(SHOP), "crm/api": node_id(CRM)}
    for window, name in ((ALONE, "api"), (BOTH, "shop/api")):
        detail = client.get(f"/api/nodes/{node_id(SHOP)}?{span(window)}").json()
        assert (detail["node"]["name"], detail["node"]["requests"]) == (name, 1)
        edge = client.get(f"/api/edges/{node_id(SHOP)}/{node_id(TABLE)}?{span(window)}")
        assert edge.json()["edge"]["requests"] == 1
        traces = client.get(f"/api/traces?node={node_id(SHOP)}&{span(window)}").json()["traces"]
        assert len(traces) == 1


def test_periods_are_compared_although_the_shown_name_changes(client: TestClient) -> None:
    """The preceding period of the window shows the node by its bare name."""
    window = TimeRange(BOTH.start, BOTH.start + (BOTH.start - T0))
    detail = client.get(f"/api/nodes/{node_id(SHOP)}?{span(window)}").json()
    assert (detail["node"]["name"], detail["before"]["requests"]) == ("shop/api", 1)


def test_the_id_of_a_bare_name(client: TestClient) -> None:
    """It means the service of that name; of several, the answer says which they are."""
    id = node_id(API)
    assert client.get(f"/api/nodes/{id}?{span(ALONE)}").json()["node"]["id"] == node_id(SHOP)
    for path in (f"nodes/{id}?", f"edges/{id}/{node_id(TABLE)}?", f"traces?node={id}&"):
        answer = client.get(f"/api/{path}{span(BOTH)}")
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (409, "SeveralNodes")
        for node in (SHOP, CRM):
            assert f"{node.name} ({node_id(node)})" in error["message"]
    named = client.get(f"/api/nodes/api?{span(BOTH)}")
    assert named.status_code == 404
    assert node_id(SHOP) in named.json()["error"]["message"]


def test_deployments_of_a_bare_name_are_of_all_services_of_it(client: TestClient) -> None:
    """A full name is one service's, and what its callers call it none's."""

    def marks(node: NodeKey, window: TimeRange) -> list[str]:
        figure = client.get(f"/api/nodes/{node_id(node)}?{span(window)}").json()["over_time"]
        return sorted({each["text"] for each in figure["layout"]["annotations"]})

    assert marks(SHOP, ALONE) == ["api v42", "shop/api v42"]
    assert marks(SHOP, BOTH) == ["api v42", "shop/api v42"]
    assert marks(CRM, BOTH) == ["api v42", "crm/api v42"]


def test_log_lines_under_either_name(store: MemoryStore, client: TestClient) -> None:
    """Of a full name also lines without a namespace, which may be of any; of a log group's name only its own."""
    at = BOTH.start + MINUTE
    names = ("api", "shop/api", "crm/api", "/aws/ecs/api", "orders")
    store.put_log_lines([LogLine(at + n, name, name) for n, name in enumerate(names)], "a")

    def lines(name: str) -> list[str]:
        answer = client.get(f"/api/v1/logs?function={quote(name)}&{span(BOTH)}").json()
        return [each["text"] for each in answer["lines"]]

    assert lines("api") == ["api", "shop/api", "crm/api"]
    assert lines("shop/api") == ["api", "shop/api"]
    assert lines("/aws/ecs/api") == ["/aws/ecs/api"]
    assert lines("other/api") == []


def test_alarms_on_a_bare_name(store: MemoryStore) -> None:
    """A second service of the name is another one: its edge is new, that of the first is not."""
    before, now = (store.service_graph(window) for window in (ALONE, BOTH))
    for selector, state, edges in (
        ('edge("api", "orders")', AlarmState.ALARM, ((CRM, TABLE),)),
        ('edge("shop/api", "orders")', AlarmState.OK, ()),
        ('edge("crm/api", "orders")', AlarmState.ALARM, ((CRM, TABLE),)),
    ):
        alarm = Alarm("new", AlarmKind.NEW_EDGE, selector, periods=5)
        verdict = judge_edges(alarm, before, now, BOTH)
        assert (verdict.state, verdict.edges) == (state, edges), selector


@pytest.mark.parametrize(
    ("name", "window", "nodes"),
    [
        ("api", ALONE, [SHOP]),
        ("shop/api", ALONE, [SHOP]),
        ("api", BOTH, [CRM, SHOP]),
        ("shop/api", BOTH, [SHOP]),
    ],
)
def test_a_verdict_is_on_the_services_of_a_name(
    client: TestClient, name: str, window: TimeRange, nodes: list[NodeKey]
) -> None:
    query = f"service={quote(name, safe='')}&candidate=42&{span(window)}"
    assert client.get(f"/api/v1/verdict?{query}").json()["nodes"] == [node_id(n) for n in nodes]


def test_a_group_finds_services_by_either_name(store: MemoryStore, xray: Any) -> None:
    """GetServiceGraph by a group's expression: all of a bare name, in whichever window."""
    for number, (name, window, shown) in enumerate(
        (
            ("api", ALONE, ["api"]),
            ("shop/api", ALONE, ["api"]),
            ("api", BOTH, ["crm/api", "shop/api"]),
            ("shop/api", BOTH, ["api"]),
        )
    ):
        group = f"g{number}"
        xray.create_group(GroupName=group, FilterExpression=f'service("{name}")')
        services = xray.get_service_graph(
            StartTime=window.start // SECOND, EndTime=window.end // SECOND, GroupName=group
        )["Services"]
        assert sorted(each["Name"] for each in services if "Type" not in each) == shown
