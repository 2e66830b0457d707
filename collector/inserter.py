"""One thread's work: batches → a cell of the store, from memory, or from journals on the disk.

One insert at a time in each process and cell: while it runs, the next batch gathers.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from collector.batches import Batches, Entry, Limits, acknowledge, batch_of
from collector.group_commit import GroupCommit
from collector.health import StoreAvailability
from collector.journal.format import Batch
from collector.journal.writer import Journal
from collector.log_limiter import LogLimiter
from collector.records import Records
from collector.replay import Backlog, Outcome
from collector.store_inserts import StoreInserts
from collector.submission import Submission

log = structlog.get_logger(__name__)

ADOPT_INTERVAL = 1.0
"""Seconds between two looks for journals of dead processes."""
FIRST_PAUSE = 0.05
"""Seconds before the second attempt; doubled up to `Limits.retry_pause`."""
MAX_REFUSALS = 3
"""Attempts after which a batch that is refused for now no longer delays those behind it."""
CHECK_INTERVAL = 5.0
"""Seconds between two probes of the store while there is nothing to insert: it may have got another
schema, or be unavailable, and `/readyz` has to say so before documents arrive."""
SEAL_INTERVAL = 60.0
"""Seconds between two journals left for that reason: a store that refuses everything would otherwise
leave one for each batch."""


class Inserter:
    """`run` until `Batches.close`."""

    def __init__(
        self,
        inserts: StoreInserts,
        batches: Batches,
        backlog: Backlog,
        commit: GroupCommit,
        store: StoreAvailability,
        limits: Limits,
        cell: int,
    ) -> None:
        self._inserts = inserts
        self._batches = batches
        self._backlog = backlog
        self._commit = commit
        self._store = store
        self._limits = limits
        self._cell = cell
        self._limiter = LogLimiter(log, 10.0)
        self._current: list[Entry] = []
        """A batch that could not be inserted yet."""
        self._replaying = True
        self._refusals = 0
        """Of the batch in `_current`."""
        self._sealed_at = -SEAL_INTERVAL
        self._probed_at = 0.0
        self._pause = FIRST_PAUSE

    @property
    def refusal(self) -> str:
        """Why a batch is refused for now; empty if none is."""
        return self._inserts.refusal if self._refusals or self._backlog.refuses else ""

    def run(self) -> None:
        """Insert what becomes due; at the end, what is still in memory and the store accepts."""
        self._inserts.answers()
        while self._step():
            pass

    def _step(self) -> bool:
        """One insert of ours and one of the backlog, whichever are due; False at the end."""
        outcome = Outcome.UNAVAILABLE
        if self._store.available or self._inserts.answers():
            outcome = self._guarded(self._insert_own)
            if outcome is not Outcome.UNAVAILABLE and not self._batches.closed:
                outcome = max(outcome, self._guarded(self._replay))
        if self._batches.closed:
            return outcome is Outcome.STORED and bool(self._batches.documents)
        if outcome is Outcome.STORED:
            self._pause = FIRST_PAUSE
        else:
            self._batches.pause(self._pause)
            self._pause = min(2 * self._pause, self._limits.retry_pause)
        return True

    def _guarded(self, insert: Callable[[], Outcome]) -> Outcome:
        try:
            return insert()
        except Exception:  # a bug, or the disk: neither must end the thread
            self._limiter.exception("insert_failed")
            return Outcome.REFUSED

    def _insert_own(self) -> Outcome:
        if not self._current:
            self._current = self._batches.next(0.0 if self._replaying else ADOPT_INTERVAL)
        return self._insert_current() if self._current else self._probe()

    def _probe(self) -> Outcome:
        """Nothing to insert: whether the store answers, now and then."""
        now = time.monotonic()
        if now - self._probed_at < CHECK_INTERVAL:
            return Outcome.STORED
        self._probed_at = now
        return Outcome.STORED if self._inserts.answers() else Outcome.UNAVAILABLE

    def _replay(self) -> Outcome:
        self._replaying = self._backlog.is_ready()
        if self._replaying:
            return self._backlog.replay_one(self.insert)
        if not self._store.available and not self._batches.documents:
            self._inserts.mark_available()  # it answers, and there is nothing to try
        return Outcome.STORED

    def _insert_current(self) -> Outcome:
        """Insert the batch from memory, unless its journal has been sealed meanwhile."""
        entries = self._current
        journal = entries[0].journal
        assert journal is not None
        if journal is not self._commit.journal:
            self._forget()
            return Outcome.STORED
        batch = batch_of(entries, self._cell)
        if not entries[0].marked:
            journal.mark(batch)
            entries[0].marked = True
        outcome = self.insert(journal, batch, [entry.submission for entry in entries])
        if outcome is Outcome.STORED:
            journal.checkpoint(batch.end, self._cell)
            self._forget()
        elif outcome is Outcome.REFUSED:
            self._refused()
        return outcome

    def _forget(self) -> None:
        entries, self._current, self._refusals = self._current, [], 0
        acks = self._batches.complete(entries)
        acknowledge(acks)

    def _refused(self) -> None:
        """After a few refusals leave the batch, and what has gathered behind it, to the backlog."""
        acknowledge(self._batches.bypass(True))
        self._refusals += 1
        now = time.monotonic()
        if self._refusals >= MAX_REFUSALS and now - self._sealed_at >= SEAL_INTERVAL:
            self._sealed_at = now
            self._commit.seal()

    def insert(
        self, journal: Journal, batch: Batch, submissions: list[Submission | Records]
    ) -> Outcome:
        """Insert documents under the batch's token (see `StoreInserts.insert`)."""
        return self._inserts.insert(submissions, f"{journal.id}-{batch.start}-{batch.end}")
