"""`raymap retention`, `pin`, `unpin` and `pins`: how long what is stored is kept.

They speak to ClickHouse itself, so they work while `raymap serve` runs and without it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clickhouse_driver.errors import ServerException

from raymap.supervisor import CommandError, print_status
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import first_line, is_transient
from store.clickhouse.connection.pool import connect
from store.clickhouse.pins import refresh
from store.clickhouse.schema import retention
from store.clickhouse.schema.migrate import newest_version
from store.clickhouse.store import ClickHouseStore
from store.protocol import pin_note
from store.trace_id import format_trace_id, parse_trace_id

if TYPE_CHECKING:
    from clickhouse_driver import Client

UNITS = {"": 1, "d": 1, "w": 7, "y": 365}
PATIENCE = 10.0  # seconds for ClickHouse to answer
NOT_THERE = {60, 81}  # UNKNOWN_TABLE, UNKNOWN_DATABASE


def show_retention(clickhouse: Address, wanted: Mapping[str, str], *, yes: bool) -> None:
    """Set what is wanted (kinds and what was typed for them) and print what is kept how long.

    GaveUp, and nothing is changed, when it would delete something and nobody said ``yes``.
    """
    days = {kind: days_of(text, f"--{kind}") for kind, text in wanted.items() if text}
    with _client(clickhouse) as client:
        if days:
            _set(client, days, yes)
        kept, pinned = retention.report(client)
    rows = [("", "from (UTC)", "to (UTC)", "rows", "on disk", "kept", "next expires")]
    for each in kept:
        words = retention.KINDS[each.kind].words
        span = _minute(each.oldest), _minute(each.newest)
        figures = f"{each.rows:,}", _size(each.bytes), _days(each.days), _minute(each.expires)
        rows.append((words, *span, *figures))
    if pinned.traces:
        words = f"{pinned.traces:,} pinned traces" if pinned.traces > 1 else "1 pinned trace"
        rows.append((words, "", "", f"{pinned.rows:,}", _size(pinned.bytes), "for ever", "never"))
    _print(rows, right={3, 4})


def _set(client: Client, days: Mapping[str, int], yes: bool) -> None:
    current = retention.effective(client)
    if absent := [kind for kind in days if kind not in current]:
        raise CommandError(f"This database keeps nothing to which --{absent[0]} applies.")
    lost = retention.preview_deletions(client, days)
    for loss in lost:
        words = retention.KINDS[loss.kind].words
        span = f"{_minute(loss.oldest)} to {_minute(loss.newest)} UTC"
        doing = "deletes" if yes else "would delete"
        print_status(
            f"{_days(days[loss.kind])} instead of {_days(current[loss.kind])} {doing} {loss.rows:,} rows: {words}, {span}"
        )
    if lost and not yes:
        raise CommandError("Nothing was changed. To delete it, say the same with --yes.")
    refresh(client)  # what is pinned is not lost
    retention.keep(client, days, wait=True)


def pin(clickhouse: Address, text: str, note: str) -> None:
    """Keep a trace for ever."""
    trace_id = trace_id_of(text)
    try:
        kept = pin_note(note)
    except ValueError as error:
        raise CommandError(f"--note: {error}.") from None
    with _store(clickhouse) as store:
        made = store.pin(trace_id, kept, time.time_ns() // 1000)
    print_status(
        f"{format_trace_id(trace_id)} is kept for ever{f': {made.note}' if made.note else ''}"
    )


def unpin(clickhouse: Address, text: str) -> None:
    """Let a trace expire like any other."""
    trace_id = trace_id_of(text)
    with _store(clickhouse) as store:
        if not store.unpin(trace_id, time.time_ns() // 1000):
            raise CommandError(f"{format_trace_id(trace_id)} is not pinned.")
    print_status(f"{format_trace_id(trace_id)} is kept as long as any other trace")


def pins(clickhouse: Address) -> None:
    """Print the pinned traces, the latest first."""
    with _store(clickhouse) as store:
        store.refresh_pins()
        found = store.pins()
    if not found:
        print_status("no trace is pinned")
        return
    rows = [("trace", "pinned (UTC)", "note")]
    rows += [(format_trace_id(p.trace_id), _minute(p.at // 1_000_000), p.note) for p in found]
    _print(rows)


def days_of(text: str, flag: str) -> int:
    """`14d`, `14`, `2w` or `1y` as days."""
    match = re.fullmatch(r"([0-9]{1,6})([dwy]?)", text.strip().lower())
    days = int(match[1]) * UNITS[match[2]] if match else 0
    if not 1 <= days <= retention.MOST_DAYS:
        raise CommandError(
            f"{flag}: {text!r} is no such time; expected days like 14d "
            f"(or weeks, 2w, or years, 1y), from 1d to {retention.MOST_DAYS}d."
        )
    return days


def trace_id_of(text: str) -> bytes:
    """A trace id in either form, or GaveUp."""
    try:
        return parse_trace_id(text)
    except ValueError as error:
        raise CommandError(f"TRACE_ID: {error}.") from None


@contextmanager
def _client(clickhouse: Address) -> Iterator[Client]:
    require(clickhouse)
    client = connect(clickhouse)
    try:
        yield client
    finally:
        client.disconnect()


@contextmanager
def _store(clickhouse: Address) -> Iterator[ClickHouseStore]:
    require(clickhouse)
    with closing(ClickHouseStore(clickhouse, connections=1)) as store:
        yield store


def require(clickhouse: Address) -> None:
    """GaveUp when there is no ClickHouse, or not one with this program's schema."""
    name = f"{clickhouse.name}/{clickhouse.database}"
    client = connect(replace(clickhouse, connect_timeout=2.0, timeout=PATIENCE))
    try:
        ((version,),) = client.execute("SELECT max(version) FROM raymap_migrations")
    except Exception as error:
        if is_transient(error):
            raise CommandError(
                f"{name} does not answer: {first_line(error)}. Does it run?"
            ) from None
        if isinstance(error, ServerException) and error.code in NOT_THERE:
            raise CommandError(f"{name} holds no traces yet: run  raymap migrate  first.") from None
        raise
    finally:
        client.disconnect()
    if version < newest_version():
        raise CommandError(f"{name} has an older schema: run  raymap migrate  first.")


def _minute(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}" if seconds else "–"


def _days(days: int) -> str:
    return f"{days:,} days" if days > 1 else "1 day"


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _print(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> None:
    """Columns as wide as they must be, those of numbers aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
