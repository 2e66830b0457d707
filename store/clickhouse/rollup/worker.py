"""Keeps the rollups up to date: a thread that aggregates dirty buckets, and readers that wait for it.

Every process may run a worker. On one server they need no lock: aggregating a bucket twice is harmless, and a worker
skips a round when another has just aggregated the same buckets. Between replicas one counts (`Turn`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from store.clickhouse.connection.errors import is_transient
from store.clickhouse.connection.query_runner import RunQuery, cells_of
from store.clickhouse.rollup import aggregate, compaction, dirty
from store.clickhouse.rollup.backlog import Due, due_of, read_due
from store.clickhouse.rollup.buckets import now
from store.clickhouse.rollup.epochs import LinksOfEpochs
from store.clickhouse.rollup.lag import RollupLag
from store.clickhouse.rollup.turn import MayNotCount, Turn
from store.metrics import ROUND_SECONDS
from store.times import SECOND

log = structlog.get_logger(__name__)

TICK = 1.0
"""Seconds from the start of one round to the next, when rounds take less."""
REST = 8.0
"""The pause after a round in multiples of its duration: a round has a fixed cost, and while the newest bucket fills
each counts it anew."""
LONGEST_PAUSE = 3.0
"""The longest pause in seconds while there are readers: maps are some five seconds old at most."""
LIVE = 10.0
"""Seconds by which a window ended that is read as it is now."""
UNWATCHED = 60.0
"""Seconds after the last reader of the present from which rounds run only every UNWATCHED_PAUSE, to save CPU while
the map is not read. The next reader starts a round at once."""
UNWATCHED_PAUSE = 5.0
WIDEN_EVERY, WIDEN_RARELY = 30.0, 600.0
"""Seconds between two runs of downsampling; the second once all that was counted here has been downsampled."""
HAND_OVER = 10.0
"""Seconds for which a process that may not count is silent: another that may takes over within them."""
GUARD = 1_000_000
"""Microseconds after an arrival for which a bucket stays dirty: `dirty` is written before the rows are visible."""
SMALL = 5_000
"""A reader waits when at most so many rows are not aggregated yet."""
STEADY = 5
"""Consecutive rounds that found dirty buckets after which readers no longer wait: rows arrive all the time and
the rollups are never more than a few seconds old."""
PATIENCE = 1.5
"""Seconds a reader waits: for the running round to end, and for the next one."""
ROUND = 4.0
"""Seconds after which a round begins no further chunk, so that the newest bucket is next again. At least one
other chunk is aggregated in every round."""
ROUNDS = 8
"""Aggregating may make other buckets dirty; after so many repetitions those are left to the next round, after one
while the map is not read."""


class RollupWorker:
    """Aggregation of dirty buckets in one process; may be shared by threads.

    ``alone``: no thread executes `run`, so readers aggregate dirty buckets themselves. ``turn``: where the database
    has replicas.
    """

    def __init__(self, turn: Turn | None = None) -> None:
        self.alone = True
        self.turn = turn
        self.lag = RollupLag()
        self._counting = threading.Lock()
        self._changed = threading.Condition()
        self._begun = self._done = 0
        """Numbers of the last tick that was begun and of the last one that is done."""
        self._wanted = False
        self._busy = 0
        """Consecutive rounds that found dirty buckets."""
        self._left = False
        """Whether the last round left work to the next."""
        self._links = LinksOfEpochs()
        self._incomplete: set[int] = set()
        """Buckets that were counted without rows of a replica that is gone."""
        self._read = self._widened = -UNWATCHED
        """When the last reader came, and when minutes were last downsampled (monotonic seconds)."""
        self._counted = time.monotonic()
        """When a bucket was last counted, or a minute downsampled, here; at first perhaps by a process before."""

    def wait_until_fresh(self, run_query: RunQuery, due: Due, *, live: bool = True) -> bool:
        """Wait until dirty buckets are aggregated, unless there are many rows or the worker is busy all the time.

        Returns whether rollups may have changed since ``due`` was read. ``live``: whether what is read ends by now;
        of what has settled, as alarms read it all the time, rounds need not be frequent.
        """
        watched = self.watched
        if live:
            self._read = time.monotonic()
        self.lag.note(due.backlog, counting=False)
        if not due.buckets:
            return False
        if self.alone:
            return self._count_alone(run_query)
        if self.turn and not self.turn.mine:
            return False  # the process that counts is not this one
        if due.backlog is None:
            return False  # nothing is known to have changed
        small = due.rows <= SMALL
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
    def watched(self) -> bool:
        """Whether there was a reader within the last UNWATCHED seconds."""
        return time.monotonic() - self._read < UNWATCHED

    def tick(self, run_query: RunQuery) -> int:
        """Aggregate all dirty buckets; returns their number."""
        if self.turn:
            if not self.turn.take(run_query):
                self.lag.note_others()
                if self.watched:
                    self.turn.notify_of_readers(run_query)
                return 0
            if self.turn.has_notice_of_readers(run_query):
                self._read = time.monotonic()
            run_query = self.turn.while_mine(run_query)
            self._compare_again(run_query, self.turn)
        self._links.notify(run_query)
        waiting = self._next(run_query, guard=GUARD)
        newest = max((each.looked for each in waiting), default=0)
        may_skip = self.turn is None and not self._wanted
        if may_skip and newest and now(run_query) - newest < TICK * 800_000:
            return 0  # another process has just aggregated these
        many = len(waiting) > dirty.FIRST_BUCKETS
        rounds = 2 if self._wanted or self.watched or many else 1
        with self._changed:
            self._begun += 1
            number = self._begun
            self._wanted = False
        with self._counting:
            count = self._drain(run_query, rounds, waiting)
        with self._changed:
            self._done = number
            self._busy = self._busy + 1 if count else 0
            self._changed.notify_all()
        self._widen(run_query, counted=bool(count))
        return count

    def _widen(self, run_query: RunQuery, *, counted: bool) -> None:
        """Downsample now and then; rarely once all that was counted here has been."""
        now = time.monotonic()
        self._counted = now if counted else self._counted
        unsettled = now - self._counted < compaction.QUIET / SECOND + 2 * WIDEN_EVERY
        if now - self._widened > (WIDEN_EVERY if unsettled else WIDEN_RARELY):
            if self.turn is None or self.turn.has_all_minutes(run_query):
                self._counted = now if compaction.downsample(run_query) else self._counted
            self._widened = time.monotonic()

    def run(self, tick: Callable[[], object], stop: threading.Event) -> None:
        """Call ``tick``, which calls `RollupWorker.tick` on a connection, until stopped; errors are logged."""
        self.alone = warned = False
        failing_since = None
        while not stop.is_set():
            begun = time.monotonic()
            try:
                tick()
                failing_since, warned = None, False
            except Exception as error:
                failing_since = begun if failing_since is None else failing_since
                another_may = isinstance(error, MayNotCount)
                if not warned and (not another_may or begun - failing_since > HAND_OVER):
                    log.warning("rollup_failed", error=str(error))
                    warned = True
                self.lag.note_failure(error)
                stop.wait(TICK if another_may else UNWATCHED_PAUSE)
                continue
            took = time.monotonic() - begun
            pause = UNWATCHED_PAUSE
            if self._left:
                pause = TICK
            elif self.watched:
                pause = min(max(TICK - took, REST * took), LONGEST_PAUSE)
            until = time.monotonic() + pause
            with self._changed:  # a waiting reader ends the pause
                while not self._wanted and not stop.is_set() and time.monotonic() < until:
                    self._changed.wait(0.2)

    def _count_alone(self, run_query: RunQuery) -> bool:
        with self._counting:
            try:
                if self.turn:
                    if not self.turn.take(run_query):
                        return False
                    run_query = self.turn.while_mine(run_query)
                self._drain(run_query, ROUNDS, self._next(run_query))
            except Exception as error:
                if not self.turn or not (isinstance(error, MayNotCount) or is_transient(error)):
                    raise
                self.lag.note_failure(error)  # what has been counted can be read
            finally:
                if self.turn:
                    self.turn.release()  # the next to count may be another process
        return True

    def _compare_again(self, run_query: RunQuery, turn: Turn) -> None:
        """Once the rows of a replica that was gone are here, have what was counted without them counted again.

        The marks of these rows come with them, and are older than these counts. Another process compares these buckets
        within a minute.
        """
        if self._incomplete and not turn.lacks_rows(run_query):
            dirty.mark_changed(run_query, self._incomplete, now(run_query))
            self._incomplete.clear()

    def _next(self, run_query: RunQuery, *, guard: int = 0) -> list[dirty.DirtyBucket]:
        """The dirty buckets whose turn it is; how many wait in all is noted."""
        few = dirty.few_dirty(run_query, guard=guard)
        self.lag.note((due_of(few) if few is not None else read_due(run_query)[0]).backlog)
        return dirty.next_buckets(run_query, guard=guard) if few is None else few

    def _drain(self, run_query: RunQuery, rounds: int, waiting: list[dirty.DirtyBucket]) -> int:
        """Aggregate dirty buckets. Under high load a round ends early: readers wait for the newest bucket."""
        count = 0
        self._left = False
        for number in range(rounds):
            buckets = self._next(run_query) if number else waiting
            if not self.alone:
                buckets = [each for each in buckets if not each.is_filling(self.watched)]
            if not buckets:
                break
            with ROUND_SECONDS.time():
                count += self._round(run_query, buckets)
            if self._left:
                break
        return count

    def _round(self, run_query: RunQuery, buckets: list[dirty.DirtyBucket]) -> int:
        begun, count = time.monotonic(), 0
        whole = self.turn is None or self.turn.wait_for_rows(run_query)
        cells = cells_of(run_query)
        for place, part in enumerate(dirty.schedule(buckets)):
            if place > 1 and time.monotonic() - begun > ROUND and not self.alone:
                self._left = True
                break
            failures = cells.failures if cells else 0
            aggregate.recount(run_query, part, complete=whole)
            if cells and cells.failures != failures:  # rows of an unavailable cell are missing
                dirty.mark(run_query, {}, [each.bucket for each in part], now(run_query))
            if not whole:  # rows of a replica that is gone come with it
                buckets_of_part = [each.bucket for each in part]
                self._incomplete.update(buckets_of_part)
                dirty.mark(run_query, {}, buckets_of_part, now(run_query))
            count += len(part)
        return count
