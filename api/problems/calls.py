"""Detects calls that are missing or too many: a cumulative sum over the counts of edges, and of what enters the map.

An edge's calls are compared with its caller's requests, so no season has to be known: a drop upstream raises nothing
downstream. Entries are compared with the same time of earlier days of the same kind, and the level of the last hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from api.problems.columns import DAY, Columns, Flags, Floats
from api.problems.shares import CALM, END_SCORE, GOOD_MINUTES, KNOWN

DECAY = np.float32(0.5 ** (1 / DAY))
SPREAD, SPREAD_WEIGHT = 0.01, 20.0
CAP = np.float32(0.5)
"""Of the threshold that a minute may add."""
RATIOS = (0.5, 0.1, 2.0)
FLOORS = (10.0, 10.0, 30.0)
"""Calls that are missing, or too many, at least."""


class Changed(NamedTuple):
    """Calls that are missing or too many: minutes since the epoch; ``expected``, ``seen``: calls since then."""

    series: int
    since: int
    rang: int
    last_bad: int
    ratio: float
    expected: float
    seen: float


class Counts(Columns):
    """The tests of counts against what is expected of them."""

    columns = (
        "sums since lost seen squares power test_calls test_expected ringing rang began "
        "ratio reverse good all_calls all_expected"
    )
    fills: ClassVar[Mapping[str, float]] = {"ratio": 1.0}

    def __init__(self) -> None:
        super().__init__()
        each, every = np.zeros(0, np.float32), (len(RATIOS), 0)
        self.sums, self.lost = np.zeros(every, np.float32), np.zeros(every, np.float32)
        self.test_calls, self.test_expected = self.sums.copy(), self.sums.copy()
        self.since = np.zeros(every, np.int32)
        self.seen, self.good = np.zeros(0, np.int32), np.zeros(0, np.int16)
        self.squares, self.power, self.ratio = each.copy(), each.copy(), each.copy()
        self.reverse, self.all_calls, self.all_expected = each.copy(), each.copy(), each.copy()
        self.ringing = np.zeros(0, np.bool_)
        self.rang, self.began = np.zeros(0, np.int32), np.zeros(0, np.int32)

    def judge(
        self,
        minute: int,
        calls: Floats,
        expected: Floats,
        least: Floats,
        may: tuple[Flags, Flags, Flags],
        threshold: float,
    ) -> Flags:
        """Judge a minute: calls that are ``expected``, of which ``least`` may be. ``may``: which series each of `RATIOS` is
        tested of. Returns what is calm: neither ringing nor near it."""
        self._at = minute
        limit = np.float32(threshold)
        spread = (self.squares + np.float32(SPREAD * SPREAD_WEIGHT)) / (
            self.power + np.float32(SPREAD_WEIGHT)
        )
        phi = 1 + np.maximum(0, spread) * expected
        rang = self.ringing.copy()
        top = np.zeros(self.size, np.float32)
        for test, ratio in enumerate(RATIOS):
            sums = self.sums[test]
            want = least if ratio < 1 else expected
            gain = (calls * np.float32(np.log(ratio)) - want * np.float32(ratio - 1)) / phi
            tested = may[test] & (expected > 0) & ~rang
            fresh = sums <= 0
            self.since[test][fresh] = minute
            for column in (self.lost, self.test_calls, self.test_expected):
                column[test][fresh] = 0
            sums += np.where(tested, np.minimum(gain, CAP * limit), 0)
            sums[(sums < 0) | ~may[test] | rang] = 0
            self.lost[test] += np.where(tested, np.abs(calls - expected), 0)
            self.test_calls[test] += np.where(tested, calls, 0)
            self.test_expected[test] += np.where(tested, expected, 0)
            np.maximum(top, sums, out=top)
            for s in np.flatnonzero((sums >= limit) & (self.lost[test] >= FLOORS[test])):
                if not self.ringing[s]:
                    self.ringing[s], self.ratio[s] = True, ratio
                    self.rang[s], self.began[s] = minute, self.since[test, s]
                    self.all_calls[s] = self.test_calls[test, s]
                    self.all_expected[s] = self.test_expected[test, s]
                    self.reverse[s] = self.good[s] = 0
        self._continue(minute, calls, expected, phi, rang)
        square = np.minimum((calls - expected) ** 2, 100 * expected * phi + 25) - expected
        learns = ~self.ringing & (expected > 0)
        np.copyto(self.squares, self.squares * DECAY + square, where=learns)
        np.copyto(self.power, self.power * DECAY + expected * expected, where=learns)
        self.seen += 1
        return ~self.ringing & (top < CALM * limit)

    def found(self) -> list[Changed]:
        """What rings now."""
        return [
            Changed(
                int(s),
                int(self.began[s]),
                int(self.rang[s]),
                self._at - int(self.good[s]),
                float(self.ratio[s]),
                float(self.all_expected[s]),
                float(self.all_calls[s]),
            )
            for s in np.flatnonzero(self.ringing)
        ]

    def _continue(
        self, minute: int, calls: Floats, expected: Floats, phi: Floats, rang: Flags
    ) -> None:
        for s in np.flatnonzero(rang & ((expected > 0) | (minute - self.rang > DAY))):
            ratio = float(np.sqrt(self.ratio[s]))
            wanted, there = float(expected[s]), float(calls[s])
            self.all_calls[s] += there
            self.all_expected[s] += wanted
            gain = -(there * np.log(ratio) - wanted * (ratio - 1)) / float(phi[s])
            self.reverse[s] = max(0.0, self.reverse[s] + gain)
            good = there > ratio * wanted if ratio < 1 else there < ratio * wanted
            self.good[s] = self.good[s] + 1 if good else 0
            lasted = minute - self.rang[s] > DAY
            if lasted or (self.reverse[s] >= END_SCORE and self.good[s] >= GOOD_MINUTES):
                self.ringing[s] = False
                self.sums[:, s] = 0
                if lasted:
                    self.accept(int(s))

    def accept(self, series: int) -> None:
        """Make the calls of the last day the normal ones."""


class EdgeCalls(Counts):
    """Calls of edges against their callers' requests."""

    columns = f"{Counts.columns} calls callers"

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.callers = np.zeros(0, np.float32), np.zeros(0, np.float32)

    def step(
        self, minute: int, calls: Floats, requests: Floats, edges: Flags, threshold: float
    ) -> None:
        """Judge and learn a minute. ``requests``: of the caller of each edge."""
        ratio = (self.calls + np.float32(0.01)) / (self.callers + 1)
        expected = np.where(edges & (self.callers > 0), requests * ratio, 0).astype(np.float32)
        old = edges & (self.seen >= KNOWN)
        calm = self.judge(minute, calls, expected, expected, (old, old, old), threshold)
        learns = edges & (calm | ((self.seen <= KNOWN) & ~self.ringing)) & (requests > 0)
        np.copyto(self.calls, self.calls * DECAY + calls, where=learns)
        np.copyto(self.callers, self.callers * DECAY + requests, where=learns)

    def accept(self, series: int) -> None:
        """The ratio of calls to requests that it has had since."""
        self.calls[series] *= self.all_calls[series] / max(self.all_expected[series], 1e-9)


