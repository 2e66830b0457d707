"""Journals whose records are not in memory → a cell of the store, batch by batch.

Those of dead processes, and those that this process has sealed: because a cell was unavailable for
so long that memory did not suffice, or because it refuses one of their batches.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from enum import IntEnum

from collector.decode.rejected import Rejected
from collector.journal.format import Batch
from collector.journal.reader import Part, Record, Waiting, read
from collector.journal.writer import Journal
from collector.journals import Journals, OpenJournal
from collector.metrics import IngestMetrics
from collector.payloads import decode_again
from collector.records import Records, records_in
from collector.submission import Submission
from store.columnar import ColumnarDocuments
from store.model import Document
from store.protocol import ENCODE_CHUNK, ColumnarWriter

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
    """The journals that one cell has to read, in its inserter's thread."""

    def __init__(
        self, journals: Journals, cell: int, columnar: ColumnarWriter | None, metrics: IngestMetrics
    ) -> None:
        self._journals = journals
        self._cell = cell
        self._columnar = columnar
        self._metrics = metrics
        self._replays: dict[OpenJournal, _Replay] = {}

    @property
    def oldest(self) -> int:
        """Version of the first document that waits; 0 if none does."""
        return min((each.oldest for each in list(self._replays.values())), default=0)

    @property
    def refuses(self) -> bool:
        """Whether the cell refuses a batch for now."""
        return any(replay.refused_starts for replay in list(self._replays.values()))

    def is_ready(self) -> bool:
        """Whether something can be replayed. Adopts a dead process's journal if there is nothing else:
        one at a time, so that all processes take part."""
        self._open()
        if not self._replays and self._journals.adopt():
            self._open()
        now = time.monotonic()
        return any(replay.not_before <= now for replay in self._replays.values())

    def _open(self) -> None:
        for opened in self._journals.opened(self._cell):
            if opened not in self._replays:
                waiting = self._journals.read(opened, self._cell)
                self._replays[opened] = _Replay(opened, self._cell, waiting)

    def replay_one(self, insert: Insert) -> Outcome:
        """Insert one batch of the first journal that is ready."""
        now = time.monotonic()
        replay = next(each for each in self._replays.values() if each.not_before <= now)
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
            self._replays.pop(replay.opened)
            self._journals.finish(replay.opened, self._cell)
        return outcome

    def _decode(self, replay: _Replay, batch: Batch) -> Submitted:
        """The documents of a batch; what cannot be decoded is set aside. Raises OSError."""
        opened = replay.opened
        with self._journals.decoding:
            culprits = opened.attempts.begin(batch.start)
            submissions: Submitted = []
            for record in read(replay.journal.folder, batch.start, batch.end):
                if record.payload is None:
                    part = Part(record.start, record.end, record.header, record.path)
                    self._journals.report(opened, [part])
                elif record.start in culprits:
                    self._set_aside(opened, record, "processes died while they decoded it")
                else:
                    opened.attempts.at(record.start)
                    submissions += self._decode_record(opened, record)
            opened.attempts.end()
        return submissions

    def _decode_record(self, opened: OpenJournal, record: Record) -> Submitted:
        header = record.header
        assert record.payload is not None
        try:
            records = records_in(header.kind, record.payload)
            if records is not None:
                return [records]
            documents = decode_again(header.kind, header.version, record.payload)
        except Rejected as rejected:
            if self._set_aside(opened, record, str(rejected)):
                self._metrics.rejected.labels(rejected.reason).inc(header.documents)
            return []
        except Exception as error:
            self._set_aside(opened, record, f"cannot be decoded: {error!r:.200}")
            return []
        if (missing := header.documents - len(documents)) > 0:
            rejected_now = f"{missing} of {header.documents} documents are rejected now"
            self._set_aside(opened, record, rejected_now)
        return self._submissions(documents)

    def _submissions(self, documents: Iterable[Document]) -> Submitted:
        if isinstance(documents, ColumnarDocuments):
            return [Submission(documents, self._columnar)]
        few = list(documents)
        starts = range(0, len(few), ENCODE_CHUNK)
        return [Submission(few[start : start + ENCODE_CHUNK], self._columnar) for start in starts]

    def _set_aside(self, opened: OpenJournal, record: Record, reason: str) -> bool:
        """Whether no other cell's thread has done it. Raises OSError; then the batch is tried again."""
        header = record.header
        assert record.payload is not None
        if record.start in opened.set_aside:
            return False
        self._journals.set_aside(
            reason, header.kind, header.version, header.documents, record.payload
        )
        opened.set_aside.add(record.start)
        return True


class _Replay:
    """How far a cell is with a journal."""

    def __init__(self, opened: OpenJournal, cell: int, waiting: Waiting) -> None:
        self.opened, self._cell = opened, cell
        self.journal = opened.journal
        self.pending = deque(waiting.batches)
        self.marked = {batch.start for batch in waiting.batches[: waiting.marked]}
        self.oldest = waiting.oldest
        self.refused: list[Batch] = []
        self.refused_starts: set[int] = set()
        self.not_before = 0.0

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
            self.journal.checkpoint(batch.end, self._cell)
        if not self.pending and self.refused:
            self.pending, self.refused = deque(self.refused), []
            self.not_before = time.monotonic() + REFUSED_PAUSE
