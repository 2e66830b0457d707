"""Documents → the journal → the store: acknowledged once they are durable, inserted in large batches.

Puts the parts together: `group_commit` writes; for each `cell` of the store `batches` cuts, `inserter`
inserts, and `replay` reads what is not in memory.
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
from collector.journals import Journals
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.payloads import Decoded, Payload
from collector.records import Records
from collector.replay import Backlog
from collector.source import Source
from collector.store_inserts import StoreInserts
from collector.submission import Submission
from store.protocol import CellWriter, ColumnarWriter, SegmentWriter, writers_of


class Cell:
    """One cell of the store, as a process that ingests sees it: its journal position, batches, backlog and inserter.

    A cell that is unavailable delays no other. A store that does not consist of cells is one.
    """

    def __init__(
        self,
        place: int,
        writer: SegmentWriter,
        batches: Batches,
        journals: Journals,
        commit: GroupCommit,
        limits: Limits,
        metrics: IngestMetrics,
    ) -> None:
        self._place, self._writer, self._metrics = place, writer, metrics
        self.batches = batches
        self._journals, self._commit, self._limits = journals, commit, limits
        self.store = StoreAvailability(writer.name if isinstance(writer, CellWriter) else "")
        self._inserts: list[StoreInserts] = []
        """Of each thread that inserts."""
        columnar = writer if isinstance(writer, ColumnarWriter) else None
        self.backlog = Backlog(journals, place, columnar, metrics)
        self.inserter = Inserter(
            self.make_inserts(), batches, self.backlog, commit, self.store, limits, place
        )
        self.thread = threading.Thread(target=self.inserter.run, name="insert", daemon=True)

    def make_inserts(self) -> StoreInserts:
        """What a thread needs that inserts into the cell."""
        made = StoreInserts(
            self._writer, self.batches, self._journals, self._commit, self.store, self._metrics
        )
        self._inserts.append(made)
        return made

    def watch(self) -> None:
        """Notice an insert without an answer, and update the gauges."""
        slow = self._limits.slow_insert
        for each in self._inserts:
            if each.started is not None and time.monotonic() - each.started > slow:
                each.mark_unavailable(f"no answer for {slow:g} s")
        label = str(self._place + 1)
        self._metrics.cell_unsent.labels(label).set(self._commit.unsent_of(self._place))
        self._metrics.cell_unavailable.labels(label).set(not self.store.available)

    @property
    def oldest(self) -> float:
        """The age in seconds of the oldest document that the cell has not had."""
        oldest = self.backlog.oldest
        return max(self.batches.age, time.time() - oldest / 1e6 if oldest else 0.0)


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
        writers = writers_of(writer)
        batches = [Batches(limits) for _ in writers]
        self._journals = journals = Journals(root, limits, metrics, len(writers))
        self._commit = commit = GroupCommit(root, role, max_bytes, batches, journals, metrics)
        self._cells = [
            Cell(place, cell, own, journals, commit, limits, metrics)
            for place, (cell, own) in enumerate(zip(writers, batches, strict=True))
        ]
        self._sources: list[Source] = []
        self._purge = Purge(root)
        self._limiter = LogLimiter(log, 10.0)
        self._stopped = threading.Event()
        self._threads = [
            *(cell.thread for cell in self._cells),
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
        deadline = time.monotonic() + wait
        for cell in self._cells:
            cell.batches.wait_for_room(deadline - time.monotonic())
        return True

    def _append(self, decoded: Decoded, ack: Ack | None) -> None:
        submission = Submission(decoded.documents, self._columnar)
        self._commit.append(Entry(decoded.payload, submission, ack, time.monotonic()))

    def source(self) -> Source:
        """What a further thread needs that reads documents which another system retains."""
        inserts = [cell.make_inserts() for cell in self._cells]
        made = Source(inserts, self._journals, self._columnar, self._limits)
        self._sources.append(made)
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
        for cell in self._cells:
            cell.batches.close()
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._update_gauges()
        if any(cell.thread.is_alive() for cell in self._cells):
            return  # an insert hangs: the locks are released with the process
        self._journals.close()
        journal = self._commit.journal
        if journal.unsent:
            journal.release()
        else:
            journal.remove()

    def health(self) -> IngestHealth:
        """The current state."""
        cells = self._cells
        away = [place for place, cell in enumerate(cells, 1) if not cell.store.available]
        return IngestHealth(
            store_available=not away,
            journal_full=self._commit.full,
            journal_bytes=self._commit.unsent,
            journal_limit=self._commit.max_bytes,
            queued=self._queued(),
            oldest=self._oldest(),
            journal_folder=str(self._root),
            schema_problem=next(filter(None, (cell.store.schema_problem for cell in cells)), ""),
            disk_error=self._commit.disk_error,
            damaged_files=damaged_files(self._root),
            quarantined=self._journals.quarantine.documents(),
            quarantine_dropped=self._journals.quarantine.dropped,
            unreadable=self._journals.unreadable,
            refusal=next(filter(None, (cell.inserter.refusal for cell in cells)), ""),
            away=away if len(cells) > 1 else (),
            elsewhere=[each.problem for each in self._sources if each.problem],
        )

    def _watch(self) -> None:
        while not self._stopped.wait(WATCH_INTERVAL):
            try:
                self._update_gauges()
                self._purge.step(self._commit.journal)
                for cell in self._cells:
                    cell.watch()
            except Exception:
                self._limiter.exception("watch_failed")

    def _update_gauges(self) -> None:
        # Not from `health`, which looks at files: this is done four times a second.
        self._metrics.queued.set(self._queued())
        self._metrics.journal_bytes.set(self._commit.unsent)
        self._metrics.oldest.set(self._oldest())
        self._metrics.store_unavailable.set(not all(cell.store.available for cell in self._cells))
        self._metrics.ingest_blocked.set(self._commit.full)

    def _queued(self) -> int:
        """Documents in memory: those of the cell with most, as cells share them."""
        return max(cell.batches.documents for cell in self._cells)

    def _oldest(self) -> float:
        """The age in seconds of the oldest document that is not in the store."""
        return max(cell.oldest for cell in self._cells)
