"""Which periods are compared, and which other days say how much they differ by themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from api.comparison.week import LEAST_DAYS
from store.model import TimeRange
from store.times import DAY, HOUR, MINUTE

DAYS = 7
"""Other days that are read at most."""
LOOK_BACK = 8
WEEKDAYS = 5
THURSDAY = 3
"""The weekday of the epoch."""
SHORTEST, LONGEST = 3 * MINUTE, 24 * HOUR
"""Of the last five minutes, four or three have ended and are counted."""


class Day(NamedTuple):
    """Both periods as they were on another day; ``then``: None where both are at one time of the day."""

    now: TimeRange
    then: TimeRange | None


def whole_minutes(window: TimeRange, until: int) -> TimeRange | None:
    """The whole minutes of a window up to an instant; None if there are none."""
    start = -(-window.start // MINUTE) * MINUTE
    end = min(window.end, until) // MINUTE * MINUTE
    return TimeRange(start, end) if start < end else None


def other_days(now: TimeRange, then: TimeRange) -> list[Day]:
    """The days before the later period, the nearest first: workdays of a workday, else those of weekends, of which there are fewer than
    three: then any."""
    offset = now.start - then.start
    same_time = offset % DAY == 0
    found = [
        Day(_back(now, back), None if same_time else _back(then, back))
        for back in range(1, LOOK_BACK + 1)
    ]
    free = [
        day
        for day in found
        if day.now.start >= 0 and not any(_overlap(each, then) for each in _periods(day))
    ]
    alike = [day for day in free if _is_weekend(day.now.start) == _is_weekend(now.start)]
    return (alike if len(alike) >= LEAST_DAYS else free)[:DAYS]


def _back(window: TimeRange, days: int) -> TimeRange:
    return TimeRange(window.start - days * DAY, window.end - days * DAY)


def _periods(day: Day) -> Iterator[TimeRange]:
    yield day.now
    if day.then is not None:
        yield day.then


def _overlap(one: TimeRange, other: TimeRange) -> bool:
    return one.start < other.end and other.start < one.end


def _is_weekend(at: int) -> bool:
    return (at // DAY + THURSDAY) % 7 >= WEEKDAYS
