"""How long each kind of data is kept: what people may set, and the TTLs that make it so.

The setting lies in the database (`settings`), so that every process and every later start agree.
What is given to `raymap serve`, `raymap migrate` or `raymap retention` holds and is kept there; a
kind never set is kept as long as DEFAULTS says. At each start the tables are held to it.

ClickHouse deletes in the background: tables of traces by whole parts (a part holds one day of
arrival, so rows live up to a day longer), the map row by row. A changed TTL is worked into the
parts that exist by a mutation; for whole parts that reads no rows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import NamedTuple

from clickhouse_driver import Client

from store.clickhouse import pins
from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.pool import connect
from store.clickhouse.pins import COPIED, FIRST_PARTITION
from store.clickhouse.schema.migrate import migrate

MOST_DAYS = 10_000
"""ClickHouse counts seconds from 1970 in 32 bits: a century from now would be the past."""
DAY = 86_400


class Kind(NamedTuple):
    """One kind of data: what it is called, for how many days it is kept when nobody says, and the
    tables with its rows, each with the condition that tells them from rows of other kinds."""

    words: str
    days: int
    tables: Mapping[str, str]


KINDS: Mapping[str, Kind] = {
    "traces": Kind("traces and documents", 30, dict.fromkeys(COPIED, "")),
    "map-minutes": Kind("map by minutes", 60, {"rollups": "width < 60"}),
    "map-hours": Kind("map by hours", 400, {"rollups": "width = 60"}),
}
DEFAULTS: Mapping[str, int] = {name: kind.days for name, kind in KINDS.items()}

TTLS: Mapping[str, str] = {
    **dict.fromkeys(COPIED, "received + toIntervalDay({traces})"),
    "rollups": "rolled + toIntervalDay(if(width = 60, {map-hours}, {map-minutes}))",
}
"""Each table's TTL, as ClickHouse writes it."""


class RetentionStatus(NamedTuple):
    """What there is of a kind. ``oldest`` and ``newest``: of what it tells about (the map) or when
    it arrived (traces); ``expires``: when the next of it is deleted. Seconds since the epoch, 0
    when there is nothing."""

    kind: str
    days: int
    rows: int
    bytes: int
    oldest: int
    newest: int
    expires: int


class Pinned(NamedTuple):
    """What is kept for ever."""

    traces: int
    rows: int
    bytes: int


class Deletion(NamedTuple):
    """What a shorter time deletes of a kind: rows, and the span as in `RetentionStatus`."""

    kind: str
    rows: int
    oldest: int
    newest: int


def prepare_database(url: str | Address, given: Mapping[str, int]) -> list[str]:
    """Bring a database to this program's schema and its tables to the days that hold.

    ``given``: days by kind, as said on this start; they are kept. Returns the names of the
    migrations that were applied. Raises as `store.clickhouse.schema.migrate.migrate` does.
    """
    address = parse_url(url) if isinstance(url, str) else url
    applied = migrate(address, {"retention_days": given.get("traces", DEFAULTS["traces"])})
    client = connect(address)
    try:
        pins.refresh(client)  # before anything expires sooner
        keep(client, given)
    finally:
        client.disconnect()
    return applied


def keep(client: Client, given: Mapping[str, int], *, wait: bool = False) -> None:
    """Remember the days given and hold the tables to all that is set.

    ``wait`` until what exists has its new end, and what is past it is gone.
    """
    for kind, days in given.items():
        if kind not in KINDS or not 1 <= days <= MOST_DAYS:
            raise ValueError(f"{kind} kept {days} days: expected 1 to {MOST_DAYS:,} of {[*KINDS]}")
    if given:
        now = time.time_ns() // 1000
        client.execute(
            "INSERT INTO settings (name, value, ver) VALUES",
            [(_setting(kind), str(days), now) for kind, days in given.items()],
        )
    days_by_kind = {**DEFAULTS, **configured(client)}
    for table, made in _definitions(client).items():
        wanted = f"TTL {_filled(TTLS[table], days_by_kind)}"
        if not re.search(re.escape(wanted) + r"\s", made):
            client.execute(
                f"ALTER TABLE {table} MODIFY {wanted}",
                settings={"mutations_sync": 1 if wait else 0},
            )


def configured(client: Client) -> dict[str, int]:
    """Days by kind that somebody has set."""
    names = {_setting(kind): kind for kind in KINDS}
    rows = client.execute("SELECT name, value FROM settings FINAL")
    return {names[name]: int(value) for name, value in rows if name in names}


