"""Whether a program can use a database.

It can if the database has all of its migrations, and of newer ones only those that let it
(`store.clickhouse.schema.migrate`): an older schema lacks columns, a newer one may have lost some.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from store.clickhouse.connection.pool import is_replicated
from store.clickhouse.schema.migrate import APPLIED, FOLDER, NUMBERED, checksum, needed_schema
from store.clickhouse.schema.replicas import ENGINE, misplaced
from store.clickhouse.schema.topology import topology_of
from store.errors import SchemaMismatch

NOT_MIGRATED = frozenset({60, 81})
"""UNKNOWN_TABLE, UNKNOWN_DATABASE."""
SCHEMA_CODES = NOT_MIGRATED | {10, 16, 20, 47}
"""Server errors that another schema causes: also NOT_FOUND_COLUMN_IN_BLOCK, NO_SUCH_COLUMN_IN_TABLE,
NUMBER_OF_COLUMNS_DOESNT_MATCH, UNKNOWN_IDENTIFIER."""
STATE = APPLIED.replace(" FROM", f", {ENGINE} FROM", 1)
COUNT = "SELECT count() FROM raymap_migrations"
"""Changes when the schema does. Reads no column: a quarter of what STATE takes (measured)."""
CHECK_EVERY = 5.0
"""Seconds for which a schema that fits is not looked at again."""


class SchemaState(NamedTuple):
    """What a database has and what this program expects: numbers of the newest migration (0: none),
    and what is wrong and how to mend it, for people; empty when the program can use the database."""

    version: int
    expected: int
    problem: str


@cache
def _expected() -> dict[int, str]:
    """Checksums of this program's migrations by number."""
    return {
        int(match[1]): checksum(path.read_text())
        for path in sorted(FOLDER.glob("*.sql"))
        if (match := NUMBERED.fullmatch(path.name))
    }


def schema_state(client: Client) -> SchemaState:
    """Compare the database's schema with this program's."""
    expected = _expected()
    ours = max(expected)
    try:
        rows = client.execute(STATE)
    except ServerException as error:
        if error.code not in NOT_MIGRATED:
            raise
        rows = []
    if not rows:
        return SchemaState(0, ours, "contains no Raymap tables: run  raymap migrate  first.")
    found = {version: (name, text) for version, name, text, _ in rows}
    problem, engine = _problem(found, expected), rows[0][3]
    topology = topology_of(replicated=is_replicated(client), cloud=getattr(client, "cloud", False))
    return SchemaState(max(found), ours, problem or misplaced(engine, topology))


def _problem(found: Mapping[int, tuple[str, str]], expected: Mapping[int, str]) -> str:
    version, ours = max(found), max(expected)
    if found.get(1, ("",))[0] == "0001_segments.sql":
        return "was made by a development version before 0.1.0: use another database, or drop this one."
    needed = needed_schema({number: name for number, (name, _) in found.items()}, ours)
    if needed > ours:
        return (
            f"has a newer schema ({version}, for programs that know {needed}; this one knows {ours}): "
            "upgrade this Raymap."
        )
    if any(expected.get(number, text) != text for number, (_, text) in found.items()):
        return (
            f"has another schema {version}: run the Raymap that made it, or use another database."
        )
    if expected.keys() - found.keys():
        return f"has an older schema ({version}, expected {ours}): run  raymap migrate  first."
    return ""


def require_schema(client: Client, name: str) -> None:
    """Raise SchemaMismatch unless this program can use the database, called ``name`` for people."""
    if problem := schema_state(client).problem:
        raise SchemaMismatch(f"the database {name} {problem}")


class SchemaGuard:
    """`require_schema` for a hot path, shared by threads: looks every CHECK_EVERY seconds whether there are
    other migrations while the schema fits, reads it at each call while it does not, and after `suspect`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._valid_until = 0.0
        self._count: int | None = None
        """Of migrations when the schema was read and did fit."""

    def require(self, client: Client) -> None:
        """Raise SchemaMismatch unless this program can use the database."""
        if time.monotonic() >= self._valid_until:
            self.look(client)

    def look(self, client: Client) -> None:
        """The same with a query in any case, so that it also tells whether ClickHouse answers."""
        count = _count(client)  # first: a migration that comes meanwhile changes the next
        if count is None or count != self._count:
            require_schema(client, self._name)
        with self._lock:
            self._valid_until, self._count = time.monotonic() + CHECK_EVERY, count

    def suspect(self, error: BaseException) -> None:
        """Read the schema before the next use if a statement failed as it would on another schema."""
        if isinstance(error, ServerException) and error.code in SCHEMA_CODES:
            with self._lock:
                self._valid_until, self._count = 0.0, None


def _count(client: Client) -> int | None:
    """How many migrations are recorded; None without the table."""
    try:
        return int(client.execute(COUNT)[0][0])
    except ServerException as error:
        if error.code not in NOT_MIGRATED:
            raise
        return None
