"""Batches → the store, or the spool while the store is slow or away.

What was submitted is acknowledged when it is kept: in the store, or on disk. Knows neither sockets
nor formats.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from collector.counters import Counters
from collector.insert import StoreRefuses, count_stored, insert, replay
from collector.queue import Batch, BatchQueue, Full, Kept, Limits
from collector.spool import Spool, SpoolFull, token_of
from store.interface import SegmentWriter, StoreAway
from store.model import Document

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 10.0
"""Seconds between two attempts to reach a store that is away."""


class Batcher:
    """Any thread may submit; `start` and `stop` frame its life."""

    def __init__(
        self, writer: SegmentWriter, spool: Spool, counters: Counters, limits: Limits
    ) -> None:
        self._writer = writer
        self._spool = spool
        self._counters = counters
        self._limits = limits
        self._queue = BatchQueue(limits)
        self._putting: set[str] = set()
        self._away = threading.Event()
        self._stopped = threading.Event()
        self._inserters = self._threads("insert", self._insert_loop, limits.insert_threads)
        self._others = [
            *self._threads("watch", self._watch_loop, 1),
            *self._threads("replay", self._replay_loop, 1),
        ]

    def submit(self, documents: Sequence[Document]) -> Kept:
        """Queue documents; the future tells when they are kept. Raises Full."""
        kept: Kept = Kept()
        if not documents:
            kept.set_result(())
        elif not self._queue.add(documents, kept):
            raise Full("the queue is full")
        return kept

    def offer(self, documents: Sequence[Document]) -> bool:
        """Queue documents of a sender who cannot wait; when full they are dropped and counted."""
        if not documents or self._queue.add(documents, None):
            return True
        self._counters.dropped.labels("queue_full").inc(len(documents))
        return False

    def start(self) -> None:
        """Begin to insert, and to replay what an earlier life left in the spool."""
        for thread in [*self._inserters, *self._others]:
            thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Refuse what comes, keep what is there, and end.

        What the store has not taken when half of the time is over goes to the spool.
        """
        deadline = time.monotonic() + timeout
        self._queue.close()
        _join(self._inserters, deadline - timeout / 2)
        for batch in self._queue.running():
            self._to_spool(batch)
        while (rest := self._queue.take(due_only=False)) is not None:
            self._to_spool(rest)
        self._stopped.set()
        _join(self._others, deadline)
        self._show()

    def _threads(self, name: str, loop: Callable[[], None], count: int) -> list[threading.Thread]:
        return [
            threading.Thread(target=loop, name=f"{name}-{index}", daemon=True)
            for index in range(count)
        ]

    def _insert_loop(self) -> None:
        while (batch := self._queue.next_batch()) is not None:
            self._keep(batch)

    def _keep(self, batch: Batch) -> None:
        """Put a batch into the store; into the spool while the store is away."""
        if self._away.is_set():
            self._to_spool(batch)
            return
        self._putting.add(batch.token)
        try:
            with self._counters.insert_seconds.time():
                refused = insert(self._writer, batch.documents, batch.token)
        except StoreAway as error:
            log.warning("store_away", error=str(error))
            self._away.set()
            self._to_spool(batch)
            return
        except StoreRefuses as error:
            log.error("store_refuses", error=str(error), documents=len(batch.documents))
            self._to_spool(batch)
            return
        finally:
            self._putting.discard(batch.token)
        count_stored(self._counters, len(batch.documents), len(refused))
        if not self._queue.settle(batch, tuple(refused)):
            self._spool.remove(batch.token)  # too slow: it went to the spool meanwhile

    def _to_spool(self, batch: Batch) -> None:
        """Keep a batch on disk; when even that has no room, its senders are told."""
        try:
            self._spool.write(batch.documents, batch.token)
        except SpoolFull as error:
            full = Full(f"the store is away and the spool is full: {error}")
            if self._queue.settle(batch, full):
                lost = sum(len(c.documents) for c in batch.chunks if c.kept is None)
                self._counters.dropped.labels("spool_full").inc(lost)
            return
        if self._queue.settle(batch, ()):
            self._counters.batches.labels("spool").inc()
        else:
            self._spool.remove(batch.token)  # the store has it after all

    def _watch_loop(self) -> None:
        """Show the queue's state, and spool what a slow store keeps waiting."""
        while not self._stopped.wait(0.25):
            self._show()
            limit = time.monotonic() - self._limits.slow_insert
            late = [batch for batch in self._queue.running() if batch.started < limit]
            for batch in late:
                log.warning("insert_slow", documents=len(batch.documents))
                self._away.set()
                self._to_spool(batch)
            while self._stuck() and (due := self._queue.take()) is not None:
                self._to_spool(due)

    def _stuck(self) -> bool:
        """Whether every insert thread is held up by a batch that has gone to the spool."""
        running = {batch.token for batch in self._queue.running()}
        return len(self._putting - running) >= self._limits.insert_threads

    def _show(self) -> None:
        held, age = self._queue.state()
        spooled = self._spool.oldest()
        self._counters.queued.set(held)
        self._counters.spooled_bytes.set(self._spool.size)
        self._counters.oldest.set(max(age, time.time() - spooled if spooled else 0.0))

    def _replay_loop(self) -> None:
        pause = self._limits.replay_pause
        while not self._stopped.wait(pause):
            try:
                self._spool.adopt()
                caught_up = self._replay()
            except OSError as error:
                log.error("spool_unreadable", error=str(error))
                caught_up = False
            pause = self._limits.replay_pause if caught_up else min(pause * 2, LONGEST_PAUSE)

    def _replay(self) -> bool:
        """Give the store what waits on disk, oldest first; False when not all of it went."""
        all_went = True
        for name in self._spool.waiting():
            if self._stopped.is_set():
                return False
            if token_of(name) in self._putting:
                continue
            try:
                replay(self._writer, self._spool, self._counters, name)
            except StoreAway:
                self._away.set()
                return False
            except StoreRefuses as error:  # the batches behind it are none the worse for it
                log.error("store_refuses", error=str(error), file=name)
                all_went = False
            # Versions decide, not the order of arrival: new batches need not wait for the rest.
            self._away.clear()
        if not len(self._spool):
            self._away.clear()
        return all_went


def _join(threads: list[threading.Thread], deadline: float) -> None:
    for thread in threads:
        if thread.is_alive():
            thread.join(max(0.0, deadline - time.monotonic()))
