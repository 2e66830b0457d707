"""Minutes of a store are judged as they settle; what is not as usual is stored."""

from __future__ import annotations

import pytest

from api.problems.record import Record, read
from api.problems.tracker import EventKind, State
from api.problems.watch import LOOK, Watch
from store.clickhouse.store import ClickHouseStore
from store.deployments import Deployment
from store.minutes import MinuteCounts
from store.model import TimeRange
from store.protocol import Store
from store.times import MINUTE
from tests.api.problems.traffic import CHECKOUT, PAYMENTS, SHOP, minute_of, send
from tests.builders import T0

ALWAYS = TimeRange(T0 - 9_000 * MINUTE, T0 + 9_000 * MINUTE)
HISTORY = 120


def history(store: Store, first: int = 0, last: int = HISTORY) -> None:
    documents = [each for minute in range(first, last) for each in minute_of(minute)]
    store.put(documents, f"{first} {last}")


def settled(minute: int) -> int:
    """When the minutes before one after T0 have ended."""
    return T0 + minute * MINUTE


def records(store: Store) -> list[Record]:
    return [read(each) for each in store.find_problems(ALWAYS, limit=9)]


def live(store: Store, watch: Watch, minutes: range, faults: float = 0.0) -> list[EventKind]:
    """Minutes that are judged one after the other."""
    found = []
    for minute in minutes:
        send(store, minute, faults)
        found += [event.kind for event in watch.round(settled(minute + 1))]
    return found


@pytest.mark.slow
def test_an_incident_from_its_beginning_to_its_end(clickhouse_store: ClickHouseStore) -> None:
    """Who, since when, by how much, whom it reaches, why, what changed; another process goes on under the same id."""
    store = clickhouse_store
    history(store)
    store.put_deployment(
        Deployment("d1", settled(HISTORY) - MINUTE, service="payments", version="v2"), 1
    )
    watch = Watch(store)
    assert watch.round(settled(HISTORY)) == []
    assert live(store, watch, range(HISTORY, HISTORY + 5), 0.5) == [EventKind.OPENED]
    (record,) = records(store)
    assert (record.problem.origin, record.problem.state) == (PAYMENTS, State.ACTIVE)
    assert record.since == settled(HISTORY)
    assert (record.entries, record.callers) == ((SHOP,), (CHECKOUT,))
    assert (record.clients.total, record.root.total) == (100, 100)
    assert 50 <= record.clients.fault == record.root.fault <= 55
    assert (record.evidence.exception, record.evidence.confirms) == ("CardDeclined", True)
    assert record.evidence.traces == record.evidence.at_origin == record.evidence.with_exception
    assert [(each.kind, each.what) for each in record.changes] == [
        ("deployment", "deployment of payments v2")
    ]
    assert record.points
    assert (record.points.start, len(record.points.values)) == (settled(HISTORY - 10), 15)
    assert min(value or 0 for value in record.points.values[10:]) >= 0.5
    assert "✕ payments fails" in record.text
    assert "CardDeclined · affects" in record.text
    assert record.text.endswith("1 min after deployment of payments v2")

    other = Watch(store)
    assert live(store, other, range(HISTORY + 5, HISTORY + 7), 0.5) == []
    assert live(store, other, range(HISTORY + 7, HISTORY + 22))[-1:] == [EventKind.CLOSED]
    (closed,) = records(store)
    assert (closed.id, closed.since) == (record.id, record.since)
    assert abs(closed.ended - settled(HISTORY + 7)) <= MINUTE
    assert [each.kind for each in closed.events][:: len(closed.events) - 1] == [
        EventKind.OPENED,
        EventKind.CLOSED,
    ]
    assert closed.events[-1].clients == closed.clients


def test_old_minutes_teach_and_open_nothing(clickhouse_store: ClickHouseStore) -> None:
    """An incident of yesterday that is imported is no problem of today, be it imported before the process begins, or after."""
    store = clickhouse_store
    history(store)
    for minute in range(HISTORY, HISTORY + 30):
        send(store, minute, 0.5)
    history(store, HISTORY + 30, HISTORY + 200)
    now = HISTORY + 200
    watch = Watch(store)
    assert watch.round(settled(now)) == []
    assert live(store, watch, range(now, now + 3)) == []
    assert records(store) == []


@pytest.mark.slow
def test_imports_are_learnt_when_they_have_ended(clickhouse_store: ClickHouseStore) -> None:
    store = clickhouse_store
    watch = Watch(store)
    now = HISTORY + 90
    assert watch.round(settled(now)) == []
    history(store)
    for look in range(1, 4):
        assert watch.round(settled(now + look * LOOK)) == []
    at = now + 3 * LOOK
    assert EventKind.OPENED in live(store, watch, range(at, at + 8), 0.9)
    assert [each.problem.origin for each in records(store)] == [PAYMENTS]


@pytest.mark.slow
def test_the_last_hour_is_learnt_when_it_arrives_late(clickhouse_store: ClickHouseStore) -> None:
    """As that of the demo, which is sent while the present goes by."""
    store = clickhouse_store
    watch = Watch(store)
    assert watch.round(settled(HISTORY)) == []
    history(store, HISTORY - 75, HISTORY)
    assert live(store, watch, range(HISTORY, HISTORY + 3)) == []
    assert live(store, watch, range(HISTORY + 3, HISTORY + 8), 0.9) == [EventKind.OPENED]


def test_problems_end_when_nothing_is_received(clickhouse_store: ClickHouseStore) -> None:
    store = clickhouse_store
    history(store)
    watch = Watch(store)
    watch.round(settled(HISTORY))
    assert EventKind.OPENED in live(store, watch, range(HISTORY, HISTORY + 5), 0.5)
    assert watch.round(settled(HISTORY + 20)) == []
    (event,) = watch.round(settled(HISTORY + 60))
    assert event.kind is EventKind.CLOSED
    assert [each.active for each in records(store)] == [False]


def test_learning_stops_with_the_process(clickhouse_store: ClickHouseStore) -> None:
    store = clickhouse_store
    history(store, 0, 5)
    taken: list[MinuteCounts] = []

    class Noting(Watch):
        def _take(self, *each: object) -> None:
            taken.append(each[1])  # type: ignore[arg-type]

    Noting(store, lambda: len(taken) < 2).round(settled(5))
    assert len(taken) == 2
