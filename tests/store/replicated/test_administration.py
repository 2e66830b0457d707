"""What is decided by what a replica has: it waits for what it lacks, or decides nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from typer.testing import CliRunner

from raymap.cli import app
from raymap.commands import doctor, topology
from raymap.commands.replica_checks import clocks_check, replica_check
from store.alarms import Delivery, DeliveryStatus
from store.clickhouse import forget, pins
from store.clickhouse.connection import missing_rows
from store.clickhouse.connection.missing_rows import RowsMissing
from store.clickhouse.connection.pool import connect
from store.clickhouse.diagnostics import ReplicaState
from store.clickhouse.schema import retention
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.errors import StoreUnavailable
from store.forget import Subject
from store.model import TimeRange
from store.query import TraceQuery
from tests.store.contract.alarms import HOOK, event
from tests.store.replicated.cell import Cell
from tests.store.replicated.traffic import LAGGING, Traffic, lagging, until_all
from tests.waiting import eventually

Opened = Callable[[int], ClickHouseStore]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """For rows that will not come."""
    for limits in (missing_rows.LIMITS, forget.PATIENCE):
        monkeypatch.setitem(limits, "receive_timeout", 1)


@pytest.fixture
def second(cell: Cell) -> Iterator[Client]:
    """A connection to the second replica."""
    client = connect(cell.from_replica(1))
    yield client
    client.disconnect()


def trace_of(store: ClickHouseStore, traffic: Traffic) -> bytes:
    return store.find_traces(TraceQuery(traffic.window), limit=1).found[0].trace_id


def copies(cell: Cell, replica: int) -> int:
    """Pinned rows."""
    found = f"SELECT count() FROM traces WHERE {pins.PINNED_COPY}"
    return int(cell.replicas[replica].ask(found, cell.database)[0][0])


def test_copies_whose_pin_is_not_here_yet_stay(
    cell: Cell, open_store: Opened, traffic: Traffic, second: Client
) -> None:
    """A replica may have the copies of a trace before it knows that the trace is pinned."""
    store = open_store(0)
    traffic.put(store, 1)
    with lagging(cell, 1, ["pins"]):
        store.pin(trace_of(store, traffic), "why", 1)
        eventually(lambda: copies(cell, 1) == 1, "the copy is on the second")
        pins.reconcile(second)
        assert (copies(cell, 0), copies(cell, 1)) == (1, 1)
    for each in store.pins():
        store.unpin(each.trace_id, 2)
    eventually(lambda: copies(cell, 1) == 0, "it is dropped on both")


def test_nothing_is_forgotten_by_half(
    cell: Cell, open_store: Opened, traffic: Traffic, second: Client
) -> None:
    """Rows that a replica lacks are not found there: it says so; later they are gone from both."""
    stores = [open_store(0), open_store(1)]
    with lagging(cell, 1):
        traffic.put(stores[0], 1)
        subject = Subject(trace_id=trace_of(stores[0], traffic))
        with pytest.raises(RowsMissing, match="lacks rows that another replica"):
            forget.find(second, subject)
    until_all(cell, traffic, 20)
    eventually(lambda: traffic.counted(stores[0]) == 20, "the map has them")
    assert forget.find(second, subject) == [subject.trace_id]
    assert forget.forget(second, [subject.trace_id])["segments"] == 1
    assert [traffic.rows(each, cell.database) for each in cell.replicas] == [19, 19]
    for store in reversed(stores):
        eventually(lambda store=store: traffic.counted(store) == 19, "the map lacks it")  # type: ignore[misc]


def test_retention_is_not_set_back(cell: Cell, second: Client) -> None:
    """By a process that starts at a replica that has not heard of it."""
    first = connect(cell.address)
    try:
        with lagging(cell, 1, ["settings"]):
            retention.apply(first, {"traces": 400})
            eventually(lambda: retention.effective(second)["traces"] == 400, "both have it")
            retention.apply(second, {})
            assert retention.effective(second)["traces"] == 400
            with pytest.raises(RowsMissing, match="is stored, and not applied"):
                retention.apply(second, {"traces": 40})
        retention.apply(second, {"traces": 3650}, wait=True)
        eventually(lambda: retention.effective(first)["traces"] == 3650, "both have it")
    finally:
        first.disconnect()


def test_a_webhook_is_not_sent_again(cell: Cell, open_store: Opened) -> None:
    """By a process that does not know yet that the one before has sent it."""
    first, other = open_store(0), open_store(1)
    made = event(1, targets=(HOOK,))
    with lagging(cell, 1, ["alarm_deliveries"]):
        assert first.add_alarm_event(made)
        first.put_delivery(Delivery(made.id, HOOK, DeliveryStatus.DELIVERED, 1, made.at))
        assert other.alarm_lock() is None
    lock = eventually(other.alarm_lock, "it has the lock when it knows")
    assert lock
    assert other.pending_deliveries(since=0, limit=9) == []
    lock.release()


def test_a_map_says_what_its_replica_lacks(cell: Cell, open_store: Opened) -> None:
    """So alarms wait, and the page says that it is incomplete. Of other times it is not."""
    store = open_store(1)
    traffic = Traffic(10_000, round(time.time()) * 1_000_000)
    assert store.backlog(traffic.window) is None
    with lagging(cell, 1, (*LAGGING, "dirty")):
        traffic.put(open_store(0), 1)
        backlog = eventually(lambda: store.backlog(traffic.window), "it lacks rows")
        assert backlog
        assert traffic.window.start <= backlog.start < backlog.since < traffic.window.end
        assert backlog.since > traffic.window.start + 60_000_000 - 5_000_000
        before = TimeRange(traffic.window.start - 7_200_000_000, traffic.window.end - 3_600_000_000)
        assert store.backlog(before) is None
    until_all(cell, traffic, 20)
    eventually(lambda: store.backlog(traffic.window) is None, "it has them")


def test_verify_waits_for_the_rows_of_its_replica(
    cell: Cell, open_store: Opened, traffic: Traffic
) -> None:
    """What it lacks would be differences that are none."""
    first, second = open_store(0), open_store(1)
    with lagging(cell, 1, ["rollups"]):
        traffic.put(first, 1)
        assert traffic.counted(first) == 20
        with pytest.raises(StoreUnavailable, match="lacks rows that another"):
            list(second.verify(traffic.window))
    until_all(cell, traffic, 20)
    for store in (first, second):
        found = list(store.verify(traffic.window))
        assert sum(part.minutes for part in found) >= 1
        assert [part.differences for part in found if part.differences] == []


def test_a_backup_is_restored_on_one_and_copied_to_all(
    cell: Cell, open_store: Opened, traffic: Traffic, tmp_path: Path
) -> None:
    """As docs/operating.md says: RESTORE on one server, then `raymap migrate` with the names of all."""
    traffic.put(open_store(0), 1)
    until_all(cell, traffic, 20)
    one = cell.replicas[0]
    file = f"File('{tmp_path / 'backup'}')"
    one.ask(f"BACKUP DATABASE {cell.database} TO {file}")
    cell.drop()
    one.ask(f"RESTORE DATABASE {cell.database} FROM {file}")
    migrate(cell.address, {"retention_days": 3650})
    until_all(cell, traffic, 20)
    stores = [open_store(1), open_store(0)]
    for store in stores:
        eventually(lambda store=store: traffic.counted(store) == 20, "the map is whole")  # type: ignore[misc]
    traffic.put(stores[0], 2)
    until_all(cell, traffic, 40)


def test_doctor_names_each_replica(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raymap.logging.set_up_logging", lambda *_: None)
    monkeypatch.setattr(doctor, "DISK_FAIL", 0.0)
    given = ["doctor", "--clickhouse", cell.address.url, "--data-dir", str(tmp_path)]
    said = CliRunner().invoke(app, given).output
    for each in cell.address.each:
        assert f"ok    replica {each.name}: 2 of 2 are active, 0 s behind" in said
    assert "ok    clocks of replicas: they are 0.0" in said


def test_topology_says_which_replica_lags(
    cell: Cell, open_store: Opened, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person sees it by name, with its seconds, until the rows are there."""
    monkeypatch.setattr("raymap.logging.set_up_logging", lambda *_: None)
    store = open_store(0)
    first, second = (each.name for each in cell.address.each)

    def replicas() -> dict[str, dict[str, Any]]:
        said = listed("--json")
        return {each["replica"]: each for each in json.loads(said)["cells"][0]["replicas"]}

    def listed(*options: str) -> str:
        given = ["topology", "list", "--clickhouse", cell.address.url, *options]
        return CliRunner().invoke(app, given).output

    with lagging(cell, 1):
        traffic.put(store, 1)
        eventually(lambda: replicas()[second]["state"]["delay"] >= 5, "it is seconds behind")
        found = replicas()
        assert (found[first]["status"], found[first]["state"]["delay"]) == ("ok", 0)
        assert found[second]["status"] == "warn"
        assert found[second]["state"]["waiting"] > 0
        said = listed()
        assert f"ok    replica {first}: 2 of 2 are active, 0 s behind" in said
        assert f"warn  replica {second}: 2 of 2 are active, " in said
    until_all(cell, traffic, 20)
    eventually(lambda: replicas()[second]["state"]["delay"] == 0, "it has all rows")
    gone = replace(cell.address, others=(("127.0.0.1", 1),))
    assert topology.replica_lines(gone)[1]["state"] is None
    assert topology.replica_lines(gone)[1]["status"] == "fail"


