"""Alarms on the shape of the map, counted by ClickHouse."""

from __future__ import annotations

import pytest

from api.alarms.evaluator import AlarmEvaluator
from store.alarms import Alarm, AlarmEvent, AlarmKind
from store.clickhouse.store import ClickHouseStore
from store.config import records
from store.memory import MemoryStore
from store.protocol import Store
from tests.api.alarms.traffic import ORDERS, STOCK, Clock, alarm, send
from tests.builders import T0

ALARMS = (
    alarm("gone", kind=AlarmKind.VANISHED_EDGE, selector="", periods=1, minimum=5),
    alarm("new", kind=AlarmKind.NEW_EDGE, selector="", periods=5),
    alarm("caller", kind=AlarmKind.NEW_CALLER, selector='service("orders")', periods=5),
    alarm("p95", metric="p95_ms", threshold=200.0, datapoints=1, periods=1),
    alarm("version", version="42.1", metric="average_ms", threshold=200.0, datapoints=1, periods=1),
    alarm("edge", selector='edge("front", "stock")', metric="requests", threshold=6.0),
)


def events(store: Store, alarms: tuple[Alarm, ...]) -> list[AlarmEvent]:
    """Of twenty minutes in which an edge vanishes, another appears, and a caller does."""
    for minute in range(20):
        send(store, minute, tables=(ORDERS, STOCK) if minute < 12 else (ORDERS,))
        if minute > 16:
            send(store, minute, tables=(ORDERS,), version="42.1")
    for minute in range(14, 20):
        send(store, minute, tables=(ORDERS,), name="report")
    changes = [records.put(each.name, each) for each in alarms]
    assert store.change_configuration(changes, after=0, at=T0)
    clock = Clock()
    evaluator = AlarmEvaluator(store, clock)
    found = []
    for seconds in range(8 * 60, 20 * 60, 30):
        clock.at(0, seconds)
        found += evaluator.evaluate()
    return found


@pytest.mark.slow
def test_clickhouse_says_what_the_reference_says(clickhouse_store: ClickHouseStore) -> None:
    expected = events(MemoryStore(), ALARMS)
    assert {event.alarm for event in expected} == {each.name for each in ALARMS}
    assert events(clickhouse_store, ALARMS) == expected
    fired = {event.alarm: event for event in expected if event.state == "ALARM"}
    # The last call of the minute before 12 was at 11:50; the new caller's first one at 14:00.
    assert fired["gone"].at / 60e6 - T0 / 60e6 == pytest.approx(13 + 2 / 3, abs=0.5)
    assert fired["caller"].at / 60e6 - T0 / 60e6 == pytest.approx(14.7, abs=0.5)
