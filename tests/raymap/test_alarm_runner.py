"""Alarms of several API processes on one ClickHouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from raymap.alarm_runner import AlarmRunner, judged_until
from store.alarms import Webhook
from store.clickhouse.store import ClickHouseStore
from store.config import records
from store.config.protocol import Configuration
from store.memory import MemoryStore
from store.model import TimeRange
from store.protocol import Store
from store.rules.alarm_state import AlarmState
from store.times import MINUTE
from tests.api.alarms.receiver import Receiver, receiver
from tests.api.alarms.traffic import SECRET, Clock, alarm, send
from tests.api.problems.traffic import minute_of
from tests.builders import T0
from tests.store.contract.alarms import taken
from tests.waiting import SECONDS, eventually


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


@contextmanager
def running(store: Store, clock: Clock) -> Iterator[AlarmRunner]:
    """A process' alarms, until it stops."""
    stopping = threading.Event()
    runner = AlarmRunner(store, stopping, clock=clock, every=0.02)
    runner.start()
    try:
        yield runner
    finally:
        stopping.set()
        runner.join(60)


def prepare(store: Store, hook: Receiver) -> None:
    """Two bad minutes after four good ones, then good ones; an alarm that a bad minute makes."""
    for minute in range(10):
        send(store, minute, faults=6 if minute in (4, 5) else 0)
    rule = alarm(datapoints=1, periods=1, webhooks=(Webhook(hook.url, SECRET),))
    store.change_configuration([records.put(rule.name, rule)], after=0, at=T0)


@pytest.mark.slow
@pytest.mark.parametrize("alarms", [0, 1])
def test_problems_are_found_with_and_without_an_alarm(
    clickhouse_store: ClickHouseStore, alarms: int
) -> None:
    """The process with the lock judges each minute; one without a trace and without an alarm takes no lock."""
    clock = Clock()
    clock.at(66, 40)
    rules = [records.put(rule.name, rule) for rule in [alarm()] * alarms]
    if rules:
        clickhouse_store.change_configuration(rules, after=0, at=T0)
    with running(clickhouse_store, clock):
        documents = [
            each for minute in range(66) for each in minute_of(minute, 0.6 * (minute > 60))
        ]
        if not alarms:
            taken(clickhouse_store).release()
        clickhouse_store.put(documents, "a")
        window = TimeRange(T0, T0 + 99 * MINUTE)
        eventually(lambda: len(clickhouse_store.find_problems(window, limit=9)) == 1)
        assert clickhouse_store.alarm_lock() is None
        eventually(lambda: judged_until() >= T0 / 1e6 + 65 * 60)


def states(store: Store) -> list[AlarmState]:
    return [event.state for event in store.alarm_history("faults", limit=99)][::-1]


def received(hook: Receiver) -> list[str]:
    return [msgspec.json.decode(each.body)["data"]["state"] for each in hook.received]


def test_one_of_two_processes_evaluates_and_the_other_follows(
    clickhouse_store: ClickHouseStore, hook: Receiver
) -> None:
    """Every event is stored once and delivered once; a receiver that is down across the change of process gets
    them in order."""
    prepare(clickhouse_store, hook)
    other = ClickHouseStore(clickhouse_store.address, connections=4)
    first_clock, second_clock = Clock(), Clock()
    first_clock.at(4, 40)
    second_clock.at(5, 40)
    hook.status = 503
    with running(clickhouse_store, first_clock):
        eventually(lambda: states(other) == [AlarmState.OK])
        with running(other, second_clock):
            first_clock.at(5, 40)
            eventually(lambda: states(other)[1:] == [AlarmState.ALARM])
            eventually(lambda: received(hook)[:1] == ["ALARM"])
            assert clickhouse_store.alarm_lock() is None
            # As a process that stops: the other one takes over.
            first_clock.at(5, 45)
        assert len(states(other)) == 2
    hook.received.clear()
    hook.status = 204
    second_clock.at(7, 40)
    with running(other, second_clock):
        eventually(lambda: received(hook) == ["ALARM", "OK"])
    assert states(other) == [AlarmState.OK, AlarmState.ALARM, AlarmState.OK]
    ids = [each.headers["webhook-id"] for each in hook.received]
    assert len({*ids}) == 2
    assert other.pending_deliveries(since=T0, limit=9) == []
    other.close()


class StopsLate(MemoryStore):
    """A process is to stop while its alarms look whether they still have the lock."""

    def __init__(self, stopping: threading.Event) -> None:
        super().__init__()
        self._stopping = stopping

    def read_configuration(self, *, large: bool = False) -> Configuration:
        evaluates = threading.current_thread().name == "alarms"
        if evaluates and self.alarm_history("faults", limit=1):
            self._stopping.set()
        return super().read_configuration(large=large)


def test_a_stop_at_any_time_leaves_the_lock(hook: Receiver) -> None:
    stopping, clock = threading.Event(), Clock()
    store = StopsLate(stopping)
    prepare(store, hook)
    clock.at(5, 40)
    runner = AlarmRunner(store, stopping, clock=clock, every=0.01)
    runner.start()
    assert stopping.wait(SECONDS)
    runner.join(60)
    lock = store.alarm_lock()
    assert lock is not None
    lock.release()


def test_a_process_that_stops_leaves_the_lock(hook: Receiver) -> None:
    store, clock = MemoryStore(), Clock()
    prepare(store, hook)
    clock.at(5, 40)
    with running(store, clock):
        eventually(lambda: received(hook) == ["ALARM"])
        assert store.alarm_lock() is None
    lock = store.alarm_lock()
    assert lock is not None
    lock.release()


def test_without_an_alarm_nothing_is_done(hook: Receiver) -> None:
    store = MemoryStore()
    with running(store, Clock()):
        time.sleep(0.1)
        lock = store.alarm_lock()
        assert lock is not None
        lock.release()
