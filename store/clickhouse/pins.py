"""Pinned traces: kept when everything that arrived with them has expired.

The rows of a pinned trace lie in their tables a second time, with an arrival (`received`) on a day
from 2070 on, in a partition that no TTL reaches: a *shelf*. Reads need to know nothing of it: FINAL
makes one row of two copies, also across partitions, and a trace whose originals are gone is found by
its id and in lists as before. The map is asked of LIVE rows: what it counts of a time must not come
to be the pinned traces alone when the rest expires. That also prunes the shelves, whose few rows
spread over all times and would make FINAL merge what it need not (scans of a quiet day took twice as
long).

The copies are made in a table aside and attached as parts: no materialized view runs, so revisions,
the map's dirty minutes and everything else that counts arrivals do not hear of it. Each run fills an
empty shelf. A trace is let go by packing what stays on its shelf onto another one, and dropping the
shelf: what is dropped lies elsewhere by then, whoever does the same at the same time.
Rejected: a second set of tables (each read becomes a union); copies by INSERT (the views count
them as arrivals); DELETE (a mutation touches every part of the table, also IN PARTITION).

`pins` says what shall be pinned, `refresh` makes it so. It may run anywhere, at any time, and
several times at once: it copies what has changed since the last time (documents that came later)
and lets go what is not pinned any more.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from clickhouse_driver import Client

from store.clickhouse.connection import sql
from store.errors import TooManyPins, TraceNotFound
from store.protocol import Pin
from store.trace_id import format_trace_id

COPIED = ("documents", "calls", "links", "segments", "traces")
"""Tables with rows of traces, in the order of copying. Who sees a row of `traces` finds the rest,
and a shelf with rows of `traces` is whole."""
TIMED = ("segments", "calls", "links")
"""Those of them that are read by the minute."""

FIRST_SHELF = 36_525
"""2070-01-01, in days since the epoch."""
SHELVES = 3_000
"""Days to choose from. A TTL adds at most 10,000 to the last, which is 2105; from 2106 on ClickHouse's
seconds wrap around to 1970, and all would expire."""
FIRST_PARTITION = "20700101"
LIVE = f"_partition_id < '{FIRST_PARTITION}'"
"""A condition on a row of COPIED: it is no copy."""
_SHELVED = f"_partition_id >= '{FIRST_PARTITION}'"

MOST_PINS = 10_000
MOST_SHELVES = 32
"""When more are in use, most of them, the smallest, are packed onto one."""
LEFT = 3600
"""Seconds after which what is half made belongs to a process that died."""


class _Row(NamedTuple):
    pin: Pin
    revision: int
    updated: int
    ver: int


class _Changed(NamedTuple):
    row: _Row
    revision: int
    updated: int
    lo: int
    hi: int


def pins(client: Client) -> list[Pin]:
    """What is pinned, the latest first."""
    rows = [row.pin for row in _rows(client, "removed = 0")]
    return sorted(rows, key=lambda pin: (pin.at, pin.trace_id), reverse=True)


def pin_of(client: Client, trace_id: bytes) -> Pin | None:
    """The pin of one trace."""
    found = _rows(client, f"removed = 0 AND trace_id = {sql.trace_literal(trace_id)}")
    return found[0].pin if found else None


def pin(client: Client, trace_id: bytes, note: str, at: int) -> Pin:
    """Pin a trace; one that is pinned already keeps its time and gets the note."""
    literal = sql.trace_literal(trace_id)
    known = pin_of(client, trace_id)
    if known is None:
        exists = f"SELECT max(sampled) FROM traces WHERE trace_id = {literal}"
        if not client.execute(exists)[0][0]:
            raise TraceNotFound(f"there is no trace {format_trace_id(trace_id)} here")
        ((count,),) = client.execute("SELECT count() FROM pins FINAL WHERE removed = 0")
        if count >= MOST_PINS:
            raise TooManyPins(f"{count:,} traces are pinned, and more are not kept: unpin some")
    made = Pin(trace_id, note, known.at if known else at)
    _write(client, made, removed=False, at=at)
    refresh(client)
    return made


def unpin(client: Client, trace_id: bytes, at: int) -> bool:
    """Let a trace expire like any other; False when it was not pinned."""
    known = pin_of(client, trace_id)
    if known is None:
        return False
    _write(client, known, removed=True, at=at)
    refresh(client)
    return True


def refresh(client: Client) -> int:
    """Make the copies what the pins say; the number of traces that were copied."""
    _drop_leftovers(client)
    # First what is copied, then what is pinned: a pin is written before its copies.
    shelves = _shelves(client)
    rows = {row.pin.trace_id: row for row in _rows(client, "removed = 0")}
    stale = [shelf for shelf, held in shelves.items() if held - rows.keys()]
    if not stale and len(shelves) > MOST_SHELVES:
        stale = sorted(shelves, key=lambda shelf: len(shelves[shelf]))[: MOST_SHELVES * 3 // 4]
    if stale:
        held = set[bytes]().union(*(shelves[shelf] for shelf in stale))
        _repack(client, stale, held & rows.keys())
    changed = _changed(client, rows)
    if changed:
        _copy(client, changed)
        # Of equal `ver` the last insert holds, and an unpin of meanwhile has a greater one.
        client.execute(
            "INSERT INTO pins (trace_id, note, at, removed, revision, updated, ver) VALUES",
            [(*_key(c.row.pin), 0, c.revision, c.updated, c.row.ver) for c in changed],
        )
    return len(changed)


def _key(pin: Pin) -> tuple[bytes, str, int]:
    return pin.trace_id, pin.note, pin.at


def _rows(client: Client, condition: str) -> list[_Row]:
    found = client.execute(
        f"SELECT hex(trace_id), note, at, revision, updated, ver FROM pins FINAL WHERE {condition}"
    )
    return [
        _Row(Pin(bytes.fromhex(digits), note, at), revision, updated, ver)
        for digits, note, at, revision, updated, ver in found
    ]


def _write(client: Client, pin: Pin, *, removed: bool, at: int) -> None:
    """The next word on a trace, also where clocks differ. The copies count as not made."""
    literal = sql.trace_literal(pin.trace_id)
    ((last,),) = client.execute(f"SELECT max(ver) FROM pins WHERE trace_id = {literal}")
    client.execute(
        "INSERT INTO pins (trace_id, note, at, removed, revision, updated, ver) VALUES",
        [(*_key(pin), removed, 0, 0, max(last + 1, at))],
    )


def _changed(client: Client, rows: Mapping[bytes, _Row]) -> list[_Changed]:
    """Pinned traces of which something arrived, or expired, since they were copied."""
    if not rows:
        return []
    found = client.execute(
        "SELECT hex(trace_id), sum(revision), max(updated), min(lo), max(hi) FROM traces "
        f"WHERE trace_id IN (SELECT trace_id FROM pins) AND {LIVE} "
        "GROUP BY trace_id"
    )
    candidates = [
        _Changed(row, revision, updated, lo // 60_000_000, hi // 60_000_000)
        for digits, revision, updated, lo, hi in found
        if (row := rows.get(bytes.fromhex(digits))) is not None
    ]
    return [c for c in candidates if (c.revision, c.updated) != (c.row.revision, c.row.updated)]


def _copy(client: Client, changed: Sequence[_Changed]) -> None:
    """Put live rows of traces on a shelf."""

    def places(table: str) -> Iterable[str]:
        for one in changed:
            place = f"trace_id = {sql.trace_literal(one.row.pin.trace_id)} AND {LIVE}"
            if table in TIMED:
                place += f" AND minute BETWEEN {max(0, one.lo)} AND {max(0, one.hi)}"
            yield place

    _fill(client, places)


def _repack(client: Client, shelves: Collection[str], staying: Collection[bytes]) -> None:
    """Clear shelves; what stays moves to another one."""
    if staying:
        names = ", ".join(f"'{shelf}'" for shelf in shelves)
        place = f"_partition_id IN ({names}) AND trace_id IN {sql.trace_list(staying)}"
        _fill(client, lambda _: [place])
    for table in reversed(COPIED):
        for shelf in shelves:
            client.execute(f"ALTER TABLE {table} DROP PARTITION ID '{shelf}'")


def _fill(client: Client, places: Callable[[str], Iterable[str]]) -> None:
    """Fill an empty shelf with copies of the rows that meet the conditions given for a table."""
    shelf = _free_shelf(client)
    differing = {
        "received": f"toDateTime({shelf * 86_400}, 'UTC')",
        "day": f"toDate({shelf})",
        "revision": "toUInt64(0)",  # revisions add up: only the originals count
    }
    run = uuid.uuid4().hex
    for table in COPIED:
        aside = f"pinning_{table}_{run}"
        client.execute(f"CREATE TABLE {aside} AS {table}")
        try:
            names = _columns(client, table)
            values = ", ".join(differing.get(name, name) for name in names)
            for place in places(table):
                client.execute(
                    f"INSERT INTO {aside} ({', '.join(names)}) "
                    f"SELECT {values} FROM {table} WHERE {place}"
                )
            partitions = client.execute(
                "SELECT DISTINCT partition_id FROM system.parts WHERE active "
                f"AND database = currentDatabase() AND table = '{aside}'"
            )
            for (partition,) in partitions:
                client.execute(
                    f"ALTER TABLE {table} ATTACH PARTITION ID '{partition}' FROM {aside}"
                )
        finally:
            client.execute(f"DROP TABLE IF EXISTS {aside} SYNC")


def _free_shelf(client: Client) -> int:
    """A day on which nothing lies. At random, so that two who ask at once hardly get the same."""
    used = {
        days
        for (days,) in client.execute(
            "SELECT DISTINCT toUInt32(toDate(parseDateTimeBestEffort(partition_id, 'UTC'), 'UTC')) "
            f"FROM system.parts WHERE {_SHELF_PARTS}"
        )
    }
    free = [day for day in range(FIRST_SHELF, FIRST_SHELF + SHELVES) if day not in used]
    return secrets.choice(free)


_SHELF_PARTS = (
    f"active AND database = currentDatabase() AND table IN {COPIED} "
    f"AND partition_id >= '{FIRST_PARTITION}'"
)


def _columns(client: Client, table: str) -> list[str]:
    return [
        name
        for (name,) in client.execute(
            "SELECT name FROM system.columns WHERE database = currentDatabase() "
            f"AND table = '{table}' AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') "
            "ORDER BY position"
        )
    ]


def _shelves(client: Client) -> dict[str, set[bytes]]:
    """The traces on each whole shelf."""
    found: dict[str, set[bytes]] = {}
    for shelf, digits in client.execute(
        f"SELECT DISTINCT _partition_id, hex(trace_id) FROM traces WHERE {_SHELVED}"
    ):
        found.setdefault(shelf, set()).add(bytes.fromhex(digits))
    return found


def _drop_leftovers(client: Client) -> None:
    """Tables aside, and shelves without rows of `traces`, of processes that died."""
    left = client.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() "
        f"AND startsWith(name, 'pinning_') AND metadata_modification_time < now() - {LEFT}"
    )
    for (name,) in left:
        client.execute(f"DROP TABLE IF EXISTS {name} SYNC")
    left = client.execute(
        f"SELECT DISTINCT table, partition_id FROM system.parts WHERE {_SHELF_PARTS} "
        f"AND modification_time < now() - {LEFT} AND partition_id NOT IN ("
        f"SELECT partition_id FROM system.parts WHERE {_SHELF_PARTS} AND table = 'traces')"
    )
    for table, shelf in left:
        client.execute(f"ALTER TABLE {table} DROP PARTITION ID '{shelf}'")
