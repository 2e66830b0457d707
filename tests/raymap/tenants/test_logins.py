"""The second wall: what a tenant's ClickHouse user may do, on the embedded engine and with a whole store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from clickhouse_driver.errors import ServerException

from raymap.auth.key_source import KeySource
from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.auth.secret import server_secret
from raymap.auth.tenants import new_tenant, put_tenant
from raymap.embedded import EmbeddedClickHouse
from raymap.tenants.databases import address_of, drop_database, usage
from raymap.tenants.logins import TenantLogin, own_login, refusal, write_embedded
from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.pool import ClientPool, connect
from store.clickhouse.schema.retention import prepare_database
from store.clickhouse.store import ClickHouseStore
from store.config.change import change
from store.errors import StoreUnavailable
from store.model import TimeRange
from tests.builders import segment, trace_id
from tests.raymap.processes import finished_segment
from tests.raymap.tenants.collectors import collector, names_in, send
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
    own = own_login(engine.address, ACME, MASTER)
    assert refusal(own) == ""
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
            f"BACKUP DATABASE {own.database} TO File('/tmp/raymap-test-refused')",
            "CREATE DICTIONARY mine (k UInt64) PRIMARY KEY k SOURCE(NULL()) LAYOUT(FLAT())",
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
    own = own_login(engine.address, ACME, MASTER)
    prepare_database(own, {"traces": 3650})
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
        assert "Authentication failed" in refusal(own_login(engine.address, tenant, master))
        login = TenantLogin(engine.address, tenant, master)
        assert login() is login.common
        assert login.common == address_of(engine.address, tenant.name)


def test_the_wall_comes_with_the_user(tmp_path: Path) -> None:
    """ClickHouse comes after the store, at first without the tenant's user; neither process nor store is
    started anew for it."""
    with EmbeddedClickHouse(tmp_path) as engine:
        default = engine.address
        prepare_database(address_of(default, ACME.name), {})
    login = TenantLogin(default, ACME, MASTER, every=0.1)
    with closing(ClickHouseStore(login.common, connections=2, login=login)) as store:
        with pytest.raises(StoreUnavailable):
            store.check()
        with EmbeddedClickHouse(tmp_path):
            eventually(lambda: stored(store, 1), ignore=(StoreUnavailable,))
            assert login() == login.common
        write_embedded(tmp_path, default, [ACME], MASTER)
        assert login() == login.common  # not known otherwise while it does not answer
        with EmbeddedClickHouse(tmp_path):
            eventually(lambda: login() == own_login(default, ACME, MASTER))
            eventually(lambda: stored(store, 2), ignore=(StoreUnavailable,))


def test_connections_of_another_login_are_not_reused(engine: EmbeddedClickHouse) -> None:
    logins = [engine.address, replace(own_login(engine.address, ACME, MASTER), database="")]
    pool = ClientPool(engine.address, 2, login=lambda: logins[0])
    users = []
    for _ in range(4):
        with pool.client() as client:
            users.append(client.execute("SELECT currentUser()")[0][0])
        logins.reverse()
    pool.close()
    assert users == [logins[0].user, logins[1].user] * 2


def test_a_collector_that_starts_before_clickhouse_uses_the_tenants_login(tmp_path: Path) -> None:
    """Here the common login can only read, so what is stored came with the tenant's own."""
    with EmbeddedClickHouse(tmp_path) as engine:
        prepare_database(engine.address, {})
        prepare_database(address_of(engine.address, ACME.name), {})
        master = server_secret(tmp_path)
        issued = issue_key("checkout", Role.INGEST, master, now=1, tenant=ACME.name)
        with closing(ClickHouseStore(engine.address, connections=1)) as store:
            change(store, lambda *_: (None, [put_tenant(ACME), put_key(issued.key)]), time.time)
            KeySource(store.read_configuration, tmp_path).refresh()  # as of an earlier process
        write_embedded(tmp_path, engine.address, [ACME], master)
    readonly = parse_url(engine.readonly_url)
    with collector(readonly, tmp_path) as (_, http):
        assert send(http, issued, [finished_segment("early")])
        with EmbeddedClickHouse(tmp_path):
            own = address_of(engine.address, ACME.name)
            eventually(lambda: names_in(own) == ["early: 1"], "stored as the tenant's user")


def test_dropping_needs_the_common_user(engine: EmbeddedClickHouse) -> None:
    gone = address_of(engine.address, "gone")
    prepare_database(gone, {})
    drop_database(gone)
    drop_database(gone)


def stored(store: ClickHouseStore, number: int) -> bool:
    """Whether a trace of this number can be written and read."""
    store.put([segment(1, trace_id=trace_id(number), start=T0, end=T0 + 1000)], f"t{number}")
    return bool(store.get_traces([trace_id(number)]))
