"""Journals that are to be read: those that this process has sealed, and those of dead processes.

The threads of all cells read them, each at its own pace. One is removed when every cell has had it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

from collector.batches import Limits
from collector.journal.adopt import Attempts, adopt, set_damaged_aside
from collector.journal.quarantine import Quarantine
from collector.journal.reader import Contents, Part, Waiting, scan
from collector.journal.writer import Journal
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics

log = structlog.get_logger(__name__)
_limiter = LogLimiter(log, 1.0)


class OpenJournal:
    """A journal, and the cells that have not had all of it."""

    def __init__(self, journal: Journal, contents: Contents | None = None) -> None:
        self.journal = journal
        self.contents = contents
        """None of a sealed one: each cell's thread reads it once it writes there no more."""
        self.cells = set(range(len(journal.positions)))
        self.reported: set[int] = set()
        """Damaged parts, by their offsets: each is counted once, whichever cell meets it first."""
        self.set_aside: set[int] = set()
        """Records, in the same way."""
        self.attempts = Attempts(journal.folder)


class Journals:
    """Thread-safe."""

    def __init__(self, root: Path, limits: Limits, metrics: IngestMetrics, cells: int) -> None:
        self._root, self._limits, self._metrics = root, limits, metrics
        self.cells = cells
        """How many the store has."""
        self.quarantine = Quarantine(root)
        self.decoding = threading.Lock()
        """Locked while a batch is decoded, so that what the next process reads of a death is about one batch."""
        self._adopting = threading.Lock()
        self._lock = threading.Lock()
        self._open: list[OpenJournal] = []
        self.unreadable: dict[str, str] = {}
        """Journals of dead processes that could not be read at the last attempt, and why."""

    def _all(self) -> list[Journal]:
        with self._lock:
            return [each.journal for each in self._open]

    @property
    def unsent(self) -> int:
        """Bytes that wait for any cell."""
        return sum([journal.unsent for journal in self._all()])

    def unsent_of(self, cell: int) -> int:
        """Bytes that wait for one."""
        return sum([journal.unsent_of(cell) for journal in self._all()])

    def add(self, journal: Journal) -> None:
        """A journal that is written no more, by the thread that wrote it."""
        with self._lock:
            self._open.append(OpenJournal(journal))

    def opened(self, cell: int) -> Sequence[OpenJournal]:
        """Those that a cell has not had, in order."""
        with self._lock:
            return [each for each in self._open if cell in each.cells]

    def read(self, opened: OpenJournal, cell: int) -> Waiting:
        """What a cell has not had of a journal, in the thread that inserts there. Raises OSError."""
        journal, limits = opened.journal, self._limits
        contents = opened.contents
        if contents is None:
            sizes = limits.batch_documents, limits.batch_bytes
            contents = scan(journal.folder, *sizes, len(journal.positions))
        waiting = contents.cells[cell]
        _limiter.info(
            "journal_replay",
            journal=journal.id,
            cell=cell + 1,
            documents=waiting.documents,
            batches=len(waiting.batches),
            bytes=journal.unsent_of(cell),
        )
        self.report(opened, contents.lost)
        return waiting

    def adopt(self) -> bool:
        """Open the journal of a dead process, if there is one."""
        limits, unreadable = self._limits, dict[str, str]()
        with self._adopting:
            sizes = limits.batch_documents, limits.batch_bytes
            found = adopt(self._root, *sizes, unreadable, self.cells)
            self.unreadable = unreadable
            if found is not None:
                with self._lock:
                    self._open.append(OpenJournal(*found))
        return found is not None

    def finish(self, opened: OpenJournal, cell: int) -> None:
        """A cell has had a journal."""
        with self._lock:
            opened.cells.discard(cell)
            if opened.cells:
                return
            self._open.remove(opened)
        opened.journal.remove()
        _limiter.info("journal_replayed", journal=opened.journal.id)

    def set_aside(
        self, reason: str, kind: int, version: int, documents: int, payload: bytes
    ) -> None:
        """Put a payload into quarantine; without room there it is lost. Raises OSError."""
        with self._lock:
            added = self.quarantine.add(reason, kind, version, documents, payload)
        if added:
            self._metrics.quarantined.inc(documents)
        else:
            self._metrics.dropped.labels("quarantine_full").inc(documents)
        _limiter.error("record_set_aside", reason=reason, documents=documents)

    def report(self, opened: OpenJournal, parts: Sequence[Part]) -> None:
        """Retain and count what is damaged."""
        with self._lock:
            new = [part for part in parts if part.start not in opened.reported]
            opened.reported.update(part.start for part in new)
        if not new:
            return
        set_damaged_aside(self._root, opened.journal.id, new)
        for part in new:
            # A stretch without a header has one document at least.
            lost = part.header.documents if part.header else 1
            self._metrics.dropped.labels("corrupt").inc(lost)
            log.error(
                "journal_damaged",
                file=part.path.name,
                journal=opened.journal.id,
                bytes=part.end - part.start,
                documents_lost=lost,
            )

    def close(self) -> None:
        """Leave everything to other processes."""
        journals = self._all()
        with self._lock:
            self._open.clear()
        for journal in journals:
            journal.release()
