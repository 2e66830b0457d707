"""Histogram buckets of response times: 75 per power of ten, none wider than 5 %.

Within each power of ten (100 to 1,000 and so on), every 5th number up to 200, every 10th up to 500
and every 20th above is a bucket: round values, an error of at most 2.5 %, and histograms small
enough to store per edge and minute and to merge within an interactive request. Below 100 µs buckets
are exact. All arithmetic is on integers, so Python and SQL agree exactly, and histograms merge
exactly in any order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate


def bucket(microseconds: int) -> int:
    """The bucket of a time, itself in microseconds."""
    if microseconds < 100:
        return microseconds
    power = 1
    while microseconds >= 1000 * power:
        power *= 10
    leading = microseconds // power
    step = power * (5 if leading < 200 else 10 if leading < 500 else 20)
    return (microseconds + step // 2) // step * step


def percentiles(histogram: dict[int, int], shares: Sequence[float]) -> list[int | None]:
    """For each share, the time (microseconds) not exceeded by that share of units; None if
    empty."""
    values = sorted(histogram)
    seen = list(accumulate(map(histogram.__getitem__, values)))
    if not seen or not seen[-1]:
        return [None] * len(shares)
    return [values[min(bisect_left(seen, share * seen[-1]), len(seen) - 1)] for share in shares]


def total(every: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """As `add` of all, without a call for each."""
    found: dict[int, int] = {}
    counted = found.get
    for each in every:
        for value, count in each.items():
            found[value] = counted(value, 0) + count
    return found


def add(into: dict[int, int], more: dict[int, int]) -> None:
    """Add the counts of one histogram to another."""
    for value, count in more.items():
        into[value] = into.get(value, 0) + count
