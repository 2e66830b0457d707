"""Buckets of response times: three significant decimal digits.

Up to a second that is X-Ray's own resolution (values rounded to 3 decimals, XRAY.md §5.6), above it
the error stays under 0.5 %. Whole numbers only, so Python and SQL agree to the last unit and
histograms merge exactly in any order.
"""

from __future__ import annotations


def bucket(microseconds: int) -> int:
    """The bucket of a time, itself in microseconds: ``microseconds`` to three digits.

    Anything below a millisecond keeps its microseconds.
    """
    step = 1
    value = microseconds
    while value >= 1000:
        value //= 10
        step *= 10
    return (microseconds + step // 2) // step * step


def percentile(histogram: dict[int, int], share: float) -> int | None:
    """The time (microseconds) that ``share`` of the units did not exceed; None when empty."""
    total = sum(histogram.values())
    if not total:
        return None
    wanted, seen = share * total, 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= wanted:
            return value
    return max(histogram)


def add(into: dict[int, int], more: dict[int, int]) -> None:
    """Add the counts of one histogram to another."""
    for value, count in more.items():
        into[value] = into.get(value, 0) + count
