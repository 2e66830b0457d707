"""Group commit: one thread writes and syncs what has gathered, then completes its acknowledgements.

Nothing waits for a group to fill: while one is being synced, the next one gathers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from collector.batches import Batches, Entry, acknowledge
from collector.journal.format import encode
from collector.journal.writer import Journal
from collector.journals import Journals
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics

log = structlog.get_logger(__name__)

GATHER = 0.02
"""Seconds that records without a waiting sender gather. What a crash takes is at most this, and a
group that is being written."""
PACE = 0.05
"""Seconds between two looks for acknowledgements that are due while an insert runs."""
MAX_PENDING = 128 << 20
"""Bytes that wait for a disk that does not keep up."""
PROBE_INTERVAL = 1.0
"""Seconds between two attempts to write, after a failure that no sender repeats."""


class JournalFull(Exception):
    """No room within the journal's bound, or the disk takes nothing: the sender should retry later."""

    reason = "journal_full"
    """As metrics name it."""


class StoreBehind(JournalFull):
    """As many requests as may wait for the store: the sender should retry later."""

    reason = "store_behind"


class GroupCommit:
    """The journal of this process. Any thread appends; entries that are durable go to the batches."""

    def __init__(
        self,
        root: Path,
        role: str,
        max_bytes: int,
        batches: Sequence[Batches],
        journals: Journals,
        metrics: IngestMetrics,
    ) -> None:
        self._root, self._role = root, role
        self.max_bytes = max_bytes
        self._batches = batches
        """Of each cell."""
        self._journals = journals
        self._metrics = metrics
        self.journal = Journal.create(root, role, len(batches))
        self.failed_bytes = 0
        """Size of the last group if it could not be written."""
        self.disk_error = ""
        """The operating system's error then."""
        self._changed = threading.Condition()
        self._pending: list[Entry] = []
        self._pending_bytes = 0
        self._waited_for = False  # whether a sender waits for one of the pending entries
        self._refused_bytes = 0
        """Size of the last entry if there was no room for it."""
        self._seal_requested = False
        self._closed = False
        self._limiter = LogLimiter(log, 10.0)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    @property
    def unsent(self) -> int:
        """Bytes that a cell has not had, in all journals of this process."""
        return self.journal.unsent + self._journals.unsent

    def unsent_of(self, cell: int) -> int:
        """Bytes that this cell has not had."""
        return self.journal.unsent_of(cell) + self._journals.unsent_of(cell)

    @property
    def full(self) -> bool:
        """Whether nothing more is accepted."""
        unsent = self.unsent
        return bool(self.failed_bytes) or (
            unsent > 0 and unsent + max(1, self._refused_bytes) > self.max_bytes
        )

    def start(self) -> None:
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Write what is pending and end; nothing is accepted any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def append(self, entry: Entry) -> None:
        """Write an entry soon. Raises JournalFull."""
        assert entry.payload is not None
        size = entry.payload.size
        with self._changed:
            self._require_room(size)
            if entry.ack is not None and any(each.defers for each in self._batches):
                raise StoreBehind("the store does not keep up")
            self._pending.append(entry)
            self._pending_bytes += size
            self._waited_for = self._waited_for or entry.ack is not None
            if len(self._pending) == 1 or entry.ack is not None:
                self._changed.notify()

    def _require_room(self, size: int) -> None:
        if self._closed:
            raise JournalFull("this process is about to end")
        pending = self._pending_bytes + size
        if self.unsent + pending > self.max_bytes:
            self._refused_bytes = size
            raise JournalFull(f"the journal has reached its bound of {self.max_bytes:,} bytes")
        if self._pending and pending > MAX_PENDING:
            raise JournalFull("the journal's disk is slow")
        self._refused_bytes = 0

    def seal(self) -> None:
        """Go on with a fresh journal soon: a cell refuses a batch of this one."""
        with self._changed:
            self._seal_requested = True
            self._changed.notify()

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            try:
                for batches in self._batches:
                    acknowledge(batches.release())
                if self._seal_requested or any(each.exceeds_memory for each in self._batches):
                    self._seal()
                if group:
                    self._commit(group)
                elif self.failed_bytes and self.journal.probe(self.failed_bytes):
                    self._succeeded()
            except Exception:  # a bug must neither end the thread nor leave senders waiting
                self._limiter.exception("journal_failed")
                self._fail(group, "the journal failed")

    def _next_group(self) -> list[Entry] | None:
        """Wait for entries; none at times for a probe or a new journal; None at the end."""
        with self._changed:
            if not self._pending and not self._closed and not self._seal_requested:
                pause = PACE if any(each.paced for each in self._batches) else None
                self._changed.wait(PROBE_INTERVAL if self.failed_bytes else pause)
            if self._pending and not self._waited_for and not self._closed:
                self._changed.wait(GATHER)
            if self._closed and not self._pending:
                return None
            group, self._pending = self._pending, []
            self._pending_bytes, self._waited_for = 0, False
            return group

    def _commit(self, group: Sequence[Entry]) -> None:
        records = []
        for entry in group:
            payload = entry.payload
            assert payload is not None
            records.append(encode(payload.kind, payload.version, entry.count, payload.encoded))
        started = time.monotonic()
        try:
            position = self.journal.write(records)
        except OSError as error:
            self.failed_bytes = sum(map(len, records))
            self.disk_error = error.strerror or str(error)
            self._limiter.error("journal_unwritable", error=str(error))
            self._fail(group, f"the journal cannot be written: {self.disk_error}")
            return
        self._metrics.fsync_seconds.observe(time.monotonic() - started)
        self._metrics.appended.inc(len(records))
        self._succeeded()
        for entry, record in zip(group, records, strict=True):
            entry.payload, entry.journal = None, self.journal
            entry.start, entry.end = position, position + len(record)
            position = entry.end
        cells = zip(*(entry.of_cells(len(self._batches)) for entry in group), strict=True)
        for batches, entries in zip(self._batches, cells, strict=True):
            acknowledge(batches.add(entries))
        self._metrics.queued.set(max(batches.documents for batches in self._batches))

    def _succeeded(self) -> None:
        self.failed_bytes, self.disk_error = 0, ""

    def _fail(self, group: Sequence[Entry], reason: str) -> None:
        """None of the group is in the journal: senders repeat it, datagrams are lost and counted."""
        for entry in group:
            if entry.ack is None:
                self._metrics.dropped.labels("journal_full").inc(entry.count)
            else:
                self._metrics.deferred.labels("journal_full").inc(entry.count)
                if not entry.ack.done() and entry.ack.set_running_or_notify_cancel():
                    entry.ack.set_exception(JournalFull(reason))

    def _seal(self) -> None:
        """Go on with a fresh journal; what is ready of this one is later read from the disk."""
        self._seal_requested = False
        try:
            fresh = Journal.create(self._root, self._role, len(self._batches))
        except OSError as error:
            self._limiter.error("journal_unwritable", error=str(error))
            return
        sealed, self.journal = self.journal, fresh
        for batches in self._batches:
            acknowledge(batches.drop())
        self._journals.add(sealed)