SLOTS, SLOT = 144, 10
LEVEL = np.float32(0.5 ** (1 / 90))
LEVEL_MINUTES = 15
RENEWAL = np.float32(0.35)


class EntryCalls(Counts):
    """Calls that enter the map, against earlier days."""

    columns = (
        f"{Counts.columns} slots days slot_calls level_calls level ring_calls ring_expected born"
    )
    fills: ClassVar[Mapping[str, float]] = {**Counts.fills, "born": -1}

    def __init__(self) -> None:
        super().__init__()
        each = np.zeros(0, np.float32)
        self.slots, self.days = np.zeros((2, SLOTS, 0), np.float32), np.zeros((2, 0), np.int32)
        self.slot_calls, self.level_calls, self.level = each.copy(), each.copy(), each.copy()
        self.ring_calls = np.zeros((LEVEL_MINUTES, 0), np.float32)
        self.ring_expected = self.ring_calls.copy()
        self.born = np.zeros(0, np.int32)
        self._counted = 0

    def step(self, minute: int, calls: Floats, entries: Flags, threshold: float) -> None:
        """Judge and learn a minute."""
        kind = int((minute // DAY + 3) % 7 >= 5)  # 1970-01-01 was a Thursday
        self.born[entries & (self.born < 0)] = minute
        known, other = self.days[kind] >= 1, self.days[1 - kind] >= 1
        mean, least = self._season(minute, np.where(known, kind, 1 - kind))
        level = np.where(
            self.level > 0,
            np.clip((self.level_calls + 5) / (self.level + 5), 0.5, 2.0),
            np.float32(1),
        ).astype(np.float32)
        there = entries & (known | other)
        expected = np.where(there, mean * level, 0).astype(np.float32)
        half = there & known  # of a kind of day that was never seen, only silence counts
        calm = self.judge(
            minute, calls, expected, least * level, (half, there, there & False), threshold
        )
        self._learn(minute, kind, calls, np.where(there, mean, 0), calm)

    def accept(self, series: int) -> None:
        """So much of the usual calls at any time as there has been since."""
        self.slots[:, :, series] *= self.all_calls[series] / max(self.all_expected[series], 1e-9)

    def _season(self, minute: int, kinds: Floats) -> tuple[Floats, Floats]:
        """The usual calls of this time, and the least of it and the ten minutes beside it: a step up may come later."""
        slot, part = minute % DAY // SLOT, (minute % SLOT + 0.5) / SLOT - 0.5
        first, weight = (slot, part) if part >= 0 else (slot - 1, part + 1)

        def of(number: int) -> Floats:
            both = self.slots[:, number % SLOTS]
            found: Floats = np.where(kinds == 1, both[1], both[0])
            return found

        mean = np.float32(1 - weight) * of(first) + np.float32(weight) * of(first + 1)
        return mean, np.minimum(np.minimum(of(slot - 1), of(slot)), of(slot + 1))

    def _learn(self, minute: int, kind: int, calls: Floats, mean: Floats, calm: Flags) -> None:
        place = minute % LEVEL_MINUTES
        for into, ring in (
            (self.level_calls, self.ring_calls[place]),
            (self.level, self.ring_expected[place]),
        ):
            np.copyto(into, into * LEVEL + ring, where=calm & (mean > 0))
        self.ring_calls[place] = np.where(mean > 0, calls, 0)
        self.ring_expected[place] = mean
        self.slot_calls += calls
        self._counted += 1
        if minute % SLOT == SLOT - 1:
            slot = self.slots[kind, minute % DAY // SLOT]
            renewal = np.where(self.days[kind] < 1, np.float32(1), RENEWAL)
            mean = self.slot_calls / np.float32(self._counted)
            np.copyto(slot, slot + (mean - slot) * renewal, where=~self.ringing)
            self.slot_calls[:] = 0
            self._counted = 0
        if minute % DAY == DAY - 1:
            whole = (self.born >= 0) & (minute - self.born >= DAY - 1)
            self.days[kind] += whole
