"""The spool → the store, oldest batch first, once the store is available again."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection

import structlog

from collector.health import StoreAvailability
from collector.insert import StoreRejectedBatch, replay
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.queue import BatchQueue, Limits
from collector.spool import Spool
from store.errors import StoreError, StoreUnavailable
from store.protocol import SegmentWriter

log = structlog.get_logger(__name__)

MAX_PAUSE = 1.0
"""Seconds between two attempts to reach an unavailable store."""


class Replayer:
    """A thread's work: adopts the spools of dead processes and replays their batches and ours."""

    def __init__(
        self,
        writer: SegmentWriter,
        spool: Spool,
        metrics: IngestMetrics,
        limits: Limits,
        store: StoreAvailability,
        queue: BatchQueue,
        inserting: Collection[str],
        stopped: threading.Event,
    ) -> None:
        self._writer = writer
        self._spool = spool
        self._metrics = metrics
        self._limits = limits
        self._store = store
        self._queue = queue
        self._inserting = inserting
        self._stopped = stopped
        self._limiter = LogLimiter(log, 10.0)

    def run(self) -> None:
        """Probe the store, then replay until the event is set."""
        self._store_answers()
        pause = self._limits.replay_pause
        while not self._stopped.wait(pause):
            try:
                self._spool.adopt()
                drained = self.replay_all()
            except Exception:
                self._limiter.exception("replay_failed")
                drained = False
            pause = self._limits.replay_pause if drained else min(pause * 2, MAX_PAUSE)

    def replay_all(self) -> bool:
        """Insert every spooled batch; False when some remain."""
        if not self._store.available and not self._store_answers():
            return False
        drained = True
        for token in self._spool.waiting():
            if self._stopped.is_set():
                return False
            if token in self._inserting:
                continue
            started = time.monotonic()
            try:
                replay(self._writer, self._spool, self._metrics, token)
            except StoreUnavailable as error:
                self._store.mark_unavailable(error)
                return False
            except StoreRejectedBatch as error:  # batches behind it may be fine
                drained = False
                self._limiter.error("store_rejects", error=str(error), batch=token)
            except OSError as error:
                drained = False
                self._limiter.error("spool_file_unreadable", error=str(error), batch=token)
                continue
            # Versions decide, not the order of arrival: new batches need not wait for the rest.
            self._store.mark_available(self._spool.size)
            self._yield_to_ingest(time.monotonic() - started)
        if not len(self._spool):
            self._store.mark_available(0)
        return drained

    def _store_answers(self) -> bool:
        """A cheap probe, before a batch is read and decoded in vain."""
        try:
            self._writer.check()
        except StoreUnavailable as error:
            self._store.mark_unavailable(error)
            return False
        except StoreError:
            pass  # it answers, whatever the answer
        return True

    def _yield_to_ingest(self, took: float) -> None:
        """Give new documents precedence: replay half of the time while they queue up, a fifth when
        the queue is half full."""
        queued = self._queue.state()[0]
        if queued > self._limits.queue_documents // 2:
            self._stopped.wait(4 * took)
        elif queued >= self._limits.batch_documents:
            self._stopped.wait(took)
