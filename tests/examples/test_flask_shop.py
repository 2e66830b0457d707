"""Two Flask services with the unmodified AWS SDK, a known number of requests, boto3's answer."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import requests

from examples.flask_shop.processes import flask_shop
from tests.xray_client import xray_client

SETTLE_SECONDS = 60.0


class Counts(NamedTuple):
    """How many requests ended how."""

    ok: int = 0
    error: int = 0
    throttle: int = 0
    fault: int = 0


VISITS = {
    "GET /ok": 5,
    "GET /notfound": 4,
    "GET /throttled": 3,
    "GET /boom": 2,
    "POST /orders?order=1": 3,  # the second and third are refused by DynamoDB's stand-in
    "POST /orders?order=2": 1,
    "GET /chain?answer=200": 4,
    "GET /chain?answer=404": 3,
    "GET /chain?answer=429": 2,
    "GET /chain?answer=500": 1,
    "GET /quote": 2,
}
SHOP = Counts(ok=5 + 2 + 4 + 2, error=4 + 2 + 3, throttle=3 + 2, fault=2 + 1)
INVENTORY = Counts(ok=4, error=3, throttle=2, fault=1)
SQLITE = Counts(ok=4)
TABLE = Counts(ok=2, error=2)
"""Python's SDK marks the refused writes error and fault; HTTP 400 makes them errors."""
CARRIER = Counts(ok=2)


@dataclass(frozen=True)
class Visited:
    """The shop after its visitors have left, and where its graph is to be had."""

    client: Any
    begun: float
    shop: str
    inventory: str
    table: str
    trace_ids: list[str] = field(default_factory=list)

    def services(self) -> list[dict[str, Any]]:
        answer = self.client.get_service_graph(StartTime=self.begun, EndTime=time.time() + 5)
        services: list[dict[str, Any]] = answer["Services"]
        return services


@pytest.fixture(scope="module")
def visited(raymap_server: Any) -> Iterator[Visited]:
    mark = secrets.token_hex(3)
    shop, inventory, table = f"shop-{mark}", f"inventory-{mark}", f"orders-{mark}"
    client = xray_client(raymap_server.http)
    tcp = raymap_server.http.removeprefix("http://").rstrip("/")
    daemon = f"tcp:{tcp} udp:{raymap_server.udp}"
    with flask_shop(daemon, shop=shop, inventory=inventory, table=table) as url:
        begun = time.time() - 1
        state = Visited(client, begun, shop, inventory, table)
        for visit, times in VISITS.items():
            for _ in range(times):
                state.trace_ids.append(_visit(url, visit))
        _wait_for(state, {shop: sum(VISITS.values()), inventory: sum(INVENTORY)})
        yield state


def _visit(url: str, visit: str) -> str:
    """One request with the sampling decision in its header, so that none is left out."""
    method, path = visit.split()
    trace_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    header = {"X-Amzn-Trace-Id": f"Root={trace_id};Sampled=1"}
    requests.request(method, url + path, headers=header, timeout=60)
    return trace_id


def _wait_for(state: Visited, expected: dict[str, int]) -> None:
    """Until the graph has counted everything, or time is up: the tests then say what is wrong."""
    deadline = time.time() + SETTLE_SECONDS
    while time.time() < deadline:
        found = {s["Name"]: _total(s) for s in state.services() if s.get("Type") != "client"}
        if all(found.get(name, 0) >= total for name, total in expected.items()):
            return
        time.sleep(0.25)


def _total(described: dict[str, Any]) -> int:
    return int(described.get("SummaryStatistics", {}).get("TotalCount", 0))


def _counts(described: dict[str, Any]) -> Counts:
    statistics = described["SummaryStatistics"]
    counts = Counts(
        statistics["OkCount"],
        statistics["ErrorStatistics"]["OtherCount"],
        statistics["ErrorStatistics"]["ThrottleCount"],
        statistics["FaultStatistics"]["OtherCount"],
    )
    assert statistics["ErrorStatistics"]["TotalCount"] == counts.error + counts.throttle
    assert statistics["FaultStatistics"]["TotalCount"] == counts.fault
    assert statistics["TotalCount"] == sum(counts)
    return counts


def _ours(state: Visited) -> dict[tuple[str, str], dict[str, Any]]:
    """The shop's nodes: the server may have heard others in the same seconds."""
    services = state.services()
    by_reference = {service["ReferenceId"]: service for service in services}
    reached = [s for s in services if s["Name"] in (state.shop, state.inventory)]
    for service in list(reached):
        reached += [by_reference[edge["ReferenceId"]] for edge in service["Edges"]]
    return {(service["Name"], service.get("Type", "")): service for service in reached}


def test_every_node_has_its_name_type_and_counts(visited: Visited) -> None:
    """Services, the table, SQLite and the silent carrier: each once, each with its own figures."""
    found = {
        key: _counts(service) if "SummaryStatistics" in service else None
        for key, service in _ours(visited).items()
    }
    assert found == {
        (visited.shop, "client"): None,
        (visited.shop, ""): SHOP,
        (visited.inventory, ""): INVENTORY,
        (":memory:", "Database::SQL"): SQLITE,
        (visited.table, "AWS::DynamoDB::Table"): TABLE,
        ("localhost", "remote"): CARRIER,
    }


def test_every_edge_has_the_callers_counts(visited: Visited) -> None:
    """The client's edge counts the entries, the others what the shop's subsegments saw."""
    nodes = _ours(visited)
    names = {s["ReferenceId"]: key for key, s in nodes.items()}
    found = {
        (key[1], names[edge["ReferenceId"]]): _counts(edge)
        for key, service in nodes.items()
        for edge in service["Edges"]
    }
    assert found == {
        ("client", (visited.shop, "")): SHOP,
        ("", (visited.inventory, "")): INVENTORY,
        ("", (":memory:", "Database::SQL")): SQLITE,
        ("", (visited.table, "AWS::DynamoDB::Table")): TABLE,
        ("", ("localhost", "remote")): CARRIER,
    }


def test_states_and_root(visited: Visited) -> None:
    """Only the shop is entered from outside; what reports nothing itself is of unknown state."""
    found = {
        key: (service.get("State"), service.get("Root", False))
        for key, service in _ours(visited).items()
    }
    assert found == {
        (visited.shop, "client"): ("unknown", False),
        (visited.shop, ""): ("active", True),
        (visited.inventory, ""): ("active", False),
        (":memory:", "Database::SQL"): ("unknown", False),
        (visited.table, "AWS::DynamoDB::Table"): ("unknown", False),
        ("localhost", "remote"): ("unknown", False),
    }


def test_histograms_count_every_request(visited: Visited) -> None:
    for service in _ours(visited).values():
        described = [*service["Edges"], *([service] if "SummaryStatistics" in service else [])]
        for item in described:
            histogram = item["ResponseTimeHistogram"]
            assert sum(bar["Count"] for bar in histogram) == _total(item)


def test_every_trace_can_be_fetched(visited: Visited) -> None:
    """Five ids a call, as X-Ray allows; none is unprocessed."""
    found = []
    for first in range(0, len(visited.trace_ids), 5):
        answer = visited.client.batch_get_traces(TraceIds=visited.trace_ids[first : first + 5])
        found += [trace["Id"] for trace in answer["Traces"]]
    assert sorted(found) == sorted(visited.trace_ids)
