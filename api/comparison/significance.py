"""Which differences between two periods are significant. Pure.

Two equal periods of a whole map differ significantly once in a hundred comparisons; a share, a time or a rate that differs
by less than someone would notice never does. What the minutes of a period cannot show, how much one hour differs from
the same hour of other days, is taken from other days; without them a wide spread is assumed. Sides of one time need no
other days: `api.comparison.pairs`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from math import erfc, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.comparison import pairs
from api.comparison.sums import Period, Periods, Values
from api.comparison.week import LEAST, LEAST_DAYS, POINTS, Week, smoothed

FALSE_DISCOVERIES = 0.01
"""Share of the differences shown that chance makes, of a map; of equal periods, how often any is shown."""
TIMES, SLOWER = 1.5, 1.15
"""Shares of failures differ by `POINTS` and a half, times by 15 %, rates by a half at least."""
MANY = 0.10
"""The difference of client errors where no other days are known."""
BEYOND = 0.15
"""How far a share has to be beyond that of every other day."""
ROBUST, PLAIN = 1.48, 0.7
"""Of a median deviation, and of a standard deviation, as what days differ by."""
SPREAD_OF_SHARE, SPREAD_OF_TIMES = 0.5, 0.15
SPREAD_OF_RATE, SPREAD_OF_CALLS = 0.25, 0.1
"""What days are assumed to differ by where none is known: shares of failures in relation to themselves, shares of slow requests in
relation to their variance; rates, and calls per request of the caller, as logarithms."""
CLUSTER = 3.0
"""Requests that come together, as far as whether there are any is concerned."""
MOST_CHECKED = 20
"""Differences whose past is looked at; where so many differ, it is no chance."""


class Measure(StrEnum):
    """What differs."""

    FAULT = "fault"
    ERROR = "error"
    THROTTLE = "throttle"
    P50 = "p50"
    P90 = "p90"
    RATE = "rate"
    NEW = "new"
    VANISHED = "vanished"


SHARES = (Measure.FAULT, Measure.ERROR, Measure.THROTTLE, Measure.P50, Measure.P90)
FAILING = SHARES[:3]
SLOW = SHARES[3:]
SINGLE = (Measure.NEW, Measure.VANISHED)
TESTS = len(SHARES) + 1


class Difference(NamedTuple):
    """A significant one. ``place``: the index. ``then``, ``now``: shares of the requests of a period that failed, or took longer than the quantile of
    the earlier one; requests a minute, or calls per request of the caller. ``p``: the probability of such a difference between equal periods."""

    place: int
    measure: Measure
    then: float
    now: float
    p: float
    per_caller: bool = False

    @property
    def more(self) -> bool:
        """Whether it has grown."""
        return self.now > self.then


def differences(
    periods: Periods,
    week: Callable[[int, Measure], Week] | None = None,
    comes_and_goes: Callable[[int, Measure], bool] | None = None,
) -> list[Difference]:
    """Those of all series, by index. ``week``: of a series and a measure of failures; ``comes_and_goes``: whether one that
    only one period has came, or was absent for as long, before both of them."""
    tested = np.zeros((TESTS, periods.now.requests.shape[1]), np.bool_)
    p = np.ones(tested.shape)
    for number, measure in enumerate(SHARES):
        tested[number], p[number] = _share(periods, number, measure)
    tested[-1], p[-1] = _rate(periods)
    appeared = _appeared(periods)
    tested[-1] |= appeared < 1
    if periods.one_time:  # each call of a caller of both might have been on one side alone
        tested[-1] |= (periods.now.callers >= LEAST) & (periods.then.callers >= LEAST)
    p[-1] = np.where(appeared < 1, appeared, p[-1])
    found = [
        _difference(periods, int(index), int(number), float(p[number, index]), appeared)
        for number, index in zip(*np.nonzero(_discoveries(p, int(tested.sum()))), strict=True)
    ]
    failing = [each for each in found if each.measure in FAILING]
    if week is not None and len(failing) <= MOST_CHECKED:
        usual = {each for each in failing if not _is_extraordinary(periods, each, week)}
        found = [each for each in found if each not in usual]
    single = [each for each in found if each.measure in SINGLE]
    if comes_and_goes is not None and len(single) <= MOST_CHECKED:
        usual = {each for each in single if comes_and_goes(each.place, each.measure)}
        found = [each for each in found if each not in usual]
    return sorted(found, key=lambda each: (each.place, SHARES_FIRST[each.measure]))


SHARES_FIRST = {measure: number for number, measure in enumerate(Measure)}


def _discoveries(p: Values, tests: int) -> NDArray[np.bool_]:
    """Those among which `FALSE_DISCOVERIES` are false, after Benjamini and Hochberg."""
    ordered = np.sort(p, axis=None)
    limits = FALSE_DISCOVERIES * np.arange(1, ordered.size + 1) / max(1, tests)
    below = ordered[ordered <= limits]
    return p <= below[-1] if below.size else np.zeros(p.shape, np.bool_)


def _share(periods: Periods, number: int, measure: Measure) -> tuple[NDArray[np.bool_], Values]:
    """Of each series: whether a share was tested, and p, which is 1 of what is too small."""
    now, then = periods.now, periods.then
    n1, n0 = now.requests.sum(0), then.requests.sum(0)
    hits1, hits0 = now.hits[number], then.hits[number]
    k1, k0 = hits1.sum(0), hits0.sum(0)
    tested = (n1 >= LEAST) & (n0 >= LEAST)
    if periods.one_time:
        z = pairs.shares((now.hits[number], then.hits[number]), (now.requests, then.requests))
        p1, p0 = k1 / np.maximum(n1, 1), k0 / np.maximum(n0, 1)
        large = _is_large(periods, number, measure, p1, p0) & (z * (p1 - p0) > 0)
        return tested, np.where(tested & large, _two_sided(z), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p0 = k1 / n1, k0 / n0
        both = (k1 + k0 + 0.5) / (n1 + n0 + 1)
        variance = both * (1 - both) * (1 / n1 + 1 / n0) * _dispersion(periods, number)
        known = _of_days(periods, number, both)
        enough = (~np.isnan(known)).sum(0) >= LEAST_DAYS
        lower = np.minimum(p1, p0)
        assumed = (
            SPREAD_OF_SHARE * np.where(measure in FAILING, lower, 0)
            + SPREAD_OF_TIMES * np.where(measure in SLOW, lower * (1 - lower), 0)
        ) ** 2
        noise = both * (1 - both) / _mean_requests(periods)
        spread = np.where(enough, np.maximum(0, _spread(known) ** 2 - noise), assumed)
        z = (p1 - p0) / np.sqrt(variance + 2 * spread)
        usual = np.vstack((known, p0[None]))
        beyond = (p1 < np.fmin.reduce(usual) * (1 - BEYOND)) | (
            p1 > np.fmax.reduce(usual) * (1 + BEYOND)
        )
    unknown = ~enough if measure is not Measure.ERROR else ~enough & (np.abs(p1 - p0) >= MANY)
    large = _is_large(periods, number, measure, p1, p0) & (beyond & enough | unknown)
    return tested, np.where(tested & large, _two_sided(z), 1.0)


def _is_large(
    periods: Periods, number: int, measure: Measure, p1: Values, p0: Values
) -> NDArray[np.bool_]:
    if measure in FAILING:
        apart = np.abs(p1 - p0) >= POINTS
        return apart & (np.maximum(p1, p0) >= TIMES * np.minimum(p1, p0))
    slower = periods.slower[number - len(FAILING)]
    large: NDArray[np.bool_] = np.maximum(slower, 1 / slower) >= SLOWER
    return large


def _dispersion(periods: Periods, number: int) -> Values:
    """How many times as much as independent requests the minutes of both periods vary; 1 at least."""
    squares = np.zeros(periods.now.requests.shape[1])
    freedom = np.zeros(len(squares))
    for period in (periods.now, periods.then):
        requests, hits = period.requests, period.hits[number]
        share = np.clip(hits.sum(0) / np.maximum(requests.sum(0), 1), 1e-4, 0.9999)
        there = requests > 0
        variance = np.where(there, requests * share * (1 - share), 1)
        squares += np.where(there, (hits - requests * share) ** 2 / variance, 0).sum(0)
        freedom += there.sum(0) - 1
    found: Values = np.maximum(1, squares / np.maximum(1, freedom))
    return found


def _of_days(periods: Periods, number: int, prior: Values) -> Values:
    """The share on each other day; not a number where there were too few requests."""
    found = np.full((len(periods.days), len(prior)), np.nan)
    for row, (day, _) in enumerate(periods.days):
        requests = day.requests.sum(0)
        share = (day.hits[number].sum(0) + 0.5 * prior) / (requests + 0.5)
        found[row] = np.where(requests >= LEAST, share, np.nan)
    return found


def _mean_requests(periods: Periods) -> Values:
    days = [day.requests.sum(0) for day, _ in periods.days]
    return np.maximum(1, np.mean(days, 0)) if days else np.ones(1)


def _spread(known: Values) -> Values:
    """What days differ by: robust, and not less than most of the standard deviation. 0 without days."""
    if not len(known):
        return np.zeros(known.shape[1])
    there = ~np.isnan(known).all(0)
    safe = np.where(there, known, 0)
    middle = np.nanmedian(safe, 0)
    robust = ROBUST * np.nanmedian(np.abs(safe - middle), 0)
    found: Values = np.maximum(robust, PLAIN * np.nanstd(safe, 0))
    return found


def _rate(periods: Periods) -> tuple[NDArray[np.bool_], Values]:
    """The same of requests, of an edge in relation to those of its caller."""
    now, then = periods.now, periods.then
    n1, n0 = now.requests.sum(0), then.requests.sum(0)
    tested = (n1 + n0 >= 2 * LEAST) & (n1 > 0) & (n0 > 0)
    edge = ~np.isnan(now.callers)
    ratio = _level(now) - _level(then)
    if now.calling is not None and then.calling is not None:
        tested &= edge & (now.callers >= LEAST) & (then.callers >= LEAST)
        z = pairs.rates((now.requests, then.requests), (now.calling, then.calling))
        large = (np.abs(ratio) > np.log(TIMES)) & (z * ratio > 0)
        return tested, np.where(tested & large, _two_sided(z), 1.0)
    known = np.full((len(periods.days), len(n1)), np.nan)
    for row, (day, earlier) in enumerate(periods.days):
        known[row] = _level(day) - (_level(earlier) if earlier else 0)
    paired = any(earlier for _, earlier in periods.days)
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = np.isfinite(known).sum(0) >= LEAST_DAYS
        known = np.where(np.isfinite(known), known, np.nan)
        if paired and len(known):
            usual = np.where(enough, np.nanmedian(np.where(enough, known, 0), 0), 0)
            ratio = ratio - usual
        assumed = np.where(edge, SPREAD_OF_CALLS, SPREAD_OF_RATE)
        spread = np.where(enough, _spread(known), assumed)
        chance = _clustering(now, then) * (1 / (n1 + 0.5) + 1 / (n0 + 0.5))
        z = ratio / np.sqrt(chance + 2 * spread**2)
    large = np.abs(ratio) > np.log(TIMES)
    return tested, np.where(tested & large, _two_sided(z), 1.0)


def _clustering(now: Period, then: Period) -> Values:
    """How many requests come together: what those of a minute vary by in relation to independent ones, of both periods; 1 at least."""
    squares = freedom = np.zeros(now.requests.shape[1])
    for period in (now, then):
        mean = period.requests.mean(0)
        squares = squares + ((period.requests - mean) ** 2 / np.where(mean > 0, mean, 1)).sum(0)
        freedom = freedom + np.where(mean > 0, len(period.requests) - 1, 0)
    found: Values = np.maximum(1, squares / np.maximum(1, freedom))
    return found


def _level(period: Period) -> Values:
    """The logarithm of requests a minute, or of calls per request of the caller."""
    minutes = max(1, len(period.requests))
    of = np.where(np.isnan(period.callers), minutes, period.callers + 0.5)
    level: Values = np.log((period.requests.sum(0) + 0.5) / of)
    return level


def _appeared(periods: Periods) -> Values:
    """Of what only one period has: the probability that chance left it out of the other; 1 where other days are divided."""
    now, then = periods.now, periods.then
    n1, n0 = now.requests.sum(0), then.requests.sum(0)
    single = (n1 == 0) != (n0 == 0)
    if periods.one_time:  # what only one side has, and nothing of both calls, is no difference
        single &= (now.callers >= LEAST) & (then.callers >= LEAST)
    with np.errstate(invalid="ignore", divide="ignore"):
        minutes = len(now.requests) / max(1, len(then.requests))
        factor = np.where(np.isnan(now.callers), minutes, now.callers / then.callers)
        expected = np.where(n1 == 0, n0 * factor, n1 / factor)
        expected = np.where(np.isfinite(expected), expected, np.where(n1 == 0, 0, n1))
    days = np.array([day.requests.sum(0) > 0 for day, _ in periods.days])
    if len(days):
        single &= (days.all(0) | ~days.any(0)) | (len(days) < LEAST_DAYS)
    cluster = pairs.CLUSTER if periods.one_time else CLUSTER
    return np.where(single, np.exp(-expected / cluster), 1.0)


def _two_sided(z: Values) -> Values:
    return np.array([erfc(abs(each) / sqrt(2)) if each == each else 1.0 for each in z.tolist()])


def _difference(
    periods: Periods, index: int, number: int, p: float, appeared: Values
) -> Difference:
    now, then = periods.now, periods.then
    if number < len(SHARES):
        shares = [
            float(each.hits[number][:, index].sum() / each.requests[:, index].sum())
            for each in (then, now)
        ]
        return Difference(index, SHARES[number], shares[0], shares[1], p)
    levels = [
        float(np.exp(_level(each)[index])) if each.requests[:, index].sum() else 0.0
        for each in (then, now)
    ]
    measure = Measure.RATE
    if appeared[index] < 1:
        measure = Measure.NEW if levels[1] else Measure.VANISHED
    per_caller = bool(np.isfinite(now.callers[index]) and np.isfinite(then.callers[index]))
    return Difference(index, measure, levels[0], levels[1], p, per_caller)


def _is_extraordinary(
    periods: Periods, each: Difference, week: Callable[[int, Measure], Week]
) -> bool:
    """Whether one of the periods is beyond what the week had at whatever hour: shares that wander by themselves are not."""
    requests = [float(side.requests[:, each.place].sum()) for side in (periods.then, periods.now)]
    shares = zip((each.then, each.now), requests, strict=True)
    low, high = sorted(smoothed(share * count, count) for share, count in shares)
    known = week(each.place, each.measure)
    return known.is_beyond(low, high, wanders=each.measure is Measure.ERROR)
