"""What is usual at a time: what the same hours of the weeks before had, of the day before, or the 60 minutes before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from math import sqrt
from typing import Literal, NamedTuple

from store.graph import Statistics, total_statistics
from store.model import TimeRange
from store.rules.histogram import percentiles
from store.times import DAY, HOUR, MINUTE

WEEK = 7 * DAY
WEEKS = 4
LEAST_WEEKS = 2
"""Weeks whose same hour was counted, from which on they say what is usual."""
QUARTER = 15 * MINUTE
"""Each has 60 minutes before it that say what is usual, where nothing older does."""
LEAST = 30 * MINUTE
"""What has to be known of these."""
DEVIATIONS = 2.0
"""How far the number of requests of a step may lie from the mean of its hours, in standard deviations of a count."""

EMPTY = Statistics()

Basis = Literal["weeks", "yesterday", "hour"]
Steps = Mapping[int, Statistics]
"""By their start; those without requests are absent."""
Reader = Callable[[TimeRange, int], Steps]
"""What was counted in a window, in steps of a length."""


class Usual(NamedTuple):
    """What is usual from an instant until another one, by how many minutes: requests of a step, share of faults at most,
    p95 (microseconds)."""

    start: int
    end: int
    basis: Basis
    minutes: int
    low: float
    high: float
    fault_share: float
    p95: tuple[float, float] | None


class Known(NamedTuple):
    """What is usual in a window, and, where nothing is known of it yet, from when on something will be."""

    usual: Sequence[Usual]
    since: int | None = None


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


def usual_in(window: TimeRange, step: int, until: int, read: Reader) -> Known:
    """What is usual in the hours of a window. ``until``: when what is counted ends."""
    hours = {at: found for each in hours_of(window) for at, found in read(each, HOUR).items()}
    if not hours:
        return Known(())
    known = min(hours) + HOUR  # the first hour may have begun before the first request
    starts = range(window.start // HOUR * HOUR, window.end, HOUR)
    samples = {at: _samples(at, known) for at in starts}
    usual = [
        _usual(TimeRange(at, at + HOUR), found[0], HOUR, [hours.get(hour, EMPTY) for hour in found[1]], step)
        for at, found in samples.items()
        if found
    ]  # fmt: skip
    young = [at for at, found in samples.items() if found is None]
    if not young or until <= young[0]:
        return Known(usual)
    quarters = TimeRange(max(0, young[0] - HOUR), young[-1] + HOUR)
    counted = read(quarters, QUARTER)
    if known > quarters.start:
        known = min(counted, default=until) + QUARTER
    recent = list(_by_the_hour_before(young, counted, max(known, quarters.start), until, step))
    # Later hours are known by older ones.
    return Known([*recent, *usual], None if recent or usual else known + LEAST)


def _by_the_hour_before(
    hours: Collection[int], counted: Steps, known: int, until: int, step: int
) -> Iterator[Usual]:
    for at in (quarter for hour in hours for quarter in range(hour, hour + HOUR, QUARTER)):
        first = max(known, at - HOUR)
        if at - first >= LEAST and at <= until:
            before = [counted.get(each, EMPTY) for each in range(first, at, QUARTER)]
            sample = total_statistics(before)
            yield _usual(TimeRange(at, at + QUARTER), "hour", at - first, [sample], step)


def _usual(
    span: TimeRange, basis: Basis, length: int, samples: Sequence[Statistics], step: int
) -> Usual:
    """By samples of a length each."""
    means = [each.total * step / length for each in samples]
    shares = [each.fault / each.total for each in samples if each.total]
    found = [percentiles(each.histogram, (0.95,))[0] for each in samples]
    times = [time for time in found if time is not None]
    return Usual(
        *span,
        basis,
        len(samples) * length // MINUTE,
        max(0.0, min(means) - DEVIATIONS * sqrt(min(means))),
        max(means) + DEVIATIONS * sqrt(max(means)),
        max(shares, default=0.0),
        (min(times), max(times)) if times else None,
    )


def _samples(at: int, known: int) -> tuple[Basis, Sequence[int]] | None:
    """The hours that say what is usual at one, of those that were counted."""
    weeks = [hour for n in range(1, WEEKS + 1) if (hour := at - n * WEEK) >= known]
    if len(weeks) >= LEAST_WEEKS:
        return "weeks", weeks
    if at - DAY - HOUR >= known:
        return "yesterday", [at - DAY + beside for beside in (-HOUR, 0, HOUR)]
    return None
