"""`raymap verify`: whether the map says what the rows say, for a window of time."""

from __future__ import annotations

import re
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from raymap.commands.storage import require
from raymap.supervisor import CommandError, print_status
from store.clickhouse.graph.verify import Difference, Verified
from store.model import MINUTE, TimeRange

if TYPE_CHECKING:
    from store.clickhouse.connection.address import Address

SHOWN = 20
"""Differences printed in full."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def verify(clickhouse: Address, start: str, end: str) -> bool:
    """Count a window once more, print what differs; True when nothing does."""
    from store.clickhouse.store import ClickHouseStore

    window = _window(start, end)
    require(clickhouse)
    begun = time.monotonic()
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
        f"{time.monotonic() - begun:.1f} s, {differing:,} differences{expired}"
    )
    return not differing


def _show(part: Verified, each: Difference) -> None:
    name = f"{each.source} -> {each.target}" if each.source else each.target
    print(f"{_time(part.window.start)} to {_time(part.window.end)}  {each.kind} {name}")
    print(f"  the map   {each.counted}\n  the rows  {each.rows}")


def _time(microseconds: int) -> str:
    return f"{datetime.fromtimestamp(microseconds / 1e6, UTC):%Y-%m-%d %H:%M} UTC"


def _window(start: str, end: str) -> TimeRange:
    """Whole minutes that hold the time between two moments."""
    first, last = instant(start, "--from"), instant(end, "--to")
    if last <= first:
        raise CommandError("--to is not after --from.")
    return TimeRange(first // MINUTE * MINUTE, -(-last // MINUTE) * MINUTE)


def instant(text: str, flag: str) -> int:
    """Epoch seconds, an ISO time (UTC unless it says otherwise), or `-90m`: microseconds."""
    text = text.strip()
    if text == "now":
        return time.time_ns() // 1000
    if match := re.fullmatch(r"-([0-9]{1,7})([smhd])", text):
        return time.time_ns() // 1000 - int(match[1]) * UNITS[match[2]] * 1_000_000
    if re.fullmatch(r"[0-9]{1,10}(\.[0-9]+)?", text):
        return round(float(text) * 1e6)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{flag}: {text!r} is no time; expected one like 2026-11-25T10:00, -90m, "
            "now, or epoch seconds."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6)
