"""Brings a database to the schema of this program: applies the numbered SQL files of this folder.

Each is applied once, in order, and recorded in `raymap_migrations` with its checksum. Settings such as
``{retention_days}`` are filled in; settings that may change later are applied to existing tables by
their own module (`store.clickhouse.schema.retention`). One process migrates at a time
(`migration_lock`). ClickHouse has no transaction around DDL, so every statement must be
harmless when repeated (IF NOT EXISTS): a crash half way is repaired by the next run.

A migration only adds, so that programs that do not know it go on reading and writing beside newer ones.
One that takes something away says in its name what a program must know by then: only programs that know
migration 7 use a database with ``0009_needs_0007_drop_head.sql``. The name is recorded, so an older
program finds it there.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clickhouse_driver import Client
from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.errors import ClickHouseUnavailable, first_line
from store.clickhouse.connection.lease import DEFINITION, Lease
from store.clickhouse.connection.pool import connect, create_database, wait_until_up
from store.clickhouse.connection.query_lock import QueryLock, try_lock
from store.clickhouse.schema import replicas
from store.clickhouse.schema.errors import MigrationError
from store.clickhouse.schema.topology import REPLICAS, SINGLE, Topology, topology_of

WAIT = 600.0
"""Seconds to wait for another process that is migrating."""
RETRY_EVERY = 0.1
STEP = 0.1


def query_id(database: str) -> str:
    """The id of the query that is the lock."""
    return f"raymap-migration-{database}"


@contextmanager
def migration_lock(address: Address, *, wait: float = WAIT) -> Iterator[None]:
    """Own the lock for this block: only one process migrates a database at a time (`store.clickhouse.connection.query_lock`).

    ClickHouseUnavailable when another process has it for ``wait`` s."""
    lock = _acquire(address, wait)
    try:
        yield
    finally:
        lock.release()


def _acquire(address: Address, wait: float) -> QueryLock | Lease:
    deadline = time.monotonic() + wait
    while (lock := try_lock(address, query_id(address.database), STEP)) is None:
        if time.monotonic() > deadline:
            raise ClickHouseUnavailable(f"another process has been migrating for {wait:.0f} s")
        time.sleep(RETRY_EVERY)
    return lock


FOLDER = Path(__file__).parent
NUMBERED = re.compile(r"(\d{4})_(?:needs_(\d{4})_)?[a-z0-9_]+\.sql")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# What can hide a semicolon: strings, quoted names and comments.
TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.)*" | `(?:[^`\\]|\\.)*` | --[^\n]* | /\*.*?\*/ | .""",
    re.DOTALL | re.VERBOSE,
)

RECORD = (
    "CREATE TABLE IF NOT EXISTS raymap_migrations{on_cluster} (version UInt32, name String, "
    "checksum String, applied DateTime64(3) DEFAULT now64(3)) "
    "ENGINE = {replicated}ReplacingMergeTree(applied) ORDER BY (version, name)"
)
APPLIED = (
    "SELECT version, argMax(name, applied), argMax(checksum, applied) FROM raymap_migrations "
    "GROUP BY version ORDER BY version"
)


class SchemaTooNew(MigrationError):
    """The database has a migration for newer programs alone."""


class SchemaChanged(MigrationError):
    """A migration that was applied differs from this program's file of the same number."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name, rendered statements, and the checksum of its unrendered text."""

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
    topology = topology_of(replicated=address.replicated, cloud=address.cloud)
    migrations = read_migrations(folder, settings, topology)
    wait_until_up(address, timeout)
    if address.replicated:
        return _migrate_replicas(address, migrations)
    create_database(address)
    client = connect(address)
    try:
        replicas.require_named(client, address)
        for text in (RECORD, DEFINITION) if address.cloud else (RECORD,):
            client.execute(topology.placed(render(text, topology.placeholders(), "")))
        if not pending(client, migrations):
            replicas.require_tables(client, address)
            return []
        with migration_lock(address):
            # Another process may have migrated while this one waited for the lock.
            return [_run(client, each) for each in pending(client, migrations)]
    finally:
        client.disconnect()


def _migrate_replicas(address: Address, migrations: list[Migration]) -> list[str]:
    """The same on each replica: what is recorded on one says nothing of the tables of another."""
    servers = replicas.Servers(address)
    try:
        servers.prepare(
            REPLICAS.placed(render(text, REPLICAS.placeholders(), ""))
            for text in (RECORD, DEFINITION)
        )
        if not pending(servers.first, migrations) and not servers.incomplete():
            return []
        servers.require_all()
        with migration_lock(address):
            applied = [_run(servers.first, each) for each in pending(servers.first, migrations)]
            servers.complete()
            return applied
    finally:
        servers.disconnect()


def read_migrations(
    folder: Path, settings: Mapping[str, object], topology: Topology = SINGLE
) -> list[Migration]:
    """The files of a folder in the order of their application."""
    settings = {**topology.placeholders(), **settings}
    numbered = []
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text()
        rendered = render(text, settings, path.name)
        statements = tuple(map(topology.placed, split_statements(rendered)))
        if match := NUMBERED.fullmatch(path.name):
            number = int(match[1])
            numbered.append(Migration(number, path.name, statements, checksum(text)))
        else:
            raise MigrationError(
                f"{path.name}: expected a name like 0001_initial.sql or 0003_needs_0002_drop.sql"
            )
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
    has_text = False
    for token in TOKEN.findall(sql + "\n;"):
        if token == ";":
            if has_text:
                statements.append("".join(current).strip())
            current, has_text = [], False
            continue
        current.append(token)
        if not token.isspace() and not token.startswith(("--", "/*")):
            has_text = True
    return tuple(statements)


def pending(client: Client, migrations: Iterable[Migration]) -> list[Migration]:
    """The migrations still to be applied, none of a newer schema. Raises SchemaTooNew or SchemaChanged."""
    migrations = list(migrations)
    applied = {version: (name, checksum) for version, name, checksum in client.execute(APPLIED)}
    if applied.get(1, ("",))[0] == "0001_segments.sql":
        raise SchemaChanged(
            "This database was made by a development version of Raymap before 0.1.0, whose data is "
            "not migrated. Give Raymap another database (or another --data-dir), or drop this one."
        )
    known = max((migration.version for migration in migrations), default=0)
    needed = needed_schema({number: name for number, (name, _) in applied.items()}, known)
    if needed > known:
        raise SchemaTooNew(
            f"This database is for a newer Raymap (schema {max(applied)}, for programs that know "
            f"{needed}; this one knows {known}). Upgrade Raymap or point it at another database."
        )
    for migration in migrations:
        name, checksum = applied.get(migration.version, ("", migration.checksum))
        if checksum != migration.checksum:
            raise SchemaChanged(
                f"{migration.name} was changed after it was applied to this database (as {name}). "
                "Run the Raymap that made the database, or point this one at another database."
            )
    return [migration for migration in migrations if migration.version not in applied]


def needed_schema(applied: Mapping[int, str], known: int) -> int:
    """The migration that a program must know to use a database, which has these; of those that it knows
    it needs to know no more."""
    unknown = {
        number: NUMBERED.fullmatch(name) for number, name in applied.items() if number > known
    }
    return max(
        (int(named[2] or 0) if named else number for number, named in unknown.items()), default=0
    )


def _run(client: Client, migration: Migration) -> str:
    """Apply a migration and record it; its name."""
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
    return migration.name


def checksum(text: str) -> str:
    """Identifies the text of a migration."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
