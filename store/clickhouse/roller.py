"""Keeps the rollups up to date: a thread that counts what is due, and readers that may not wait.

Several processes may each have a roller. They need no lock: a count is harmless when repeated, and
whoever sees that another has just counted leaves it at that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from store.clickhouse import rollup
from store.clickhouse.partners import Ask

log = structlog.get_logger(__name__)

TICK = 1.0
"""Seconds from one count to the next, while counting takes less."""
LONGEST_PAUSE = 5.0
"""So many seconds at most go by between two counts: with counts as long, a row is on the map within 15."""
GUARD = 1_000_000
"""Microseconds for which a minute is counted once more: an insert says so before it can be seen."""
SMALL = 5_000
"""Rows that a reader counts itself at once, rather than show a map without them."""
BEHIND = 20.0
"""Seconds without a count while one is due: nobody counts, so the reader does."""
ROUNDS = 8
"""A count may make other minutes due; after so many rounds that is left to the next one."""


class Roller:
    """Counting for one process; threads may share it. ``alone``: no thread counts, so readers do."""

    def __init__(self, *, alone: bool = True) -> None:
        self.alone = alone
        self._counting = threading.Lock()
        self._counted = 0.0

    def freshen(self, ask: Ask) -> None:
        """For a reader: count what is due, unless it is much and somebody else is at it."""
        waiting = rollup.due(ask)
        if not waiting or not self._must(ask, waiting):
            return
        with self._counting:
            self._until_done(ask)

    def tick(self, ask: Ask) -> int:
        """Count all that is due; the number of minutes counted."""
        with self._counting:
            count = self._until_done(ask, guard=GUARD)
            self._counted = time.monotonic()
        rollup.widen(ask)
        return count

    def run(self, with_ask: Callable[[Callable[[Ask], int]], int], stop: threading.Event) -> None:
        """Tick until stopped. ``with_ask`` lends a connection; its errors are logged and survived."""
        failing = False
        while not stop.is_set():
            begun = time.monotonic()
            try:
                with_ask(self.tick)
                failing = False
            except Exception as error:
                if not failing:
                    log.warning("rollup_failed", error=str(error))
                failing = True
            took = time.monotonic() - begun
            stop.wait(LONGEST_PAUSE if failing else max(TICK - took, min(took, LONGEST_PAUSE)))

    def _must(self, ask: Ask, waiting: list[rollup.Due]) -> bool:
        if self.alone or sum(minute.rows for minute in waiting) <= SMALL:
            return True
        return time.monotonic() - self._counted > BEHIND

    def _until_done(self, ask: Ask, *, guard: int = 0) -> int:
        count = 0
        for _ in range(ROUNDS):
            minutes = rollup.due(ask, guard=guard)
            if not minutes:
                break
            for part in rollup.chunks(minutes):
                rollup.roll(ask, part)
                count += len(part)
            guard = 0
        return count
