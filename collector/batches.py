"""What is in the journal and not yet in the store, in memory, cut into batches by size or age.

An acknowledgement waits while more is ready than the store takes in a few seconds: without this,
senders outrun it. Waiting ones go on at the pace of the store, not by whole batches, and no more than
`Limits.waiting_documents` wait. While the store is unavailable none waits, for the journal has the
documents.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from copy import copy
from math import inf

from msgspec import Struct

from collector.journal.format import Batch
from collector.journal.writer import Journal
from collector.payloads import Payload
from collector.records import Records
from collector.submission import Submission

Ack = Future[None]
"""Completes when the documents are durable."""


class Limits(Struct, frozen=True):
    """When a batch is inserted, and how much may be in memory. Seconds, documents, bytes."""

    batch_documents: int = 50_000
    """An insert costs ClickHouse 29 ms and 5 µs a document, and its parts are merged: with batches of
    20,000 spans a quarter more CPU and 40 % more disk at the peak (measured)."""
    batch_bytes: int = 72 << 20
    gather: float = 0.05
    """Time in which the documents of one request of a user arrive."""
    linger: float = 1.0
    """Time between two inserts of few documents. Each makes some five parts: with five a second an
    almost idle ClickHouse was busy merging."""
    bulk_linger: float = 3.0
    """Maximum age of the oldest document once there are `bulk_documents`."""
    bulk_documents: int = 2_000
    ready_documents: int = 100_000
    ready_bytes: int = 144 << 20
    """Two batches. Beyond either, acknowledgements wait, and so does the UDP receiver."""
    waiting_documents: int = 40_000
    """That wait for their acknowledgement. Beyond, requests are deferred: they would wait longer than
    senders do, which then send all of it again."""
    memory_bytes: int = 192 << 20
    """Beyond, what is ready is dropped from memory and later read from the journal. With a batch in
    flight a collector stays below 450 MB, also in an outage."""
    slow_insert: float = 5.0
    """After this time the store counts as unavailable."""
    retry_pause: float = 1.0
    """Maximum time between two attempts to insert a batch."""


class Entry(Struct):
    """The documents, or log lines, of one request on their way from the receiver to the store."""

    payload: Payload | None
    """Until it is in the journal."""
    submission: Submission | Records
    ack: Ack | None
    """None when no sender waits."""
    arrived: float
    journal: Journal | None = None
    start: int = 0
    end: int = 0
    marked: bool = False
    """Whether the journal says that it begins a batch."""
    stored: bool = False
    others: list[None] = []
    """One for each further cell whose inserts the acknowledgement waits for; the cells' entries share it."""

    def of_cells(self, count: int) -> list[Entry]:
        """An entry for each cell."""
        self.others = [None] * (count - 1)
        return [self, *(copy(self) for _ in range(count - 1))]

    @property
    def count(self) -> int:
        """Documents."""
        return self.submission.count


