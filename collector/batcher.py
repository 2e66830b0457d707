"""Batches → the store, or the spool while the store is slow or away.

What was submitted is acknowledged when it is kept: in the store, or on disk. Knows neither sockets
nor formats.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from msgspec import Struct

from collector.insert import StoreRejectedBatch, count_stored, put_batch, replay
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.queue import Ack, Batch, BatchQueue, Limits, QueueFull
from collector.spool import Spool, SpoolFull
from collector.submission import Submission
from store.errors import StoreError, StoreUnavailable
from store.model import Document
from store.protocol import ColumnarWriter, SegmentWriter

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 1.0
"""Seconds between two attempts to reach a store that is away."""
SPOOL_AGE = 0.25
"""Seconds a small batch waits for company on its way to the disk: a long outage with little traffic
must not leave a file, and later an insert, for each request."""
ROOM_PAUSE = 5.0
"""Seconds between two attempts to find room on a full disk."""


class IngestHealth(Struct, frozen=True):
    """How it stands with keeping what comes in; see `Batcher.health`."""

    store_away: bool
    spool_full: bool
    spool_bytes: int
    spool_limit: int
    queued: int
    """Documents in memory, not yet kept."""
    oldest: float
    """Age of the oldest document the store does not have, seconds."""

    @property
    def possible(self) -> bool:
        """Whether what comes in now can be kept, in the store or on disk."""
        return not (self.store_away and self.spool_full)

    def report(self) -> dict[str, Any]:
        """The same for /readyz, with what is wrong in words."""
        problems = []
        if self.store_away and self.spool_full:
            problems.append("the store is away and the spool is full: documents are turned away")
        elif self.store_away:
            problems.append("the store is away or slow: documents wait on disk")
        return {
            "ready": self.possible,
            "problems": problems,
            "store_away": self.store_away,
            "spool": {
                "full": self.spool_full,
                "bytes": self.spool_bytes,
                "limit": self.spool_limit,
            },
            "queued": self.queued,
            "oldest_s": round(self.oldest, 3),
        }


class Batcher:
    """Any thread may submit; `start` and `stop` frame its life."""

    def __init__(
        self, writer: SegmentWriter, spool: Spool, counters: IngestMetrics, limits: Limits
    ) -> None:
        self._writer = writer
        self._packer = writer if isinstance(writer, ColumnarWriter) else None
        self._spool = spool
        self._counters = counters
        self._limits = limits
        self._queue = BatchQueue(limits)
        self._putting: set[str] = set()
        self._spooling: set[str] = set()
        self._lock = threading.Lock()
        self._gathering = threading.Lock()
        self._away = threading.Event()
        self._away_since = 0.0
        self._stopped = threading.Event()
        self._seldom = LogLimiter(10.0)
        self._inserters = self._threads("insert", self._insert_loop, limits.insert_threads)
        self._others = [
            *self._threads("watch", self._watch_loop, 1),
            *self._threads("replay", self._replay_loop, 1),
        ]

    def submit(self, documents: Sequence[Document]) -> Ack:
        """Queue documents; the future tells when they are kept. Raises Full."""
        ack: Ack = Ack()
        if not documents:
            ack.set_result(())
        elif not self._queue.add(Submission(documents, self._packer), ack):
            self._counters.turned_away.labels("queue_full").inc(len(documents))
            raise QueueFull("the queue is full")
        return ack

    def offer(self, documents: Sequence[Document], wait: float = 0.0) -> bool:
        """Queue documents that nobody asks after; those for which there is no room within
        ``wait`` seconds are dropped and counted."""
        if not documents or self._queue.add(Submission(documents, self._packer), None, wait):
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
            self._to_spool([batch])
        while (rest := self._queue.take(due_only=False)) is not None:
            self._to_spool([rest])
        while self._queue.running() and time.monotonic() < deadline:
            time.sleep(0.01)  # another thread is just writing it to the disk
        self._stopped.set()
        _join(self._others, deadline)
        self._show()

    def health(self) -> IngestHealth:
        """How it stands."""
        queued, age = self._queue.state()
        spooled = self._spool.oldest()
        return IngestHealth(
            store_away=self._away.is_set(),
            spool_full=self._spool.full,
            spool_bytes=self._spool.size,
            spool_limit=self._spool.max_bytes,
            queued=queued,
            oldest=max(age, time.time() - spooled if spooled else 0.0),
        )

    def _threads(self, name: str, loop: Callable[[], None], count: int) -> list[threading.Thread]:
        return [
            threading.Thread(target=loop, name=f"{name}-{index}", daemon=True)
            for index in range(count)
        ]

    def _insert_loop(self) -> None:
        while (batch := self._queue.next_batch()) is not None:
            try:
                self._keep(batch)
            except Exception:  # a mistake of ours must not end the thread, nor lose the batch
                self._log_bug("insert_failed")
                self._to_spool([batch])

    def _keep(self, batch: Batch) -> None:
        """Put a batch into the store; into the spool while the store is away."""
        if self._away.is_set():
            with self._gathering:
                if not self._large([batch]):
                    self._stopped.wait(SPOOL_AGE)
                group = self._gather([batch])
            self._to_spool(group)
            return
        self._putting.add(batch.token)  # the replay leaves it alone until it is settled
        try:
            with self._counters.insert_seconds.time():
                refused = put_batch(self._writer, [c.bundle for c in batch.chunks], batch.token)
        except StoreUnavailable as error:
            self._mark_away(str(error))
            self._to_spool([batch])
        except StoreRejectedBatch as error:
            if (suppressed := self._seldom("refuses")) is not None:
                log.error("store_refuses", error=str(error), documents=batch.count, **suppressed)
            self._to_spool([batch])
        else:
            count_stored(self._counters, batch.count, len(refused))
            if not self._queue.complete(batch, tuple(refused)):
                self._spool.remove(batch.token)  # too slow: it went to the spool meanwhile
        finally:
            self._putting.discard(batch.token)

    def _gather(self, group: list[Batch]) -> list[Batch]:
        """Batches that are due, until they are as much as goes into one."""
        while not self._large(group) and (due := self._queue.take()) is not None:
            group.append(due)
        return group

    def _large(self, group: Sequence[Batch]) -> bool:
        """Whether it is more than half of a full batch: with another it may be too much."""
        documents, size = sum(b.count for b in group), sum(b.size for b in group)
        return documents * 2 > self._limits.batch_documents or size * 2 > self._limits.batch_bytes

    def _to_spool(self, group: Sequence[Batch]) -> None:
        """Keep batches on disk, as one; when even that has no room, their senders are told.

        More than one only when none of them has been put: they go on under the first one's token.
        """
        with self._lock:  # another thread may have done so, or be at it
            group = [b for b in group if not b.completed and b.token not in self._spooling]
            self._spooling.update(b.token for b in group)
        if not group:
            return
        try:
            raws = [raw for batch in group for c in batch.chunks for raw in c.bundle.raws]
            self._spool.write(raws, group[0].token)
        except SpoolFull as error:
            if (suppressed := self._seldom("spool_full")) is not None:
                log.error("spool_full", error=str(error), **suppressed)
            self._turn_away(group, f"the store is away and the spool is full: {error}")
        except Exception:
            self._log_bug("spool_failed")
            self._turn_away(group, "the store is away and the spool failed")
        else:
            if sum([self._queue.complete(batch, ()) for batch in group]):
                self._counters.batches.labels("spool").inc()
            else:
                self._spool.remove(group[0].token)  # the store has taken it after all
        finally:
            with self._lock:
                self._spooling.difference_update(b.token for b in group)

    def _turn_away(self, group: Sequence[Batch], why: str) -> None:
        for batch in group:
            if self._queue.complete(batch, QueueFull(why)):
                lost = sum(c.bundle.count for c in batch.chunks if c.ack is None)
                self._counters.dropped.labels("spool_full").inc(lost)
                self._counters.turned_away.labels("spool_full").inc(batch.count - lost)

    def _mark_away(self, why: str) -> None:
        with self._lock:
            if self._away.is_set():
                return
            self._away.set()
            self._away_since = time.monotonic()
        if (suppressed := self._seldom("away")) is not None:
            log.warning("store_away", why=why, **suppressed)

    def _mark_back(self) -> None:
        with self._lock:
            if not self._away.is_set():
                return
            self._away.clear()
            seconds = round(time.monotonic() - self._away_since, 1)
        if (suppressed := self._seldom("back")) is not None:
            log.info("store_back", seconds=seconds, spooled_bytes=self._spool.size, **suppressed)

    def _log_bug(self, event: str) -> None:
        if (suppressed := self._seldom(event)) is not None:
            log.exception(event, **suppressed)

    def _watch_loop(self) -> None:
        """Show the state, and spool what a slow store keeps waiting."""
        looked = time.monotonic()
        while not self._stopped.wait(0.25):
            try:
                self._show()
                self._spool_late()
                if self._spool.full and time.monotonic() - looked > ROOM_PAUSE:
                    self._spool.probe_free_space()
                    looked = time.monotonic()
            except Exception:
                self._log_bug("watch_failed")

    def _spool_late(self) -> None:
        limit = time.monotonic() - self._limits.slow_insert
        for batch in self._queue.running():
            if batch.started < limit:
                self._mark_away(f"an insert takes more than {self._limits.slow_insert:g} s")
                self._to_spool([batch])
        while self._stuck() and (group := self._gather([])):
            self._to_spool(group)

    def _stuck(self) -> bool:
        """Whether every insert thread is held up by a batch that has gone to the spool."""
        running = {batch.token for batch in self._queue.running()}
        return len(self._putting - running) >= self._limits.insert_threads

    def _show(self) -> None:
        now = self.health()
        self._counters.queued.set(now.queued)
        self._counters.spooled_bytes.set(now.spool_bytes)
        self._counters.oldest.set(now.oldest)
        self._counters.store_away.set(now.store_away)
        self._counters.no_room.set(not now.possible)

    def _replay_loop(self) -> None:
        pause = self._limits.replay_pause
        while not self._stopped.wait(pause):
            try:
                self._spool.adopt()
                caught_up = self._replay()
            except Exception:
                self._log_bug("replay_failed")
                caught_up = False
            pause = self._limits.replay_pause if caught_up else min(pause * 2, LONGEST_PAUSE)

    def _replay(self) -> bool:
        """Give the store what waits on disk, oldest first; False when not all of it went."""
        if self._away.is_set() and not self._store_answers():
            return False
        all_went = True
        for token in self._spool.waiting():
            if self._stopped.is_set():
                return False
            if token in self._putting:
                continue
            begun = time.monotonic()
            try:
                replay(self._writer, self._spool, self._counters, token)
            except StoreUnavailable as error:
                self._mark_away(str(error))
                return False
            except StoreRejectedBatch as error:  # the batches behind it are none the worse for it
                all_went = False
                if (suppressed := self._seldom("refuses")) is not None:
                    log.error("store_refuses", error=str(error), batch=token, **suppressed)
            except OSError as error:
                all_went = False
                if (suppressed := self._seldom("unreadable")) is not None:
                    log.error("spool_file_unreadable", error=str(error), batch=token, **suppressed)
                continue
            # Versions decide, not the order of arrival: new batches need not wait for the rest.
            self._mark_back()
            self._yield_to_ingest(time.monotonic() - begun)
        if not len(self._spool):
            self._mark_back()
        return all_went

    def _store_answers(self) -> bool:
        """A cheap question, before a batch is read and decoded in vain. Writers need not have it."""
        check: Callable[[], None] | None = getattr(self._writer, "check", None)
        try:
            if check is not None:
                check()
        except StoreUnavailable:
            return False
        except StoreError:
            pass  # it is there, whatever it says
        return True

    def _yield_to_ingest(self, took: float) -> None:
        """What comes in now goes first: replay half of the time while it queues up, less when
        the queue fills."""
        queued = self._queue.state()[0]
        if queued > self._limits.queue_documents // 2:
            self._stopped.wait(4 * took)
        elif queued >= self._limits.batch_documents:
            self._stopped.wait(took)


def _join(threads: list[threading.Thread], deadline: float) -> None:
    for thread in threads:
        if thread.is_alive():
            thread.join(max(0.0, deadline - time.monotonic()))
