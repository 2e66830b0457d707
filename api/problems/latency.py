"""How many of a minute's times exceed quantiles of the series' usual times: what slowness is judged by.

The shares above the usual median, p90 and p99 are tested like shares of failures, so a shape of any kind and a quiet
series will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from api.problems.columns import Columns, Flags, Floats, Indices
from api.problems.minute import BUCKETS, PER_DECADE, Minute
from api.problems.shares import Alternatives

QUANTILES = (0.5, 0.9, 0.99)
ABOVE: Floats = np.array([[1 - quantile] for quantile in QUANTILES], np.float32)
SLOWNESS = Alternatives(
    most=(0.34, 0.34, 0.34),
    large=(0.3, 0.3, 0.3),
    floor=(0.0, 0.0, 0.0),
    prior=tuple(1 - quantile for quantile in QUANTILES),
    fixed=((0.8, 0.95), (0.3, 0.6), (0.06, 0.3)),
)
QUARTER = 2
"""Buckets beyond a quantile's that are less than a quarter more."""
HOUR, SOON = 60, 10
HALF_LIFE = 3 * 1440
DECAY = np.float32(0.5 ** (HOUR / HALF_LIFE))


class Latency(Columns):
    """The usual times of each series: histograms with a half-life of three days, from which the quantiles are taken each hour."""

    columns = "base recent cuts"
    fills: ClassVar[Mapping[str, float]] = {"cuts": BUCKETS}

    def __init__(self) -> None:
        super().__init__()
        self.base = np.zeros((BUCKETS, 0), np.float32)
        self.recent = np.zeros((BUCKETS, 0), np.float32)
        self.cuts = np.zeros((len(QUANTILES), 0), np.int16)
        self._minutes = 0
        self._slow: dict[int, Floats] = {}

    def exceeding(self, minute: Minute) -> tuple[Floats, Floats]:
        """How many times exceed each quantile, and each quantile by a quarter."""
        above = np.zeros((len(QUANTILES), self.size), np.float32)
        beyond = np.zeros_like(above)
        if not minute.rows.size:
            return above, beyond
        lengths = np.diff(minute.starts, append=len(minute.buckets))
        for number, cuts in enumerate(self.cuts):
            more = minute.buckets - np.repeat(cuts[minute.rows], lengths)
            for into, least in ((above, 0), (beyond, QUARTER)):
                far = np.add.reduceat((more > least) * minute.weights, minute.starts)
                into[number] = np.bincount(minute.rows, far, self.size)
        return above, beyond

    def learn(self, minute: Minute, slow: Flags, seen: NDArray[np.int32]) -> Indices:
        """Learn the times of a minute, those of series that are ``slow`` apart. Quantiles are renewed each hour, those of series
        that were ``seen`` for less than one sooner. Returns these: what exceeded their quantiles before says nothing."""
        self._slow = {
            int(each): self._slow.get(int(each), np.zeros(BUCKETS, np.float32))
            for each in np.flatnonzero(slow)
        }
        owners, buckets, weights = minute.owners, minute.buckets, minute.weights
        if self._slow:
            apart = slow[owners]
            rest = (column[apart].tolist() for column in (owners, buckets, weights))
            for owner, bucket, weight in zip(*rest, strict=True):
                self._slow[owner][bucket] += weight
            owners, buckets, weights = owners[~apart], buckets[~apart], weights[~apart]
        np.add.at(self.recent.reshape(-1), buckets * np.intp(self.size) + owners, weights)
        self._minutes += 1
        young = np.flatnonzero((seen > 0) & (seen <= HOUR) & (self._minutes % SOON == 0))
        if self._minutes % HOUR == 0:
            self.base *= DECAY
            self.base += self.recent
            self.recent[:] = 0
            self._renew(slice(None), self.base)
        elif young.size:
            self._renew(young, self.base[:, young] + self.recent[:, young])
        return young

    def _renew(self, series: Indices | slice, times: Floats) -> None:
        total = np.cumsum(times, axis=0)
        for number, quantile in enumerate(QUANTILES):
            cut = (total <= np.float32(quantile) * total[-1]).sum(0)
            known = np.where(total[-1] > 0, np.minimum(cut, BUCKETS - 1), BUCKETS)
            self.cuts[number, series] = known

    def quantile(self, series: int, number: int) -> int:
        """The usual time at a quantile, microseconds."""
        return time_of(int(self.cuts[number, series]))

    def slow_quantile(self, series: int, number: int) -> int:
        """The time at a quantile since it is slow, microseconds."""
        times = np.cumsum(self._slow.get(series, np.zeros(BUCKETS, np.float32)))
        return time_of(int((times <= np.float32(QUANTILES[number]) * times[-1]).sum()))


def time_of(bucket: int) -> int:
    """The middle of a bucket, microseconds."""
    return round(10 ** (bucket / PER_DECADE))
