"""Statistics → the ratios that nodes and edges of a graph carry: the API's one definition."""

from __future__ import annotations

from typing import NamedTuple

from store.graph import EdgeStats, ServiceStats, Statistics
from store.model import TimeRange


class Ratios(NamedTuple):
    """Shares of finished units by how they ended, from 0 to 1, their mean response time, and traces per minute; None where
    nothing finished, and the rate where the window is not known. Those of which nothing says how they ended have none."""

    ok_ratio: float | None = None
    error_ratio: float | None = None
    throttle_ratio: float | None = None
    fault_ratio: float | None = None
    average_ms: float | None = None
    traces_per_min: float | None = None


def ratios_of_node(stats: ServiceStats, window: TimeRange | None) -> Ratios:
    """Of a node; a client has none."""
    if stats.key.is_client:
        return Ratios()
    return _ratios(stats.statistics, stats.trace_minutes, window, stats.unknown)


def ratios_of_edge(stats: EdgeStats, window: TimeRange | None) -> Ratios:
    """Of an edge, whose rate is that of its calls: traces are counted by node."""
    figures = stats.statistics
    return _ratios(figures, figures.total + figures.in_progress, window)


def _ratios(figures: Statistics, traces: int, window: TimeRange | None, unknown: int = 0) -> Ratios:
    rate = per_minute(traces, window) if window is not None else None
    total = figures.total
    if not total:
        return Ratios(traces_per_min=rate)
    return Ratios(
        (figures.ok - unknown) / total,
        figures.error / total,
        figures.throttle / total,
        figures.fault / total,
        milliseconds(figures.total_time / total),
        rate,
    )


def per_minute(count: int, window: TimeRange) -> float:
    """Units per minute, rounded to four decimals."""
    return round(count / window.minutes, 4)


def milliseconds(microseconds: float) -> float:
    """A duration as answers state it."""
    return round(microseconds / 1000, 3)
