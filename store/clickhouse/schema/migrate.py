"""Brings a database to the schema of this program: applies the numbered files of migrations/.

Each is applied once, in order, and recorded in `raymap_migrations`. `{retention_days}` and the like
are filled in from the settings; what may be set differently later is brought to tables that exist
by whoever owns the setting (`store.clickhouse.schema.retention`). ClickHouse has no transaction
around DDL, so every statement must be harmless when repeated (IF NOT EXISTS); then a crash half
way, or two processes starting together, need no lock.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from clickhouse_driver import Client
from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.errors import first_line
from store.clickhouse.connection.pool import connect, create_database, wait_until_up

FOLDER = Path(__file__).parent
NUMBERED = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# What can hide a semicolon: strings, quoted names and comments.
TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.)*" | `(?:[^`\\]|\\.)*` | --[^\n]* | /\*.*?\*/ | .""",
    re.DOTALL | re.VERBOSE,
)

RECORD = """
CREATE TABLE IF NOT EXISTS raymap_migrations (
    version  UInt32,
    name     String,
    checksum String,
    applied  DateTime64(3) DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(applied) ORDER BY (version, name)
"""


class MigrationError(Exception):
    """The schema could not be brought up to date; the message is for people."""


class SchemaTooNew(MigrationError):
    """The database was written by a newer program."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    statements: tuple[str, ...]
    checksum: str


def migrate(
    url: str | Address,
    settings: Mapping[str, object],
    *,
    folder: Path = FOLDER,
    timeout: float = 30.0,
) -> list[str]:
    """Create the database if it is missing, apply what is new, return the names of the files applied."""
    address = parse_url(url) if isinstance(url, str) else url
    migrations = read_migrations(folder, settings)
    wait_until_up(address, timeout)
    create_database(address)
    client = connect(address)
    try:
        return _apply(client, migrations)
    finally:
        client.disconnect()


def newest_version(folder: Path = FOLDER) -> int:
    return max((int(path.name[:4]) for path in folder.glob("[0-9]*.sql")), default=0)


def read_migrations(folder: Path, settings: Mapping[str, object]) -> list[Migration]:
    """The files of a folder in the order of their application."""
    numbered = []
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text()
        rendered = render(text, settings, path.name)
        if match := NUMBERED.fullmatch(path.name):
            number = int(match[1])
            numbered.append(
                Migration(number, path.name, split_statements(rendered), _checksum(text))
            )
        else:
            raise MigrationError(f"{path.name}: expected a name like 0001_segments.sql")
    for expected, migration in enumerate(numbered, start=1):
        if migration.version != expected:
            raise MigrationError(f"{migration.name}: expected number {expected:04d}, without gaps")
    return numbered


def render(text: str, settings: Mapping[str, object], name: str) -> str:
    """Fill in `{placeholders}`. Query parameters `{x:Type}` and other braces stay as they are."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise MigrationError(f"{name}: no setting is called {match[1]!r}")
        return str(settings[match[1]])

    return PLACEHOLDER.sub(value, text)


def split_statements(sql: str) -> tuple[str, ...]:
    """Cut at semicolons outside strings and comments; comments travel with what they precede."""
    statements: list[str] = []
    current: list[str] = []
    says_something = False
    for token in TOKEN.findall(sql + "\n;"):
        if token == ";":
            if says_something:
                statements.append("".join(current).strip())
            current, says_something = [], False
            continue
        current.append(token)
        if not token.isspace() and not token.startswith(("--", "/*")):
            says_something = True
    return tuple(statements)


def _apply(client: Client, migrations: Iterable[Migration]) -> list[str]:
    migrations = list(migrations)
    client.execute(RECORD)
    done = {version for (version,) in client.execute("SELECT version FROM raymap_migrations FINAL")}
    known = max((m.version for m in migrations), default=0)
    found = max(done, default=0)
    if found > known:
        raise SchemaTooNew(
            f"This database was written by a newer Raymap (schema {found}; this program knows up "
            f"to {known}). Upgrade Raymap or point it at another database."
        )
    applied = []
    for migration in migrations:
        if migration.version in done:
            continue
        _run(client, migration)
        applied.append(migration.name)
    return applied


def _run(client: Client, migration: Migration) -> None:
    for number, statement in enumerate(migration.statements, start=1):
        try:
            client.execute(statement)
        except driver_errors.ServerException as error:
            raise MigrationError(
                f"{migration.name}, statement {number}: {first_line(error)}"
            ) from error
    client.execute(
        "INSERT INTO raymap_migrations (version, name, checksum) VALUES",
        [(migration.version, migration.name, migration.checksum)],
    )


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
