"""Counters of edges that never fall: every settled minute is added once, and what comes late as well.

A minute has settled two minutes after its end. It is read again 5, 15 and 60 minutes after its end, and
what any figure has grown by is added: a counter is the sum over minutes of the greatest figure that the
minute has had. What shrinks, as when a call turns out to lead elsewhere, is not subtracted.

Counters start with the process, at zero (Prometheus notices by the fall, and by ``_created``), with the
first minute that settles after that. Minutes that settled while no process ran are in none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from raymap.contrib.openmetrics.numbers import (
    ZERO,
    Edges,
    Numbers,
    Pair,
    edges_of,
    greatest,
    less,
    plus,
)
from store.graph import ServiceGraph
from store.model import TimeRange
from store.times import MINUTE

SETTLE = 2 * MINUTE
AGES = (5 * MINUTE, 15 * MINUTE, 60 * MINUTE)
"""When a minute is read again, after its end."""
MOST_PAIRS = 1000
"""Pairs with counters of their own; others are counted together as `OTHERS`, and remain there."""
OTHERS = Pair("(other services)", "(other services)", "")
ReadGraph = Callable[[TimeRange], ServiceGraph]


class Totals:
    """Counters of all edges; thread-safe."""

    def __init__(self, read: ReadGraph, started: int) -> None:
        """``started`` and all other times in microseconds since the epoch."""
        self.started = started
        self._read = read
        self._lock = threading.Lock()
        self._next = settled_before(started)
        """The first minute that has not been added."""
        self._recent: dict[int, tuple[int, Edges]] = {}
        """Minutes that are read again: how often they were, and the greatest figures so far."""
        self._sums = Edges({}, {}, {})

    def update(self, now: int) -> Edges:
        """Add what has settled by now; the counters. What the store raises leaves them as they were
        after the last whole minute."""
        with self._lock:
            self._add_settled(settled_before(now), now)
            for minute, (times, known) in list(self._recent.items()):
                due = sum((minute + 1) * MINUTE + age <= now for age in AGES)
                if due > times:
                    self._add(minute, 1, due, known)
            return Edges(*(dict(sums) for sums in self._sums))

    def _add_settled(self, end: int, now: int) -> None:
        """Old minutes, which are not read again, in one step."""
        old = min(end, (now - AGES[-1]) // MINUTE)
        if self._next < old:
            self._add(self._next, old - self._next, len(AGES), Edges({}, {}, {}))
            self._next = old
        while self._next < end:
            self._add(self._next, 1, 0, Edges({}, {}, {}))
            self._next += 1

    def _add(self, minute: int, count: int, times: int, known: Edges) -> None:
        """Read minutes, and add by what their figures exceed the known ones."""
        window = TimeRange(minute * MINUTE, (minute + count) * MINUTE)
        found = edges_of(self._read(window))
        grown = Edges(*(self._grow(*each) for each in zip(self._sums, known, found, strict=True)))
        if times < len(AGES):
            self._recent[minute] = times, grown
        else:
            self._recent.pop(minute, None)

    def _grow(
        self,
        sums: dict[Pair, Numbers],
        known: Mapping[Pair, Numbers],
        found: Mapping[Pair, Numbers],
    ) -> dict[Pair, Numbers]:
        """The greatest figures of a minute, whose growth is added to the sums."""
        folded: dict[Pair, Numbers] = {}
        for pair in sorted(found):
            own = pair if pair in sums or len(sums) < MOST_PAIRS else OTHERS
            sums.setdefault(own, ZERO)
            folded[own] = plus(folded.get(own, ZERO), found[pair])
        grown = dict(known)
        for pair, numbers in folded.items():
            before = known.get(pair, ZERO)
            grown[pair] = greatest(before, numbers)
            sums[pair] = plus(sums[pair], less(grown[pair], before))
        return grown


def settled_before(now: int) -> int:
    """The first minute that has not settled."""
    return (now - SETTLE) // MINUTE
