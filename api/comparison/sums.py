"""The minutes of some periods as arrays with an element per node or edge. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.problems.minute import BUCKETS, Minute, minute_of
from store.minutes import MinuteCounts

Values = NDArray[np.float64]
QUANTILES = (0.5, 0.9)


class Period(NamedTuple):
    """The minutes of a period that were counted; the last axis is the series. ``requests``: finished ones as they were observed,
    by minute; ``failures``: by measure (`api.problems.minute.FAULT` …) and minute; ``above``: by quantile and minute, those
    that took longer than it was in the earlier period. ``callers``: the requests of an edge's caller, of all minutes;
    not a number where nothing says how many calls there should be. ``calling``: the same by minute, 0 for not a number; of
    periods that are sides of one time."""

    requests: Values
    failures: Values
    above: Values
    callers: Values
    calling: Values | None = None

    @property
    def hits(self) -> Values:
        """What shares are of: failures, then times above."""
        return np.concatenate((self.failures, self.above))


class Periods(NamedTuple):
    """What is compared: the period, the earlier one, and both as they were on other days, each None if nothing was counted.
    ``slower``, by quantile: how many times as long as in the earlier period."""

    now: Period
    then: Period
    days: list[tuple[Period, Period | None]]
    slower: Values
    one_time: bool = False
    """Whether both are sides of the same minutes (`api.comparison.pairs`)."""


Counted = Sequence[MinuteCounts]
Callers = Sequence[Collection[int] | None]


class Summing(NamedTuple):
    """What series are added up to. ``places``: the index of each series, by its id; what is not among them is left out.
    ``callers``: by index, those of the first summing whose requests together say how many calls there are; None of nodes
    and entries. ``other_side``: of sides of one time, whose minutes are the same, the places of the earlier one."""

    places: Mapping[int, int]
    callers: Callers
    other_side: Mapping[int, int] | None = None


def periods_of(
    now: Counted,
    then: Counted,
    days: Iterable[tuple[Counted, Counted | None]],
    *summings: Summing,
) -> list[Periods]:
    """The same minutes, added up in one or several ways."""
    sums: list[_Sums] = []
    for each in summings:
        sums.append(_Sums(each, now, then, sums[0] if sums else None))
    known: list[list[tuple[Period, Period | None]]] = [[] for _ in sums]
    for day, earlier in days:
        if not day:
            continue
        befores = _periods(sums, earlier) if earlier else [None] * len(sums)
        for found, period, before in zip(known, _periods(sums, day), befores, strict=True):
            found.append((period, before))
    return [
        Periods(own.now, own.then, found, own.slower, own.one_time)
        for own, found in zip(sums, known, strict=True)
    ]


class _Sums:
    """Adds minutes up: those of both periods, whose quantiles it knows then. ``first``: what `Summing.callers` are of."""

    def __init__(
        self, summing: Summing, now: Counted, then: Counted, first: _Sums | None = None
    ) -> None:
        size = len(summing.callers)
        other = summing.other_side
        self.one_time = other is not None
        self._callers = summing.callers
        self._rows = _Rows(summing.places, size)
        read_now = self._rows.minutes(now)
        read_then = (self._rows if other is None else _Rows(other, size)).minutes(then)
        after, before = _times(read_now, size), _times(read_then, size)
        self._cuts = [_quantile(before, each) for each in QUANTILES]
        slower = [_middle(after, q) - _middle(before, q) for q in QUANTILES]
        self.slower: Values = 10 ** (np.array(slower) / 25)
        self.now: Period = self._period(read_now, first.now if first else None)
        self.then: Period = self._period(read_then, first.then if first else None)

    def period(self, counted: Counted, first: Period | None) -> Period:
        """Another one."""
        return self._period(self._rows.minutes(counted), first)

    def _period(self, minutes: Sequence[Minute], first: Period | None) -> Period:
        whose = None if first is None else first.requests
        return _period(minutes, self._cuts, self._callers, whose, by_minute=self.one_time)


def _periods(sums: Sequence[_Sums], counted: Counted) -> list[Period]:
    """One period as each of them adds it up."""
    found: list[Period] = []
    for each in sums:
        found.append(each.period(counted, found[0] if found else None))
    return found


class _Rows:
    """Indices of the rows of minutes. What is left out has the index after the last one."""

    def __init__(self, places: Mapping[int, int], size: int) -> None:
        self._ids = np.array(sorted(places), np.uint64)
        self._places = np.array([places[int(id)] for id in self._ids], np.intp)
        self._size = size

    def minutes(self, counted: Counted) -> list[Minute]:
        """The minutes by index."""
        return [minute_of(each, self._of(each), self._size + 1) for each in counted]

    def _of(self, counts: MinuteCounts) -> NDArray[np.intp]:
        ids = np.frombuffer(counts.ids, np.uint64)
        if not len(self._ids):
            return np.full(len(ids), self._size, np.intp)
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where(self._ids[at] == ids, self._places[at], self._size)


def _times(minutes: Sequence[Minute], size: int) -> Values:
    """The histogram of all minutes: by series and bucket."""
    found = np.zeros((size + 1) * BUCKETS)
    for each in minutes:
        found += np.bincount(
            each.owners * BUCKETS + each.buckets, each.weights, (size + 1) * BUCKETS
        )
    return found.reshape(size + 1, BUCKETS)


def _quantile(times: Values, quantile: float) -> NDArray[np.intp]:
    """The bucket in which a quantile lies, by series."""
    total = times.cumsum(1)
    found: NDArray[np.intp] = (total <= quantile * total[:, -1:]).sum(1)
    return np.minimum(found, BUCKETS - 1)


def _middle(times: Values, quantile: float) -> Values:
    """The same within its bucket, in buckets."""
    rows = np.arange(len(times))[:-1]
    at = _quantile(times, quantile)[:-1]
    inside = times[rows, at]
    before = times.cumsum(1)[rows, at] - inside
    part = (quantile * times.sum(1)[:-1] - before) / np.maximum(inside, 1e-9)
    found: Values = at + np.clip(part, 0, 1)
    return found


def _period(
    minutes: Sequence[Minute],
    cuts: Sequence[NDArray[np.intp]],
    callers: Callers,
    calling_requests: Values | None,
    *,
    by_minute: bool,
) -> Period:
    size = len(callers)
    requests = np.zeros((len(minutes), size))
    failures = np.zeros((3, len(minutes), size))
    above = np.zeros((len(cuts), len(minutes), size))
    for row, each in enumerate(minutes):
        requests[row] = each.requests[:size]
        failures[:, row] = each.failures[:, :size]
        for number, cut in enumerate(cuts):
            more = (each.buckets > cut[each.owners]) * each.weights
            above[number, row] = np.bincount(each.owners, more, size + 1)[:size]
    whose = requests if calling_requests is None else calling_requests
    total = whose.sum(0)
    of = [np.nan if who is None else total[list(who)].sum() for who in callers]
    calling = None
    if by_minute:
        calling = np.zeros(requests.shape)
        for index, who in enumerate(callers):
            if who is not None:
                calling[:, index] = whose[:, list(who)].sum(1)
    return Period(requests, failures, above, np.array(of), calling)
