"""Parses and prints sizes, durations and instants as people type them on the command line."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from raymap.errors import CommandError
from store import times
from store.times import SECOND

SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


def parse_size(text: str) -> int:
    """Bytes of ``2G``, ``512M``, ``1.5GiB`` or a plain number. ValueError for anything else."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kmgt]?)(?:i?b)?", text.strip().lower())
    if not match or len(match[1]) > 20:
        raise ValueError(f"{text!r} is no size; expected one like 2G or 512M")
    return int(float(match[1]) * SIZES[match[2]])


def parse_duration(text: str, *, default_unit: str = "") -> int:
    """Seconds of ``90m``, ``14d``, ``2w`` or ``1y``. ValueError for anything else.

    A number alone is in ``default_unit``; without one it needs a unit.
    """
    match = re.fullmatch(r"([0-9]{1,7})([smhdwy]?)", text.strip().lower(), re.ASCII)
    unit = match and (match[2] or default_unit)
    if not match or not unit:
        raise ValueError(f"{text!r} is no duration; expected one like 90m or 14d")
    return int(match[1]) * SECONDS[unit]


def parse_instant(text: str, flag: str) -> int:
    """Microseconds since the epoch of an ISO 8601 time (UTC unless it has an offset), epoch seconds,
    ``now``, or a duration before now (``-90m``). ``flag`` is named in the CommandError."""
    text = text.strip()
    try:
        if text == "now" or text.startswith("-"):
            before = parse_duration(text[1:]) * SECOND if text != "now" else 0
            return time.time_ns() // 1000 - before
        return times.parse_instant(text)
    except (ValueError, OverflowError):
        raise CommandError(
            f"{flag}: {text!r} is no time; expected one like 2026-11-25T10:00, -90m, "
            "now, or epoch seconds."
        ) from None


def format_size(size: float) -> str:
    """Bytes with a binary unit, like ``1.5 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def format_minute(seconds: float) -> str:
    """Epoch seconds as UTC date and minute; a dash for 0."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}" if seconds else "–"


def format_days(days: int) -> str:
    """``1 day``, ``30 days``."""
    return f"{days:,} days" if days > 1 else "1 day"
