"""Migrations, their lock, and what a process does on another schema."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from clickhouse_driver.errors import ServerException

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import ClickHouseUnavailable
from store.clickhouse.connection.pool import connect, create_database
from store.clickhouse.schema.errors import MigrationError
from store.clickhouse.schema.migrate import (
    SchemaChanged,
    SchemaTooNew,
    migrate,
    migration_lock,
    read_migrations,
    split_statements,
)
from store.clickhouse.schema.version import require_schema
from store.clickhouse.store import ClickHouseStore
from store.errors import SchemaMismatch, StoreUnavailable
from tests.builders import segment

FIRST = """
-- Numbers with a retention.
CREATE TABLE IF NOT EXISTS numbers (n UInt8, at DateTime) -- a comment; with a semicolon
ENGINE = MergeTree ORDER BY n
TTL at + INTERVAL {retention_days} DAY;

CREATE TABLE IF NOT EXISTS words (w String DEFAULT 'a;b') ENGINE = MergeTree ORDER BY w
;
"""

HOLDER = """
import sys, time
from store.clickhouse.connection.address import parse_url
from store.clickhouse.schema.migrate import migration_lock
with migration_lock(parse_url(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def database(clickhouse: Address) -> Iterator[Address]:
    address = replace(clickhouse, database=f"migrate_{uuid.uuid4().hex[:8]}")
    yield address
    connect(replace(address, database="")).execute(f"DROP DATABASE IF EXISTS {address.database}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_numbers.sql").write_text(FIRST)
    return tmp_path


def test_it_makes_the_database_and_applies_once(database: Address, folder: Path) -> None:
    assert migrate(database, {"retention_days": 9}, folder=folder) == ["0001_numbers.sql"]
    assert migrate(database, {"retention_days": 9}, folder=folder) == []
    client = connect(database)
    assert client.execute("SELECT version, name FROM raymap_migrations") == [
        (1, "0001_numbers.sql")
    ]
    ((made,),) = client.execute("SHOW CREATE TABLE numbers")
    assert "toIntervalDay(9)" in made


def test_only_new_files_are_applied(database: Address, folder: Path) -> None:
    migrate(database, {"retention_days": 9}, folder=folder)
    connect(database).execute("INSERT INTO numbers (n, at) SELECT 7, now()")
    (folder / "0002_more.sql").write_text("ALTER TABLE numbers ADD COLUMN IF NOT EXISTS m UInt8;")
    assert migrate(database, {"retention_days": 9}, folder=folder) == ["0002_more.sql"]
    assert connect(database).execute("SELECT n, m FROM numbers") == [(7, 0)]


def test_a_newer_database_is_used_as_far_as_its_migrations_say(
    database: Address, folder: Path
) -> None:
    """What only adds does not concern an older program; what takes away names whom it leaves."""
    (folder / "0002_more.sql").write_text("ALTER TABLE numbers ADD COLUMN IF NOT EXISTS m UInt8;")
    migrate(database, {"retention_days": 9}, folder=folder)
    record(database, 3, "0003_adds.sql")
    record(database, 4, "0004_needs_0002_drop_words.sql")
    assert migrate(database, {"retention_days": 9}, folder=folder) == []
    record(database, 5, "0005_needs_0003_drop_n.sql")
    record(database, 6, "0006_adds.sql")
    with pytest.raises(SchemaTooNew) as raised:
        migrate(database, {"retention_days": 9}, folder=folder)
    assert str(raised.value) == (
        "This database is for a newer Raymap (schema 6, for programs that know 3; this one knows 2). "
        "Upgrade Raymap or point it at another database."
    )


def test_a_name_that_says_nothing_needs_its_own_program(database: Address, folder: Path) -> None:
    migrate(database, {"retention_days": 9}, folder=folder)
    record(database, 2, "two")
    with pytest.raises(SchemaTooNew, match="for programs that know 2; this one knows 1"):
        migrate(database, {"retention_days": 9}, folder=folder)


def record(database: Address, version: int, name: str) -> None:
    """A migration that a newer program has applied."""
    connect(database).execute(
        "INSERT INTO raymap_migrations (version, name) VALUES", [(version, name)]
    )


def test_several_may_start_together(database: Address, folder: Path) -> None:
    (folder / "0002_more.sql").write_text("ALTER TABLE numbers ADD COLUMN IF NOT EXISTS m UInt8;")
    failures: list[BaseException] = []

    def start() -> None:
        try:
            migrate(database, {"retention_days": 9}, folder=folder)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    found = connect(database).execute(
        "SELECT version FROM raymap_migrations FINAL ORDER BY version"
    )
    assert found == [(1,), (2,)]


def test_a_failure_names_the_file_and_can_be_repeated(database: Address, folder: Path) -> None:
    second = folder / "0002_bad.sql"
    second.write_text(
        "SELECT 1;\nCREATE TABLE nonsense (n Nonsense) ENGINE = MergeTree ORDER BY n;"
    )
    with pytest.raises(MigrationError, match=r"0002_bad\.sql, statement 2: .*Nonsense"):
        migrate(database, {"retention_days": 9}, folder=folder)
    second.write_text("SELECT 1;")
    assert migrate(database, {"retention_days": 9}, folder=folder) == ["0002_bad.sql"]


def test_the_products_own_files_can_be_applied_twice(database: Address) -> None:
    first = migrate(database, {"retention_days": 30})
    assert first
    connect(database).execute("TRUNCATE TABLE raymap_migrations")
    assert migrate(database, {"retention_days": 30}) == first


def test_an_applied_file_that_changed_is_refused(database: Address, folder: Path) -> None:
    migrate(database, {"retention_days": 9}, folder=folder)
    (folder / "0001_numbers.sql").write_text(FIRST + "SELECT 1;")
    with pytest.raises(SchemaChanged, match=r"0001_numbers\.sql was changed after it was applied"):
        migrate(database, {"retention_days": 9}, folder=folder)


def test_a_database_of_a_development_version_is_refused(database: Address, folder: Path) -> None:
    migrate(database, {"retention_days": 9}, folder=folder)
    client = connect(database)
    client.execute("TRUNCATE TABLE raymap_migrations")
    client.execute(
        "INSERT INTO raymap_migrations (version, name, checksum) VALUES",
        [(number, f"{number:04}_segments.sql", "old") for number in range(1, 9)],
    )
    with pytest.raises(SchemaChanged, match=r"development version .* another database .* drop"):
        migrate(database, {"retention_days": 9})
    with pytest.raises(SchemaMismatch, match="development version"):
        require_schema(client, "raymap")
    client.disconnect()


def test_one_process_migrates_at_a_time(database: Address, folder: Path) -> None:
    """Each statement of the file runs once, however many start together."""
    (folder / "0002_counted.sql").write_text(
        "INSERT INTO numbers (n, at) SELECT 1, now() FROM numbers(1) WHERE sleepEachRow(0.3) = 0;"
        "ALTER TABLE numbers ADD COLUMN IF NOT EXISTS m UInt8;"
    )
    run_together(4, lambda: migrate(database, {"retention_days": 9}, folder=folder))
    client = connect(database)
    assert client.execute("SELECT count() FROM numbers") == [(1,)]
    assert client.execute("SELECT count() FROM raymap_migrations") == [(2,)]
    assert client.execute("SHOW TABLES LIKE '%lock%'") == []
    client.disconnect()


def test_the_lock_belongs_to_one_at_a_time(database: Address) -> None:
    inside: list[int] = []
    most = 0

    def enter() -> None:
        nonlocal most
        with migration_lock(database):
            inside.append(1)
            most = max(most, len(inside))
            time.sleep(0.3)
            inside.pop()

    create_database(database)
    run_together(4, enter)
    assert (most, inside) == (1, [])
    client = connect(database)
    assert client.execute("SHOW TABLES") == []
    client.disconnect()


def test_a_process_that_dies_leaves_no_lock(database: Address) -> None:
    create_database(database)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, database.url], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"locked\n"
    waiting = migration_lock(database, wait=0.3)
    with pytest.raises(ClickHouseUnavailable, match="migrating for"), waiting:
        pass
    holder.kill()
    holder.wait(20)
    holder.stdout.close()
    with migration_lock(database, wait=20):
        pass


def test_a_live_lock_is_waited_for(database: Address) -> None:
    create_database(database)
    waiting = migration_lock(database, wait=0.3)
    refused = pytest.raises(ClickHouseUnavailable, match="migrating for")
    with migration_lock(database), refused, waiting:
        pass


def test_documents_wait_for_a_schema_of_another_version(database: Address) -> None:
    """A store on an empty, an older or a newer schema refuses every use as unavailable, so that
    collectors retry and lose nothing; once the schema fits the same calls succeed."""
    create_database(database)
    store = ClickHouseStore(database, connections=2)
    refused = "no Raymap tables: run  raymap migrate  first"
    for use in (store.check, lambda: store.put([segment(1)], "a"), store.has_traces):
        with pytest.raises(SchemaMismatch, match=refused):
            use()
    migrate(database, {"retention_days": 3650})
    store.put([segment(1)], "a")
    client = connect(database)
    record(database, 9, "0009_newer.sql")
    store.schema.suspect(ServerException("no such column", code=16))
    store.check()  # it only adds
    record(database, 9, "0009_needs_0008_newer.sql")
    store.schema.suspect(ServerException("no such column", code=16))
    for use in (store.check, lambda: store.put([segment(2)], "b"), store.has_traces):
        with pytest.raises(
            SchemaMismatch,
            match=r"newer schema \(9, for programs that know 8; this one knows [1-7]\)",
        ):
            use()
    client.execute(
        "ALTER TABLE raymap_migrations DELETE WHERE version = 9 SETTINGS mutations_sync = 1"
    )
    store.put([segment(2)], "b")
    assert client.execute("SELECT count() FROM segments FINAL") == [(2,)]
    store.close()
    client.disconnect()


def test_an_insert_into_a_missing_table_is_unavailable(database: Address) -> None:
    """Within the seconds for which the schema is not read again, too."""
    migrate(database, {"retention_days": 3650})
    store = ClickHouseStore(database, connections=2)
    store.check()
    client = connect(database)
    client.execute("DROP TABLE raymap_migrations SYNC")
    client.execute("ALTER TABLE segments DROP COLUMN status")
    with pytest.raises(StoreUnavailable):
        store.put([segment(1)], "a")
    store.close()
    client.disconnect()


def run_together(count: int, work: Callable[[], object]) -> None:
    """Run work in threads and wait; raises what one of them raised."""
    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(work) for _ in range(count)]:
            future.result(60)


def test_statements_end_at_semicolons_that_are_not_hidden() -> None:
    sql = "-- one; two\nSELECT ';' AS `a;b`, \"c;d\" /* ; */;\n;\nSELECT 2 -- last;\n-- the end;"
    assert split_statements(sql) == (
        "-- one; two\nSELECT ';' AS `a;b`, \"c;d\" /* ; */",
        "SELECT 2 -- last;\n-- the end;",
    )
    assert split_statements("-- nothing;\n") == ()


def test_braces_that_are_no_placeholders_stay(tmp_path: Path) -> None:
    (tmp_path / "0001_x.sql").write_text("SELECT {x:UInt8}, map('a', {days});")
    (migration,) = read_migrations(tmp_path, {"days": 3})
    assert migration.statements == ("SELECT {x:UInt8}, map('a', 3)",)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("0001_x.sql", "SELECT {unheard_of};", "no setting is called 'unheard_of'"),
        ("0002_x.sql", "SELECT 1;", "expected number 0001"),
        ("first.sql", "SELECT 1;", "expected a name like"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MigrationError, match=rf"{name}: .*{said}"):
        read_migrations(tmp_path, {})
