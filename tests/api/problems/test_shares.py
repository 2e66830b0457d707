"""How much a share varies by itself is learnt of quiet minutes, not of those of an incident. Each test is of many series at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from api.problems.detector import FAILURES
from api.problems.minute import FAULT
from api.problems.shares import Shares

SERIES = 100
THRESHOLD = 18.5
"""Of a map of 100 series or so."""
FIRST = 29_926_080
"""Midnight."""


class Service:
    """Services that are alike. ``shape``: of the gamma distribution of a minute's share; the smaller, the more it varies."""

    def __init__(self, share: float, shape: float) -> None:
        self._share, self._shape = share, shape
        self._random = np.random.default_rng(1)
        self._shares = Shares(FAILURES)
        self._shares.grow(SERIES)
        self._minute = FIRST
        self.rings = np.zeros(SERIES, np.bool_)
        self.lines = 0
        """Times that any of them began to ring."""

    def go(self, minutes: int, rate: float, faults: float = 0.0) -> NDArray[np.float64]:
        """So many minutes, in which a share of ``faults`` is added. Says in which each began to ring, from 1 on."""
        random, size = self._random, self._shares.size
        requests = np.zeros(size, np.float32)
        hits = np.zeros((3, size), np.float32)
        found = np.full(SERIES, np.inf)
        for minute in range(1, minutes + 1):
            share = self._share * random.gamma(self._shape, 1 / self._shape, SERIES) + faults
            requests[:SERIES] = random.poisson(rate, SERIES)
            hits[FAULT, :SERIES] = random.binomial(
                requests[:SERIES].astype(int), np.minimum(share, 1)
            )
            self._shares.step(self._minute, requests, hits, THRESHOLD)
            now = self._shares.ringing[FAULT, :SERIES].copy()
            begun = now & ~self.rings
            found[begun] = np.minimum(found[begun], minute)
            self.lines += int(begun.sum())
            self.rings, self._minute = now, self._minute + 1
        return found


def test_the_first_bad_minutes_do_not_hide_the_next() -> None:
    """Of a young service that had few requests until then: they are not how its share varies by itself."""
    service = Service(0.005, shape=2.0)
    service.go(75, rate=12)
    found = service.go(5, rate=60, faults=0.15)
    assert service.lines == np.isfinite(found).sum() >= 0.95 * SERIES
    assert np.median(found) <= 4


def test_an_incident_does_not_hide_the_next() -> None:
    service = Service(0.005, shape=2.0)
    service.go(75, rate=12)
    service.go(10, rate=60, faults=0.15)
    service.go(120, rate=60)
    assert not service.rings.any()
    assert np.isfinite(service.go(5, rate=60, faults=0.15)).sum() >= 0.95 * SERIES


def test_a_share_that_varies_by_itself_is_no_problem() -> None:
    """Single bad minutes teach it, once they turn out to be no more."""
    service = Service(0.03, shape=0.2)
    service.go(1440, rate=60)
    assert service.lines <= 0.2 * SERIES
    service.lines = 0
    service.go(1440, rate=60)
    assert service.lines == 0
