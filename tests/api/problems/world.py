"""A small simulator: the minutes of a graph of services with noise, and incidents.

Quiet minutes are not clean: a daily season, failure rates that vary, bursts of client errors, deployments with a few bad
minutes, batches at night, minutes without ingestion, heavy tails.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from store.memory_minutes import series_id
from store.minutes import MinuteCounts, Series, SeriesKind
from store.model import NO_NODE, NodeKey, client_of
from store.rules.histogram import bucket

DAY = 1440
START = 1_795_559_040 // 60 // DAY * DAY
"""Midnight of a Tuesday."""


def node(name: str) -> NodeKey:
    return NodeKey("", name, "AWS::ECS::Container")


@dataclass
class Incident:
    """What differs from ``at`` on (minutes after `START`): of a node its ``fault``, ``error`` and ``throttle`` shares, how
    many times slower its ``slow`` share is; of the edge to it from ``caller`` how many times the calls."""

    at: int
    node: str
    length: int = 60
    fault: float = 0.0
    error: float = 0.0
    throttle: float = 0.0
    slower: float = 1.0
    slow: float = 1.0
    calls: float = 1.0
    caller: str = ""

    def active(self, t: int) -> bool:
        return self.at <= t < self.at + self.length


@dataclass
class World:
    """``edges``: caller, callee, calls per request. The first nodes, which none calls, are entries with their ``rates``."""

    seed: int
    edges: tuple[tuple[str, str, float], ...] = (
        *(("shop", "checkout", 0.5), ("shop", "catalog", 1.0), ("checkout", "payments", 1.0)),
        *(("checkout", "cart", 1.2), ("payments", "ledger", 1.0), ("catalog", "search", 0.8)),
        *(("admin", "catalog", 0.3), ("cart", "table", 1.5)),
    )
    rates: dict[str, float] = field(default_factory=lambda: {"shop": 120.0, "admin": 8.0})
    incidents: tuple[Incident, ...] = ()
    noise: bool = True
    gaps: tuple[int, ...] = ()
    sampled: int = 1
    """One request in so many is observed, with this weight."""

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        self._random = random
        self.names = list(dict.fromkeys([*self.rates, *(n for e in self.edges for n in e[:2])]))
        size = len(self.names)
        self._fault = dict(zip(self.names, 10 ** random.uniform(-5, -2.7, size), strict=True))
        self._error = dict(zip(self.names, 10 ** random.uniform(-4, -1.5, size), strict=True))
        self._shape = dict(zip(self.names, random.choice([1.0, 2.0, 5.0], size), strict=True))
        self._median = dict(zip(self.names, 10 ** random.uniform(3.5, 5, size), strict=True))
        self._level = 0.0
        self._bursts: dict[str, tuple[int, float]] = {}
        self._deploys: dict[str, tuple[int, float]] = {}

    def minutes(self, first: int, last: int) -> list[MinuteCounts]:
        """Minutes after `START`; to be called with ascending ones."""
        return [counts for t in range(first, last) if (counts := self.minute(t))]

    def minute(self, t: int) -> MinuteCounts | None:
        """One minute; None if nothing was received."""
        random = self._random
        self._level = 0.97 * self._level + 0.01 * random.normal()
        season = np.exp(0.6 * (np.cos(2 * np.pi * (t / 60 % 24 - 14) / 24) - 0.3) + self._level)
        self._disturb(t)
        handled = dict.fromkeys(self.names, 0)
        rows: list[tuple[Series, list[int], dict[int, int]]] = []
        failing = self._failing(t)
        for name in self.names:  # callers come before whom they call
            if rate := self.rates.get(name):
                batch = 3 if self.noise and name == "admin" and t % DAY in range(120, 160) else 1
                drop = self._calls(t, "", name)
                handled[name] += random.poisson(rate * season * batch * drop)
                rows.append(self._row(t, client_of(node(name)), name, handled[name], failing))
            rows.append(self._row(t, None, name, handled[name], failing))
            for source, target, per in self.edges:
                if source == name:
                    calls = random.poisson(handled[name] * per * self._calls(t, source, target))
                    handled[target] += calls
                    rows.append(self._row(t, node(name), target, calls, failing))
        if t in self.gaps:
            return None
        rows = [row for row in rows if row[1][5]]
        columns = [array("Q", column) for column in zip(*(row[1] for row in rows), strict=True)]
        histograms = [row[2] for row in rows]
        lengths = array("Q", map(len, histograms))
        times = array("f", (time for each in histograms for time in each))
        weights = array("f", (count for each in histograms for count in each.values()))
        ids = array("Q", (series_id(row[0]) for row in rows))
        every = (ids, *columns, lengths, times, weights)
        return MinuteCounts(START + t, *(column.tobytes() for column in every))

    def names_of(self, ids: object, minute: int) -> dict[int, Series]:
        """For a detector."""
        every = [Series(SeriesKind.NODE, NO_NODE, node(name)) for name in self.names]
        every += [Series(SeriesKind.CALLS, client_of(node(n)), node(n)) for n in self.rates]
        every += [Series(SeriesKind.CALLS, node(a), node(b)) for a, b, _ in self.edges]
        return {series_id(each): each for each in every}

    def _disturb(self, t: int) -> None:
        random = self._random
        if not self.noise:
            return
        if random.random() < 1 / 600:
            name = random.choice(self.names)
            self._bursts[name] = t + int(random.integers(1, 5)), random.uniform(0.03, 0.25)
        if random.random() < 1 / 480:
            name = random.choice(self.names)
            self._deploys[name] = t + int(random.integers(1, 4)), random.uniform(0.003, 0.03)

    def _calls(self, t: int, source: str, target: str) -> float:
        found = [
            each.calls
            for each in self.incidents
            if each.active(t) and (each.caller, each.node) == (source, target)
        ]
        return found[0] if found else 1.0

    def _failing(self, t: int) -> dict[str, list[float]]:
        """Shares of faults, errors and throttles; faults come up to those who call."""
        found: dict[str, list[float]] = {}
        for name in reversed(self.names):
            fault, error, throttle = self._fault[name], self._error[name], 0.0
            fault *= self._random.gamma(self._shape[name]) / self._shape[name]
            error *= self._random.gamma(self._shape[name]) / self._shape[name]
            until, share = self._bursts.get(name, (0, 0.0))
            error += share if t < until else 0
            until, share = self._deploys.get(name, (0, 0.0))
            fault += share if t < until else 0
            for each in self.incidents:
                if each.active(t) and each.node == name:
                    fault, error = max(fault, each.fault), max(error, each.error)
                    throttle = max(throttle, each.throttle)
            for source, target, per in self.edges:
                if source == name and any(i.node in self._below(target) for i in self.incidents):
                    fault = 1 - (1 - fault) * (1 - min(1.0, per) * found[target][0])
            found[name] = [fault, error, throttle]
        return found

    def _below(self, name: str) -> set[str]:
        found = {name}
        for source, target, _ in self.edges:
            if source == name:
                found |= self._below(target)
        return found

    def _row(
        self,
        t: int,
        source: NodeKey | None,
        name: str,
        calls: int,
        failing: dict[str, list[float]],
    ) -> tuple[Series, list[int], dict[int, int]]:
        random = self._random
        seen = int(random.binomial(calls, 1 / self.sampled)) if self.sampled > 1 else calls
        fault, error, throttle = np.minimum(1, failing[name])
        shares = [throttle, fault, error * (1 - fault) * (1 - throttle)]
        rest = max(0.0, 1 - sum(shares))
        counts = random.multinomial(seen, [*shares, rest] / np.sum([*shares, rest]))
        times = np.exp(random.normal(np.log(self._median[name]), 0.5, seen))
        times *= np.where(random.random(seen) < 0.01, 10, 1)
        times *= 1 + 0.03 * random.normal()
        for each in self.incidents:
            if each.active(t) and name in self._slow_with(each):
                times *= np.where(random.random(seen) < each.slow, each.slower, 1)
        histogram: dict[int, int] = {}
        for time in times.astype(int).tolist():
            histogram[bucket(time)] = histogram.get(bucket(time), 0) + self.sampled
        throttled, faults, errors, fine = (int(each) * self.sampled for each in counts)
        key = node(name)
        series = (
            Series(SeriesKind.NODE, NO_NODE, key)
            if source is None
            else Series(SeriesKind.CALLS, source, key)
        )
        return series, [fine, errors, throttled, faults, 0, seen], histogram

    def _slow_with(self, incident: Incident) -> set[str]:
        return {name for name in self.names if incident.node in self._below(name)}
