"""Metrics of TraceQL: counts, rates and quantiles of the spans that a query finds, in steps of a window.

They are exact: every trace that the store does not exclude is read. Where that takes too long, the newest steps are answered,
and it is said that the others are missing. As in Tempo a step is open at its start and closed at its end, where its
sample stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from api.context import Context
from raymap.contrib.jaeger.search import PAGE, Budget, scan
from raymap.contrib.tempo.schemas import Exemplar, SearchMetrics, TempoAttribute
from raymap.contrib.tempo.search import Inspected
from raymap.contrib.tempo.traceql.ast import Attribute, Duration, Metrics, Query
from raymap.contrib.tempo.traceql.evaluate import evaluate, is_number, key_of
from raymap.contrib.tempo.traceql.narrow import narrowed
from raymap.contrib.tempo.traceql.spans import SpanView, TraceView
from raymap.contrib.tempo.values import attribute
from store.model import TimeRange
from store.times import MINUTE, SECOND

MOST_TRACES = 10_000
MOST_SPANS = 300_000
MOST_SERIES = 1000
MOST_EXEMPLARS = 100
EARLIER = 5 * MINUTE
"""How long before the window a trace may have begun that has spans in it."""
NANOSECONDS = 1000
_BUCKET = "__bucket"


class Steps(NamedTuple):
    """The steps of a window, microseconds."""

    start: int
    step: int
    number: int

    def of(self, nanoseconds: int) -> int | None:
        """The step in which a span begins, by its number."""
        offset = nanoseconds - self.start * NANOSECONDS
        number = -(-offset // (self.step * NANOSECONDS)) - 1
        return number if 0 <= number < self.number else None

    def end_of(self, number: int) -> int:
        """The end of a step."""
        return self.start + (number + 1) * self.step


def steps_of(window: TimeRange, step: int) -> Steps:
    """The whole steps that cover a window."""
    start = window.start // step * step
    return Steps(start, step, -(-(window.end - start) // step))


class Series(NamedTuple):
    """Values by the number of their step, and spans that were counted there."""

    labels: list[TempoAttribute]
    values: dict[int, float]
    exemplars: list[Exemplar]


class Measured(NamedTuple):
    """Series; what was read for them; why they are not all, if they are not."""

    series: list[Series]
    metrics: SearchMetrics
    stopped: str | None


class _Group:
    """Spans with equal labels: a value of each by step, and one of the spans."""

    def __init__(self, labels: Sequence[tuple[str, Any]]) -> None:
        self.labels = labels
        self.values: dict[int, list[float]] = {}
        self.exemplars: dict[int, tuple[SpanView, float]] = {}

    def add(self, number: int, span: SpanView, value: float, exemplars: bool) -> None:
        """Count a span."""
        self.values.setdefault(number, []).append(value)
        if exemplars:
            self.exemplars[number] = span, value


def measure(
    context: Context, query: Query, metrics: Metrics, steps: Steps, exemplars: int = 0
) -> Measured:
    """The metrics of a query in the steps that have ended."""
    inspected = Inspected()
    groups: dict[Hashable, _Group] = {}
    budget = Budget(MOST_SPANS, MOST_TRACES)
    whole = TimeRange(max(0, steps.start - EARLIER), steps.end_of(steps.number - 1) + 1)
    left_out = False
    for read in scan(context, whole, PAGE, narrowed(query.pipeline), budget, set()):
        inspected.add(read)
        budget.spans -= read.size
        for one in evaluate(query.pipeline, TraceView(read)):
            for span in one.spans:
                number = steps.of(span.start)
                value = _value(metrics.field, span)
                if number is None or value is None:
                    continue
                labels = [*_labels(metrics, span, value)]
                key = tuple(key_of(each) for _, each in labels)
                if key not in groups and len(groups) == MOST_SERIES:
                    left_out = True
                    continue
                group = groups.setdefault(key, _Group(labels))
                group.add(number, span, value, exemplars > 0)
    stopped = None if budget.is_complete else budget.spent()
    shown = _shown(steps, context.now(), None if stopped is None else budget.reached)
    found = [each for group in groups.values() for each in _series(metrics, steps, group, shown)]
    if not groups and not metrics.by and not metrics.field:
        found = list(_series(metrics, steps, _Group([("__name__", metrics.function)]), shown))
    for ranking in metrics.rankings:
        _rank(found, ranking.most, ranking.series)
    found = sorted((each for each in found if each.values), key=lambda each: str(each.labels))
    for each in found:
        each.exemplars[:] = each.exemplars[-max(1, exemplars // len(found)) :]
    if left_out and stopped is None:
        stopped = f"more than {MOST_SERIES:,} series; group by less"
    return Measured(found, inspected.metrics, stopped)


def _value(field: Attribute | None, span: SpanView) -> float | None:
    """What is measured of a span, durations in seconds; of counts 1."""
    if field is None:
        return 1.0
    value = span.value(field)
    if not is_number(value) or not math.isfinite(value):
        return None
    return value / 1e9 if isinstance(value, Duration) else float(value)


def _labels(metrics: Metrics, span: SpanView, value: float) -> Iterator[tuple[str, Any]]:
    for each in metrics.by:
        yield str(each), span.value(each)
    if metrics.function == "histogram_over_time":
        yield _BUCKET, _bucket(value, metrics)
    elif not metrics.by and not metrics.quantiles:
        yield "__name__", metrics.function


def _bucket(value: float, metrics: Metrics) -> float:
    """The power of two (of durations: in nanoseconds) that bounds a value."""
    unit = 1e9 if metrics.field and "uration" in metrics.field.name else 1.0
    scaled = value * unit
    return (2.0 ** math.ceil(math.log2(scaled))) / unit if scaled > 0 else 0.0


def _shown(steps: Steps, now: int, reached: int | None) -> range:
    """The steps that are known: those that have ended, if any has, and after an early end those after the time that was
    reached."""
    ended = (now - steps.start) // steps.step
    until = min(steps.number, ended) if ended > 0 else steps.number
    first = 0
    if reached is not None:
        first = max(0, -(-(reached - steps.start) // steps.step))
    return range(first, max(first, until))


def _series(metrics: Metrics, steps: Steps, group: _Group, shown: range) -> Iterator[Series]:
    labels = [attribute(key, value) for key, value in group.labels]
    for share in metrics.quantiles:
        made = [*labels, attribute("p", share)]
        values = {
            n: quantile(sorted(found), share) for n in shown if (found := group.values.get(n))
        }
        last = share == max(metrics.quantiles)
        yield Series(made, values, [*_exemplars(group, steps, shown, {})] if last else [])
    if metrics.quantiles:
        return
    function = _FUNCTIONS.get(metrics.function)
    if function is None:
        unit = steps.step / SECOND if metrics.function == "rate" else 1
        counts = {number: len(group.values.get(number, ())) / unit for number in shown}
        yield Series(labels, counts, [*_exemplars(group, steps, shown, counts)])
    else:
        values = {n: function(found) for n in shown if (found := group.values.get(n))}
        yield Series(labels, values, [*_exemplars(group, steps, shown, {})])


_FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "min_over_time": min,
    "max_over_time": max,
    "sum_over_time": sum,
    "avg_over_time": lambda values: sum(values) / len(values),
}
"""The others count."""


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile of sorted values, between two of them in proportion."""
    place = (len(values) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def _exemplars(
    group: _Group, steps: Steps, shown: range, samples: Mapping[int, float]
) -> Iterator[Exemplar]:
    for number, (span, value) in sorted(group.exemplars.items()):
        if number in shown:
            yield {
                "labels": [attribute("trace:id", span.trace.id.hex())],
                "value": samples.get(number, value),
                "timestampMs": str(span.start // 10**6),
            }


def _rank(series: Sequence[Series], most: bool, count: int) -> None:
    """Leave in each step the so many greatest values, or least."""
    for number in {number for each in series for number in each.values}:
        having = [each for each in series if number in each.values]
        having.sort(key=lambda each: str(each.labels))
        having.sort(key=lambda each: each.values[number], reverse=most)
        for each in having[count:]:
            del each.values[number]
