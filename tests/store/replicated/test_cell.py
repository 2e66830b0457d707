"""What a database with replicas owes to its users: faults that were seen with two real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from store.alarms import Lock
from store.clickhouse.connection import lease, missing_rows
from store.clickhouse.connection.query_lock import try_lock
from store.clickhouse.connection.replicas import replicas_at
from store.clickhouse.rollup import turn
from store.clickhouse.store import ClickHouseStore
from store.config.protocol import Change
from store.query import TraceQuery
from tests.store.replicated.cell import Cell
from tests.store.replicated.traffic import Traffic, lagging, until_all
from tests.waiting import eventually


def test_what_was_acknowledged_is_read(
    cell: Cell, open_store: Callable[[int], ClickHouseStore], traffic: Traffic
) -> None:
    """At once, although the other replica lacks all of it: a process uses one."""
    store = open_store(0)
    with lagging(cell, 1):
        traffic.put(store, 1)
        assert traffic.rows(cell.replicas[1], cell.database) == 0
        assert [traffic.counted(store) for _ in range(4)] == [20] * 4


@pytest.mark.parametrize("first", [0, 1])
def test_a_map_never_lacks_rows_for_good(
    cell: Cell, open_store: Callable[[int], ClickHouseStore], traffic: Traffic, first: int
) -> None:
    """Whichever replica has counted before the second one lags."""
    stores = [open_store(0), open_store(1)]
    traffic.put(stores[0], 1)
    until_all(cell, traffic, 20)
    eventually(lambda: traffic.counted(stores[first]) == 20, "the map has them")
    with lagging(cell, 1):
        traffic.put(stores[0], 2)
        assert min(map(traffic.counted, reversed(stores))) >= 20
        eventually(lambda: traffic.counted(stores[0]) == 40, "the map has its replica's rows")
    until_all(cell, traffic, 40)
    eventually(lambda: [*map(traffic.counted, stores)] == [40, 40], "both maps are whole")


def test_a_replica_that_lags_lets_another_count(
    cell: Cell,
    open_store: Callable[[int], ClickHouseStore],
    traffic: Traffic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two processes that count in the background, the one whose replica has all rows."""
    monkeypatch.setitem(missing_rows.LIMITS, "receive_timeout", 1)
    stop, stores = threading.Event(), [open_store(1), open_store(0)]
    threads = [threading.Thread(target=store.run_rollups, args=(stop,)) for store in stores]
    try:
        threads[0].start()
        eventually(lambda: stores[0].rollup_worker.turn.mine, "the second counts")  # type: ignore[union-attr]
        threads[1].start()
        with lagging(cell, 1):
            traffic.put(stores[1], 1)
            eventually(lambda: traffic.counted(stores[1]) == 20, "the first counts")
        until_all(cell, traffic, 20)
        eventually(lambda: [*map(traffic.counted, stores)] == [20, 20], "both maps are whole")
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_one_process_has_a_lock(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever replicas they use; another has it when it is released, or was not renewed."""
    for name, seconds in {"RENEW": 0.2, "VALID": 2.0, "LOST": 3.0}.items():
        monkeypatch.setattr(lease, name, seconds)
    addresses = [cell.from_replica(0), cell.from_replica(1)]
    mine = try_lock(addresses[0], "x", 1.0)
    assert mine
    assert try_lock(addresses[1], "x", 1.0) is None
    other = try_lock(addresses[1], "y", 1.0)
    assert other
    other.release()
    time.sleep(2.5)
    assert mine.alive  # renewed
    mine.release()
    assert not mine.alive
    taken: Lock | None = try_lock(addresses[1], "x", 1.0)
    assert taken
    monkeypatch.setattr(lease, "_write", _no_answer)
    eventually(lambda: not taken.alive, "it ends by itself")
    monkeypatch.undo()
    monkeypatch.setattr(lease, "LOST", 3.0)
    assert try_lock(addresses[0], "x", 1.0) is None  # seen for the first time
    late = eventually(lambda: try_lock(addresses[0], "x", 1.0), "another has it")
    assert late
    late.release()
    taken.release()


def test_of_two_at_once_one_has_a_lock(cell: Cell) -> None:
    """Each through its own replica, which does not know of the other's row yet."""
    addresses = [cell.from_replica(number) for number in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(8):
            both = list(threads.map(lambda address: try_lock(address, "z", 1.0), addresses))
            (mine,) = [lock for lock in both if lock]
            mine.release()


def _no_answer(*_: object) -> bool:
    raise OSError("no answer")


def test_of_two_changes_one_is_made(open_store: Callable[[int], ClickHouseStore]) -> None:
    """A revision of the configuration is written on one replica, though the other does not have it yet."""
    stores = [open_store(0), open_store(1)]
    before = stores[0].read_configuration().revision
    for revision in range(before, before + 5):
        written = [
            store.change_configuration([Change("group", f"g{number}", b"{}")], after=revision, at=1)
            for number, store in enumerate(stores)
        ]
        assert written == [True, False]


def test_another_replica_takes_over(
    cell: Cell, open_store: Callable[[int], ClickHouseStore], traffic: Traffic
) -> None:
    """A batch that is sent again is there once; who went to another replica stays there."""
    store = open_store(0)
    traffic.put(store, 1)
    for table in turn.TABLES:  # else the count waits until the session of the first has ended
        cell.replicas[1].ask(f"SYSTEM SYNC REPLICA {table} LIGHTWEIGHT", cell.database)
    assert traffic.rows(cell.replicas[1], cell.database) == 20
    cell.replicas[0].kill()
    try:
        eventually(lambda: _put(traffic, store, 1), "the batch is sent again")
        _put(traffic, store, 2)
        assert traffic.rows(cell.replicas[1], cell.database) == 40
        eventually(lambda: traffic.counted(store) == 40, "the map is whole", seconds=180)
    finally:
        cell.replicas[0].start()
    eventually(
        lambda: traffic.rows(cell.replicas[0], cell.database) == 40,
        "the first has what came meanwhile",
    )
    assert traffic.counted(store) == 40
    second = cell.replicas[1].address
    assert replicas_at(cell.address.hosts).in_use == (second.host, second.port)


def _put(traffic: Traffic, store: ClickHouseStore, batch: int) -> bool:
    try:
        traffic.put(store, batch)
    except Exception:
        return False
    return True


def test_a_pinned_trace_is_pinned_on_both(
    cell: Cell, open_store: Callable[[int], ClickHouseStore], traffic: Traffic
) -> None:
    store = open_store(0)
    traffic.put(store, 1)
    trace = store.find_traces(TraceQuery(traffic.window), limit=1).found[0].trace_id
    store.pin(trace, "why", 1)
    copies = "SELECT count() FROM segments WHERE _partition_id >= '20700101'"
    assert cell.replicas[0].ask(copies, cell.database) == [(1,)]
    eventually(lambda: cell.replicas[1].ask(copies, cell.database) == [(1,)], "the copy is fetched")
    store.unpin(trace, 2)
    left = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'pinning_')"
    assert cell.replicas[0].ask(left, cell.database) == [(0,)]


def test_clocks_that_differ_are_refused(
    open_store: Callable[[int], ClickHouseStore],
    traffic: Traffic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When rows arrived is one server's time, and when they were counted another's."""
    store = open_store(0)
    traffic.put(store, 1)
    ahead = iter([0.0, 120.0])
    monkeypatch.setattr(turn, "_read_clock", lambda _: (next(ahead), 0.01))
    assert traffic.counted(store) == 0
    monkeypatch.setattr(store.rollup_worker.lag, "_failing_since", time.time() - 120)
    assert "clocks of ClickHouse's replicas differ by 120.0 s" in store.rollup_worker.lag.problem()
