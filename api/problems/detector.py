"""Judges one minute after the other: which series ring, with what, since when.

Everything is causal: a minute is judged by what was known before it, and then learnt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import log

import numpy as np

from api.problems.answered import Answered
from api.problems.calls import EdgeCalls, EntryCalls
from api.problems.columns import DAY, Columns, Flags, Floats
from api.problems.latency import ABOVE, SLOWNESS, Latency
from api.problems.minute import Minute, Places, minute_of
from api.problems.shares import Alternatives, Ringing, Shares
from api.problems.symptom import Measure, Symptom
from store.minutes import MinuteCounts, Series, SeriesKind
from store.model import NO_NODE, NodeKey

FAILURES = Alternatives(
    most=(0.34, 0.1, 0.34),
    large=(0.05, 0.10, 0.05),
    floor=(0.005, 0.10, 0.005),
    prior=(0.005, 0.005, 0.005),
)
"""Of faults, client errors and throttles. Client errors have to be many for long: they are rarely the service's own."""
FALSE_LINES = 0.02
"""Lines a day that noise may cause. With the number of series, this makes the threshold: there is nothing to tune."""
TESTS = 14
"""Sums of a series."""
MOST_SERIES = 200_000
GAP_SHARE = 0.8
"""Of the series that expect `GAP_LEAST` requests: if so many have none, nothing was received."""
GAP_LEAST = 5.0
AFTER_GAP = 2
"""Minutes after a gap that are not judged either."""
RATE_DECAY = np.float32(0.5 ** (1 / 60))
FORGET = 7 * DAY

Names = Callable[[Collection[int], int], dict[int, Series]]
"""The series of some ids in a minute."""


OF_FAILURES = (Measure.FAULT, Measure.ERROR, Measure.THROTTLE)
OF_TIMES = (Measure.P50, Measure.P90, Measure.P99)


class Traffic(Columns):
    """The requests of each series, the time when it was last seen, and which edges and entries there are."""

    columns = "rate last edges entries source target"

    def __init__(self) -> None:
        super().__init__()
        self.rate, self.last = np.zeros(0, np.float32), np.zeros(0, np.int32)
        self.edges, self.entries = np.zeros(0, np.bool_), np.zeros(0, np.bool_)
        self.source, self.target = np.zeros(0, np.intp), np.zeros(0, np.intp)
        self.nodes: dict[NodeKey, int] = {}

    def describe(self, index: int, series: Series) -> None:
        """Note what a series is."""
        edge = series.kind in (SeriesKind.CALLS, SeriesKind.LINKS)
        self.entries[index] = edge and series.source.is_client
        self.edges[index] = edge and not series.source.is_client
        self.source[index] = self.nodes.setdefault(series.source, len(self.nodes))
        self.target[index] = self.nodes.setdefault(series.node, len(self.nodes))

    def callers(self, calls: Floats) -> Floats:
        """The requests of the node that each edge begins at: those it answered, or of a node that reports none, those
        that it got."""
        edge = self.edges | self.entries
        size = len(self.nodes) + 1
        answered = np.bincount(self.target[~edge], calls[~edge], size)
        known = np.bincount(self.target[~edge], self.rate[~edge], size) > 0
        got = np.bincount(self.target[edge], calls[edge], size)
        return np.where(known, answered, got)[self.source].astype(np.float32)

    def is_gap(self, requests: Floats) -> bool:
        """Whether nothing was received in a minute, or next to nothing."""
        expecting = self.rate >= GAP_LEAST
        many = int(expecting.sum())
        return bool(many and (requests[expecting] == 0).sum() >= GAP_SHARE * many)

    def expects(self) -> bool:
        """Whether a minute without anything is unusual."""
        return bool((self.rate >= GAP_LEAST).any())

    def learn(self, minute: int, requests: Floats) -> None:
        """Learn how many requests there are."""
        self.rate += (requests - self.rate) * (1 - RATE_DECAY)
        self.last[requests > 0] = minute


