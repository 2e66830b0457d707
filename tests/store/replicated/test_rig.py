"""The rig is what it seems: real replicas that fetch parts from each other and need their coordination service."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver.errors import ServerException

from tests.store.replicated import machine_code
from tests.store.replicated.rig import Replica, Rig
from tests.waiting import eventually

READ_ONLY = 242


@pytest.fixture
def table(replicas: list[Replica]) -> Iterator[str]:
    """A replicated table of the test's own."""
    database = f"rig_{uuid.uuid4().hex[:8]}"
    for each in replicas:
        each.ask(f"CREATE DATABASE {database}")
        each.ask(
            f"CREATE TABLE {database}.t (n UInt64) ENGINE = "
            "ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}') ORDER BY n"
        )
    yield f"{database}.t"
    for each in replicas:
        each.ask(f"DROP DATABASE {database} SYNC")


def test_both_are_replicas_of_one_table(replicas: list[Replica], table: str) -> None:
    for each in replicas:
        rows = each.ask(
            f"SELECT active_replicas, replica_name FROM system.replicas WHERE database || '.' || table = '{table}'"
        )
        assert rows == [(2, each.name)]


def test_a_part_is_fetched(replicas: list[Replica], table: str) -> None:
    """From the other server, by HTTP: not inserted twice, and not merged here."""
    one, two = replicas
    one.ask(f"INSERT INTO {table} SELECT number FROM numbers(1000)")
    two.ask(f"SYSTEM SYNC REPLICA {table}")
    assert two.ask(f"SELECT count() FROM {table}") == [(1000,)]
    two.ask("SYSTEM FLUSH LOGS")
    events = two.ask(
        f"SELECT event_type FROM system.part_log WHERE database || '.' || table = '{table}' AND rows = 1000"
    )
    assert events == [("DownloadPart",)]


def test_rows_wait_for_a_fetch(replicas: list[Replica], table: str) -> None:
    """What tests of a lagging replica rely on."""
    one, two = replicas
    two.ask(f"SYSTEM STOP FETCHES {table}")
    one.ask(f"INSERT INTO {table} VALUES (1)")
    assert two.ask(f"SELECT count() FROM {table}") == [(0,)]
    two.ask(f"SYSTEM START FETCHES {table}")
    two.ask(f"SYSTEM SYNC REPLICA {table}")
    assert two.ask(f"SELECT count() FROM {table}") == [(1,)]


def test_a_replica_that_was_killed_comes_back(replicas: list[Replica], table: str) -> None:
    """With what it had, and what came meanwhile."""
    one, two = replicas
    one.ask(f"INSERT INTO {table} VALUES (1)")
    two.kill()
    one.ask(f"INSERT INTO {table} VALUES (2)")
    two.start()
    eventually(
        lambda: two.ask(f"SELECT count() FROM {table}") == [(2,)], "both rows are on the second"
    )


def test_without_coordination_they_are_read_only(
    replica_rig: Rig, replicas: list[Replica], table: str
) -> None:
    one, _ = replicas
    insert = f"INSERT INTO {table} SETTINGS insert_keeper_max_retries = 0 VALUES (1)"
    replica_rig.coordination.kill()
    try:
        eventually(lambda: _read_only(one, table), "the session is over")
        with pytest.raises(ServerException) as refused:
            one.ask(insert)
        assert refused.value.code == READ_ONLY
        assert one.ask(f"SELECT count() FROM {table}") == [(0,)]
    finally:
        replica_rig.coordination.start()
    eventually(
        lambda: not any(_read_only(each, table) for each in replicas), "the replicas are back"
    )
    one.ask(insert)
    assert one.ask(f"SELECT count() FROM {table}") == [(1,)]


def _read_only(replica: Replica, table: str) -> bool:
    statement = (
        f"SELECT is_readonly FROM system.replicas WHERE database || '.' || table = '{table}'"
    )
    return replica.ask(statement) == [(1,)]


def test_another_build_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, before any byte of it is changed."""
    other = tmp_path / "_chdb.so"
    other.write_bytes(b"\x7fELF" + bytes(60))
    with pytest.raises(machine_code.OtherBuild, match="build bdc4640446f9"):
        machine_code.require_build(other)
