"""What waits in memory: bounded, cut into batches by size or age, and answered once.

Threads of all doors add; the insert threads take. Knows neither the store nor the disk.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from concurrent.futures import Future
from math import inf

from msgspec import Struct

from collector.submission import Submission
from store.model import Document

Ack = Future[tuple[Document, ...]]
"""Done when the documents are kept; its result are those the store refused, normally none."""


class QueueFull(Exception):
    """No room in memory or on disk: the sender should come again later."""


class Limits(Struct, frozen=True):
    """When a batch is due, how much may wait, and when the store is called slow or away."""

    batch_documents: int = 20_000
    batch_bytes: int = 48 << 20
    linger: float = 1.0
    """Seconds a document waits for company when nobody waits for it. An insert makes some seven parts,
    whatever is in it: at 0.2 s an almost idle ClickHouse was busy merging them."""
    ack_linger: float = 0.05
    """The same when a sender waits for the answer; so long, too, a batch waits after one that was
    answered."""
    patience: float = 0.8
    """Seconds more that a batch may wait while an insert is running: of 20,000 documents an insert
    costs ClickHouse half per document of what it costs with 4,000, and leaves less to merge."""
    company: float = 2.0
    """The same for a batch that nobody waits for, and also without a running insert when there are
    `many`. With 0.8 s, 9,000 documents a second kept merges busy for 0.45 of a core, with 2 s for
    0.40. (Senders who wait for their answer would send a sixth less with as much.)"""
    many: int = 2_000
    queue_documents: int = 200_000
    queue_bytes: int = 128 << 20
    """With two batches on their way and a third being filled. A collector stays below 400 MB,
    also while it catches up after an outage (measured)."""
    insert_threads: int = 2
    slow_insert: float = 5.0
    """Seconds after which an insert is called slow and what waits goes to the spool."""
    replay_pause: float = 0.5
    """Seconds before the spool is looked at again; doubles up to 1 while the store is away."""


class Chunk(Struct):
    """What was submitted together. ``kept`` is None when nobody waits for an answer."""

    bundle: Submission
    arrived: float
    due: float
    ack: Ack | None


class Batch(Struct):
    """What goes into the store together, under one token."""

    chunks: list[Chunk]
    count: int
    """Documents."""
    size: int
    token: str
    started: float
    completed: bool = False
    """Whether the senders have their answer."""


class BatchQueue:
    """Documents stay counted against the bounds until their batch is settled."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._waiting: deque[Chunk] = deque()
        self._waiting_documents = self._waiting_bytes = 0
        self._waiting_answers = 0
        self._held_documents = self._held_bytes = 0  # waiting or running
        self._running: dict[str, Batch] = {}
        self._due = inf
        self._answered = -inf
        self._closed = False

    def add(self, bundle: Submission, ack: Ack | None, wait: float = 0.0) -> bool:
        """Queue documents; False when the queue is closed or, after ``wait`` seconds, full."""
        limits = self._limits
        count, size = bundle.count, bundle.size
        deadline = time.monotonic() + wait
        with self._changed:
            while not self._has_room(count, size) and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            if self._closed:
                return False
            now = time.monotonic()
            due = now + (limits.linger if ack is None else limits.ack_linger)
            self._waiting.append(Chunk(bundle, now, due, ack))
            sooner = due < self._due
            self._due = min(self._due, due)
            self._waiting_documents += count
            self._waiting_bytes += size
            self._waiting_answers += ack is not None
            self._held_documents += count
            self._held_bytes += size
            if sooner or self._is_due():
                self._changed.notify_all()
        return True

    def _has_room(self, count: int, size: int) -> bool:
        """Alone, even what is larger than the queue has to get through."""
        limits = self._limits
        return not self._held_documents or (
            self._held_documents + count <= limits.queue_documents
            and self._held_bytes + size <= limits.queue_bytes
        )

    def next_batch(self) -> Batch | None:
        """Wait for a batch to be due; None when the queue is closed and empty."""
        with self._changed:
            while not self._is_due():
                if self._closed:
                    return None
                if self._waiting:
                    self._changed.wait(max(0.001, self._due_at() - time.monotonic()))
                else:
                    self._changed.wait()
            return self._take()

    def take(self, *, due_only: bool = True) -> Batch | None:
        """The next batch without waiting: if one is due, or whatever there is."""
        with self._changed:
            return self._take() if self._waiting and (not due_only or self._is_due()) else None

    def complete(self, batch: Batch, outcome: tuple[Document, ...] | QueueFull) -> bool:
        """Answer a batch's senders; False when they have been answered before."""
        with self._changed:
            if batch.completed:
                return False
            batch.completed = True
            self._running.pop(batch.token, None)
            self._held_documents -= batch.count
            self._held_bytes -= batch.size
            if any(chunk.ack is not None for chunk in batch.chunks):
                self._answered = time.monotonic()
            self._changed.notify_all()  # there is room, and the next batch may go
        for chunk in batch.chunks:
            _answer(chunk, outcome)
        return True

    def running(self) -> list[Batch]:
        """Batches taken and not yet settled."""
        with self._changed:
            return list(self._running.values())

    def state(self) -> tuple[int, float]:
        """Documents held, and the age of the oldest in seconds."""
        with self._changed:
            chunks = [*self._waiting, *(c for b in self._running.values() for c in b.chunks)]
            oldest = min((chunk.arrived for chunk in chunks), default=None)
            return self._held_documents, time.monotonic() - oldest if oldest else 0.0

    def close(self) -> None:
        """Take nothing more; what waits is due at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_due(self) -> bool:
        limits = self._limits
        return bool(self._waiting) and (
            self._closed
            or self._waiting_documents >= limits.batch_documents
            or self._waiting_bytes >= limits.batch_bytes
            or time.monotonic() >= self._due_at()
        )

    def _due_at(self) -> float:
        """When what waits is due by age. While an insert runs it gathers: the busier the store,
        the larger, and cheaper, what comes next. So it does for a moment after one, since those who
        have their answer now send more: else they would wait for the others' insert and then for
        their own, and each would be half as large."""
        due, limits = self._due, self._limits
        if self._waiting_answers:
            due = max(due, self._answered + limits.ack_linger)
            return due + limits.patience if self._running else due
        gathers = self._running or self._waiting_documents >= limits.many
        return due + limits.company if gathers else due

    def _take(self) -> Batch:
        """Whole chunks up to a batch's size, one at least."""
        limits, waiting = self._limits, self._waiting
        chunks = [waiting.popleft()]
        count, size = chunks[0].bundle.count, chunks[0].bundle.size
        while waiting:
            more = waiting[0].bundle
            if count + more.count > limits.batch_documents or size + more.size > limits.batch_bytes:
                break
            count, size = count + more.count, size + more.size
            chunks.append(waiting.popleft())
        self._waiting_documents -= count
        self._waiting_bytes -= size
        self._waiting_answers -= sum(chunk.ack is not None for chunk in chunks)
        self._due = min((chunk.due for chunk in waiting), default=inf)
        batch = Batch(chunks, count, size, uuid.uuid4().hex, time.monotonic())
        self._running[batch.token] = batch
        return batch


def _answer(chunk: Chunk, outcome: tuple[Document, ...] | QueueFull) -> None:
    ack = chunk.ack
    if ack is None or not ack.set_running_or_notify_cancel():
        return
    if isinstance(outcome, QueueFull):
        ack.set_exception(outcome)
    elif not outcome:
        ack.set_result(())
    else:
        ours = {id(document) for document in chunk.bundle.held}
        ack.set_result(tuple(document for document in outcome if id(document) in ours))
