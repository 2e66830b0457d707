"""Parses and prints sizes, durations and instants as people type them on the command line."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from raymap.errors import CommandError
from store import times

SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def parse_size(text: str) -> int:
    """Bytes of ``2G``, ``512M``, ``1.5GiB`` or a plain number. ValueError for anything else."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kmgt]?)(?:i?b)?", text.strip().lower())
    if not match or len(match[1]) > 20:
        raise ValueError(f"{text!r} is no size; expected one like 2G or 512M")
    return int(float(match[1]) * SIZES[match[2]])


def parse_instant(text: str, flag: str) -> int:
    """Microseconds since the epoch of an ISO 8601 time (UTC unless it has an offset), epoch seconds,
    ``now``, or a duration before now (``-90m``). ``flag`` is named in the CommandError."""
    text = text.strip()
    try:
        return times.parse_moment(text, time.time_ns() // 1000)
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


def counted(count: int, what: str) -> str:
    """``1 trace``, ``2 traces``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
