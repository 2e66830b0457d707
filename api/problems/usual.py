"""The share that is usual at this time: of the last day, of this time on the last seven days, of a day's worst half hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from api.problems.columns import DAY, Columns, Flags, Floats, Indices

HALF_HOUR = 30
HALF_HOURS = DAY // HALF_HOUR
DAYS = 7
DECAY = np.float32(0.5 ** (1 / DAY))
LEAST, MOST = np.float32(2e-4), np.float32(0.95)
PRIOR_WEIGHT = 50.0
"""How many requests the share counts for that a series without history has."""
SPREAD, SPREAD_WEIGHT = 0.003, 300.0
SLOT_WEIGHT = 60.0
"""Requests of a half hour below which it tells little."""
YOUNG = 30
"""Minutes in which a series is learnt as it is."""


class Usual(Columns):
    """Expected shares of some measures, by series.

    ``prior``: the share of each measure that a series without history has. ``failures``: whether a day's worst half hour counts.
    """

    learnt = "hits requests squares pairs pending_squares pending_pairs half_hits half_requests"
    columns = f"{learnt} seen slots worst slot day"
    fills: ClassVar[Mapping[str, float]] = {"slots": np.nan, "worst": np.nan}

    def __init__(self, prior: tuple[float, ...], *, failures: bool) -> None:
        super().__init__()
        measures = len(prior)
        self._prior = np.array(prior, np.float32)[:, None]
        self._failures = failures
        self._first: int | None = None
        self._at = 0
        self.seen = np.zeros(0, np.int32)
        every = (measures, 0)
        self.hits, self.requests = np.zeros(every, np.float32), np.zeros(every, np.float32)
        self.squares, self.pairs = np.zeros(every, np.float32), np.zeros(every, np.float32)
        self.pending_squares, self.pending_pairs = self.squares.copy(), self.pairs.copy()
        self.half_hits = np.zeros(every, np.float32)
        self.half_requests = np.zeros(every, np.float32)
        self.slots = np.zeros((DAYS, HALF_HOURS, *every), np.float16)
        self.worst = np.zeros((DAYS, *every), np.float32)
        self.slot, self.day = np.zeros(every, np.float32), np.zeros(every, np.float32)

    def turn(self, minute: int) -> None:
        """Begin a minute: where a half hour is over, it is stored."""
        if self._first is None:
            self._first = minute
        while self._at and self._at // HALF_HOUR < minute // HALF_HOUR:
            finished = self._at // HALF_HOUR
            self._store(finished)
            self._at = max((finished + 1) * HALF_HOUR, minute // HALF_HOUR * HALF_HOUR - DAY)
            self._look(self._at)
        self._at = minute

    def of_day(self) -> Floats:
        """The share of the last day or so."""
        weight = np.float32(PRIOR_WEIGHT)
        share: Floats = (self.hits + self._prior * weight) / (self.requests + weight)
        return share

    def expected(self) -> Floats:
        """The share that is expected now."""
        share = np.maximum(np.maximum(self.of_day(), self.slot), self.day)
        return np.clip(share, LEAST, MOST, out=share)

    def dispersion(self, requests: Floats) -> Floats:
        """How much more the count of a minute varies than independent requests let it."""
        spread = np.maximum(
            0,
            (self.squares + np.float32(SPREAD * SPREAD_WEIGHT))
            / (self.pairs + np.float32(SPREAD_WEIGHT)),
        )
        return 1 + np.maximum(requests - 1, 0) * spread

    def count(self, requests: Floats, hits: Floats) -> None:
        """Count a minute for its half hour: what came twice at one time of the day is expected, whatever it was."""
        self.half_hits += hits
        self.half_requests += requests
        self.seen += requests > 0

    def learn(
        self,
        requests: Floats,
        hits: Floats,
        expected: Floats,
        phi: Floats,
        free: Flags,
        calm: Flags,
        quiet: Flags,
    ) -> None:
        """Learn a minute of the series that do not ring (``free``): the share of those that are ``calm``, and how much it varies
        once they are ``quiet`` again. What rings in between teaches nothing: its first minutes would hide the next ones."""
        there = free & (requests > 0)
        variance = requests * expected * (1 - expected)
        wide = variance * phi
        squares = np.minimum((hits - requests * expected) ** 2, 100 * wide + 25) - variance
        squares += self.pending_squares
        pairs = self.pending_pairs + (requests - 1) * variance
        cut = np.minimum(hits, requests * expected + 4 * np.sqrt(wide) + 1)
        cut = np.where(self.seen > YOUNG, cut, hits)
        quiet = there & quiet
        for into, more, where in (
            (self.squares, squares, quiet),
            (self.pairs, pairs, quiet),
            (self.hits, cut, there & calm),
            (self.requests, requests, there & calm),
        ):
            np.copyto(into, into * DECAY + more, where=where)
        pending = free & ~quiet
        np.multiply(squares, pending, out=self.pending_squares)
        np.multiply(pairs, pending, out=self.pending_pairs)

    def restart(self, series: Indices) -> None:
        """Begin to learn some series anew."""
        for name in self.learnt.split():
            getattr(self, name)[:, series] = 0

    def accept(self, measure: int, series: int, share: float) -> None:
        """Make a share the normal one."""
        self.hits[measure, series] = share * self.requests[measure, series]

    def _share(self) -> Floats:
        weight = np.float32(SLOT_WEIGHT)
        share: Floats = (self.half_hits + self.of_day() * weight) / (self.half_requests + weight)
        return share

    def _store(self, half_hour: int) -> None:
        share = self._share()
        share[:, :] = np.where(self.half_requests > 0, share, np.nan)
        day, slot = half_hour // HALF_HOURS % DAYS, half_hour % HALF_HOURS
        self.slots[day, slot] = share
        if slot == 0:
            self.worst[day] = np.nan
        self.worst[day] = np.fmax(self.worst[day], share)
        self.half_hits[:] = 0
        self.half_requests[:] = 0

    def _look(self, minute: int) -> None:
        """What is usual in the half hour that begins, from the days before: the second worst of this time, and the
        median of their worst half hours."""
        half_hour = minute // HALF_HOUR
        found = []
        for back in range(1, DAYS + 1):
            near = [half_hour + beside - back * HALF_HOURS for beside in (-1, 0, 1)]
            past = [each for each in near if self._first is not None and each * 30 >= self._first]
            if back == DAYS:  # the half hour before this one has taken its place
                past = [each for each in past if each != near[0]]
            if past:
                places = [self.slots[each // HALF_HOURS % DAYS, each % HALF_HOURS] for each in past]
                found.append(np.fmax.reduce(places).astype(np.float32))
        if len(found) >= 2:
            ranked = np.sort(np.nan_to_num(np.array(found)), axis=0)
            self.slot[:] = ranked[-2]
        if self._failures and half_hour % HALF_HOURS == 0:
            today = half_hour // HALF_HOURS % DAYS
            worst = np.array([self.worst[day] for day in range(DAYS) if day != today])
            known = np.isfinite(worst)
            ranked = np.sort(np.where(known, worst, np.inf), axis=0)
            middle = np.minimum(known.sum(0) // 2, DAYS - 2)
            median = np.take_along_axis(ranked, middle[None], 0)[0]
            self.day[:] = np.where(np.isfinite(median), median, 0)
