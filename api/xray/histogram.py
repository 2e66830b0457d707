"""X-Ray's histogram format: seconds with three decimals, at most 200 values."""

from __future__ import annotations

from math import log

MOST_VALUES = 200


def entries(histogram: dict[int, int]) -> list[dict[str, float | int]]:
    """``{Value, Count}`` ascending; the counts add up to those of ``histogram``."""
    counts = _merged(histogram)
    if len(counts) > MOST_VALUES:
        counts = _rebinned(counts)
    return [{"Value": value / 1000, "Count": counts[value]} for value in sorted(counts)]


def _merged(histogram: dict[int, int]) -> dict[int, int]:
    """Counts by whole milliseconds."""
    counts: dict[int, int] = {}
    for microseconds, count in histogram.items():
        value = (microseconds + 500) // 1000
        counts[value] = counts.get(value, 0) + count
    return counts


def _rebinned(counts: dict[int, int]) -> dict[int, int]:
    """Log-spaced bins, each at the mean of its values."""
    low, high = log(1), log(max(counts) + 1)
    bins: dict[int, list[int]] = {}
    for value, count in counts.items():
        at = int((log(value + 1) - low) / (high - low) * (MOST_VALUES - 1))
        totals = bins.setdefault(at, [0, 0])
        totals[0] += value * count
        totals[1] += count
    rebinned: dict[int, int] = {}
    for total, count in bins.values():
        value = (total + count // 2) // count
        rebinned[value] = rebinned.get(value, 0) + count
    return rebinned
