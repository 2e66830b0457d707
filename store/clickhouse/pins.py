"""Pinned traces: retained after everything that arrived with them has expired.

The rows of a pinned trace are stored a second time in their tables, with an arrival (`received`) on
a day from 2070 on: a *pin partition*, which no TTL reaches. Reads need not know: FINAL merges the
two copies into one row, across partitions too, and a trace whose originals have expired is found by
its id and in lists as before. The map reads rows that are NOT_PINNED_COPY only: its counts of a time
must not become those of the pinned traces alone when the rest expires. The condition also prunes
the pin partitions, whose few rows spread over all times and would make FINAL merge more than
necessary (scans of a quiet day took twice as long).

Copies are made in a staging table and attached as parts; nothing is marked, and the map's dirty minutes and
everything else that counts arrivals are unaffected. Each run fills an
empty partition. A trace is unpinned by moving the others of its partition to a new one and dropping
the old: concurrent runs drop only what has been copied elsewhere.
Rejected: a second set of tables (each read becomes a union); copies by INSERT (a partition is visible
before it is whole); DELETE (a mutation touches every part of the table, also IN PARTITION).

`pins` is the desired state, `reconcile` establishes it: it copies what has changed since the last
run (documents that arrived later) and drops what is no longer pinned. It may run anywhere, at any
time, and concurrently.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection import sql
from store.clickhouse.connection.missing_rows import has_all_rows
from store.clickhouse.connection.pool import is_replicated
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.errors import TooManyPins, TraceNotFound
from store.pins import Pin
from store.times import DAY, MINUTE, SECOND
from store.trace_id import format_trace_id

TRACE_TABLES = ("calls", "links", "segments", "traces")
"""Tables with rows of traces, in the order of copying: `traces` comes last, so a partition with rows
of it is complete."""
MINUTE_TABLES = ("segments", "calls", "links")
"""Those of TRACE_TABLES whose sort key begins with the minute."""

FIRST_PIN_DAY = 36_525
"""2070-01-01, in days since the epoch."""
PIN_DAYS = 3_000
"""Days available for pin partitions. A TTL adds at most 10,000 to the last, which is 2105; from 2106 on ClickHouse's
seconds wrap around to 1970, and all would expire."""
FIRST_PIN_PARTITION = "20700101"
NOT_PINNED_COPY = f"_partition_id < '{FIRST_PIN_PARTITION}'"
"""A condition on a row of TRACE_TABLES: it is the original, not a pinned copy."""
PINNED_COPY = f"_partition_id >= '{FIRST_PIN_PARTITION}'"

MAX_PINS = 10_000
MAX_PARTITIONS = 32
"""When more pin partitions are in use, the smallest three quarters are merged into one."""
STALE_AFTER = 3600
"""Seconds after which an incomplete copy is taken for that of a process that died."""


EVERY = Sql("1")
"""The condition that every row meets."""


_REPLICATED = re.compile(r"^Replicated(\w*MergeTree)\('[^']*', *'[^']*'(?:, *)?")
"""An engine as far as its path and replica."""


class _Row(NamedTuple):
    pin: Pin
    rows: int
    checksum: int
    ver: int


class _Changed(NamedTuple):
    row: _Row
    rows: int
    checksum: int
    lo: int
    hi: int


def pins(client: Client) -> list[Pin]:
    """All pins, the latest first."""
    rows = [row.pin for row in _rows(client)]
    return sorted(rows, key=lambda pin: (pin.at, pin.trace_id), reverse=True)


def pin_of(client: Client, trace_id: bytes) -> Pin | None:
    """The pin of one trace."""
    found = _rows(client, Sql("trace_id = {pinned:FixedString(16)}", {"pinned": trace_id}))
    return found[0].pin if found else None


def pin(client: Client, trace_id: bytes, note: str, at: int) -> Pin:
    """Pin a trace; one that is already pinned keeps its time and gets the new note."""
    literal = sql.trace_literal(trace_id)
    known = pin_of(client, trace_id)
    if known is None:
        exists = f"SELECT max(sampled) FROM traces WHERE trace_id = {literal}"
        if not client.execute(exists)[0][0]:
            raise TraceNotFound(f"there is no trace {format_trace_id(trace_id)} here")
        ((count,),) = client.execute("SELECT count() FROM pins FINAL WHERE removed = 0")
        if count >= MAX_PINS:
            raise TooManyPins(f"{count:,} traces are pinned, which is the limit: unpin some")
    made = Pin(trace_id, note, known.at if known else at)
    _write(client, made, removed=False, at=at)
    reconcile(client)
    return made


def unpin(client: Client, trace_id: bytes, at: int) -> bool:
    """Let a trace expire like any other; False when it was not pinned."""
    known = pin_of(client, trace_id)
    if known is None:
        return False
    _write(client, known, removed=True, at=at)
    reconcile(client)
    return True


def reconcile(client: Client) -> int:
    """Make the pinned copies match the pins; returns the number of traces that were copied."""
    # Copies are read before pins: a pin is written before its copies. A replica may have these first, and drops none
    # while it may lack a pin or a part of a copy.
    partitions = _pin_partitions(client)
    may_drop = has_all_rows(client, ("pins", *TRACE_TABLES))
    if may_drop:
        _drop_stale_copies(client)
    rows = {row.pin.trace_id: row for row in _rows(client)}
    stale = [id for id, copied in partitions.items() if copied - rows.keys()]
    if not may_drop:
        stale = []
    elif not stale and len(partitions) > MAX_PARTITIONS:
        stale = sorted(partitions, key=lambda id: len(partitions[id]))[: MAX_PARTITIONS * 3 // 4]
    if stale:
        copied = set[bytes]().union(*(partitions[id] for id in stale))
        _replace_partitions(client, stale, copied & rows.keys())
    changed = _changed(client, rows)
    if changed:
        _copy(client, changed)
        # Of equal `ver` the last insert wins; a concurrent unpin has a greater one.
        client.execute(
            "INSERT INTO pins (trace_id, note, at, removed, rows, checksum, ver) VALUES",
            [(*_key(c.row.pin), 0, c.rows, c.checksum, c.row.ver) for c in changed],
        )
    return len(changed)


def _key(pin: Pin) -> tuple[bytes, str, int]:
    return pin.trace_id, pin.note, pin.at


def _rows(client: Client, condition: Sql = EVERY) -> list[_Row]:
    found = execute(client, queries.PINNED.render({"condition": condition}))
    return [
        _Row(Pin(bytes.fromhex(digits), note, at), rows, checksum, ver)
        for digits, note, at, rows, checksum, ver in found
    ]


def _write(client: Client, pin: Pin, *, removed: bool, at: int) -> None:
    """Write the next version of a pin, greater than the last even where clocks differ, as not copied."""
    literal = sql.trace_literal(pin.trace_id)
    ((last,),) = client.execute(f"SELECT max(ver) FROM pins WHERE trace_id = {literal}")
    client.execute(
        "INSERT INTO pins (trace_id, note, at, removed, rows, checksum, ver) VALUES",
        [(*_key(pin), removed, 0, 0, max(last + 1, at))],
    )


def _changed(client: Client, rows: Mapping[bytes, _Row]) -> list[_Changed]:
    """Pinned traces whose rows changed (arrived, expired, or were replaced in a merge) since they were copied."""
    if not rows:
        return []
    found = execute(client, queries.ORIGINALS.render({"not_pinned_copy": Sql(NOT_PINNED_COPY)}))
    candidates = [
        _Changed(row, count, checksum, lo // MINUTE, hi // MINUTE)
        for digits, count, checksum, lo, hi in found
        if (row := rows.get(bytes.fromhex(digits))) is not None
    ]
    return [c for c in candidates if (c.rows, c.checksum) != (c.row.rows, c.row.checksum)]


def _copy(client: Client, changed: Sequence[_Changed]) -> None:
    """Copy the original rows of traces into a pin partition."""

    def conditions(table: str) -> Iterable[str]:
        for one in changed:
            condition = (
                f"trace_id = {sql.trace_literal(one.row.pin.trace_id)} AND {NOT_PINNED_COPY}"
            )
            if table in MINUTE_TABLES:
                condition += f" AND minute BETWEEN {max(0, one.lo)} AND {max(0, one.hi)}"
            yield condition

    _fill(client, conditions)


def _replace_partitions(
    client: Client, partitions: Collection[str], staying: Collection[bytes]
) -> None:
    """Drop pin partitions, after copying the traces that stay pinned into a new one."""
    if staying:
        names = ", ".join(f"'{partition}'" for partition in partitions)
        condition = f"_partition_id IN ({names}) AND trace_id IN {sql.trace_list(staying)}"
        _fill(client, lambda _: [condition])
    for table in reversed(TRACE_TABLES):
        for partition in partitions:
            client.execute(f"ALTER TABLE {table} DROP PARTITION ID '{partition}'")


def _fill(client: Client, conditions: Callable[[str], Iterable[str]]) -> None:
    """Fill an empty pin partition with copies of the rows that meet any condition of their table."""
    day = _free_pin_day(client)
    differing = {
        "received": f"toDateTime({day * DAY // SECOND}, 'UTC')",
        "day": f"toDate({day})",
        "revision": "toUInt64(0)",  # revisions add up: only the originals count
    }
    run = uuid.uuid4().hex
    for table in TRACE_TABLES:
        staging = f"pinning_{table}_{run}"
        engine = _plain_engine(client, table) if is_replicated(client) else ""
        client.execute(f"CREATE TABLE {staging} AS {table}{engine}")
        try:
            names = _columns(client, table)
            values = ", ".join(differing.get(name, name) for name in names)
            for condition in conditions(table):
                places = {
                    "staging": staging,
                    "columns": ", ".join(names),
                    "values": values,
                    "table": table,
                    "condition": condition,
                }
                given = {name: Sql(text) for name, text in places.items()}
                execute(client, queries.COPY_ROWS.render(given))
            partitions = queries.STAGING_PARTITIONS.render(table=staging)
            for (partition,) in execute(client, partitions):
                client.execute(
                    f"ALTER TABLE {table} ATTACH PARTITION ID '{partition}' FROM {staging}"
                )
        finally:
            client.execute(f"DROP TABLE IF EXISTS {staging} SYNC")


def _plain_engine(client: Client, table: str) -> str:
    """Of a table like a replicated one, on this server alone."""
    statement = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
    ((engine,),) = execute(client, Sql(statement, {"table": table}))
    return " ENGINE = " + _REPLICATED.sub(r"\1(", engine)


def _free_pin_day(client: Client) -> int:
    """A day whose pin partition is empty; random, so that concurrent runs rarely choose the same."""
    used = {days for (days,) in execute(client, queries.USED_PIN_DAYS.render(**_PIN_PARTS))}
    free = [day for day in range(FIRST_PIN_DAY, FIRST_PIN_DAY + PIN_DAYS) if day not in used]
    return secrets.choice(free)


_PIN_PARTS = {"tables": list(TRACE_TABLES), "first": FIRST_PIN_PARTITION}


def _columns(client: Client, table: str) -> list[str]:
    return [name for (name,) in execute(client, queries.COPIED_COLUMNS.render(table=table))]


def _pin_partitions(client: Client) -> dict[str, set[bytes]]:
    """The traces in each complete pin partition, by partition id."""
    found: dict[str, set[bytes]] = {}
    statement = queries.COPIED_TRACES.render({"pinned_copy": Sql(PINNED_COPY)})
    for partition, digits in execute(client, statement):
        found.setdefault(partition, set()).add(bytes.fromhex(digits))
    return found


def _drop_stale_copies(client: Client) -> None:
    """Drop staging tables and incomplete pin partitions (without `traces`) of processes that died."""
    for (name,) in execute(client, queries.STALE_STAGING.render(seconds=STALE_AFTER)):
        client.execute(f"DROP TABLE IF EXISTS {name} SYNC")
    incomplete = queries.INCOMPLETE_PIN_PARTITIONS.render(seconds=STALE_AFTER, **_PIN_PARTS)
    for table, partition in execute(client, incomplete):
        client.execute(f"ALTER TABLE {table} DROP PARTITION ID '{partition}'")


class _HasClient(Protocol):
    def _client(self) -> AbstractContextManager[Client]: ...


class PinMethods:
    """Methods of `store.protocol.Store`."""

    def pin(self: _HasClient, trace_id: bytes, note: str, at: int) -> Pin:
        """Exempt a trace from expiry."""
        with self._client() as client:
            return pin(client, trace_id, note, at)

    def unpin(self: _HasClient, trace_id: bytes, at: int) -> bool:
        """Let a trace expire."""
        with self._client() as client:
            return unpin(client, trace_id, at)

    def pins(self: _HasClient) -> list[Pin]:
        """Pinned traces, the latest first."""
        with self._client() as client:
            return pins(client)

    def pin_of(self: _HasClient, trace_id: bytes) -> Pin | None:
        """The pin of one trace."""
        with self._client() as client:
            return pin_of(client, trace_id)

    def refresh_pins(self: _HasClient) -> int:
        """Copy what arrived late of pinned traces."""
        with self._client() as client:
            return reconcile(client)
