"""Spans of time in microseconds, the unit of every instant and duration in the store; instants as text."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BUCKET = 5 * SECOND
"""What is counted together: a window that ends on a multiple cuts no bucket."""
PER_MINUTE = MINUTE // BUCKET
MAX_INSTANT = 100_000_000_000
"""Epoch seconds (the year 5138); anything later is milliseconds by mistake."""
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
"""Units of a duration."""
NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]+)?", re.ASCII)


def instant(seconds: float) -> int:
    """Epoch seconds in microseconds. Raises ValueError unless they are finite and plausible."""
    if not math.isfinite(seconds) or not 0 <= seconds <= MAX_INSTANT:
        raise ValueError(f"must lie between 0 and {MAX_INSTANT} epoch seconds, got {seconds}")
    return round(seconds * SECOND)


def parse_instant(text: str) -> int:
    """Microseconds since the epoch, of epoch seconds or an ISO 8601 text (UTC unless it has an offset).

    Raises ValueError with what was expected.
    """
    if NUMBER.fullmatch(text):
        return instant(float(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be epoch seconds or an ISO 8601 text, got {text[:60]!r}") from None
    return instant(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def parse_duration(text: str, *, default_unit: str = "") -> int:
    """Seconds of ``90m``, ``14d``, ``2w`` or ``1y``. ValueError for anything else.

    A number alone is in ``default_unit``; without one it needs a unit.
    """
    match = re.fullmatch(r"([0-9]{1,7})([smhdwy]?)", text.strip().lower(), re.ASCII)
    unit = match and (match[2] or default_unit)
    if not match or not unit:
        raise ValueError(f"{text!r} is no duration; expected one like 90m or 14d")
    return int(match[1]) * SECONDS[unit]


def parse_moment(text: str, now: int) -> int:
    """Microseconds since the epoch of an instant, ``now``, or a duration before now (``-90m``,
    ``now-90m``). ``now`` in microseconds. Raises ValueError."""
    relative = text.strip().removeprefix("now")
    if text.strip() == "now":
        return now
    if not relative.startswith("-"):
        try:
            return parse_instant(text.strip())
        except ValueError as error:
            raise ValueError(f"{error}; before now: -90m, now-7d") from None
    moment = now - parse_duration(relative[1:]) * SECOND
    if moment < 0:
        raise ValueError(f"{text!r} is before 1970")
    return moment


def format_utc(seconds: float) -> str:
    """Epoch seconds as date and minute, like ``2026-11-26 14:03 UTC``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
