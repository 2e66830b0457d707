"""The bounded in-memory queue, cut into batches by size or age; each submission is acknowledged once.

All receivers' threads add, the insert threads take. Neither store nor disk.
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
"""Completes when the documents are durable. Its result are those the store rejected, normally none."""


class QueueFull(Exception):
    """No room in memory or on disk: the sender should retry later."""


class Limits(Struct, frozen=True):
    """When a batch is flushed, how much may wait, and when an insert counts as slow. Seconds."""

    batch_documents: int = 20_000
    batch_bytes: int = 48 << 20
    linger: float = 1.0
    """Maximum time a fire-and-forget document lingers before its batch is flushed. Every insert makes
    some seven parts: flushed each 0.2 s, an almost idle ClickHouse was busy merging them."""
    ack_linger: float = 0.05
    """The same for a document whose sender waits for the acknowledgement, and the pause after a batch
    that was acknowledged."""
    busy_linger: float = 0.8
    """Added to both while an insert is running: an insert of 20,000 documents costs ClickHouse half as
    much per document as one of 4,000, and leaves less to merge."""
    bulk_linger: float = 2.0
    """Replaces `busy_linger` for fire-and-forget batches; applies without a running insert, too, from
    `bulk_threshold` documents on. At 9,000 documents a second merges take 0.45 of a core with 0.8 s
    and 0.40 with 2 s. (Senders that wait for acknowledgements would send a sixth less with 2 s.)"""
    bulk_threshold: int = 2_000
    queue_documents: int = 200_000
    queue_bytes: int = 128 << 20
    """With two batches in flight and a third being filled, a collector stays below 400 MB, also
    while it catches up after an outage (measured)."""
    insert_threads: int = 2
    slow_insert: float = 5.0
    """After this time an insert counts as slow, and waiting documents go to the spool."""
    replay_pause: float = 0.5
    """Between two looks at the spool; doubles up to 1 s while the store is unavailable."""


class Chunk(Struct):
    """One submission in the queue. ``ack`` is None when it is fire-and-forget."""

    submission: Submission
    arrived: float
    due: float
    ack: Ack | None


class Batch(Struct):
    """What is inserted together, under one deduplication token."""

    chunks: list[Chunk]
    count: int
    """Documents."""
    size: int
    """Bytes."""
    token: str
    started: float
    completed: bool = False
    """Whether the acknowledgements have been set."""


class BatchQueue:
    """Documents count against the bounds until their batch is completed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._waiting: deque[Chunk] = deque()
        self._waiting_documents = self._waiting_bytes = 0
        self._waiting_acks = 0
        self._total_documents = self._total_bytes = 0  # waiting or running
        self._running: dict[str, Batch] = {}
        self._due = inf
        self._acknowledged = -inf
        self._closed = False

    def add(self, submission: Submission, ack: Ack | None, wait: float = 0.0) -> bool:
        """Queue a submission. False when the queue is closed, or still full after ``wait`` seconds."""
        limits = self._limits
        count, size = submission.count, submission.size
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
            self._waiting.append(Chunk(submission, now, due, ack))
            sooner = due < self._due
            self._due = min(self._due, due)
            self._waiting_documents += count
            self._waiting_bytes += size
            self._waiting_acks += ack is not None
            self._total_documents += count
            self._total_bytes += size
            if sooner or self._is_due():
                self._changed.notify_all()
        return True

    def _has_room(self, count: int, size: int) -> bool:
        """An empty queue admits even a submission larger than its bounds."""
        limits = self._limits
        return not self._total_documents or (
            self._total_documents + count <= limits.queue_documents
            and self._total_bytes + size <= limits.queue_bytes
        )

    def next_batch(self) -> Batch | None:
        """Wait for a due batch; None when the queue is closed and empty."""
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
        """The next batch without waiting: a due one, or any with ``due_only=False``; else None."""
        with self._changed:
            return self._take() if self._waiting and (not due_only or self._is_due()) else None

    def complete(self, batch: Batch, outcome: tuple[Document, ...] | QueueFull) -> bool:
        """Set a batch's acknowledgements; False when that has been done before."""
        with self._changed:
            if batch.completed:
                return False
            batch.completed = True
            self._running.pop(batch.token, None)
            self._total_documents -= batch.count
            self._total_bytes -= batch.size
            if any(chunk.ack is not None for chunk in batch.chunks):
                self._acknowledged = time.monotonic()
            self._changed.notify_all()  # room for producers, and the next batch may be due
        for chunk in batch.chunks:
            _set_result(chunk, outcome)
        return True

    def running(self) -> list[Batch]:
        """Batches taken and not yet completed."""
        with self._changed:
            return list(self._running.values())

    def state(self) -> tuple[int, float]:
        """Documents waiting or running, and the age of the oldest in seconds."""
        with self._changed:
            chunks = [*self._waiting, *(c for b in self._running.values() for c in b.chunks)]
            oldest = min((chunk.arrived for chunk in chunks), default=None)
            return self._total_documents, time.monotonic() - oldest if oldest else 0.0

    def close(self) -> None:
        """Admit nothing more; what waits is due at once."""
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
        """When the waiting documents are due by age.

        While an insert is running they gather: the busier the store, the larger and cheaper the next
        batch. So they do for a moment after an acknowledgement, because the senders that now have
        it send more; otherwise these would wait for one insert and then for their own, and each
        batch would be half as large.
        """
        due, limits = self._due, self._limits
        if self._waiting_acks:
            due = max(due, self._acknowledged + limits.ack_linger)
            return due + limits.busy_linger if self._running else due
        gathers = self._running or self._waiting_documents >= limits.bulk_threshold
        return due + limits.bulk_linger if gathers else due

    def _take(self) -> Batch:
        """Whole chunks up to the size of a batch, at least one."""
        limits, waiting = self._limits, self._waiting
        chunks = [waiting.popleft()]
        count, size = chunks[0].submission.count, chunks[0].submission.size
        while waiting:
            more = waiting[0].submission
            if count + more.count > limits.batch_documents or size + more.size > limits.batch_bytes:
                break
            count, size = count + more.count, size + more.size
            chunks.append(waiting.popleft())
        self._waiting_documents -= count
        self._waiting_bytes -= size
        self._waiting_acks -= sum(chunk.ack is not None for chunk in chunks)
        self._due = min((chunk.due for chunk in waiting), default=inf)
        batch = Batch(chunks, count, size, uuid.uuid4().hex, time.monotonic())
        self._running[batch.token] = batch
        return batch


def _set_result(chunk: Chunk, outcome: tuple[Document, ...] | QueueFull) -> None:
    ack = chunk.ack
    if ack is None or not ack.set_running_or_notify_cancel():
        return
    if isinstance(outcome, QueueFull):
        ack.set_exception(outcome)
    elif not outcome:
        ack.set_result(())
    else:
        ours = {id(document) for document in chunk.submission.decoded}
        ack.set_result(tuple(document for document in outcome if id(document) in ours))
