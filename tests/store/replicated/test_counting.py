"""Who counts between replicas, and what becomes of a count that should not go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from store.clickhouse.connection import lease, missing_rows
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute
from store.clickhouse.rollup import compaction, dirty, few_rows, turn
from store.clickhouse.rollup.turn import MayNotCount, Turn
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.store.replicated.cell import Cell
from tests.store.replicated.traffic import MINUTE, Traffic, lagging, until_all
from tests.tiers import NIGHTLY
from tests.waiting import eventually

Opened = Callable[[int], ClickHouseStore]
PLACES = 60 if NIGHTLY else 3
"""Statements of a count between which another process takes over."""


def turn_of(store: ClickHouseStore) -> Turn:
    found = store.rollup_worker.turn
    assert found
    return found


@pytest.mark.slow
@pytest.mark.parametrize("few", [True, False])
def test_a_count_ends_where_another_has_begun(
    cell: Cell, open_store: Opened, traffic: Traffic, monkeypatch: pytest.MonkeyPatch, few: bool
) -> None:
    """Between any two of its statements, as a process that stood still finds when it goes on: it runs no other, and
    what the second has counted stays."""
    if not few:
        monkeypatch.setattr(few_rows, "MOST", 0)
    first, second = open_store(0), open_store(1)
    client = connect(cell.from_replica(0))
    done, stop_at, rows = 0, 0, 0

    def put(store: ClickHouseStore) -> None:
        nonlocal rows
        rows += 20
        traffic.put(store, rows // 20)

    def run(statement: Statement) -> Rows:
        nonlocal done
        done += 1
        if done == stop_at:
            turn_of(first).release()
            put(second)
            assert traffic.counted(second) == rows
        return list(execute(client, statement) or [])

    def tick() -> None:
        nonlocal done
        done, first.rollup_worker._wanted = 0, True
        first.rollup_worker.tick(run)

    for _ in range(2):
        put(first)
        tick()
    whole = done
    assert whole > 10
    for place in range(PLACES):
        put(first)
        stop_at = 3 + place * (whole - 4) // PLACES
        with pytest.raises(MayNotCount, match="another process may count now"):
            tick()
        assert done == stop_at
        client.disconnect()  # as the worker does: temporary tables
        assert traffic.counted(second) == rows
    until_all(cell, traffic, rows)
    assert traffic.counted(first) == rows
    client.disconnect()


def test_rows_of_a_replica_that_was_gone_are_counted_when_they_come(
    cell: Cell, open_store: Opened, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a minute later: their marks are older than the last count, which did without them."""
    monkeypatch.setitem(missing_rows.LIMITS, "receive_timeout", 1)
    monkeypatch.setattr(dirty, "SETTLE", 3_600_000_000)
    first, second = open_store(0), open_store(1)
    traffic.put(first, 1)
    until_all(cell, traffic, 20)

    def count() -> None:
        with second._asking() as run:
            second.rollup_worker.tick(run)

    with lagging(cell, 1):
        traffic.put(first, 2)
        cell.replicas[0].kill()
    try:
        traffic.put(second, 3)
        eventually(
            lambda: _counted(traffic, second, count) == 40,
            "it counts what is there",
            seconds=180,
        )
    finally:
        cell.replicas[0].start()
    eventually(lambda: _counted(traffic, second, count) == 60, "and the rest")


