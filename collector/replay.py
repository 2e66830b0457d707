"""Journals whose records are not in memory → the store, batch by batch.

Those of dead processes, and those that this process has sealed: because the store was unavailable for
so long that memory did not suffice, or because it refuses one of their batches.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from enum import IntEnum
from pathlib import Path

import structlog

from collector.batches import Limits
from collector.decode.rejected import Rejected
from collector.journal.adopt import Attempts, adopt, set_damaged_aside
from collector.journal.format import Batch
from collector.journal.quarantine import Quarantine
from collector.journal.reader import Contents, Part, Record, read, scan
from collector.journal.writer import Journal
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.payloads import decode_again
from collector.records import Records, records_in
from collector.submission import Submission
from store.columnar import ColumnarDocuments
from store.model import Document
from store.protocol import ENCODE_CHUNK, ColumnarWriter

log = structlog.get_logger(__name__)
_limiter = LogLimiter(log, 1.0)

REFUSED_PAUSE = 10.0
"""Seconds until a batch that the store refuses for now is tried again."""


class Outcome(IntEnum):
    """What became of an insert, the best first."""

    STORED = 0
    REFUSED = 1
    """For now: the store answers, and does not say that it is the data."""
    UNAVAILABLE = 2


Submitted = list[Submission | Records]
Insert = Callable[[Journal, Batch, Submitted], Outcome]


class Backlog:
    """The journals to be read. The inserter's thread replays; any thread adds."""

    def __init__(
        self,
        root: Path,
        columnar: ColumnarWriter | None,
        limits: Limits,
        metrics: IngestMetrics,
    ) -> None:
        self._root = root
        self.quarantine = Quarantine(root)
        self._columnar = columnar
        self._limits = limits
        self._metrics = metrics
        self._lock = threading.Lock()
        self._sealed: deque[Journal] = deque()
        self._replays: deque[_Replay] = deque()
        self.unreadable: dict[str, str] = {}
        """Journals of dead processes that could not be read at the last attempt, and why."""

    @property
    def unsent(self) -> int:
        """Bytes that wait."""
        with self._lock:
            sealed = sum([journal.unsent for journal in self._sealed])
            return sealed + sum([replay.journal.unsent for replay in self._replays])

    @property
    def oldest(self) -> int:
        """Version of the first document that waits; 0 if none does."""
        with self._lock:
            return min((replay.contents.oldest for replay in self._replays), default=0)

    @property
    def refuses(self) -> bool:
        """Whether the store refuses a batch for now."""
        with self._lock:
            return any(replay.refused_starts for replay in self._replays)

    def add(self, journal: Journal) -> None:
        """A journal that is written no more, by the thread that wrote it."""
        with self._lock:
            self._sealed.append(journal)

    def is_ready(self) -> bool:
        """Whether something can be replayed. Adopts a dead process's journal if there is nothing else:
        one at a time, so that all processes take part."""
        self._open_sealed()
        if not self._replays:
            limits, unreadable = self._limits, dict[str, str]()
            found = adopt(self._root, limits.batch_documents, limits.batch_bytes, unreadable)
            self.unreadable = unreadable
            if found is not None:
                self._open(*found)
        now = time.monotonic()
        return any(replay.not_before <= now for replay in self._replays)

    def _open_sealed(self) -> None:
        limits = self._limits
        while self._sealed:
            journal = self._sealed[0]
            contents = scan(journal.folder, limits.batch_documents, limits.batch_bytes)
            self._open(journal, contents)
            with self._lock:
                self._sealed.popleft()

    def _open(self, journal: Journal, contents: Contents) -> None:
        _limiter.info(
            "journal_replay",
            journal=journal.id,
            documents=contents.documents,
            batches=len(contents.batches),
            bytes=journal.unsent,
        )
        replay = _Replay(journal, contents)
        self._report(replay, contents.lost)
        with self._lock:
            self._replays.append(replay)

    def replay_one(self, insert: Insert) -> Outcome:
        """Insert one batch of the first journal that is ready."""
        now = time.monotonic()
        replay = next(each for each in self._replays if each.not_before <= now)
        outcome = Outcome.STORED
        if replay.pending:
            batch = replay.pending[0]
            if batch.start not in replay.marked:
                replay.journal.mark(batch)
                replay.marked.add(batch.start)
            submissions = self._decode(replay, batch)
            if submissions:
                outcome = insert(replay.journal, batch, submissions)
            replay.tried(outcome)
        if not replay.pending and not replay.refused:
            self._finish(replay)
        return outcome

    def _finish(self, replay: _Replay) -> None:
        with self._lock:
            self._replays.remove(replay)
        replay.journal.remove()
        _limiter.info("journal_replayed", journal=replay.journal.id)

    def _decode(self, replay: _Replay, batch: Batch) -> Submitted:
        """The documents of a batch; what cannot be decoded is set aside. Raises OSError."""
        culprits = replay.attempts.begin(batch.start)
        submissions: Submitted = []
        for record in read(replay.journal.folder, batch.start, batch.end):
            if record.payload is None:
                self._report(replay, [Part(record.start, record.end, record.header, record.path)])
            elif record.start in culprits:
                self._set_aside(record, "processes died while they decoded it")
            else:
                replay.attempts.at(record.start)
                submissions += self._decode_record(record)
        replay.attempts.end()
        return submissions

    def _decode_record(self, record: Record) -> Submitted:
        header = record.header
        assert record.payload is not None
        try:
            records = records_in(header.kind, record.payload)
            if records is not None:
                return [records]
            documents = decode_again(header.kind, header.version, record.payload)
        except Rejected as rejected:
            self._metrics.rejected.labels(rejected.reason).inc(header.documents)
            self._set_aside(record, str(rejected))
            return []
        except Exception as error:
            self._set_aside(record, f"cannot be decoded: {error!r:.200}")
            return []
        if (missing := header.documents - len(documents)) > 0:
            self._set_aside(record, f"{missing} of {header.documents} documents are rejected now")
        return self._submissions(documents)

    def _submissions(self, documents: Iterable[Document]) -> Submitted:
        if isinstance(documents, ColumnarDocuments):
            return [Submission(documents, self._columnar)]
        few = list(documents)
        starts = range(0, len(few), ENCODE_CHUNK)
        return [Submission(few[start : start + ENCODE_CHUNK], self._columnar) for start in starts]

    def _set_aside(self, record: Record, reason: str) -> None:
        """Raises OSError; then the batch is tried again."""
        header = record.header
        assert record.payload is not None
        self.set_aside(reason, header.kind, header.version, header.documents, record.payload)

    def set_aside(
        self, reason: str, kind: int, version: int, documents: int, payload: bytes
    ) -> None:
        """Put a payload into quarantine; without room there it is lost. Raises OSError."""
        if self.quarantine.add(reason, kind, version, documents, payload):
            self._metrics.quarantined.inc(documents)
        else:
            self._metrics.dropped.labels("quarantine_full").inc(documents)
        _limiter.error("record_set_aside", reason=reason, documents=documents)

    def _report(self, replay: _Replay, parts: list[Part]) -> None:
        """Retain and count what is damaged."""
        new = [part for part in parts if part.start not in replay.reported]
        replay.reported.update(part.start for part in new)
        if not new:
            return
        set_damaged_aside(self._root, replay.journal.id, new)
        for part in new:
            # A stretch without a header has one document at least.
            lost = part.header.documents if part.header else 1
            self._metrics.dropped.labels("corrupt").inc(lost)
            log.error(
                "journal_damaged",
                file=part.path.name,
                journal=replay.journal.id,
                bytes=part.end - part.start,
                documents_lost=lost,
            )

    def close(self) -> None:
        """Leave everything to other processes."""
        with self._lock:
            replays, self._replays = self._replays, deque()
            sealed, self._sealed = self._sealed, deque()
        for journal in [*sealed, *(replay.journal for replay in replays)]:
            journal.release()


class _Replay:
    """How far one journal is."""

    def __init__(self, journal: Journal, contents: Contents) -> None:
        self.journal = journal
        self.contents = contents
        self.pending = deque(contents.batches)
        self.marked = {batch.start for batch in contents.batches[: contents.marked]}
        self.refused: list[Batch] = []
        self.refused_starts: set[int] = set()
        self.reported: set[int] = set()
        self.not_before = 0.0
        self.attempts = Attempts(journal.folder)

    def tried(self, outcome: Outcome) -> None:
        """After an insert of the first pending batch; later ones do not wait for a refused one."""
        if outcome is Outcome.UNAVAILABLE:
            return
        batch = self.pending.popleft()
        self.refused_starts.discard(batch.start)
        if outcome is Outcome.REFUSED:
            self.refused.append(batch)
            self.refused_starts.add(batch.start)
        if not self.refused:
            self.journal.checkpoint(batch.end)
        if not self.pending and self.refused:
            self.pending, self.refused = deque(self.refused), []
            self.not_before = time.monotonic() + REFUSED_PAUSE
