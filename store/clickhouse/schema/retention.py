"""Retention by kind of data: what can be configured, and the TTLs that implement it.

The configuration is in the database (`settings`), so that every process and every later start
agree. Days given to `raymap serve`, `raymap migrate` or `raymap retention` are stored there; DEFAULTS
apply to kinds that were never set. Each start applies the configuration to the tables.

ClickHouse deletes in the background: tables of traces by whole parts (a part contains one day of
arrival, so rows live up to a day longer), the map row by row. A changed TTL is materialized in
existing parts by a mutation; for whole parts that reads no rows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import NamedTuple

from clickhouse_driver import Client

from store import times
from store.clickhouse import pins, queries
from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.missing_rows import RowsMissing, has_all_rows
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.pins import EVERY, FIRST_PIN_PARTITION, TRACE_TABLES
from store.clickhouse.queries import Sql
from store.clickhouse.schema.migrate import migrate

MOST_DAYS = 10_000
"""ClickHouse's DateTime has 32 bits, up to 2106: a later expiry would wrap around to the past."""
DAY = times.DAY // times.SECOND
"""Seconds."""


class Kind(NamedTuple):
    """A kind of data: its label, its default retention in days, and its tables, each with the condition
    that selects the rows of this kind."""

    label: str
    days: int
    tables: Mapping[str, str]


KINDS: Mapping[str, Kind] = {
    "traces": Kind("traces and documents", 30, dict.fromkeys(TRACE_TABLES, "")),
    "map-minutes": Kind("map by minutes", 60, {"rollups": "width < 60"}),
    "map-hours": Kind("map by hours", 400, {"rollups": "width = 60"}),
    "logs": Kind("log lines", 7, {"log_lines": ""}),
    "metrics": Kind("platform metrics", 60, {"platform_metrics": ""}),
}
DEFAULTS: Mapping[str, int] = {name: kind.days for name, kind in KINDS.items()}

TTLS: Mapping[str, str] = {
    **dict.fromkeys(TRACE_TABLES, "received + toIntervalDay({traces})"),
    "rollups": "written_at + toIntervalDay(if(width = 60, {map-hours}, {map-minutes}))",
    "log_lines": "received + toIntervalDay({logs})",
    "platform_metrics": "received + toIntervalDay({metrics})",
}
"""Each table's TTL, as ClickHouse writes it."""


class RetentionStatus(NamedTuple):
    """What is stored of a kind.

    ``oldest`` and ``newest``: arrival (traces) or the time of what is in the rows (others); ``expires``: when the next
    rows are deleted. Seconds since the epoch, 0 when there are no rows.
    """

    kind: str
    days: int
    rows: int
    bytes: int
    oldest: int
    newest: int
    expires: int


class Pinned(NamedTuple):
    """Pinned traces, which never expire, and their rows."""

    traces: int
    rows: int
    bytes: int


class Deletion(NamedTuple):
    """What a shorter retention would delete of a kind: rows, and the span as in `RetentionStatus`."""

    kind: str
    rows: int
    oldest: int
    newest: int


def prepare_database(url: str | Address, given: Mapping[str, int]) -> list[str]:
    """Migrate a database to this version's schema and apply the configured retention.

    ``given``: days by kind from the command line; they are stored. Returns the names of the
    migrations that were applied. Raises as `store.clickhouse.schema.migrate.migrate` does.
    """
    address = parse_url(url) if isinstance(url, str) else url
    applied = migrate(address, {"retention_days": given.get("traces", DEFAULTS["traces"])})
    client = connect(address)
    try:
        pins.reconcile(client)  # before anything expires sooner
        apply(client, given)
    finally:
        client.disconnect()
    return applied


def apply(client: Client, given: Mapping[str, int], *, wait: bool = False) -> None:
    """Store the days given and set the tables' TTLs to the whole configuration.

    ``wait`` until existing rows have their new expiry, and expired ones are deleted. Raises
    ValueError for an unknown kind or days out of range, and RowsMissing where another replica may have other days.
    """
    for kind, days in given.items():
        if kind not in KINDS or not 1 <= days <= MOST_DAYS:
            raise ValueError(f"{kind}={days} days: expected 1 to {MOST_DAYS:,} of {[*KINDS]}")
    if given:
        now = time.time_ns() // 1000
        client.execute(
            "INSERT INTO settings (name, value, ver) VALUES",
            [(_setting(kind), str(days), now) for kind, days in given.items()],
        )
    if not has_all_rows(client, ("settings",)):
        if given:
            raise RowsMissing(
                "The retention is stored, and not applied: another replica of ClickHouse has settings that this one "
                "lacks. Repeat it when it has them"
            )
        return
    days_by_kind = {**DEFAULTS, **configured(client)}
    for table, definition in _definitions(client).items():
        wanted = f"TTL {_filled(TTLS[table], days_by_kind)}"
        if not re.search(re.escape(wanted) + r"\s", definition):
            client.execute(
                f"ALTER TABLE {table} MODIFY {wanted}",
                settings={"mutations_sync": 1 if wait else 0},
            )


