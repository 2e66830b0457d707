"""A query that ClickHouse ends at a limit is a 503 that says which limit, in every interface."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from store.clickhouse.connection.query_runner import READ_LIMITS
from store.clickhouse.store import ClickHouseStore
from store.errors import QueryLimitExceeded
from store.model import TimeRange
from store.query import TraceQuery
from store.times import SECOND
from tests.builders import T0, segment, trace_id

START, END = T0 // SECOND - 60, T0 // SECOND + 60
READS = {
    "v1": f"/api/v1/traces?from={START}&to={END}",
    "console": f"/api/traces?from={START}&to={END}",
    "jaeger": f"/jaeger/api/traces?service=frontend&start={START * SECOND}&end={END * SECOND}",
    "jaeger v3": "/jaeger/api/v3/services",
    "zipkin": f"/zipkin/api/v2/traces?endTs={END * 1000}",
    "tempo": f"/tempo/api/search?q={{}}&start={START}&end={END}",
}
LIMITS = [
    ({"max_execution_time": 1e-6}, "Timeout exceeded"),
    ({"max_memory_usage": 1, "max_untracked_memory": 1}, "Query memory limit exceeded"),
]


@pytest.fixture
def store(clickhouse_store: ClickHouseStore) -> ClickHouseStore:
    """A store with some traces."""
    clickhouse_store.put([segment(trace_id=trace_id(n)) for n in range(50)], "limits")
    return clickhouse_store


@pytest.fixture(params=LIMITS, ids=["time", "memory"])
def reached(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What ClickHouse says at a limit that every query reaches."""
    limits, said = request.param
    for name, value in limits.items():
        monkeypatch.setitem(READ_LIMITS, name, value)
    return str(said)


@pytest.mark.parametrize("reader", READS)
def test_it_is_a_503_that_says_so(store: ClickHouseStore, reached: str, reader: str) -> None:
    app = create_app(store, version="1", clock=lambda: float(END))
    answer = TestClient(app, raise_server_exceptions=False).get(READS[reader])
    assert answer.status_code == 503
    for words in (reached, "than a query may", "shorter"):
        assert words in answer.text
    assert "cannot be reached" not in answer.text


def test_xrays_clients_have_it_in_their_form(store: ClickHouseStore, reached: str) -> None:
    app = create_app(store, version="1", clock=lambda: float(END))
    body = {"StartTime": START, "EndTime": END}
    answer = TestClient(app, raise_server_exceptions=False).post("/TraceSummaries", json=body)
    assert (answer.status_code, answer.json()["__type"]) == (503, "ServiceUnavailableException")
    assert reached in answer.json()["Message"]


def test_the_store_answers_what_needs_less(store: ClickHouseStore, reached: str) -> None:
    """It is not unavailable: of several cells none is missing for it."""
    window = TimeRange(START * SECOND, END * SECOND)
    with pytest.raises(QueryLimitExceeded, match=reached):
        store.find_traces(TraceQuery(window), limit=1)
    store.check()
