"""The runner of migrations, with files of its own; the product's files are tested by every other test."""

from __future__ import annotations

import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.migrate import (
    FOLDER,
    MigrationError,
    SchemaTooNew,
    migrate,
    newest_version,
    read_migrations,
    split_statements,
)
from store.clickhouse.schema.retention import apply, effective
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import MINUTE, Document, TimeRange
from tests.builders import SECOND, T0, call, segment, subsegment, trace_id

FIRST = """
-- Numbers; kept for a while.
CREATE TABLE IF NOT EXISTS numbers (n UInt8, at DateTime) -- a comment; with a semicolon
ENGINE = MergeTree ORDER BY n
TTL at + INTERVAL {retention_days} DAY;

CREATE TABLE IF NOT EXISTS words (w String DEFAULT 'a;b') ENGINE = MergeTree ORDER BY w
;
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


def test_a_newer_database_is_left_alone(database: Address, folder: Path) -> None:
    migrate(database, {"retention_days": 9}, folder=folder)
    connect(database).execute(
        "INSERT INTO raymap_migrations (version, name, checksum) VALUES", [(7, "0007_x.sql", "")]
    )
    with pytest.raises(SchemaTooNew) as raised:
        migrate(database, {"retention_days": 9}, folder=folder)
    assert str(raised.value) == (
        "This database was written by a newer Raymap (schema 7; this program knows up to 1). "
        "Upgrade Raymap or point it at another database."
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
    assert newest_version() == len(list(FOLDER.glob("0*.sql")))


def test_what_was_written_before_weights_weighs_one(database: Address, tmp_path: Path) -> None:
    """Rows, and minutes that were counted already: all of their units were seen."""
    older = tmp_path / "older"
    older.mkdir()
    for path in FOLDER.glob("000[1-4]_*.sql"):
        shutil.copy(path, older)
    migrate(database, {"retention_days": 30}, folder=older)
    client = connect(database)
    for table in ("segments", "calls", "links"):
        client.execute(f"INSERT INTO {table} (received) VALUES (now())")
    client.execute("INSERT INTO rollups (kind, ok, error, throttle, fault, in_progress) VALUES "
                   "(0, 1, 20, 300, 4000, 50000)")  # fmt: skip
    assert migrate(database, {"retention_days": 30})[0] == "0005_weight.sql"
    for table in ("segments", "calls", "links"):
        assert client.execute(f"SELECT weight FROM {table}") == [(1,)]
    assert client.execute("SELECT observed FROM rollups") == [(54321,)]
    client.disconnect()


def test_rows_written_before_rows_were_smaller(database: Address, tmp_path: Path) -> None:
    """They list their calls among the members, lie in tables that are made anew, and read the same;
    also when that was interrupted, at any step that moves them, and begun again."""
    older = tmp_path / "older"
    older.mkdir()
    for path in FOLDER.glob("000[1-6]_*.sql"):
        shutil.copy(path, older)
    migrate(database, {"retention_days": 30}, folder=older)
    client, memory = connect(database), MemoryStore()
    apply(client, {"traces": 400})
    seventh, eighth = read_migrations(FOLDER, {"retention_days": 30})[6:8]
    for each in eighth.statements:  # other tables, which the program that reads here needs
        client.execute(each)
    store = ClickHouseStore(database, connections=2)
    window = TimeRange(T0, T0 + 3 * MINUTE)

    def agree(token: str, *documents: Document) -> None:
        for each in (memory, store):
            each.put(documents, token)
        found, expected = store.service_graph(window), memory.service_graph(window)
        assert (found.edges, found.services) == (expected.edges, expected.services)
        ids = [document.trace_id for document in documents]
        assert store.get_traces(ids).keys() == memory.get_traces(ids).keys()

    outer = segment(1, calls=(call(20),), members=(20, 21), last_end=T0 + SECOND)
    below = subsegment(2, parent_id=20, calls=(call(2), call(22)), members=(22, 23))
    agree("a", outer, below, segment(3, parent_id=23, name="local"))
    moves = re.compile(
        "^(EXCHANGE .* segments |RENAME .* segments_|ALTER .* segments_.* ATTACH)", re.MULTILINE
    )
    for number, statement in enumerate(seventh.statements, 1):
        if moves.search(statement):
            for each in seventh.statements[:number]:
                client.execute(each)
            assert client.execute("SELECT count() FROM segments FINAL") == [(3,)]
            assert client.execute("SELECT count() FROM calls FINAL") == [(3,)]
    assert migrate(database, {"retention_days": 30})[:1] == [seventh.name]
    assert effective(client)["traces"] == 400
    assert not client.execute("SHOW TABLES LIKE '%\\_before'")
    agree("b", segment(4, parent_id=20, name="answer"), subsegment(5, 22, calls=(call(5),)))
    later = call(20, start=T0 + MINUTE, end=T0 + MINUTE + SECOND)
    agree("c", segment(1, trace_id=trace_id(2), calls=(later,)))
    store.close()
    client.disconnect()


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