def configured(client: Client) -> dict[str, int]:
    """Days by kind that were set explicitly."""
    names = {_setting(kind): kind for kind in KINDS}
    rows = client.execute("SELECT name, value FROM settings FINAL")
    return {names[name]: int(value) for name, value in rows if name in names}


def effective(client: Client) -> dict[str, int]:
    """Days by kind as the tables' TTLs have them; kinds without a table are absent."""
    found: dict[str, int] = {}
    for table, definition in _definitions(client).items():
        pattern = re.sub(r"\\\{([a-z\\-]+)\\\}", r"(\\d+)", re.escape(TTLS[table]))
        if match := re.search(rf"TTL {pattern}\s", definition):
            found.update(zip(_kinds_of(table), map(int, match.groups()), strict=True))
    return found


def preview_deletions(client: Client, wanted: Mapping[str, int]) -> list[Deletion]:
    """The rows that would expire at once under the wanted days by kind."""
    now, current = int(time.time()), effective(client)
    deletions = []
    for kind, days in wanted.items():
        if kind == "traces":
            sooner = (current.get(kind, days) - days) * DAY
            expired = Sql(
                "delete_ttl_info_max != 0 AND toUnixTimestamp(delete_ttl_info_max) <= {by:Int64}",
                {"by": now + sooner},
            )
            rows, _, oldest, newest, _ = _traces(client, expired)
        elif kind in current:
            rows, oldest, newest, _ = _dated_rows(client, kind, now - days * DAY)
        else:
            continue
        if rows:
            deletions.append(Deletion(kind, rows, oldest, newest))
    return deletions


def status(client: Client) -> tuple[list[RetentionStatus], Pinned]:
    """What is stored of each kind, and what is pinned."""
    current = effective(client)
    statuses = []
    for kind, days in current.items():
        if kind == "traces":
            rows, size, oldest, newest, expires = _traces(client)
        else:
            rows, oldest, newest, first = _dated_rows(client, kind)
            (table,) = KINDS[kind].tables
            ((all_rows, all_bytes),) = execute(client, queries.STORED_SIZE.render(table=table))
            size = all_bytes * rows // all_rows if all_rows else 0
            expires = first + days * DAY if rows else 0
        statuses.append(RetentionStatus(kind, days, rows, size, oldest, newest, expires))
    statuses.sort(key=lambda each: [*KINDS].index(each.kind))
    ((rows, size, pinned),) = execute(client, queries.STORED_PINNED.render(**_TRACE_PARTS))
    return statuses, Pinned(pinned, rows, size)


_TRACE_PARTS = {"tables": list(TRACE_TABLES), "first_pinned": FIRST_PIN_PARTITION}


def _traces(client: Client, condition: Sql = EVERY) -> tuple[int, int, int, int, int]:
    """Rows, bytes, first and last arrival and the next expiry of traces that are not pinned."""
    statement = queries.STORED_TRACES.render({"condition": condition}, **_TRACE_PARTS)
    (row,) = execute(client, statement)
    rows, size, oldest, newest, expires = row
    return rows, size, oldest, newest, expires


def _dated_rows(
    client: Client, kind: str, written_by: int | None = None
) -> tuple[int, int, int, int]:
    """Rows of one table, all or those written by then, their first and last time, and when the oldest
    of them was written."""
    ((table, of_kind),) = KINDS[kind].tables.items()
    is_map = table == "rollups"
    arrival = "written_at" if is_map else "received"
    condition = EVERY
    if written_by is not None:
        condition = Sql(f"toUnixTimestamp({arrival}) <= {{by:Int64}}", {"by": written_by})
    if is_map:
        given = {"kind": Sql(of_kind), "condition": condition}
        statement = queries.STORED_MAP_ROWS.render(given)
    else:
        statement = queries.STORED_ROWS.render({"table": Sql(table), "condition": condition})
    ((rows, first, last, written),) = execute(client, statement)
    return (rows, first, last, written) if rows else (0, 0, 0, 0)


def _definitions(client: Client) -> dict[str, str]:
    """The CREATE statements of existing tables with a TTL, each followed by a space."""
    rows = execute(client, queries.TABLE_DEFINITIONS.render())
    return {table: definition + " " for table, definition in rows if table in TTLS}


def _kinds_of(table: str) -> list[str]:
    return re.findall(r"\{([a-z-]+)\}", TTLS[table])


def _filled(template: str, days: Mapping[str, int]) -> str:
    return re.sub(r"\{([a-z-]+)\}", lambda match: str(days[match[1]]), template)


def _setting(kind: str) -> str:
    return f"retention.{kind}"
