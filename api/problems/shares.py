"""Detects that a share of the requests has grown: one cumulative sum (CUSUM) of log-likelihood ratios per series.

For each of some greater shares p1 and the usual share p0, S grows by the ratio of their quasi-likelihoods for a minute's
k of n, [k ln(p1/p0) + (n-k) ln((1-p1)/(1-p0))] / φ, and never falls below 0. It rings at a threshold; what is wrong began
in the minute after S was last 0. No minute may add more than a part of the threshold, so no burst of a minute or two rings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from api.problems.columns import DAY, Columns, Flags, Floats, Indices
from api.problems.usual import Usual

LEAST_HITS = 3
KNOWN = 45
"""Minutes of a series before it may ring."""
CALM = np.float32(0.4)
"""Part of the threshold from which on the share is not learnt."""
END_SCORE, GOOD_MINUTES = 7.0, 5
"""What the reverse test has to reach, and the minutes in a row that have to be good, before it ends."""
SURE_MINUTES, SURE_HITS = 8, 8.0
"""Or so many good minutes in a row, in which so many hits would have been, were it not over."""
CLEARLY = np.float32(1.2)
"""Times the usual share: an alternative that is nearer is not tested."""


class Alternatives(NamedTuple):
    """The shares that are tested of each measure: fixed ones, or the greatest of a sum and a product with the usual one.

    ``large``: excess of a minute above which it may add ``most`` of the threshold, else half as much; how much the share
    varies is learnt below this part. ``floor``: excess that a problem has at least. ``prior``: the usual share of a series
    without history.
    """

    most: tuple[float, ...]
    large: tuple[float, ...]
    floor: tuple[float, ...]
    prior: tuple[float, ...]
    fixed: tuple[tuple[float, ...], ...] = ()
    plus: tuple[float, ...] = (0.02, 0.10, 0.40)
    times: tuple[float, ...] = (2.5, 4.0, 8.0)


class Ringing(NamedTuple):
    """What rings: a measure of a series; minutes since the epoch; shares. ``last_bad``: the last minute that was not good."""

    measure: int
    series: int
    since: int
    rang: int
    last_bad: int
    usual: float
    share: float


class Shares(Columns):
    """The state of all series."""

    columns = (
        "sums since hits requests moved bad ringing silent rang began all_hits "
        "all_requests all_moved reverse good missed"
    )

    def __init__(self, alternatives: Alternatives) -> None:
        super().__init__()
        self._rule = alternatives
        measures = len(alternatives.most)
        tests = len(alternatives.fixed[0]) if alternatives.fixed else len(alternatives.plus)
        self.usual = Usual(alternatives.prior, failures=not alternatives.fixed)
        column = np.array([alternatives.most, alternatives.large, alternatives.floor], np.float32)[
            :, :, None
        ]
        self._most, self._large, self._floor = column
        each, every = (measures, 0), (tests, measures, 0)
        self.sums, self.hits = np.zeros(every, np.float32), np.zeros(every, np.float32)
        self.requests, self.moved = np.zeros(every, np.float32), np.zeros(every, np.float32)
        self.since, self.bad = np.zeros(every, np.int32), np.zeros(every, np.int16)
        self.ringing, self.silent = np.zeros(each, np.bool_), np.zeros(each, np.bool_)
        self.rang, self.began = np.zeros(each, np.int32), np.zeros(each, np.int32)
        self.all_hits, self.all_requests = np.zeros(each, np.float32), np.zeros(each, np.float32)
        self.all_moved, self.reverse = np.zeros(each, np.float32), np.zeros(each, np.float32)
        self.good, self.missed = np.zeros(each, np.int16), np.zeros(each, np.float32)

    def grow(self, size: int) -> None:
        """Of the usual shares, too."""
        super().grow(size)
        self.usual.grow(self.size)

    def step(
        self,
        minute: int,
        requests: Floats,
        hits: Floats,
        threshold: float,
        moved: tuple[Floats, Floats] | None = None,
    ) -> None:
        """Judge and learn a minute. ``moved``: of latency, how many times exceed the usual quantile by a quarter, and
        the share that must for the quantile to have moved so far."""
        usual = self.usual
        usual.turn(minute)
        expected = usual.expected()
        phi = usual.dispersion(requests)
        free = ~self.ringing
        top = self._add(minute, requests, hits, expected, phi, np.float32(threshold), moved)
        self._ring(minute, expected, np.float32(threshold), free, moved)
        self._continue(minute, requests, hits, expected, phi, ~free, moved)
        usual.count(requests, hits)
        limit, new = np.float32(threshold), usual.seen < KNOWN
        calm = new | (top < CALM * limit)
        quiet = new | (top < self._most * limit)
        usual.learn(requests, hits, expected, phi, ~self.ringing & free, calm, quiet)

    def restart(self, series: Indices) -> None:
        """Begin to learn anew what is usual of some series."""
        if series.size:
            self.sums[:, :, series] = 0
            self.usual.restart(series)

    def found(self) -> list[Ringing]:
        """What rings now."""
        expected = self.usual.expected()
        measures, series = np.nonzero(self.ringing & ~self.silent)
        return [
            Ringing(
                int(m),
                int(s),
                int(self.began[m, s]),
                int(self.rang[m, s]),
                self._at - int(self.good[m, s]),
                float(expected[m, s]),
                float(self.all_hits[m, s] / max(self.all_requests[m, s], 1e-9)),
            )
            for m, s in zip(measures, series, strict=True)
        ]

    def _add(
        self,
        minute: int,
        requests: Floats,
        hits: Floats,
        expected: Floats,
        phi: Floats,
        threshold: np.float32,
        moved: tuple[Floats, Floats] | None,
    ) -> Floats:
        """Add a minute to all sums; the greatest of each measure."""
        self._at = minute
        top = np.zeros_like(expected)
        some = self._stirred(hits)
        requests, hits = requests[some], hits[:, some]
        expected, phi, ringing = expected[:, some], phi[:, some], self.ringing[:, some]
        rest = requests - hits
        log_hit, log_rest = np.log(expected), np.log1p(-expected)
        large = hits - requests * expected >= self._large * requests
        cap = np.where(large, self._most, self._most / 2) * threshold
        for test in range(len(self.sums)):
            if self._rule.fixed:
                p1 = np.array([each[test] for each in self._rule.fixed], np.float32)[:, None]
            else:
                plus = np.float32(self._rule.plus[test])
                p1 = np.maximum(expected + plus, expected * np.float32(self._rule.times[test]))
                p1 = np.minimum(p1, np.float32(0.98))
            gain = (hits * (np.log(p1) - log_hit) + rest * (np.log1p(-p1) - log_rest)) / phi
            sums = self.sums[test][:, some]
            going = sums > 0
            self.since[test][:, some] = np.where(going, self.since[test][:, some], minute)
            sums = sums + np.minimum(gain, cap)
            sums[(sums < 0) | (p1 <= expected * CLEARLY) | ringing] = 0
            self.sums[test][:, some] = sums
            more = [("hits", hits), ("requests", requests), ("bad", (gain > 0) & (requests > 0))]
            if moved:
                more.append(("moved", moved[0][:, some]))
            for name, each in more:
                into = getattr(self, name)[test]
                into[:, some] = into[:, some] * going + each
            top[:, some] = np.maximum(top[:, some], sums)
        return top

    def _stirred(self, hits: Floats) -> Indices | slice:
        """The series whose sums this minute may change: where a sum is 0 and nothing hits, it stays so. All, if these are many."""
        stirred = np.flatnonzero((hits > 0).any(0) | (self.sums > 0).any((0, 1)))
        return stirred if 2 * stirred.size < self.size else slice(None)

    def _ring(
        self,
        minute: int,
        expected: Floats,
        threshold: np.float32,
        free: Flags,
        moved: tuple[Floats, Floats] | None,
    ) -> None:
        """Let ring what has reached the threshold, by the alternative that says the latest beginning: a great one is not
        disturbed by the few hits before."""
        over = (self.sums >= threshold) & free & (self.usual.seen >= KNOWN)
        found = np.argwhere(over)
        for test, m, s in found[np.argsort(-self.since[tuple(found.T)], kind="stable")]:
            hits, requests = self.hits[test, m, s], self.requests[test, m, s]
            enough = hits >= LEAST_HITS and self.bad[test, m, s] >= 2
            if self.ringing[m, s] or not enough:
                continue
            if hits / requests - expected[m, s] < self._floor[m, 0]:
                continue
            self.ringing[m, s] = True
            self.rang[m, s], self.began[m, s] = minute, self.since[test, m, s]
            self.all_hits[m, s], self.all_requests[m, s] = hits, requests
            self.all_moved[m, s] = self.moved[test, m, s]
            self.reverse[m, s] = self.good[m, s] = 0
            self.silent[m, s] = moved is not None and not self._has_moved(m, s, moved[1])

    def _continue(
        self,
        minute: int,
        requests: Floats,
        hits: Floats,
        expected: Floats,
        phi: Floats,
        rang: Flags,
        moved: tuple[Floats, Floats] | None,
    ) -> None:
        """Add a minute to what has been ringing, and end what is over."""
        for m, s in np.argwhere(rang & (requests > 0)):
            n, k, usual = float(requests[s]), float(hits[m, s]), float(expected[m, s])
            self.all_hits[m, s] += k
            self.all_requests[m, s] += n
            if moved:
                self.all_moved[m, s] += moved[0][m, s]
                self.silent[m, s] &= not self._has_moved(m, s, moved[1])
            share = float(self.all_hits[m, s] / self.all_requests[m, s])
            middle = 0.5 * (share + usual)
            if share > usual * 1.05:
                gain = k * np.log(usual / middle) + (n - k) * np.log((1 - usual) / (1 - middle))
                self.reverse[m, s] = max(0.0, self.reverse[m, s] + gain / float(phi[m, s]))
            else:
                self.reverse[m, s] += 1
            good = k / n < middle
            self.good[m, s] = self.good[m, s] + 1 if good else 0
            self.missed[m, s] = self.missed[m, s] + n * share if good else 0
            lasted = minute - self.rang[m, s] > DAY
            if lasted:
                self.usual.accept(m, s, share)
            tested = self.reverse[m, s] >= END_SCORE and self.good[m, s] >= GOOD_MINUTES
            sure = self.good[m, s] >= SURE_MINUTES and self.missed[m, s] >= SURE_HITS
            if lasted or tested or sure:
                self.ringing[m, s] = self.silent[m, s] = False
                self.sums[:, m, s] = 0

    def _has_moved(self, m: int, s: int, least: Floats) -> bool:
        return bool(self.all_moved[m, s] > least[m, 0] * self.all_requests[m, s])