def test_what_lacked_rows_of_one_table_is_counted_again_when_they_come(
    cell: Cell, open_store: Opened, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own rows are those that it was counted from; the places of their traces were missing."""
    monkeypatch.setitem(missing_rows.LIMITS, "receive_timeout", 1)
    monkeypatch.setattr(dirty, "SETTLE", 3_600_000_000)
    first, second = open_store(0), open_store(1)

    def count() -> None:
        with second._asking() as run:
            second.rollup_worker.tick(run)

    with lagging(cell, 1, ["traces"]):
        traffic.put(first, 1)
        tables = (
            "SELECT DISTINCT table FROM system.replication_queue WHERE database = currentDatabase()"
        )
        eventually(
            lambda: (
                traffic.rows(cell.replicas[1], cell.database) == 20
                and cell.replicas[1].ask(tables, cell.database) == [("traces",)]
            ),
            "only their places lack",
        )
        cell.replicas[0].kill()
    try:
        eventually(
            lambda: (_counted(traffic, second, count), second.rollup_worker._incomplete)[1],
            "it counts what is there",
            seconds=180,
        )
        assert traffic.counted(second) == 0
    finally:
        cell.replicas[0].start()
    eventually(lambda: _counted(traffic, second, count) == 20, "and the rest")


def test_a_replica_that_begins_to_lag_is_waited_for_once(
    cell: Cell, open_store: Opened, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shortly, since another may have the rows: only when it counts again nevertheless, until they come."""
    monkeypatch.setitem(missing_rows.LIMITS, "receive_timeout", 200)
    first, second = open_store(0), open_store(1)

    def count() -> int:
        with second._asking() as run:
            return second.rollup_worker.tick(run)

    count()
    with ThreadPoolExecutor() as threads:
        with lagging(cell, 1):
            traffic.put(first, 1)
            begun = time.monotonic()
            with pytest.raises(MayNotCount, match="lacks rows that another has"):
                eventually(count, "it finds what it lacks")
            assert time.monotonic() - begun < 100
            assert traffic.counted(first) == 20
            traffic.put(first, 2)
            waiting = threads.submit(eventually, count)
            time.sleep(float(turn.SOON["receive_timeout"]) + 2)
            assert not waiting.done()
        waiting.result(timeout=100)
    assert traffic.counted(second) == 40


def _counted(traffic: Traffic, store: ClickHouseStore, count: Callable[[], object]) -> int:
    """What the map says after a round of the worker, in a process in which readers do not count."""
    store.rollup_worker.alone = False
    try:
        turn_of(store)._next_try = 0.0
        count()
    except MayNotCount:
        pass
    return traffic.counted(store)


def test_minutes_that_a_replica_lacks_are_not_left_out_of_hours(
    cell: Cell, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added up of minutes would stand for them from then on: it is newer than those that come."""
    monkeypatch.setitem(missing_rows.LIMITS, "receive_timeout", 1)
    monkeypatch.setattr(compaction, "QUIET", 0)
    first, second = open_store(0), open_store(1)
    hour = (int(time.time()) // 3600 - 48) * 3_600_000_000
    whole = TimeRange(hour, hour + 60 * MINUTE)
    parts = [Traffic(20_000 + minute, hour + minute * MINUTE) for minute in range(1, 3)]

    def tick(store: ClickHouseStore) -> None:
        store.rollup_worker._wanted, store.rollup_worker._widened = True, 0.0
        with store._asking() as ask:
            store.rollup_worker.tick(ask)
        turn_of(store).release()

    with lagging(cell, 0, ["rollups"]):
        parts[0].put(second, 1)
        assert parts[0].counted(second) == 20
        time.sleep(dirty.GUARD / 1e6)
        tick(second)  # once more: now the other does not count it as well
        parts[1].put(first, 1)
        tick(first)
    for part in parts:
        until_all(cell, part, 20)
    tick(first)
    wide = f"SELECT argMax(complete, rev) FROM rollups WHERE width = 60 AND kind = 255 AND bucket = {hour // MINUTE}"
    assert cell.replicas[0].ask(wide, cell.database) == [(1,)]
    for store in (first, second):
        eventually(lambda s=store: nodes_in(s, whole) == 40, "the hour is whole")  # type: ignore[misc]


def nodes_in(store: ClickHouseStore, window: TimeRange) -> int:
    """What the map counts."""
    return sum(each.statistics.total for each in store.service_graph(window).services.values())


def test_readers_of_another_process_are_heard(cell: Cell, open_store: Opened) -> None:
    """The process that counts counts as often as if maps were read in it."""
    counting, reading = open_store(0), open_store(1)
    clients = [connect(cell.from_replica(number)) for number in range(2)]
    runs = [partial(execute, client) for client in clients]
    counting.rollup_worker.tick(runs[0])
    turn_of(counting).has_notice_of_readers(runs[0])
    counting.rollup_worker._read = -1e9
    reading.rollup_worker.tick(runs[1])
    assert not turn_of(counting).has_notice_of_readers(runs[0])
    reading.rollup_worker._read = time.monotonic()
    reading.rollup_worker.tick(runs[1])

    def heard() -> bool:
        counting.rollup_worker.tick(runs[0])
        return counting.rollup_worker.watched

    eventually(heard, "it knows of the reader")
    for client in clients:
        client.disconnect()


def test_why_nothing_is_counted_is_said(
    open_store: Opened, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it is so, however often maps are read meanwhile."""
    store = open_store(0)
    monkeypatch.setattr(turn, "_read_clock", lambda address: (120.0 * address.port, 0.01))
    store.rollup_worker.alone = False
    with store._asking() as run:
        for _ in range(2):
            with pytest.raises(MayNotCount, match="clocks of ClickHouse's replicas differ") as why:
                store.rollup_worker.tick(run)
            store.rollup_worker.lag.note_failure(why.value)
            traffic.counted(store)
    monkeypatch.setattr(store.rollup_worker.lag, "_failing_since", time.time() - 120)
    assert "clocks of ClickHouse's replicas differ" in store.rollup_worker.lag.problem()


def test_what_was_counted_while_clocks_differed_is_compared(
    cell: Cell, open_store: Opened, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that came by a clock that is behind seems older than a count that did not see it."""
    store = open_store(0)
    store.rollup_worker.alone = False
    with store._asking() as run:
        traffic.put(store, 1)
        store.rollup_worker.tick(run)
        assert traffic.counted(store) == 20
        traffic.put(store, 2)
        one = cell.replicas[0]
        one.ask("TRUNCATE TABLE dirty", cell.database)
        bucket, looked = traffic.window.start // 5_000_000 + 12, time.time_ns() // 1000
        row = (bucket, looked - 9_000_000, 0, looked - 8_000_000, looked)
        one.ask(
            f"INSERT INTO dirty (bucket, arrived, related, recheck, looked) VALUES {row}",
            cell.database,
        )
        store.rollup_worker._wanted = True
        store.rollup_worker.tick(run)
        assert traffic.counted(store) == 20
        with monkeypatch.context() as patch:
            patch.setattr(turn, "_read_clock", lambda address: (120.0 * address.port, 0.01))
            turn_of(store)._next_comparison = 0.0
            with pytest.raises(MayNotCount):
                store.rollup_worker.tick(run)
        turn_of(store)._next_try, store.rollup_worker._wanted = 0.0, True
        store.rollup_worker.tick(run)
        assert traffic.counted(store) == 40


def test_a_term_is_lost_so_long_after_it_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after reading began: it may have been written since."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(lease, "_seen", {})
    now = 108.0  # reading took eight seconds
    assert not lease._is_lost(("x",), 7, 100.0)
    now = 116.0
    assert not lease._is_lost(("x",), 7, 116.0)
    now = 124.0
    assert lease._is_lost(("x",), 7, 124.0)
    assert not lease._is_lost(("x",), 8, 140.0)
