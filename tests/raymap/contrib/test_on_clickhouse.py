"""What programs are given is the same from ClickHouse as from the reference store."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import node_id
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import State
from store.protocol import Store
from tests.api.shop import TABLE, shop
from tests.api.v1.test_verdict import CHECKOUT, JUDGE, request
from tests.api.v1.test_verdict import NOW as AFTER
from tests.builders import T0
from tests.raymap.contrib.application_signals.test_objectives import available as slo_available
from tests.raymap.contrib.application_signals.test_objectives import fast as slo_fast
from tests.raymap.contrib.application_signals.test_objectives import operations
from tests.raymap.contrib.application_signals.test_objectives import request as slo
from tests.raymap.contrib.jaeger.conftest import NOW, documents
from tests.raymap.contrib.openmetrics.test_router import OPENMETRICS

V1 = "from=-15m"
JAEGER = "lookback=15m&limit=20"
QUERIES = [
    *(f"/api/v1/{path}?{V1}" for path in ("map", "services", "edges", "traces", "annotations")),
    *(f"/api/v1/map?{V1}&filter={filter}" for filter in ("fault", "annotation.tier = \"gold\"")),
    f"/api/v1/timeseries?{V1}&step=1m",
    f"/api/v1/timeseries?{V1}&step=7s&filter=!fault",
    "/api/v1/history",
    f"/api/v1/history?{V1}&node={node_id(TABLE)}",
    f"/api/v1/annotations/tier?{V1}",
    f"/api/v1/operations?{V1}&service=shop",
    f"/api/v1/nodes/{node_id(TABLE)}/impact?{V1}",
    f"/api/v1/structure?{V1}",
    f"/api/v1/trust?{V1}",
    f"/api/v1/trust?{V1}&node={node_id(TABLE)}",
    "/jaeger/api/services",
    "/jaeger/api/services/worker/a/operations",
    f"/jaeger/api/dependencies?endTs={NOW * 1000}&lookback=900000",
    f"/jaeger/api/traces?{JAEGER}&service=worker/a",
    f"/jaeger/api/traces?{JAEGER}&service=worker/a&tags=%7B%22error%22:%22true%22%7D",
    f"/jaeger/api/traces?{JAEGER}&service=worker/a&tag=shard:4",
    f"/jaeger/api/traces?{JAEGER}&service=shop&tag=http.status_code:503",
    f"/jaeger/api/traces?{JAEGER}&service=front&tag=tier:gold&tag=age:42&tag=first:true",
]  # fmt: skip


def client_of(store: Store) -> TestClient:
    store.put([*shop(), *documents()], "all")
    return TestClient(create_app(store, version="1", clock=lambda: NOW))


def unordered(answer: Any) -> Any:
    """Values with equal counts have no order of their own; a memory store has no clock."""
    for each in answer.get("operations", ()):
        each.pop("last_seen", None)
    for name in ("keys", "values", "operations"):
        if name in answer:
            answer[name].sort(key=str)
    return answer


def test_answers_are_the_same(clickhouse_store: ClickHouseStore) -> None:
    mine, reference = client_of(clickhouse_store), client_of(MemoryStore())
    for url in QUERIES:
        found, expected = mine.get(url), reference.get(url)
        assert found.status_code == 200, (url, found.text)
        assert unordered(found.json()) == unordered(expected.json()), url
        assert any(expected.json().get(name) for name in DATA), url


def test_budgets_are_the_same(clickhouse_store: ClickHouseStore) -> None:
    """Of a service, of its latency, and of one operation; objectives are stored."""
    objectives = {
        "all": slo_available(),
        "fast": slo_fast(100),
        "pay": slo_available(OperationName="POST /pay"),
    }
    answers = []
    for store in (clickhouse_store, MemoryStore()):
        store.put([*shop(), *operations()], "all")
        client = TestClient(create_app(store, version="1", clock=lambda: NOW))
        for name, config in objectives.items():
            client.post("/slo", json=slo(name, RequestBasedSliConfig=config))
        body = {"Timestamp": NOW, "SloIds": list(objectives)}
        answers.append(client.post("/budget-report", json=body).json())
    assert answers[0] == answers[1]
    reports = {each["Name"]: each for each in answers[0]["Reports"]}
    assert [each["BudgetStatus"] for each in reports.values()] == ["OK", "OK", "OK"]
    assert reports["all"]["Attainment"] == 93.75
    assert reports["pay"]["TotalBudgetRequests"] == 1


DATA = (
    "services",
    "edges",
    "points",
    "traces",
    "keys",
    "values",
    "operations",
    "data",
    "callers",
    "single_points",
)


def test_verdicts_are_the_same(clickhouse_store: ClickHouseStore) -> None:
    """Of a bad version, a good one and one without traffic; and the versions of the service."""
    requests = [
        *(request(n, "41") for n in range(1, 101)),
        *(request(n, "42", State.FAULT if n % 4 == 0 else State.OK) for n in range(101, 201)),
        *(request(n, "43") for n in range(201, 261)),
    ]
    clients = []
    for store in (clickhouse_store, MemoryStore()):
        store.put(requests, "all")
        clients.append(TestClient(create_app(store, version="1", clock=lambda: AFTER)))
    urls = [JUDGE.replace("=42", f"={version}") for version in ("42", "43", "44")]
    urls.append(f"/api/v1/nodes/{node_id(CHECKOUT)}/versions?from=-10m")
    mine, expected = ([client.get(url).json() for url in urls] for client in clients)
    assert mine == expected
    assert [each["verdict"] for each in mine[:3]] == ["fail", "pass", "insufficient"]
    assert len(mine[0]["examples"]) == 5
    assert len(mine[3]["versions"]) == 3


def test_pages_and_counters_are_the_same(clickhouse_store: ClickHouseStore) -> None:
    """Every page, until the last; and the counters once the minutes have settled."""
    pages: dict[str, list[Any]] = {}
    scraped = []
    for name, store in (("mine", clickhouse_store), ("reference", MemoryStore())):
        store.put([*shop(), *documents()], "all")
        now = [T0 / 1e6]
        client = TestClient(create_app(store, version="1", clock=lambda now=now: now[0]))  # type: ignore[misc]
        client.get("/api/v1/metrics")
        now[0] = NOW
        cursor: str | None = ""
        while cursor is not None:
            page = client.get(f"/api/v1/traces?{V1}&limit=3&cursor={cursor}").json()
            pages.setdefault(name, []).extend(trace["id"] for trace in page["traces"])
            cursor = page["next"]
        answer = client.get("/api/v1/metrics", headers={"Accept": OPENMETRICS})
        scraped.append(answer.text)
    assert pages["mine"] == pages["reference"]
    assert len(set(pages["mine"])) == 7 + 10
    assert scraped[0] == scraped[1]
    assert 'client="shop"' in scraped[0]