def effective(client: Client) -> dict[str, int]:
    """Days by kind that the tables are held to; kinds without a table are absent."""
    found: dict[str, int] = {}
    for table, made in _definitions(client).items():
        pattern = re.sub(r"\\\{([a-z\\-]+)\\\}", r"(\\d+)", re.escape(TTLS[table]))
        if match := re.search(rf"TTL {pattern}\s", made):
            found.update(zip(_kinds_of(table), map(int, match.groups()), strict=True))
    return found


def preview_deletions(client: Client, wanted: Mapping[str, int]) -> list[Deletion]:
    """What is there now and would be over if the kinds were kept so many days."""
    now, current = int(time.time()), effective(client)
    lost = []
    for kind, days in wanted.items():
        if kind == "traces":
            sooner = (current.get(kind, days) - days) * DAY
            over = f"{_PARTS} AND delete_ttl_info_max != 0 AND toUnixTimestamp(delete_ttl_info_max) <= {now + sooner}"
            ((rows, _, oldest, newest, _),) = client.execute(f"SELECT {_PART_SUMS} {over}")
        elif kind in current:
            over = f"toUnixTimestamp(rolled) <= {now - days * DAY}"
            rows, oldest, newest, _ = _of_the_map(client, kind, over)
        else:
            continue
        if rows:
            lost.append(Deletion(kind, rows, oldest, newest))
    return lost


def report(client: Client) -> tuple[list[RetentionStatus], Pinned]:
    """What there is, kind by kind, and what is pinned."""
    current = effective(client)
    kept = []
    for kind, days in current.items():
        if kind == "traces":
            ((rows, size, oldest, newest, expires),) = client.execute(
                f"SELECT {_PART_SUMS} {_PARTS}"
            )
        else:
            rows, oldest, newest, first = _of_the_map(client, kind, "1")
            ((all_rows, all_bytes),) = client.execute(
                "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts "
                "WHERE active AND database = currentDatabase() AND table = 'rollups'"
            )
            size = all_bytes * rows // all_rows if all_rows else 0
            expires = first + days * DAY if rows else 0
        kept.append(RetentionStatus(kind, days, rows, size, oldest, newest, expires))
    kept.sort(key=lambda each: [*KINDS].index(each.kind))
    ((rows, size),) = client.execute(
        "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts "
        f"WHERE {_OF_TRACES} AND partition_id >= '{FIRST_PARTITION}'"
    )
    ((pinned,),) = client.execute("SELECT count() FROM pins FINAL WHERE removed = 0")
    return kept, Pinned(pinned, rows, size)


_OF_TRACES = (
    "active AND rows > 0 AND database = currentDatabase() "
    f"AND table IN {tuple(KINDS['traces'].tables)}"
)
_PARTS = f"FROM system.parts WHERE {_OF_TRACES} AND partition_id < '{FIRST_PARTITION}'"
# `traces` is in partitions by day, without a time.
_PART_SUMS = (
    "sum(rows), sum(bytes_on_disk), minIf(toUnixTimestamp(min_time), min_time != 0), "
    "max(toUnixTimestamp(max_time)), "
    "minIf(toUnixTimestamp(delete_ttl_info_max), delete_ttl_info_max != 0)"
)


def _of_the_map(client: Client, kind: str, condition: str) -> tuple[int, int, int, int]:
    """Rows, the first and last time they tell of, and when the oldest of them was written."""
    ((rows, first, last, written),) = client.execute(
        "SELECT count(), min(slot) * 60, max(slot + width) * 60, toUnixTimestamp(min(rolled)) "
        f"FROM rollups WHERE {KINDS[kind].tables['rollups']} AND {condition}"
    )
    return (rows, first, last, written) if rows else (0, 0, 0, 0)


def _definitions(client: Client) -> dict[str, str]:
    """How the tables that are there were made, each definition ending in a space."""
    rows = client.execute(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    )
    return {table: made + " " for table, made in rows if table in TTLS}


def _kinds_of(table: str) -> list[str]:
    return re.findall(r"\{([a-z-]+)\}", TTLS[table])


def _filled(template: str, days: Mapping[str, int]) -> str:
    return re.sub(r"\{([a-z-]+)\}", lambda match: str(days[match[1]]), template)


def _setting(kind: str) -> str:
    return f"retention.{kind}"