class Detector:
    """All series of a map. ``names`` gives the series that a minute has for the first time."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._places = Places()
        self._series: list[Series] = []
        self._by_series: dict[Series, int] = {}
        self._same = np.zeros(0, np.intp)
        """By index: that of the series as which it is counted."""
        self._answered = Answered()
        self._first: list[int] = []
        """By series: the minute in which it was first seen."""
        self._failures, self._slowness = Shares(FAILURES), Shares(SLOWNESS)
        self._latency = Latency()
        self._edges, self._entries = EdgeCalls(), EntryCalls()
        self._traffic = Traffic()
        self._parts: tuple[Columns, ...] = (
            *(self._failures, self._slowness, self._latency),
            *(self._edges, self._entries, self._traffic),
        )
        self._resume = 0
        self.minute = 0
        self.minutes = 0

    @property
    def threshold(self) -> float:
        """Where a sum rings."""
        return log(TESTS * max(1, len(self._series)) * DAY / FALSE_LINES)

    @property
    def edges(self) -> list[Series]:
        """The edges of the last days."""
        last = self._traffic.last
        recent = (self._traffic.edges | self._traffic.entries) & (last > self.minute - FORGET)
        return [self._series[index] for index in np.flatnonzero(recent)]

    def new_edges(self) -> list[tuple[Series, int]]:
        """The edges that came after the first day, and in which minute."""
        if not self._first:
            return []
        old = self._first[0] + DAY
        edges = self._traffic.edges
        return [
            (self._series[s], first)
            for s, first in enumerate(self._first)
            if first > old and first > self.minute - DAY and edges[s]
        ]

    def step(self, counts: MinuteCounts) -> None:
        """Judge and learn the next minute. What is not after the last one is ignored: it has been judged."""
        if counts.minute <= self.minute:
            return
        if counts.minute > self.minute + 1 and self._traffic.expects():
            self._resume = counts.minute + AFTER_GAP
        minute = self._read(counts)
        self.minute = counts.minute
        if self._traffic.is_gap(minute.requests):
            self._resume = counts.minute + AFTER_GAP + 1
        if counts.minute < self._resume:
            return
        self.minutes += 1
        self._judge(minute)

    def _read(self, counts: MinuteCounts) -> Minute:
        rows, new = self._places.of(counts)
        if new:
            self._name(new, counts.minute)
        return minute_of(counts, self._same[rows], self._traffic.size)

    def _name(self, new: list[int], minute: int) -> None:
        named = self._names(new, minute)
        for part in self._parts:
            part.grow(len(self._places))
        same = []
        unknown = Series(SeriesKind.BACKGROUND, NO_NODE, NO_NODE)
        for series in (self._answered.of(named.get(id, unknown)) for id in new):
            index = len(self._series)
            self._traffic.describe(index, series)
            self._series.append(series)
            self._first.append(minute)
            same.append(index if series == unknown else self._by_series.setdefault(series, index))
        self._same = np.append(self._same, np.array(same, np.intp))

    def _judge(self, minute: Minute) -> None:
        number, requests, h = minute.number, minute.requests, self.threshold
        self._failures.step(number, requests, minute.failures, h)
        above, beyond = self._latency.exceeding(minute)
        self._slowness.step(number, requests, above, h, (beyond, ABOVE))
        slow: Flags = np.any(self._slowness.ringing, axis=0)
        renewed = self._latency.learn(minute, slow, self._slowness.usual.seen)
        self._slowness.restart(renewed)
        traffic = self._traffic
        callers = traffic.callers(requests)
        self._edges.step(number, requests, callers, traffic.edges, h)
        self._entries.step(number, requests, traffic.entries, h)
        traffic.learn(number, requests)

    def symptoms(self) -> list[Symptom]:
        """What is not as usual, as of the last minute."""
        found = [self._share(OF_FAILURES, each) for each in self._failures.found()]
        found += [self._time(each) for each in self._slowness.found()]
        for counts in (self._edges, self._entries):
            for each in counts.found():
                minutes = max(1, self.minute - each.since + 1)
                measure = Measure.DROP if each.ratio < 1 else Measure.SURGE
                found.append(
                    Symptom(
                        self._series[each.series],
                        measure,
                        each.since,
                        each.rang,
                        each.last_bad,
                        each.expected / minutes,
                        each.seen / minutes,
                        each.expected / minutes,
                    )
                )
        return found

    def _share(self, measures: tuple[Measure, ...], each: Ringing) -> Symptom:
        series, rate = self._series[each.series], float(self._traffic.rate[each.series])
        measure = measures[each.measure]
        return Symptom(
            series, measure, each.since, each.rang, each.last_bad, each.usual, each.share, rate
        )

    def _time(self, each: Ringing) -> Symptom:
        found = self._share(OF_TIMES, each)
        usual = self._latency.quantile(each.series, each.measure)
        now = self._latency.slow_quantile(each.series, each.measure)
        return Symptom(
            found.series,
            found.measure,
            each.since,
            each.rang,
            each.last_bad,
            usual,
            now,
            found.requests,
        )
