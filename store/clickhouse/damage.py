"""Parts of tables that cannot be read: those that still are in use, and those set aside at a start.

ClickHouse checks a block's checksum when it reads the block. A damaged one fails every query and merge
that needs it until the part is detached; a part that is unreadable at a start is detached by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.connection.sql import identifier, text
from store.times import format_utc

PART = re.compile(r"\b([0-9A-Za-z]+_\d+_\d+_\d+(?:_\d+)?)/")
"""A part's name as the last folder of a path."""
ACCESS_DENIED = 497


class DamagedPart(NamedTuple):
    """A part that queries fail on. Times in epoch seconds, 0 when unknown: of its rows' arrival, and of
    the last error."""

    table: str
    name: str
    rows: int
    first: int
    last: int
    seen: int
    error: str

    def __str__(self) -> str:
        span = (
            f", received {format_utc(self.first)} to {format_utc(self.last)}" if self.first else ""
        )
        return (
            f"part {self.name} of {self.table} is damaged ({self.rows:,} rows{span}): queries that need "
            f"it fail, last at {format_utc(self.seen)}; look at the disk, then set the part aside: "
            "raymap doctor --detach-damaged"
        )


class BrokenPart(NamedTuple):
    """A part that ClickHouse detached because it could not read it, and when (epoch seconds)."""

    table: str
    name: str
    reason: str
    since: int

    def __str__(self) -> str:
        return (
            f"part {self.name} of {self.table} could not be read ({self.reason}) and is set aside since "
            f"{format_utc(self.since)}: its rows are missing; restore them from a backup, or accept the "
            "loss: raymap doctor --drop-broken"
        )


def damaged_parts(run: RunQuery) -> list[DamagedPart]:
    """Active parts named by an error that only damaged files cause."""
    errors = [
        (seen, message, path)
        for _, seen, message in run(queries.DAMAGE_ERRORS.render())
        for path in PART.findall(message)
    ]
    if not errors:
        return []
    found: dict[tuple[str, str], DamagedPart] = {}
    names = sorted({name for _, _, name in errors})
    for table, name, path, rows, first, last in run(queries.ACTIVE_PARTS.render(names=names)):
        for seen, message, _ in errors:
            if path.rstrip("/") in message:
                part = DamagedPart(table, name, rows, first, last, seen, message)
                found[table, name] = max(part, found.get((table, name), part), key=_seen)
    return sorted(found.values())


def _seen(part: DamagedPart) -> int:
    return part.seen


def broken_parts(run: RunQuery) -> list[BrokenPart]:
    """Parts that were set aside at a start."""
    return [BrokenPart(*row) for row in run(queries.BROKEN_PARTS.render())]


def problems(run: RunQuery) -> list[str]:
    """Sentences for people with the command that helps; none if the user may not read system tables."""
    try:
        return [*map(str, damaged_parts(run)), *map(str, broken_parts(run))]
    except ServerException as error:
        if error.code == ACCESS_DENIED:
            return []
        raise


def detach(client: Client, parts: Iterable[DamagedPart]) -> None:
    """Set damaged parts aside: their rows are gone from every query, their files stay."""
    for part in parts:
        client.execute(f"ALTER TABLE {identifier(part.table)} DETACH PART {text(part.name)}")


def drop(client: Client, parts: Iterable[BrokenPart]) -> None:
    """Delete the files of parts that were set aside."""
    for part in parts:
        client.execute(
            f"ALTER TABLE {identifier(part.table)} DROP DETACHED PART {text(part.name)}",
            settings={"allow_drop_detached": 1},
        )
