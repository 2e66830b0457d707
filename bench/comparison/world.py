"""Simulated minutes of a map that is not quiet: what two periods of it differ by without any cause.

Daily and weekly season, traffic and times that drift, shares of failures that wander for hours, minutes with more failures than
independent requests have, bursts of client errors, deployments, batches at night, minutes without ingestion, heavy tails.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from store.minutes import MinuteCounts

Values = NDArray[np.float64]
DAY = 1440
BUCKETS, PER_DECADE, MEDIAN = 64, 25, 22
"""Of a histogram, and where a median is."""
FIRST = 1_795_478_400 // 60
"""A Monday's midnight."""
_Z = np.linspace(-8, 8, 1601)
_NORMAL = np.array([0.5 * (1 + erf(z / sqrt(2))) for z in _Z])


@dataclass(frozen=True)
class Plant:
    """From ``at`` on: a ``node`` that is slower or has a share of faults (``before`` that, another one), or an ``edge`` that is new or gone."""

    at: int
    node: int = -1
    slower: float = 1.0
    fault: float = 0.0
    before: float = 0.0
    edge: int = -1
    gone: bool = False


class World:
    """``nodes`` in layers, callers before whom they call. Series are nodes, then edges; ids are one more than their index."""

    def __init__(self, seed: int, days: int, nodes: int = 40, plants: Sequence[Plant] = ()) -> None:
        self.seed, self.plants, self.size, self.length = seed, plants, nodes, days * DAY
        r = np.random.default_rng(seed)
        self.entries = max(2, nodes // 12)
        layer = np.sort(np.r_[np.zeros(self.entries, int), r.integers(1, 5, nodes - self.entries)])
        self.edges: list[tuple[int, int, float]] = []
        for node in range(nodes):
            near = np.flatnonzero((layer > layer[node]) & (layer <= layer[node] + 2))
            for callee in r.permutation(near)[: 1 + r.poisson(1.3)]:
                self.edges.append(
                    (node, int(callee), float(r.choice([1, 1, 0.8, 0.4, 0.15, 0.02])))
                )
        called = {callee for _, callee, _ in self.edges}
        for node in range(self.entries, nodes):
            if node not in called:
                above = np.flatnonzero(layer < layer[node])
                self.edges.append((int(r.choice(above)), node, float(r.choice([1, 0.5, 0.05]))))
        self.edges.sort()
        self.rate = np.zeros(nodes)
        self.rate[: self.entries] = 10 ** r.uniform(-0.7, 3, self.entries)
        self.rate[0] = 10 ** r.uniform(2.5, 3.2)
        for source, target, calls in self.edges:
            self.rate[target] += self.rate[source] * calls
        self.rate = np.maximum(self.rate * min(1, 4000 / self.rate.max()), 0.2)
        self.own = 10 ** r.uniform(0.5, 2.3, nodes)
        self.total = self.own.copy()
        for source, target, calls in reversed(self.edges):
            self.total[source] += calls * self.total[target]
        self._shares(r)
        self._draw(r)

    def _shares(self, r: np.random.Generator) -> None:
        """The shares that fail, by measure, minute and node, and by how many buckets times are longer."""
        t, n = np.arange(self.length), self.size
        hour, weekend = t / 60 % 24, t // DAY % 7 >= 5
        wave = np.exp(
            r.uniform(0.3, 0.9) * (np.cos(2 * np.pi * (hour - r.uniform(11, 17)) / 24) - 0.3)
        )
        self.season = (
            wave
            * np.where(weekend, r.uniform(0.4, 0.9), 1)
            * np.exp(_walk(r, self.length, 1, 0.04, 0.97)[:, 0])
        )
        shares = np.empty((3, self.length, n))
        shares[0] = 10 ** r.uniform(-5, -2.6, n)
        shares[1] = np.where(r.random(n) < 0.5, 10 ** r.uniform(-3, -1.3, n), 1e-5)
        shares[2] = np.where(r.random(n) < 0.3, 10 ** r.uniform(-5, -2.7, n), 0)
        for plant in self.plants:
            if plant.before:
                shares[0, :, plant.node] = plant.before
        wander = np.where(r.random(n) < 0.4, r.uniform(0.3, 1, n), 0)
        shares[:2] *= np.exp(_walk(r, self.length, n, 1, 0.995) * wander - wander**2 / 2)
        shape = r.choice([1.0, 2, 5, 50], n)
        shares *= r.gamma(shape, 1 / shape, shares.shape)
        load = np.log(self.season / self.season.mean())[:, None]
        drift = r.uniform(0.005, 0.03, n)
        shift = (_walk(r, self.length, n, 1, 0.9) * drift + 0.06 * load) / np.log(10) * PER_DECADE
        self.traffic = np.exp(_walk(r, self.length, n, 0.03, 0.95))
        for _ in range(self.length // DAY * 3):  # deployments
            at, node, minutes = (
                r.integers(0, self.length),
                r.integers(0, n),
                min(8, r.geometric(0.6)),
            )
            shares[0, at : at + minutes, node] += r.uniform(0.003, 0.03)
            shift[at : at + minutes + 2, node] += np.log10(r.uniform(1.05, 1.3)) * PER_DECADE
        for node in np.flatnonzero(r.random(n) < 0.35):  # bursts of client errors
            for at in r.integers(0, self.length, self.length // DAY // 2):
                shares[1, at : at + min(15, 1 + r.geometric(0.55)), node] += r.uniform(0.03, 0.25)
        for node in r.integers(0, n, 2):  # batches
            at = r.integers(60, 300)
            on = (t % DAY >= at) & (t % DAY < at + 40)
            self.traffic[on, node] *= 3
            shift[on, node] += 2.5
            shares[1, on, node] += 0.02
        self._plant(shares, shift)
        self.shares, self.shift = np.minimum(shares, 0.9), shift

    def _plant(self, shares: NDArray[np.float64], shift: NDArray[np.float64]) -> None:
        for plant in self.plants:
            failing, longer = np.zeros(self.size), np.zeros(self.size)
            if plant.fault:
                failing[plant.node] = plant.fault - plant.before
            if plant.slower > 1:
                longer[plant.node] = (plant.slower - 1) * self.total[plant.node]
            for source, target, calls in reversed(self.edges):
                failing[source] += failing[target] * min(1, calls) * 0.95
                longer[source] += longer[target] * calls
            shares[0, plant.at :] += failing
            shift[plant.at :] += np.log10(1 + longer / self.total) * PER_DECADE

    def _draw(self, r: np.random.Generator) -> None:
        """Requests and failures of all minutes."""
        gap = np.ones(self.length)
        for _ in range(max(1, self.length // DAY // 5)):
            at = r.integers(0, self.length - 6)
            gap[at : at + r.integers(1, 5)] = 0
        self.gap = gap
        sizes = self.size + len(self.edges)
        self.requests = np.zeros((self.length, sizes), np.int64)
        entering = np.zeros((self.length, self.size))
        entering[:, : self.entries] = self.rate[: self.entries]
        for index in range(self.entries, self.size):
            reached = sum(self.rate[s] * c for s, t, c in self.edges if t == index)
            entering[:, index] = max(0, self.rate[index] - reached)
        work = r.poisson(entering * self.season[:, None] * self.traffic * gap[:, None])
        for node in range(self.size):
            self.requests[:, node] = work[:, node]
            for number, (source, target, calls) in enumerate(self.edges):
                if source == node:
                    each = r.poisson(work[:, node] * calls * self._made(number))
                    self.requests[:, self.size + number] = each
                    work[:, target] += each
        of = np.r_[np.arange(self.size), [target for _, target, _ in self.edges]]
        self.of = of
        self.failures = np.empty((3, self.length, sizes), np.int64)
        left = self.requests.copy()
        for measure in range(3):
            self.failures[measure] = r.binomial(left, self.shares[measure][:, of])
            left -= self.failures[measure]
        sigma = r.uniform(0.3, 0.9, self.size)
        self.sigma = sigma

    def _made(self, edge: int) -> Values:
        """Whether an edge is there, by minute."""
        made = np.ones(self.length)
        for plant in self.plants:
            if plant.edge == edge:
                made[slice(plant.at, None) if plant.gone else slice(0, plant.at)] = 0
        return made

    def counted(self, first: int, last: int) -> list[MinuteCounts]:
        """Minutes after the first one."""
        return [self._minute(t) for t in range(first, last) if self.requests[t].any()]

    def _minute(self, t: int) -> MinuteCounts:
        r = np.random.default_rng((self.seed, t))
        series = np.flatnonzero(self.requests[t])
        node = self.of[series]
        shares = self._times(self.shift[t, node], self.sigma[node])
        times = r.multinomial(self.requests[t, series], shares)
        rows, buckets = np.nonzero(times)
        median = np.log10(self.total[node[rows]] * 1000)
        micros = 10 ** (median + (buckets - MEDIAN) / PER_DECADE)
        failures = self.failures[:, t, series]
        ok = self.requests[t, series] - failures.sum(0)
        zero = np.zeros(len(series), np.int64)
        columns = (series + 1, ok, failures[1], failures[2], failures[0], zero)
        filled = np.bincount(rows, minlength=len(series))
        ids, fine, error, throttle, fault, running = (_bytes(each) for each in columns)
        return MinuteCounts(
            *(FIRST + t, ids, fine, error, throttle, fault, running),
            *(_bytes(self.requests[t, series]), _bytes(filled)),
            *(array("f", micros).tobytes(), array("f", times[rows, buckets]).tobytes()),
        )

    def _times(self, shift: Values, sigma: Values) -> Values:
        """Of some series, the share of each bucket: lognormal, a hundredth of it ten times as long."""
        edge = (np.arange(1, BUCKETS) - 0.5 - MEDIAN)[None] - shift[:, None]
        z = edge / PER_DECADE * np.log(10)
        below = 0.99 * _normal(z / sigma[:, None]) + 0.01 * _normal(
            (z - np.log(10)) / sigma[:, None] / 1.2
        )
        full = np.c_[np.zeros(len(shift)), below, np.ones(len(shift))]
        shares = np.diff(full, axis=1)
        found: Values = shares / shares.sum(1, keepdims=True)
        return found


CLUMP = 3
"""Requests of one trace, which is on one side."""


def split(
    counts: MinuteCounts, share: float, r: np.random.Generator
) -> tuple[MinuteCounts, MinuteCounts]:
    """A minute's requests on two sides, each on the first one with a probability."""

    def halves(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        every = np.frombuffer(data, np.uint64).astype(np.int64)
        one = CLUMP * r.binomial(every // CLUMP, share) + r.binomial(every % CLUMP, share)
        return one, every - one

    states = [halves(each) for each in (counts.ok, counts.error, counts.throttle, counts.fault)]
    weights = np.frombuffer(counts.weights, np.float32).astype(np.int64)
    finished = sum(state[0] for state in states)
    rows = np.split(weights, np.cumsum(np.frombuffer(counts.lengths, np.uint64).astype(np.int64)))
    times = np.concatenate(
        [r.multivariate_hypergeometric(row, of) for row, of in zip(rows, finished, strict=False)]  # type: ignore[arg-type]
    )
    one, other = (
        counts._replace(
            ok=_bytes(states[0][side]),
            error=_bytes(states[1][side]),
            throttle=_bytes(states[2][side]),
            fault=_bytes(states[3][side]),
            observed=_bytes(sum(state[side] for state in states)),  # type: ignore[arg-type]
            weights=array("f", of).tobytes(),
        )
        for side, of in enumerate((times, weights - times))
    )
    return one, other


def _bytes(column: NDArray[np.int64]) -> bytes:
    return column.astype(np.uint64).tobytes()


def _normal(z: Values) -> Values:
    found: Values = np.interp(z, _Z, _NORMAL)
    return found


def _walk(
    r: np.random.Generator, length: int, width: int, deviation: float, decay: float
) -> Values:
    """Values that return to 0, with this standard deviation."""
    found = np.empty((length, width))
    steps = r.normal(0, deviation * np.sqrt(1 - decay**2), (length, width))
    value = r.normal(0, deviation, width)
    for t in range(length):
        value = decay * value + steps[t]
        found[t] = value
    return found
