"""The definitions of all tables for one server and for replicas, from one text."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

import pytest

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect, create_database
from store.clickhouse.schema.migrate import FOLDER, read_migrations
from store.clickhouse.schema.topology import (
    CLOUD,
    DURABLE,
    NO_WINDOW,
    PLACE,
    PROMPT,
    REPLICAS,
    SINGLE,
    TIDY,
    Topology,
)

DAYS = {"retention_days": 30}


def statements(topology: Topology) -> list[str]:
    return [text for each in read_migrations(FOLDER, DAYS, topology) for text in each.statements]


def code(statement: str) -> str:
    """Without comments."""
    return re.sub(r"--[^\n]*\n?", "", statement).strip()


def test_one_server() -> None:
    text = "\n".join(map(code, statements(SINGLE)))
    assert "Replicated" not in text
    assert "CLUSTER" not in text
    assert " non_replicated_deduplication_window = 10000, fsync_after_insert = 1" in text
    assert "CREATE TABLE IF NOT EXISTS segments (" in text
    assert "ENGINE = ReplacingMergeTree(ver)" in text


def test_replicas() -> None:
    """Every table has copies, which find each other by its name."""
    for statement in map(code, statements(REPLICAS)):
        assert "non_replicated" not in statement
        engines = re.findall(r"^ENGINE = (\w+)\(([^)]*)", statement, re.MULTILINE)
        assert len(engines) == (1 if statement.startswith("CREATE TABLE") else 0)
        for engine, arguments in engines:
            assert re.fullmatch(r"Replicated\w*MergeTree", engine)
            assert arguments.startswith(PLACE)


def test_they_differ_in_nothing_else() -> None:
    replicated = "\n".join(statements(REPLICAS)) + "\n"
    for text, instead in (
        (f"({PLACE}, ", "("),
        (f"({PLACE})", ""),
        (f"\nSETTINGS {PROMPT}, {NO_WINDOW}\n", "\n"),
        (f"SETTINGS {PROMPT}, {NO_WINDOW}, ", "SETTINGS "),
        (f"SETTINGS {PROMPT}, ", "SETTINGS "),
        ("Replicated", ""),
        (
            " replicated_deduplication_window_seconds = 86400, replicated_deduplication_window",
            " non_replicated_deduplication_window",
        ),
    ):
        replicated = replicated.replace(text, instead)
    assert replicated == "\n".join(statements(SINGLE)) + "\n"


def test_cloud_is_given_plain_engines_and_no_settings_of_disks() -> None:
    """It makes shared engines of them, which drop repeated inserts as replicated ones do."""
    made = [text for text in map(code, statements(CLOUD)) if "ENGINE" in text]
    assert len(made) == sum("ENGINE" in text for text in map(code, statements(SINGLE)))
    for text in made:
        assert not re.search("Replicated|fsync|lifetime|merge_selector|fetches", text)
        assert text.count("replicated_deduplication_window =") == 1
        assert not re.search(r",\s*,|SETTINGS\s*(,|$)|,\s*$", text)


def test_cloud_differs_in_nothing_else() -> None:
    def plain(topology: Topology) -> str:
        text = "\n".join(statements(topology))
        windows = r"(non_)?replicated_deduplication_window(_seconds = 86400, replicated_deduplication_window)?"
        text = re.sub(windows, "window", text)
        for each in (DURABLE, TIDY, "window = 0", "SETTINGS"):
            text = text.replace(each, "")
        return re.sub(r"[\s,]+", " ", text)

    assert plain(CLOUD) == plain(SINGLE)


def test_rows_that_are_equal_are_no_repeated_insert() -> None:
    """Replicas deduplicate by default, one server does not: a second mark of a bucket would be dropped."""
    (dirty,) = [text for text in statements(REPLICAS) if "EXISTS dirty" in text]
    assert "replicated_deduplication_window = 0" in dirty
    made = [code(text) for text in statements(REPLICAS) if "ENGINE" in text]
    assert all(text.count("replicated_deduplication_window =") == 1 for text in made)


def test_acknowledged_rows_survive_merges_and_power_cuts() -> None:
    """A table whose inserts are synced syncs what replaces them, before they are removed."""
    synced = [text for text in statements(SINGLE) if "fsync_after_insert = 1" in text]
    assert {re.findall(r"EXISTS (\w+)", code(text))[0] for text in synced} >= {
        "segments",
        "calls",
        "links",
        "traces",
        "settings",
        "configuration",
        "pins",
    }
    assert all("min_rows_to_fsync_after_merge = 1" in text for text in synced)


@pytest.mark.parametrize("topology", [SINGLE, REPLICAS, CLOUD])
def test_the_server_understands_them(clickhouse: Address, topology: Topology) -> None:
    client = connect(replace(clickhouse, database=""))
    for statement in statements(topology):
        ((formatted,),) = client.execute("SELECT formatQuery({text:String})", {"text": statement})
        assert ("'{replica}'" in formatted) == (topology.replicated and "ENGINE" in formatted)
    client.disconnect()


def test_the_server_makes_what_cloud_is_given(clickhouse: Address) -> None:
    """Names and values of settings are those of tables; Cloud's are the same."""
    database = f"raymap_{uuid.uuid4().hex[:8]}"
    create_database(replace(clickhouse, database=database))
    client = connect(replace(clickhouse, database=database))
    for statement in statements(CLOUD):
        client.execute(statement)
    client.execute(f"DROP DATABASE {database}")
    client.disconnect()
