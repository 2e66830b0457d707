"""Spans of time in microseconds, the unit of every instant and duration in the store; instants as text."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MAX_INSTANT = 100_000_000_000
"""Epoch seconds (the year 5138); anything later is milliseconds by mistake."""
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


def format_utc(seconds: float) -> str:
    """Epoch seconds as date and minute, like ``2026-11-26 14:03 UTC``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
