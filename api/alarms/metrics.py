"""What an alarm can measure, and in which words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from store.alarms import Alarm, AlarmKind
from store.graph import Statistics
from store.rules.histogram import percentiles

PLATFORM = "platform:"
"""Begins the name of one of the node's metrics (docs/metrics.md)."""


class Metric(NamedTuple):
    """A number of a minute; ``share``: of requests, 0 to 1."""

    words: str
    unit: str
    share: bool
    value: Callable[[Statistics], float]


def _p95(statistics: Statistics) -> float:
    (time,) = percentiles(statistics.histogram, (0.95,))
    return (time or 0) / 1_000


METRICS = {
    "fault_share": Metric("fault share", "", True, lambda s: s.fault / s.total),
    "error_share": Metric("error share", "", True, lambda s: s.error / s.total),
    "throttle_share": Metric("throttle share", "", True, lambda s: s.throttle / s.total),
    "requests": Metric("requests a minute", "", False, lambda s: float(s.total)),
    "average_ms": Metric("average latency", "ms", False, lambda s: s.total_time / s.total / 1_000),
    "p95_ms": Metric("p95 latency", "ms", False, _p95),
}
OF_FAULTS = "fault_share"
OF_NO_REQUEST = "requests"
"""The metric that a minute without requests has, too: it is zero."""


def value_of(metric: str, minimum: int, statistics: Statistics) -> float | None:
    """A minute's value; None, which is missing, with fewer than ``minimum`` requests."""
    if metric != OF_NO_REQUEST and statistics.total < max(1, minimum):
        return None
    return METRICS[metric].value(statistics)


def breaches(alarm: Alarm, value: float) -> bool:
    """Whether a value is at or beyond the threshold."""
    return value >= alarm.threshold if alarm.comparison == ">=" else value <= alarm.threshold


def value_words(metric: str, value: float) -> str:
    """5 %, 250 ms, 12."""
    known = METRICS.get(metric)
    if known and known.share:
        return f"{value * 100:.4g} %"
    return f"{value:,.6g}{f' {known.unit}' if known and known.unit else ''}"


def metric_words(metric: str) -> str:
    """The metric's name for people."""
    return METRICS[metric].words if metric in METRICS else metric.removeprefix(PLATFORM)


def rule_words(alarm: Alarm) -> str:
    """The rule in a sentence without a full stop."""
    where = f" of {alarm.selector}" if alarm.selector else ""
    where += f" version {alarm.version}" if alarm.version else ""
    minutes = f"{alarm.periods} minute{'' if alarm.periods == 1 else 's'}"
    match alarm.kind:
        case AlarmKind.NEW_EDGE:
            return f"new edge{where}, unseen for {alarm.baseline:,} minutes before"
        case AlarmKind.NEW_CALLER:
            return f"new caller{where}, unseen for {alarm.baseline:,} minutes before"
        case AlarmKind.VANISHED_EDGE:
            return (
                f"vanished edge{where}: no call for {minutes} where {alarm.minimum:,} were expected"
            )
    sign = "≥" if alarm.comparison == ">=" else "≤"
    limit = value_words(alarm.metric, alarm.threshold)
    of = where or " of all requests that enter"
    return f"{metric_words(alarm.metric)}{of} {sign} {limit} for {alarm.datapoints} of {minutes}"