@pytest.mark.parametrize(
    ("state", "status", "says"),
    [
        (ReplicaState(26, 0, 0, 3, 2, 2), "ok", "2 of 2 are active, 0 s behind, 3 entries wait"),
        (ReplicaState(26, 0, 9, 3, 2, 2), "warn", "9 s behind"),
        (ReplicaState(26, 0, 90, 3, 2, 2), "fail", "90 s behind"),
        (ReplicaState(26, 26, 0, 0, 0, 2), "fail", "26 of 26 tables are read-only"),
        (ReplicaState(26, 0, 0, 0, 1, 2), "warn", "1 of 2 are active"),
        (ReplicaState(0, 0, 0, 0, 0, 0), "fail", "has no tables"),
    ],
)
def test_what_doctor_says_of_a_replica(state: ReplicaState, status: str, says: str) -> None:
    check = replica_check("a:9000", state)
    assert (check.name, check.status) == ("replica a:9000", status)
    assert says in check.detail
    assert bool(check.help) is (status != "ok")


def test_what_doctor_says_of_clocks() -> None:
    assert clocks_check(0.4).status == "ok"
    assert "nothing is counted until" in clocks_check(120.0).detail


def test_without_coordination_all_can_be_read(
    cell: Cell, open_store: Opened, traffic: Traffic, replica_rig: object
) -> None:
    """What is written is refused with the reason, within seconds; a collector journals it."""
    store = open_store(0)
    traffic.put(store, 1)
    assert traffic.counted(store) == 20
    coordination = replica_rig.coordination  # type: ignore[attr-defined]
    coordination.kill()
    try:
        eventually(lambda: read_only(cell), "the session is over")
        for write in (
            lambda: traffic.put(store, 2),
            lambda: store.pin(trace_of(store, traffic), "why", 1),
            lambda: store.add_alarm_event(event(9)),
        ):
            with pytest.raises(
                StoreUnavailable, match=r"ClickHouse cannot answer now: .*(read|ZooKeeper|Keeper)"
            ):
                write()
        assert traffic.counted(store) == 20
    finally:
        coordination.start()
    eventually(lambda: not read_only(cell), "both are back")
    traffic.put(store, 2)
    until_all(cell, traffic, 40)
    eventually(lambda: traffic.counted(store) == 40, "the map is whole")


def read_only(cell: Cell) -> bool:
    """Whether any table of any replica is."""
    found = f"SELECT max(is_readonly) FROM system.replicas WHERE database = '{cell.database}'"
    return any(each.ask(found) == [(1,)] for each in cell.replicas)
