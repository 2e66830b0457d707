"""`raymap verify`: compares the stored aggregates of a time window with a recount of its rows."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from raymap.errors import CommandError, print_status
from raymap.schema_check import require_schema
from raymap.units import format_minute, parse_instant
from store.clickhouse.graph.verify import Difference, Verified
from store.model import TimeRange
from store.times import MINUTE, SECOND

if TYPE_CHECKING:
    from store.clickhouse.connection.address import Address

SHOWN = 20
"""Differences printed in full."""


def verify(clickhouse: Address, start: str, end: str) -> bool:
    """Recount a window and print the differences; whether there are none."""
    from store.clickhouse.store import ClickHouseStore

    window = _window(start, end)
    require_schema(clickhouse)
    started = time.monotonic()
    minutes = figures = skipped = differing = 0
    with closing(ClickHouseStore(clickhouse, connections=2)) as store:
        for part in store.verify(window):
            minutes += part.minutes
            figures += part.figures
            skipped += part.skipped
            for number, each in enumerate(part.differences, differing + 1):
                if number <= SHOWN:
                    _show(part, each)
            differing += len(part.differences)
    if differing > SHOWN:
        print_status(f"and {differing - SHOWN:,} more")
    expired = f"; {skipped:,} minutes whose rows have expired were left out" if skipped else ""
    print_status(
        f"{minutes:,} minutes, {figures:,} nodes and edges compared in "
        f"{time.monotonic() - started:.1f} s, {differing:,} differences{expired}"
    )
    return not differing


def _show(part: Verified, each: Difference) -> None:
    name = f"{each.source} -> {each.target}" if each.source else each.target
    print(f"{_time(part.window.start)} to {_time(part.window.end)}  {each.kind} {name}")
    print(f"  the map   {each.counted}\n  the rows  {each.rows}")


def _time(microseconds: int) -> str:
    return f"{format_minute(microseconds / SECOND)} UTC"


def _window(start: str, end: str) -> TimeRange:
    """The whole minutes that cover the time between two instants."""
    first, last = parse_instant(start, "--from"), parse_instant(end, "--to")
    if last <= first:
        raise CommandError("--to is not after --from.")
    return TimeRange(first // MINUTE * MINUTE, -(-last // MINUTE) * MINUTE)
