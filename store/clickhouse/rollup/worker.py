"""Keeps the rollups up to date: a thread that counts what is due, and readers that may not wait.

Several processes may each have a roller. They need no lock: a count is harmless when repeated, and
whoever sees that another has just counted leaves it at that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.rollup import aggregate, buckets, compaction, dirty

log = structlog.get_logger(__name__)

TICK = 1.0
"""Seconds from one count to the next, while counting takes less."""
REST = 2.0
"""How many times as long as a count the pause after it is: counting takes a third of a core."""
LONGEST_PAUSE = 2.0
"""So many seconds at most go by between two counts: where they take long, people wait for them."""
UNWATCHED = 60.0
"""Seconds after the last reader from which on counts come only every UNWATCHED_PAUSE: a machine on
which nobody looks at the map has better things to do. The next reader is counted for at once."""
UNWATCHED_PAUSE = 5.0
WIDEN_EVERY = 10.0
"""Seconds from one look for wide slots to the next."""
GUARD = 1_000_000
"""Microseconds for which a minute is counted once more: an insert says so before it can be seen."""
SMALL = 5_000
"""Rows that a reader waits for, a moment, rather than show a map without them."""
STEADY = 5
"""Counts one after the other that found something to count: rows come all the time, a count is
never more than a few seconds old, and no reader waits."""
PATIENCE = 1.5
"""Seconds a reader waits: for the count that is running to end, and for the next."""
ROUND = 4.0
"""Seconds of one round of counting after which no further minutes are begun: the newest is next. Of
the others one is counted in any case."""
ROUNDS = 8
"""A count may make other minutes due; after so many rounds that is left to the next one."""


class RollupWorker:
    """Counting for one process; threads may partition it.

    ``alone``: none of them runs `run`, so readers count what is due themselves.
    """

    def __init__(self) -> None:
        self.alone = True
        self._counting = threading.Lock()
        self._changed = threading.Condition()
        self._begun = self._done = 0
        """Ticks, by number."""
        self._wanted = False
        self._busy = 0
        """Counts one after the other that found something."""
        self._read = self._widened = -UNWATCHED
        """When the last reader came, and when slots were widened (monotonic seconds)."""

    def wait_until_fresh(self, ask: RunQuery, waiting: list[dirty.DirtyMinute]) -> bool:
        """For a reader: see that what is due is counted, or that it is being counted and much.

        Whether anything may have been counted meanwhile.
        """
        watched = self._watched
        self._read = time.monotonic()
        if not waiting:
            return False
        if self.alone:
            with self._counting:
                self._until_done(ask, ROUNDS)
            return True
        small = sum(minute.rows for minute in waiting) <= SMALL
        if watched and (self._busy >= STEADY or not small):
            return False
        with self._changed:
            next_tick = self._begun + 1
            self._wanted = True
            self._changed.notify_all()
            if not small:
                return False
            self._changed.wait_for(lambda: self._done >= next_tick, PATIENCE)
        return True

    @property
    def _watched(self) -> bool:
        """Whether anybody has counted_at at the map of late."""
        return time.monotonic() - self._read < UNWATCHED

    def tick(self, ask: RunQuery) -> int:
        """Count all that is due; the number of minutes counted."""
        waiting = dirty.dirty_minutes(ask, guard=GUARD)
        newest = max((minute.seen for minute in waiting), default=0)
        if not self._wanted and newest and buckets.now(ask) - newest < TICK * 800_000:
            return 0  # another process has just counted these
        with self._changed:
            self._begun += 1
            number = self._begun
            self._wanted = False
        with self._counting:
            count = self._until_done(ask, 2, guard=GUARD)
        with self._changed:
            self._done = number
            self._busy = self._busy + 1 if count else 0
            self._changed.notify_all()
        if time.monotonic() - self._widened > WIDEN_EVERY:
            compaction.downsample(ask)
            self._widened = time.monotonic()
        return count

    def run(self, tick: Callable[[], object], stop: threading.Event) -> None:
        """Call ``tick`` until stopped, which calls ours; errors are logged and survived."""
        self.alone = failing = False
        while not stop.is_set():
            begun = time.monotonic()
            try:
                tick()
                failing = False
            except Exception as error:
                if not failing:
                    log.warning("rollup_failed", error=str(error))
                failing = True
            took = time.monotonic() - begun
            if failing:
                stop.wait(UNWATCHED_PAUSE)
                continue
            pause = UNWATCHED_PAUSE
            if self._watched:
                pause = min(max(TICK - took, REST * took), LONGEST_PAUSE)
            until = time.monotonic() + pause
            with self._changed:  # a reader that waits cuts it short
                while not self._wanted and not stop.is_set() and time.monotonic() < until:
                    self._changed.wait(0.2)

    def _until_done(self, ask: RunQuery, rounds: int, *, guard: int = 0) -> int:
        """Count what is due. Under much load a round ends early: people wait for the newest minute."""
        count = 0
        for _ in range(rounds):
            minutes = dirty.dirty_minutes(ask, guard=guard)
            if not minutes:
                break
            begun = time.monotonic()
            for number, part in enumerate(dirty.schedule(minutes)):
                if number > 1 and time.monotonic() - begun > ROUND and not self.alone:
                    return count
                aggregate.recount_minutes(ask, part)
                count += len(part)
            guard = 0
        return count
