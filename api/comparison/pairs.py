"""How much two sides of one time differ, minute by minute. Pure.

Both sides have the same minutes, so that whatever befalls both, a busy hour or a dependency that fails, cancels out, and
no other day has to say what is usual. What is left is how much more than independent requests the *difference* varies
from one part of the time to the next: failures of one host, and requests that come together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
PARTS = 30
"""Into which minutes are put together at most: what lasts for a while on one side is one event, not one of each minute."""
ASSUMED = 10.0
"""Parts that are assumed beside those that are known: three say little of how much they vary."""
CLUSTER = 4.5
"""Calls that are on one side together, as far as whether there are any is concerned: requests of their callers are, too."""
TOGETHER = 3.0
"""Calls of one edge that are assumed to be of one trace, which is on one side."""


def shares(hits: tuple[Values, Values], requests: tuple[Values, Values]) -> Values:
    """The difference of two shares in standard deviations, by series; arrays have a row for each minute, and the side
    that is compared with the other one first."""
    share = _mean(hits, requests)
    mean = _ratio(hits[0] + hits[1] + share, requests[0] + requests[1] + 1)
    return _apart(hits, requests, mean, 1.0, lambda share: share * (1 - share))


def rates(calls: tuple[Values, Values], callers: tuple[Values, Values]) -> Values:
    """The same of calls per request of the caller. On which side a request of the caller is, is chance, too."""
    rate = _mean(calls, callers)
    mean = _ratio(calls[0] + calls[1] + rate, callers[0] + callers[1] + 1)
    return _apart(calls, callers, mean, TOGETHER, lambda rate: rate * (1 + rate))


def _apart(
    hits: tuple[Values, Values],
    of: tuple[Values, Values],
    mean: Values,
    assumed: float,
    variance_of: Callable[[Values], Values],
) -> Values:
    """``mean``: of both sides, by minute; ``assumed``: how many times as much parts vary as independent requests, of which one with a
    mean varies by ``variance_of``."""
    weight = _ratio(of[0] * of[1], of[0] + of[1])
    surplus = hits[0] - _ratio(of[0] * (hits[0] + hits[1]), of[0] + of[1])
    surplus, weight, variance = map(_in_parts, (surplus, weight, weight * variance_of(mean)))
    difference = _ratio(surplus.sum(0), weight.sum(0))
    variance = np.maximum(variance, weight * variance_of(_least_mean(difference, of)))
    squares = _ratio((surplus - weight * difference) ** 2, variance).sum(0)
    parts = np.maximum((variance > 0).sum(0), 1)
    dispersion = np.maximum(1, (assumed * ASSUMED + squares) / (ASSUMED + parts - 1))
    apart = _ratio(surplus.sum(0), np.sqrt(dispersion * variance.sum(0)))
    return _normal(apart, ASSUMED + parts - 1)


def _least_mean(difference: Values, of: tuple[Values, Values]) -> Values:
    """The mean of both sides if the lower one has nothing: a part in which by chance neither has anything does not vary
    less than that, else it alone would outweigh the difference."""
    more = np.where(difference > 0, of[0].sum(0), of[1].sum(0))
    return np.abs(difference) * _ratio(more, of[0].sum(0) + of[1].sum(0))


def _normal(t: Values, freedom: Values) -> Values:
    """The normal deviate that is as improbable as Student's t, after Wallace: how much parts vary is itself an estimate, of which
    a difference in ten thousand comparisons is wrong by much."""
    found: Values = (
        np.sqrt(freedom * np.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    )
    return np.copysign(found, t)


def _in_parts(minutes: Values) -> Values:
    length = -(-len(minutes) // PARTS) or 1
    return np.add.reduceat(minutes, np.arange(0, len(minutes), length), axis=0)


def _mean(hits: tuple[Values, Values], of: tuple[Values, Values]) -> Values:
    return _ratio(hits[0].sum(0) + hits[1].sum(0) + 0.5, of[0].sum(0) + of[1].sum(0) + 1)


def _ratio(above: Values, below: Values) -> Values:
    """0 where nothing is to be divided by."""
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=np.asarray(below) > 0)
