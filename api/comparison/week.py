"""What a week's shares of failures say about those of two periods: whether one is beyond what wanders by itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from statistics import stdev
from typing import NamedTuple

LEAST = 30
"""Requests that a period needs."""
LEAST_DAYS = 3
"""Days from which on they say how much a day differs from others."""
STEP = 10
"""Minutes that a week is read by."""
POINTS = 0.005
"""Half a point is what someone notices."""
WIDER = 1.25
"""How many times as much as the second worst day fails in a period that differs, or the second best day as it, and half a point
more."""
WANDERING, WIDEST = 3.5, 3.0
"""What callers do wrong wanders for hours, and the worst of seven days that differ by much is no limit for the eighth: client
errors have to be beyond each day, by so many standard deviations of their logarithms, at most so many times."""


class Week(NamedTuple):
    """Shares of failures in periods of the same length in the seven days before: the worst and the best of each day, either
    period left out."""

    worst: list[float]
    best: list[float]

    def is_beyond(self, low: float, high: float, *, wanders: bool) -> bool:
        """Whether a lower or a higher share is beyond what the week had at whatever hour; of client errors, which wander, beyond
        each day. True of a shorter week, which says nothing."""
        if len(self.worst) < LEAST_DAYS:
            return True
        if wanders:
            far = high > _apart(self.worst) * max(self.worst)
            return far or low * _apart(self.best) < min(self.best)
        worst, best = sorted(self.worst)[-2], sorted(self.best)[1]
        return _is_more(high, worst) or _is_more(best, low)


def week_of(days: Sequence[Sequence[tuple[float, float]]], minutes: int) -> Week:
    """Of each day its steps, with requests and failures; ``minutes``: how long a period is."""
    width = max(1, minutes // STEP)
    worst, best = [], []
    for steps in days:
        sums = [
            tuple(map(sum, zip(*steps[at : at + width], strict=True)))
            for at in range(len(steps) - width + 1)
        ]
        shares = [smoothed(failed, requests) for requests, failed in sums if requests >= LEAST]
        if shares:
            worst.append(max(shares))
            best.append(min(shares))
    return Week(worst, best)


def smoothed(failed: float, requests: float) -> float:
    """The share that failed; not 0 of few requests, none of which did."""
    return (failed + 0.5) / (requests + 1)


def _is_more(high: float, low: float) -> bool:
    return high > WIDER * low and high - low >= POINTS


def _apart(days: Sequence[float]) -> float:
    """How many times the extreme day's share that of a period has to be."""
    return min(WIDEST, max(WIDER, exp(WANDERING * stdev(map(log, days)))))
