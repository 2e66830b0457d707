"""Values of an expression at some instants, on the counters of minutes.

A range is the whole minutes that end with the last one before the instant: `increase` is what they count, scaled to the
length of the range if that is no whole number of minutes. There is nothing to extrapolate, and no counter is ever reset.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from api.errors import ApiError
from raymap.contrib.prometheus.ast import (
    Aggregation,
    Expression,
    Growth,
    Number,
    Operation,
    Quantile,
)
from raymap.contrib.prometheus.samples import Samples, Values
from store.times import MINUTE, SECOND

MOST_SERIES = 10_000
MOST_VALUES = 5_000_000
"""Series times instants."""
Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, Values]
"""Series by their labels, each with a value for every instant."""
_OPERATIONS: Mapping[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
_AGGREGATIONS: Mapping[str, Callable[[Values], Values]] = {
    "sum": lambda rows: rows.sum(axis=0),
    "avg": lambda rows: rows.mean(axis=0),
    "min": lambda rows: np.fmin.reduce(rows, axis=0),
    "max": lambda rows: np.fmax.reduce(rows, axis=0),
    "count": lambda rows: np.full(rows.shape[1], float(len(rows))),
}
LE = "le"


def evaluate(expression: Expression, instants: Sequence[int], samples: Samples) -> Vector | Values:
    """The value at each instant (microseconds): of a scalar one number, else of each series."""
    with np.errstate(all="ignore"):  # a division by zero is infinite, as in Prometheus
        return _Evaluation(instants, samples).value(expression)


class _Evaluation:
    def __init__(self, instants: Sequence[int], samples: Samples) -> None:
        self._samples = samples
        self._ends = np.array([at // MINUTE - samples.first for at in instants], dtype=np.int64)

    def value(self, expression: Expression) -> Vector | Values:
        match expression:
            case Number(value):
                return np.full(len(self._ends), value)
            case Growth():
                return self._growth(expression)
            case Quantile(share, vector):
                return self._quantile(self._scalar(share), self._vector(vector))
            case Aggregation(operator, by, vector):
                return _aggregated(operator, by, self._vector(vector))
            case Operation(operator, left, right):
                return _operated(operator, self.value(left), self.value(right))

    def _scalar(self, expression: Expression) -> Values:
        found = self.value(expression)
        assert not isinstance(found, dict), "the parser admits scalars only"
        return found

    def _vector(self, expression: Expression) -> Vector:
        found = self.value(expression)
        assert isinstance(found, dict), "the parser admits vectors only"
        return found

    def _growth(self, growth: Growth) -> Vector:
        minutes = max(1, round(growth.range / MINUTE))
        scale = 1 / (minutes * MINUTE / SECOND)
        if growth.function == "increase":
            scale *= growth.range / SECOND
        found: Vector = {}
        for labels, values, requests in self._samples.select(growth.matchers):
            key = frozenset(labels.items())
            if key in found:
                raise _failed("vector cannot contain metrics with the same labelset")
            before = np.concatenate([[0.0], values.cumsum()])
            last = len(before) - 1
            ends, starts = (np.clip(each, 0, last) for each in (self._ends, self._ends - minutes))
            grown = (before[ends] - before[starts]) * scale
            if requests[int(starts.min()) : int(ends.max())].any():
                found[key] = grown
            if len(found) > MOST_SERIES or len(found) * len(ends) > MOST_VALUES:
                raise _failed("the query selects too many series; select fewer, or a longer step")
        return found

    def _quantile(self, share: Values, vector: Vector) -> Vector:
        groups: dict[Labels, list[tuple[float, Values]]] = {}
        for labels, values in vector.items():
            bound = _bound(dict(labels).get(LE, ""))
            if bound is not None:
                rest = frozenset(each for each in labels if each[0] != LE)
                groups.setdefault(rest, []).append((bound, values))
        found: Vector = {}
        for labels, buckets in groups.items():
            buckets.sort(key=lambda each: each[0])
            bounds = [bound for bound, _ in buckets]
            counts = np.maximum.accumulate(np.array([values for _, values in buckets]), axis=0)
            found[labels] = np.array(
                [bucket_quantile(float(of), bounds, counts[:, at]) for at, of in enumerate(share)]
            )
        return found


def bucket_quantile(share: float, bounds: Sequence[float], counts: Values) -> float:
    """A quantile of cumulated buckets, within one in proportion; as Prometheus' function of this name."""
    if math.isnan(share):
        return math.nan
    if share < 0 or share > 1:
        return math.copysign(math.inf, share)
    total = counts[-1]
    if not math.isinf(bounds[-1]) or len(bounds) < 2 or not total:
        return math.nan
    rank = share * total
    at = int(np.searchsorted(counts[:-1], rank))
    if at == len(bounds) - 1:
        return bounds[-2]
    if at == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[at - 1], counts[at - 1]) if at else (0.0, 0.0)
    inside = counts[at] - below
    return float(start + (bounds[at] - start) * ((rank - below) / inside)) if inside else start


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _aggregated(operator: str, by: Sequence[str], vector: Vector) -> Vector:
    groups: dict[Labels, list[Values]] = {}
    for labels, values in vector.items():
        key = frozenset(each for each in labels if each[0] in by)
        groups.setdefault(key, []).append(values)
    combine = _AGGREGATIONS[operator]
    return {key: combine(np.array(rows)) for key, rows in groups.items()}


def _operated(operator: str, left: Vector | Values, right: Vector | Values) -> Vector | Values:
    operate = _OPERATIONS[operator]
    if isinstance(left, dict) and isinstance(right, dict):
        return {
            labels: operate(values, right[labels])
            for labels, values in left.items()
            if labels in right
        }
    if isinstance(left, dict):
        assert not isinstance(right, dict)
        return {labels: operate(values, right) for labels, values in left.items()}
    if isinstance(right, dict):
        return {labels: operate(left, values) for labels, values in right.items()}
    return operate(left, right)


def _failed(why: str) -> ApiError:
    return ApiError(why, code="execution", status=422)
