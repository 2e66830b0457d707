"""What is usual at an hour: what the same hours of the weeks before had, of the day before, or the hour before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Literal, NamedTuple

from store.graph import Statistics
from store.model import TimeRange
from store.rules.histogram import percentiles
from store.times import DAY, HOUR

WEEK = 7 * DAY
WEEKS = 4
LEAST_WEEKS = 2
"""Weeks whose same hour was counted, from which on they say what is usual."""
DEVIATIONS = 2.0
"""How far the number of requests of a step may lie from the mean of its hour, in standard deviations of a count."""

EMPTY = Statistics()

Basis = Literal["weeks", "yesterday", "hour"]
Hours = Mapping[int, Statistics]
"""By their start; hours without requests are absent."""


class Usual(NamedTuple):
    """What is usual in an hour, and of which hours: requests of a step, share of faults at most, p95 (microseconds)."""

    start: int
    basis: Basis
    low: float
    high: float
    fault_share: float
    p95: tuple[float, float] | None


def hours_of(window: TimeRange) -> list[TimeRange]:
    """The windows of whole hours that say what is usual in one of some days at most, and an hour more of each."""
    first, last = whole_hours(window)
    weeks = [TimeRange(first - HOUR - n * WEEK, last - n * WEEK) for n in range(WEEKS, 0, -1)]
    return [
        *(each for each in weeks if each.start >= 0),
        TimeRange(max(0, first - DAY - 2 * HOUR), last),
    ]


def whole_hours(window: TimeRange) -> TimeRange:
    """The hours that a window overlaps."""
    return TimeRange(window.start // HOUR * HOUR, -(-window.end // HOUR) * HOUR)


def usual_hours(window: TimeRange, hours: Hours, step: int) -> list[Usual]:
    """What is usual in the hours of a window, as far as anything is known of it. ``hours``: of `hours_of`."""
    if not hours:
        return []
    known = min(hours) + HOUR  # the first hour may have begun before the first request
    starts = range(window.start // HOUR * HOUR, window.end, HOUR)
    found = (_usual(at, hours, known, step) for at in starts)
    return [each for each in found if each is not None]


def _usual(at: int, hours: Hours, known: int, step: int) -> Usual | None:
    basis, of = _samples(at, known)
    if basis is None:
        return None
    samples = [hours.get(hour, EMPTY) for hour in of]
    means = [each.total * step / HOUR for each in samples]
    shares = [each.fault / each.total for each in samples if each.total]
    found = [percentiles(each.histogram, (0.95,))[0] for each in samples]
    times = [time for time in found if time is not None]
    return Usual(
        at,
        basis,
        max(0.0, min(means) - DEVIATIONS * sqrt(min(means))),
        max(means) + DEVIATIONS * sqrt(max(means)),
        max(shares, default=0.0),
        (min(times), max(times)) if times else None,
    )


def _samples(at: int, known: int) -> tuple[Basis | None, Sequence[int]]:
    """The hours that say what is usual at one, of those that were counted."""
    weeks = [hour for n in range(1, WEEKS + 1) if (hour := at - n * WEEK) >= known]
    if len(weeks) >= LEAST_WEEKS:
        return "weeks", weeks
    if at - DAY - HOUR >= known:
        return "yesterday", [at - DAY + beside for beside in (-HOUR, 0, HOUR)]
    if at - HOUR >= known:
        return "hour", [at - HOUR]
    return None, []
