"""What releases promise each other about the schema: what was released stays, and what is new only adds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from store.clickhouse.schema.migrate import (
    FOLDER,
    NUMBERED,
    Migration,
    checksum,
    read_migrations,
)
from store.times import BUCKET

RELEASED = {
    "0001_initial.sql": "0622769fa4efcd72",
    "0002_handler_failures.sql": "9358118ee025eb34",
    "0003_operations.sql": "260f011965e6a99e",
    "0004_problems.sql": "a3b0eb63011078dd",
    "0005_deciding_ids.sql": "d478d10b17914d70",
}
"""The migrations of the last release, or of the next one where none was released, with their checksums."""
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'")
TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS .*")
ADDITION = re.compile(r"ALTER TABLE \S+ ADD (?:COLUMN|INDEX|PROJECTION) IF NOT EXISTS .*")
CHANGE = re.compile(
    r"\b(?:DROP|RENAME|MODIFY|CLEAR|DELETE|UPDATE|TRUNCATE|COMMENT COLUMN|ADD CONSTRAINT)\b", re.I
)


def broken_promises(migrations: list[Migration], released: int) -> list[str]:
    """What of these would keep the last release, which knows so many, from using the database."""
    broken = []
    for migration in migrations:
        named = NUMBERED.fullmatch(migration.name)
        assert named
        if named[2]:
            if migration.version > released and int(named[2]) > released:
                broken.append(f"{migration.name}: the last release knows {released}")
            continue
        broken += [
            f"{migration.name}: {change}"
            for statement in migration.statements
            if (change := _change(statement))
        ]
    return broken


def _change(statement: str) -> str:
    """What a statement does besides adding something, in its first words; empty if nothing."""
    plain = " ".join(TEXT.sub("''", COMMENT.sub(" ", statement)).split())
    adds = TABLE.fullmatch(plain) or (ADDITION.fullmatch(plain) and not CHANGE.search(plain))
    return "" if adds else plain[:60]


def test_what_was_released_is_as_it_was() -> None:
    """A database that has it would be refused."""
    present = {path.name: checksum(path.read_text()) for path in FOLDER.glob("*.sql")}
    assert {name: present.get(name) for name in RELEASED} == RELEASED


def test_the_last_release_can_use_the_schema() -> None:
    assert broken_promises(read_migrations(FOLDER, {"retention_days": 30}), len(RELEASED)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE segments DROP COLUMN IF EXISTS status",
        "ALTER TABLE segments ADD COLUMN IF NOT EXISTS x UInt8, DROP COLUMN status",
        "ALTER TABLE segments /* ADD COLUMN IF NOT EXISTS */ MODIFY COLUMN status UInt32",
        "ALTER TABLE segments ADD COLUMN x UInt8",
        "ALTER TABLE segments ADD COLUMN IF NOT EXISTS x UInt8, MODIFY ORDER BY (trace_id, x)",
        "RENAME TABLE segments TO documents",
        "DROP TABLE IF EXISTS pins",
        "TRUNCATE TABLE pins",
        "INSERT INTO pins (note) VALUES ('x')",
        "CREATE OR REPLACE TABLE pins (x UInt8) ENGINE = Memory",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS seen TO pins AS SELECT * FROM segments",
    ],
)
def test_what_does_more_than_add_is_refused(statement: str, tmp_path: Path) -> None:
    """Unless its name says from which migration on programs do without."""
    migration = tmp_path / "0001_x.sql"
    migration.write_text(statement + ";")
    assert broken_promises(read_migrations(tmp_path, {}), 1) == [
        f"0001_x.sql: {' '.join(COMMENT.sub(' ', statement).split())[:60]}".replace("'x'", "''")
    ]
    migration.rename(tmp_path / "0001_needs_0001_x.sql")
    assert broken_promises(read_migrations(tmp_path, {}), 1) == []


def test_what_the_last_release_uses_is_not_removed(tmp_path: Path) -> None:
    """A release does without it first; the next one removes it."""
    (tmp_path / "0001_x.sql").write_text("CREATE TABLE IF NOT EXISTS x (y UInt8) ENGINE = Memory;")
    (tmp_path / "0002_y.sql").write_text("ALTER TABLE x ADD COLUMN IF NOT EXISTS z UInt8;")
    (tmp_path / "0003_needs_0002_drop_y.sql").write_text("ALTER TABLE x DROP COLUMN IF EXISTS y;")
    migrations = read_migrations(tmp_path, {})
    assert broken_promises(migrations, 1) == [
        "0003_needs_0002_drop_y.sql: the last release knows 1"
    ]
    assert broken_promises(migrations, 2) == []


def test_tables_have_buckets_of_the_width_that_everything_else_has() -> None:
    """The tables state it as a number: what was released cannot be rendered anew."""
    texts = [path.read_text() for path in FOLDER.glob("*.sql")]
    widths = [
        int(each) for text in texts for each in re.findall(r" bucket UInt64 .*, (\d+)\)\)", text)
    ]
    assert widths == [BUCKET] * 4
