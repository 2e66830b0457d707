"""Names of services within a time: those so far, and no error."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from store.clickhouse.connection.query_runner import PARTIAL_LIMITS
from store.clickhouse.search import values
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from store.times import DAY, SECOND
from tests.builders import T0, segment, trace_id

NAMES = ("front", "stock", "old")
WINDOW = TimeRange(T0 - 3 * DAY, T0 + SECOND)


class Clock:
    """`time` as the module sees it: a second passes whenever it is read."""

    now = 0.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def filled(clickhouse_store: ClickHouseStore) -> ClickHouseStore:
    """A service a day."""
    for number, name in enumerate(NAMES):
        at = T0 - number * DAY
        one = segment(number + 1, trace_id=trace_id(number), name=name, start=at, end=at)
        clickhouse_store.put([one], f"{number}")
    return clickhouse_store


@pytest.mark.parametrize(
    ("seconds", "found"),
    [(0.5, []), (1.5, ["front"]), (2.5, ["front", "stock"]), (9, sorted(NAMES))],
)
def test_when_time_is_up_the_newest_days_are_what_there_is(
    filled: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, seconds: float, found: list[str]
) -> None:
    monkeypatch.setattr(values, "time", Clock())
    assert filled.service_names(WINDOW, limit=9, max_seconds=seconds) == found


def test_a_query_that_takes_too_long_ends_with_what_it_has(filled: ClickHouseStore) -> None:
    """This limit is passed on to each query; with it the engine breaks off, and raises nothing."""
    given: list[dict[str, Any]] = []

    class Recording:
        def with_limits(self, limits: dict[str, Any]) -> Any:
            given.append(limits)
            return lambda query: [("front",)]

    assert values.service_names(Recording(), WINDOW, 9, 0.2) == ["front"]  # type: ignore[arg-type]
    assert given == [{**PARTIAL_LIMITS, "max_execution_time": 1}]
    slow = "SELECT sleepEachRow(0.2) FROM numbers(100) SETTINGS max_block_size = 1"
    with filled._asking() as ask:
        assert len(ask.with_limits(given[0])(slow)) < 100


def test_jaegers_services_are_those_so_far(
    filled: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "time", Clock())
    monkeypatch.setattr("api.jaeger.names.SECONDS", 1.5)
    app = create_app(filled, version="1", clock=lambda: T0 / 1e6 + 60)
    answer = TestClient(app, raise_server_exceptions=False).get("/jaeger/api/services")
    assert answer.status_code == 200
    assert answer.json()["data"] == ["front"]