class Batches:
    """Entries in the journal's order. The journal's thread adds, the inserter takes.

    Methods that change what is ready return the acknowledgements that are now due.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._waiting: deque[Entry] = deque()
        self._waiting_documents = self._waiting_bytes = 0
        self._documents = self._bytes = 0  # waiting or being inserted
        self._oldest_taken = inf
        self._taken, self._taken_at, self._rate = 0, 0.0, 0.0
        """Documents that are being inserted, since when, and how many a second the last inserts took."""
        self._unacknowledged: deque[Entry] = deque()
        self._unacknowledged_documents = self._unacknowledged_bytes = 0
        self._inserted = -inf
        self._bypassed = False
        self.closed = False

    @property
    def documents(self) -> int:
        """In memory."""
        return self._documents

    @property
    def exceeds_memory(self) -> bool:
        """Whether what is ready has to be dropped."""
        return self._bytes > self._limits.memory_bytes

    @property
    def defers(self) -> bool:
        """Whether so many documents wait for their acknowledgement that no more should."""
        return self._unacknowledged_documents >= self._limits.waiting_documents

    @property
    def paced(self) -> bool:
        """Whether `release` has to be called repeatedly."""
        return bool(self._unacknowledged and self._taken)

    def release(self) -> list[Ack]:
        """What is due since the insert that is running has gone on."""
        with self._changed:
            return self._due_acks()

    @property
    def age(self) -> float:
        """Of the oldest document in memory, in seconds."""
        with self._changed:
            first = self._waiting[0].arrived if self._waiting else inf
            oldest = min(first, self._oldest_taken)
        return 0.0 if oldest == inf else time.monotonic() - oldest

    def add(self, entries: Sequence[Entry]) -> list[Ack]:
        """Entries that are in the journal now."""
        with self._changed:
            was_empty = not self._waiting
            for entry in entries:
                submission = entry.submission
                self._waiting.append(entry)
                self._waiting_documents += submission.count
                self._waiting_bytes += submission.size
                self._documents += submission.count
                self._bytes += submission.size
                if entry.ack is not None:
                    self._unacknowledged.append(entry)
                    self._unacknowledged_documents += submission.count
                    self._unacknowledged_bytes += submission.size
            if was_empty or self._is_full_batch():
                self._changed.notify_all()
            return self._due_acks()

    def next(self, wait: float) -> list[Entry]:
        """The next batch; empty when none is due within ``wait`` seconds, or all is done and closed."""
        deadline = time.monotonic() + wait
        with self._changed:
            while True:
                now, due = time.monotonic(), self._due_at()
                if due <= now:
                    return self._take(now)
                left = min(due, deadline) - now
                if left <= 0 or self.closed:
                    return []
                self._changed.wait(left)

    def _due_at(self) -> float:
        limits = self._limits
        if not self._waiting:
            return inf
        if self.closed or self._is_full_batch():
            return -inf
        oldest = self._waiting[0].arrived
        if self._waiting_documents >= limits.bulk_documents:
            return oldest + max(limits.bulk_linger, limits.gather)
        return max(oldest + limits.gather, self._inserted + limits.linger)

    def _is_full_batch(self) -> bool:
        limits = self._limits
        return (
            self._waiting_documents >= limits.batch_documents
            or self._waiting_bytes >= limits.batch_bytes
        )

    def _take(self, now: float) -> list[Entry]:
        """Whole entries up to the size of a batch, at least one."""
        limits, waiting = self._limits, self._waiting
        entries: list[Entry] = []
        documents = size = 0
        while waiting:
            more = waiting[0].submission
            full = documents + more.count > limits.batch_documents
            if entries and (full or size + more.size > limits.batch_bytes):
                break
            documents, size = documents + more.count, size + more.size
            entries.append(waiting.popleft())
        self._waiting_documents -= documents
        self._waiting_bytes -= size
        self._inserted, self._oldest_taken = now, entries[0].arrived
        self._taken, self._taken_at = documents, now
        return entries

    def complete(self, entries: Sequence[Entry]) -> list[Ack]:
        """Forget entries that were taken: the store has them, or the journal is read later."""
        with self._changed:
            self._oldest_taken = inf
            seconds = max(time.monotonic() - self._taken_at, 1e-3)
            self._rate, self._taken = self._taken / seconds, 0
            self._forget(entries)
            return self._due_acks()

    def drop(self) -> list[Ack]:
        """Forget what waits: it will be read from the journal."""
        with self._changed:
            self._forget(self._waiting)
            self._waiting.clear()
            self._waiting_documents = self._waiting_bytes = 0
            return self._due_acks()

    def _forget(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            entry.stored = True
            self._documents -= entry.submission.count
            self._bytes -= entry.submission.size
        self._changed.notify_all()

    def bypass(self, bypassed: bool) -> list[Ack]:
        """Whether acknowledgements wait for nothing but the journal: the store is unavailable."""
        with self._changed:
            self._bypassed = bypassed
            self._changed.notify_all()
            return self._due_acks()

    def _due_acks(self) -> list[Ack]:
        """Acknowledgements that fit in, in order. What is acknowledged and ready is bounded; that its
        batches are stored makes room for as many documents, and so does, by and by, that one is being
        inserted: it is expected to take as long as the last one."""
        limits, due = self._limits, []
        inserted = min(self._taken, self._rate * (time.monotonic() - self._taken_at))
        while self._unacknowledged:
            entry = self._unacknowledged[0]
            documents = self._documents - self._unacknowledged_documents - int(inserted)
            size = self._bytes - self._unacknowledged_bytes
            count, bytes = entry.submission.count, entry.submission.size
            if not (entry.stored or self._bypassed or documents <= 0) and (
                documents + count > limits.ready_documents or size + bytes > limits.ready_bytes
            ):
                break
            self._unacknowledged.popleft()
            self._unacknowledged_documents -= count
            self._unacknowledged_bytes -= bytes
            assert entry.ack is not None
            try:
                entry.others.pop()  # another cell's entry has it; atomic
            except IndexError:
                due.append(entry.ack)
        return due

    def wait_for_room(self, seconds: float) -> None:
        """Block a receiver that does not wait for acknowledgements, while too much is ready."""
        limits, deadline = self._limits, time.monotonic() + seconds
        with self._changed:
            while not (self._bypassed or self.closed) and (
                self._documents > limits.ready_documents or self._bytes > limits.ready_bytes
            ):
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    def close(self) -> None:
        """What waits is due at once."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait this long, or until `close`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not self.closed and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)


def batch_of(entries: Sequence[Entry], cell: int) -> Batch:
    """The journal's stretch of entries that are inserted together."""
    return Batch(entries[0].start, entries[-1].end, sum(entry.count for entry in entries), cell)


def acknowledge(acks: Iterable[Ack]) -> None:
    """Complete acknowledgements, not under a lock: callbacks run here."""
    for ack in acks:
        if ack.set_running_or_notify_cancel():
            ack.set_result(None)
