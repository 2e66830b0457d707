"""The schema of replicas: every one has the tables, whichever recorded what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.errors import MigrationError
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.schema.version import require_schema
from store.errors import SchemaMismatch
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Replica
from tests.store.replicated.stock import StockReplica

DAYS = {"retention_days": 3650}


def _tables(replica: Replica | StockReplica, database: str) -> dict[str, str]:
    statement = f"SELECT name, engine FROM system.tables WHERE database = '{database}'"
    return dict(replica.ask(statement))


def test_every_replica_has_the_tables(empty_cell: Cell) -> None:
    assert len(migrate(empty_cell.address, DAYS)) >= 4
    assert migrate(empty_cell.address, DAYS) == []
    first, second = (_tables(each, empty_cell.database) for each in empty_cell.replicas)
    assert first == second
    assert {"segments", "calls", "rollups", "dirty", "raymap_migrations"} <= first.keys()
    assert all(engine.startswith("Replicated") for engine in first.values())
    for each in empty_cell.replicas:
        active = f"SELECT DISTINCT active_replicas FROM system.replicas WHERE database = '{empty_cell.database}'"
        assert each.ask(active) == [(2,)]


def test_a_replica_that_comes_later_gets_them_as_they_are(empty_cell: Cell) -> None:
    """What was recorded says nothing of a server without a single table, which need not be the last that is named."""
    one, two = empty_cell.replicas
    migrate(empty_cell.address, DAYS)
    two.ask("ALTER TABLE segments MODIFY TTL received + toIntervalDay(7)", empty_cell.database)
    complete = _tables(two, empty_cell.database)
    one.ask(f"DROP DATABASE {empty_cell.database} SYNC")
    assert migrate(empty_cell.address, DAYS) == []
    assert _tables(one, empty_cell.database) == complete
    made = f"SELECT create_table_query FROM system.tables WHERE database = '{empty_cell.database}' AND name = 'segments'"
    assert "toIntervalDay(7)" in one.ask(made)[0][0]


def test_replicas_are_named_all(empty_cell: Cell) -> None:
    """One name of several would count, lock and read on one server beside the others."""
    migrate(empty_cell.address, DAYS)
    alone = empty_cell.address.each[0]
    with pytest.raises(MigrationError, match="has replicas: name them all"):
        migrate(alone, DAYS)
    client = connect(alone)
    with pytest.raises(SchemaMismatch, match="has replicas: name them all"):
        require_schema(client, "x")
    client.disconnect()
    client = connect(empty_cell.address)
    require_schema(client, "x")
    client.disconnect()


def test_tables_without_replicas_are_refused(empty_cell: Cell) -> None:
    """Two servers of which each has its own tables."""
    for each in empty_cell.address.each:
        migrate(each, DAYS)
    with pytest.raises(MigrationError, match="tables without replicas"):
        migrate(empty_cell.address, DAYS)


def test_a_schema_is_not_changed_without_all(empty_cell: Cell) -> None:
    """But a start that changes nothing needs one."""
    absent = replace(empty_cell.address, others=(*empty_cell.address.others, ("127.0.0.1", 9)))
    with pytest.raises(MigrationError, match=r"on all replicas at once, and 127\.0\.0\.1:9"):
        migrate(absent, DAYS)
    migrate(empty_cell.address, DAYS)
    assert migrate(absent, DAYS) == []
