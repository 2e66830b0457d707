"""Batches → the store, or the spool while the store is unavailable or slow.

A submission is acknowledged once it is durable: in the store, or on disk. No sockets, no formats.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog

from collector.health import IngestHealth, StoreAvailability
from collector.insert import StoreRejectedBatch, count_stored, insert_batch
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.queue import Ack, Batch, BatchQueue, Limits, QueueFull
from collector.replay import Replayer
from collector.spool import Spool, SpoolFull
from collector.submission import Submission
from store.errors import StoreUnavailable
from store.model import Document
from store.protocol import ColumnarWriter, SegmentWriter

log = structlog.get_logger(__name__)

SPOOL_LINGER = 0.25
"""Seconds a small batch lingers on its way to the disk: a long outage with little traffic must not
leave one file, and later one insert, for each request."""
SPACE_PROBE_INTERVAL = 5.0
"""Seconds between two probes for free space on a full disk."""
WATCH_INTERVAL = 0.25
"""Seconds between two checks for slow inserts."""


class Batcher:
    """Takes submissions from any thread between `start` and `stop`."""

    def __init__(
        self, writer: SegmentWriter, spool: Spool, metrics: IngestMetrics, limits: Limits
    ) -> None:
        self._writer = writer
        self._columnar = writer if isinstance(writer, ColumnarWriter) else None
        self._spool = spool
        self._metrics = metrics
        self._limits = limits
        self._queue = BatchQueue(limits)
        self._inserting: set[str] = set()
        """Tokens of batches in an insert thread; the replay leaves them alone."""
        self._spooling: set[str] = set()
        self._lock = threading.Lock()
        self._gathering = threading.Lock()
        self._store = StoreAvailability()
        self._stopped = threading.Event()
        self._limiter = LogLimiter(log, 10.0)
        self._replayer = Replayer(
            writer, spool, metrics, limits, self._store, self._queue, self._inserting, self._stopped
        )
        self._inserters = [
            threading.Thread(target=self._insert_loop, name=f"insert-{index}", daemon=True)
            for index in range(limits.insert_threads)
        ]
        self._others = [
            threading.Thread(target=self._watch_loop, name="watch", daemon=True),
            threading.Thread(target=self._replayer.run, name="replay", daemon=True),
        ]

    def submit(self, documents: Sequence[Document]) -> Ack:
        """Queue documents; the future completes when they are durable. Raises QueueFull."""
        ack: Ack = Ack()
        if not documents:
            ack.set_result(())
        elif not self._queue.add(Submission(documents, self._columnar), ack):
            self._metrics.deferred.labels("queue_full").inc(len(documents))
            raise QueueFull("the queue is full")
        return ack

    def offer(self, documents: Sequence[Document], wait: float = 0.0) -> bool:
        """Queue documents without an acknowledgement. False when the queue had no room within
        ``wait`` seconds: they are dropped and counted."""
        if not documents or self._queue.add(Submission(documents, self._columnar), None, wait):
            return True
        self._metrics.dropped.labels("queue_full").inc(len(documents))
        return False

    def start(self) -> None:
        """Start inserting, and replaying what an earlier process left in the spool."""
        for thread in [*self._inserters, *self._others]:
            thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Close the queue, drain it and end.

        What the store has not accepted after half of ``timeout`` seconds goes to the spool.
        """
        deadline = time.monotonic() + timeout
        self._queue.close()
        _join(self._inserters, deadline - timeout / 2)
        for batch in self._queue.running():
            self._to_spool([batch])
        while (rest := self._queue.take(due_only=False)) is not None:
            self._to_spool([rest])
        while self._queue.running() and time.monotonic() < deadline:
            time.sleep(0.01)  # another thread is writing it to the disk right now
        self._stopped.set()
        _join(self._others, deadline)
        self._update_gauges()

    def health(self) -> IngestHealth:
        """The current state."""
        queued, age = self._queue.state()
        spooled = self._spool.oldest()
        return IngestHealth(
            store_available=self._store.available,
            spool_full=self._spool.full,
            spool_bytes=self._spool.size,
            spool_limit=self._spool.max_bytes,
            queued=queued,
            oldest=max(age, time.time() - spooled if spooled else 0.0),
            spool_folder=str(self._spool.root),
            schema_problem=self._store.schema_problem,
            disk_error=self._spool.disk_error,
            corrupt_files=self._spool.corrupt_files,
        )

    def _insert_loop(self) -> None:
        while (batch := self._queue.next_batch()) is not None:
            try:
                self._write(batch)
            except Exception:  # a bug must neither end the thread nor lose the batch
                self._limiter.exception("insert_failed")
                self._to_spool([batch])

    def _write(self, batch: Batch) -> None:
        """Write a batch to the store, or to the spool while the store is unavailable."""
        if self._store.available:
            self._insert(batch)
            return
        with self._gathering:
            if not self._is_large([batch]):
                self._stopped.wait(SPOOL_LINGER)
            group = self._gather([batch])
        self._to_spool(group)

    def _insert(self, batch: Batch) -> None:
        self._inserting.add(batch.token)
        try:
            with self._metrics.insert_seconds.time():
                refused = insert_batch(
                    self._writer, [chunk.submission for chunk in batch.chunks], batch.token
                )
        except StoreUnavailable as error:
            self._store.mark_unavailable(error)
            self._to_spool([batch])
        except StoreRejectedBatch as error:
            self._limiter.error("store_rejects", error=str(error), documents=batch.count)
            self._to_spool([batch])
        else:
            count_stored(self._metrics, batch.count, len(refused))
            if not self._queue.complete(batch, tuple(refused)):
                self._spool.remove(batch.token)  # too slow: it has gone to the spool meanwhile
        finally:
            self._inserting.discard(batch.token)

    def _gather(self, group: list[Batch]) -> list[Batch]:
        """Add due batches until the group is as large as one file should be."""
        while not self._is_large(group) and (due := self._queue.take()) is not None:
            group.append(due)
        return group

    def _is_large(self, group: Sequence[Batch]) -> bool:
        """Whether the group exceeds half of a batch: with one more it might exceed a whole one."""
        documents, size = sum(b.count for b in group), sum(b.size for b in group)
        return documents * 2 > self._limits.batch_documents or size * 2 > self._limits.batch_bytes

    def _to_spool(self, group: Sequence[Batch]) -> None:
        """Write batches to disk as one file and acknowledge them; without room, defer them.

        The file has the first batch's token. A group of several contains no batch whose insert was
        attempted: its token would then stand for other documents.
        """
        with self._lock:  # another thread may have spooled them, or be doing so
            group = [b for b in group if not b.completed and b.token not in self._spooling]
            self._spooling.update(b.token for b in group)
        if not group:
            return
        try:
            raws = [raw for batch in group for c in batch.chunks for raw in c.submission.raws]
            self._spool.write(raws, group[0].token)
        except SpoolFull as error:
            self._limiter.error("spool_full", error=str(error))
            self._defer(group, f"the store is unavailable and the spool is full: {error}")
        except Exception:
            self._limiter.exception("spool_failed")
            self._defer(group, "the store is unavailable and the spool failed")
        else:
            if sum([self._queue.complete(batch, ()) for batch in group]):
                self._metrics.batches.labels("spool").inc()
            else:
                self._spool.remove(group[0].token)  # the insert has succeeded after all
        finally:
            with self._lock:
                self._spooling.difference_update(b.token for b in group)

    def _defer(self, group: Sequence[Batch], reason: str) -> None:
        """Fail acknowledgements with QueueFull; documents without one are lost and counted."""
        for batch in group:
            if self._queue.complete(batch, QueueFull(reason)):
                lost = sum(c.submission.count for c in batch.chunks if c.ack is None)
                self._metrics.dropped.labels("spool_full").inc(lost)
                self._metrics.deferred.labels("spool_full").inc(batch.count - lost)

    def _watch_loop(self) -> None:
        """Update gauges, spool what a slow store keeps waiting, probe a full disk."""
        probed = time.monotonic()
        while not self._stopped.wait(WATCH_INTERVAL):
            try:
                self._update_gauges()
                self._spool_late()
                if self._spool.full and time.monotonic() - probed > SPACE_PROBE_INTERVAL:
                    self._spool.probe_free_space()
                    probed = time.monotonic()
            except Exception:
                self._limiter.exception("watch_failed")

    def _spool_late(self) -> None:
        limit = time.monotonic() - self._limits.slow_insert
        for batch in self._queue.running():
            if batch.started < limit:
                self._store.mark_unavailable(
                    f"an insert takes more than {self._limits.slow_insert:g} s"
                )
                self._to_spool([batch])
        while self._is_stuck() and (group := self._gather([])):
            self._to_spool(group)

    def _is_stuck(self) -> bool:
        """Whether every insert thread is blocked by a batch that has gone to the spool."""
        running = {batch.token for batch in self._queue.running()}
        return len(self._inserting - running) >= self._limits.insert_threads

    def _update_gauges(self) -> None:
        now = self.health()
        self._metrics.queued.set(now.queued)
        self._metrics.spooled_bytes.set(now.spool_bytes)
        self._metrics.oldest.set(now.oldest)
        self._metrics.store_unavailable.set(not now.store_available)
        self._metrics.ingest_blocked.set(not now.accepting)


def _join(threads: list[threading.Thread], deadline: float) -> None:
    for thread in threads:
        if thread.is_alive():
            thread.join(max(0.0, deadline - time.monotonic()))
