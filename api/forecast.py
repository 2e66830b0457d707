"""The band in which a count is expected, from the counts of the same time of earlier days."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, sqrt
from typing import NamedTuple

DAY = 86_400_000_000
"""Microseconds in a day."""
DAYS = range(1, 8)
"""The earlier days that are looked at."""
MIN_DAYS = 3
"""Days with traffic below which there is no forecast."""
DEVIATIONS = 2.0


class Band(NamedTuple):
    """The least and the greatest count that is expected."""

    low: int
    high: int


def forecast(counts: Sequence[int]) -> Band | None:
    """Mean ± two standard deviations, None of fewer than `MIN_DAYS` counts.

    The deviation is at least that of a Poisson distribution: seven equal days do not make an
    eighth with one fault more an anomaly.
    """
    if len(counts) < MIN_DAYS:
        return None
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    width = DEVIATIONS * sqrt(max(variance, mean))
    return Band(max(0, floor(mean - width)), ceil(mean + width))
