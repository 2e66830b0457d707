"""Documents → the journal → the store: acknowledged once they are durable, inserted in large batches.

Puts the parts together: `group_commit` writes, `batches` cuts, `inserter` inserts, `replay` reads
what is not in memory.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import structlog

from collector.batches import Ack, Batches, Entry, Limits
from collector.group_commit import GroupCommit, JournalFull
from collector.health import IngestHealth, StoreAvailability
from collector.inserter import Inserter
from collector.journal.adopt import damaged_files
from collector.journal.purge import Purge
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.payloads import Decoded, Payload
from collector.records import Records
from collector.replay import Backlog
from collector.source import Source
from collector.store_inserts import StoreInserts
from collector.submission import Submission
from store.protocol import ColumnarWriter, SegmentWriter

log = structlog.get_logger(__name__)

FOLDER = "journal"
"""In the data directory."""
JOURNAL_BYTES = 2 << 30
WATCH_INTERVAL = 0.25
"""Seconds between two updates of the gauges and checks for a store that does not answer."""


class Ingest:
    """Takes documents from any thread between `start` and `stop`."""

    def __init__(
        self,
        writer: SegmentWriter,
        data_dir: Path,
        role: str,
        max_bytes: int,
        limits: Limits,
        metrics: IngestMetrics,
    ) -> None:
        self._root = root = data_dir / FOLDER
        self._columnar = writer if isinstance(writer, ColumnarWriter) else None
        self._limits = limits
        self._metrics = metrics
        self._store = StoreAvailability()
        self._batches = Batches(limits)
        self._backlog = Backlog(root, self._columnar, limits, metrics)
        self._commit = GroupCommit(root, role, max_bytes, self._batches, self._backlog, metrics)
        self._writer = writer
        self._inserts: list[StoreInserts] = []
        """Of each thread that inserts."""
        self._sources: list[Source] = []
        self._inserter = Inserter(
            self._make_inserts(),
            self._batches,
            self._backlog,
            self._commit,
            self._store,
            limits,
            metrics,
        )
        self._purge = Purge(root)
        self._limiter = LogLimiter(log, 10.0)
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._inserter.run, name="insert", daemon=True),
            threading.Thread(target=self._watch, name="watch", daemon=True),
        ]

    def submit(self, decoded: Decoded) -> Ack:
        """Write documents to the journal; the future completes when they are durable.

        Raises JournalFull, as the future may.
        """
        ack = Ack()
        if not decoded.documents:
            ack.set_result(None)
            return ack
        try:
            self._append(decoded, ack)
        except JournalFull as full:
            self._metrics.deferred.labels(full.reason).inc(len(decoded.documents))
            raise
        return ack

    def submit_records(self, records: Records, arrived: int) -> Ack:
        """The same for log lines; ``arrived``: now, in microseconds."""
        ack = Ack()
        payload = Payload(records.kind, arrived, records.content)
        try:
            self._commit.append(Entry(payload, records, ack, time.monotonic()))
        except JournalFull as full:
            self._metrics.deferred.labels(full.reason).inc(records.count)
            raise
        return ack

    def offer(self, decoded: Decoded, wait: float = 0.0) -> bool:
        """The same without an acknowledgement; False when they had to be dropped, and are counted.

        Blocks up to ``wait`` seconds while the store does not keep up.
        """
        if not decoded.documents:
            return True
        try:
            self._append(decoded, None)
        except JournalFull:
            self._metrics.dropped.labels("journal_full").inc(len(decoded.documents))
            return False
        self._batches.wait_for_room(wait)
        return True

    def _append(self, decoded: Decoded, ack: Ack | None) -> None:
        submission = Submission(decoded.documents, self._columnar)
        self._commit.append(Entry(decoded.payload, submission, ack, time.monotonic()))

    def source(self) -> Source:
        """What a further thread needs that reads documents which another system retains."""
        made = Source(self._make_inserts(), self._backlog, self._columnar, self._limits)
        self._sources.append(made)
        return made

    def _make_inserts(self) -> StoreInserts:
        made = StoreInserts(
            self._writer,
            self._batches,
            self._backlog,
            self._commit,
            self._store,
            self._metrics,
        )
        self._inserts.append(made)
        return made

    def start(self) -> None:
        """Start writing, inserting, and replaying what dead processes left."""
        self._commit.start()
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Insert what is in memory within ``timeout`` seconds, and end. The rest is in the journal."""
        deadline = time.monotonic() + timeout
        self._commit.close(timeout)
        self._batches.close()
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._update_gauges()
        if self._threads[0].is_alive():
            return  # an insert hangs: the locks are released with the process
        self._backlog.close()
        journal = self._commit.journal
        if journal.unsent:
            journal.release()
        else:
            journal.remove()

    def health(self) -> IngestHealth:
        """The current state."""
        return IngestHealth(
            store_available=self._store.available,
            journal_full=self._commit.full,
            journal_bytes=self._commit.unsent,
            journal_limit=self._commit.max_bytes,
            queued=self._batches.documents,
            oldest=self._oldest(),
            journal_folder=str(self._root),
            schema_problem=self._store.schema_problem,
            disk_error=self._commit.disk_error,
            damaged_files=damaged_files(self._root),
            quarantined=self._backlog.quarantine.documents(),
            quarantine_dropped=self._backlog.quarantine.dropped,
            unreadable=self._backlog.unreadable,
            refusal=self._inserter.refusal,
            elsewhere=[each.problem for each in self._sources if each.problem],
        )

    def _watch(self) -> None:
        while not self._stopped.wait(WATCH_INTERVAL):
            try:
                self._update_gauges()
                self._purge.step(self._commit.journal)
                slow = self._limits.slow_insert
                for each in self._inserts:
                    if each.started is not None and time.monotonic() - each.started > slow:
                        each.mark_unavailable(f"no answer for {slow:g} s")
            except Exception:
                self._limiter.exception("watch_failed")

    def _update_gauges(self) -> None:
        # Not from `health`, which looks at files: this is done four times a second.
        self._metrics.queued.set(self._batches.documents)
        self._metrics.journal_bytes.set(self._commit.unsent)
        self._metrics.oldest.set(self._oldest())
        self._metrics.store_unavailable.set(not self._store.available)
        self._metrics.ingest_blocked.set(self._commit.full)

    def _oldest(self) -> float:
        """The age in seconds of the oldest document that is not in the store."""
        oldest = self._backlog.oldest
        return max(self._batches.age, time.time() - oldest / 1e6 if oldest else 0.0)
