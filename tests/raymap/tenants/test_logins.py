"""The second wall: what a tenant's ClickHouse user may do, on the embedded engine and with a whole store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from clickhouse_driver.errors import ServerException

from raymap.auth.tenants import new_tenant
from raymap.embedded import EmbeddedClickHouse
from raymap.tenants.databases import address_of, drop_database, usage
from raymap.tenants.logins import own_login, usable_login, write_embedded
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.retention import prepare_database
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.builders import segment, trace_id
from tests.waiting import eventually

pytestmark = pytest.mark.clickhouse
MASTER = b"m" * 32
ACME, GLOBEX = new_tenant("acme", 1), new_tenant("globex-eu", 1)
REFUSED = (497, 636)
"""ACCESS_DENIED; for merge(), which sees no such table, CANNOT_EXTRACT_TABLE_STRUCTURE."""
T0 = 1_795_560_000_000_000


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    """An engine that knew both tenants when it started."""
    data_dir: Path = tmp_path_factory.mktemp("logins")
    (data_dir / "clickhouse").mkdir()
    write_embedded(data_dir, Address("127.0.0.1"), [ACME, GLOBEX], MASTER)
    with EmbeddedClickHouse(data_dir) as engine:
        prepare_database(engine.address, {})
        for tenant in (ACME, GLOBEX):
            prepare_database(address_of(engine.address, tenant.name), {})
        yield engine


def test_a_tenants_connection_reads_and_changes_nothing_of_another(
    engine: EmbeddedClickHouse,
) -> None:
    own = usable_login(engine.address, ACME, MASTER)
    assert own == own_login(engine.address, ACME, MASTER)
    other = address_of(engine.address, GLOBEX.name).database
    client = connect(own)
    try:
        for statement in (
            f"SELECT * FROM {other}.segments",
            f"INSERT INTO {other}.settings (name, value, ver) VALUES ('a', 'b', 1)",
            f"ALTER TABLE {other}.segments DELETE WHERE 1",
            f"DROP TABLE {other}.segments",
            f"DROP DATABASE {other}",
            f"SELECT * FROM remote('127.0.0.1:{own.port}', '{other}', 'segments')",
            f"SELECT * FROM merge('{other}', 'segments')",
            f"GRANT SELECT ON {other}.* TO {own.user}",
            f"SHOW CREATE TABLE {other}.segments",
            "SELECT * FROM raymap.configuration",
            "SELECT * FROM file('/etc/hosts', 'LineAsString')",
            "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
            "CREATE DATABASE another",
            "CREATE USER another",
        ):
            with pytest.raises(ServerException) as error:
                client.execute(statement)
            assert error.value.code in REFUSED, (statement, str(error.value)[:200])
        shown = {name for (name,) in client.execute("SHOW DATABASES")}
        assert other not in shown
        assert not client.execute(
            "SELECT 1 FROM system.parts WHERE database = {name:String}", {"name": other}
        )
    finally:
        client.disconnect()


def test_a_store_does_all_its_work_with_it(engine: EmbeddedClickHouse) -> None:
    """Writing, counting, reading, pinning, the alarms' lock and retention."""
    own = usable_login(engine.address, ACME, MASTER)
    prepare_database(own, {"traces": 9})
    with closing(ClickHouseStore(own, connections=4)) as store:
        store.check()
        store.put([segment(1, trace_id=trace_id(1), name="shop", start=T0, end=T0 + 1000)], "t1")
        assert store.get_traces([trace_id(1)])
        stop = threading.Event()
        thread = threading.Thread(target=store.run_rollups, args=[stop])
        thread.start()
        window = TimeRange(T0 - 60_000_000, T0 + 60_000_000)
        eventually(lambda: store.service_graph(window, settled_before=T0 + 10**9).services)
        stop.set()
        thread.join()
        list(store.verify(window))
        lock = store.alarm_lock()
        assert lock is not None
        lock.release()
        assert store.problems() == []
    assert usage(own).traces == 1


def test_without_a_user_the_common_one_is_used(engine: EmbeddedClickHouse) -> None:
    """A tenant that was added while the engine runs, and a server with another secret."""
    for tenant, master in ((new_tenant("new", 1), MASTER), (ACME, b"x" * 32)):
        used = usable_login(engine.address, tenant, master)
        assert used == address_of(engine.address, tenant.name)
    assert replace(used, user="", password="") == replace(
        own_login(engine.address, ACME, MASTER), user="", password=""
    )


def test_dropping_needs_the_common_user(engine: EmbeddedClickHouse) -> None:
    gone = address_of(engine.address, "gone")
    prepare_database(gone, {})
    drop_database(gone)
    drop_database(gone)
