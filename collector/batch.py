"""Documents → batches → the store, or the spool while the store is slow or away.

A bounded queue in memory; insert threads take what is due by size or age. What was submitted is
acknowledged when it is kept: in the store, or on disk. Knows neither sockets nor formats.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

import structlog
from msgspec import Struct

from collector.counters import Counters
from collector.insert import StoreRefuses, count_stored, insert, replay
from collector.spool import Spool, SpoolFull, token_of
from store.interface import SegmentWriter, StoreAway
from store.model import Document

log = structlog.get_logger(__name__)

Kept = Future[tuple[Document, ...]]
"""Done when the documents are kept; its result are those the store refused, normally none."""

OVERHEAD = 1000
"""Bytes a document in memory takes beside its raw bytes, roughly."""


class Full(Exception):
    """No room in memory or on disk: the sender should come again later."""


class Limits(Struct, frozen=True):
    """When a batch is due, and how much may wait."""

    batch_documents: int = 20_000
    batch_bytes: int = 16 << 20
    batch_age: float = 0.2
    queue_documents: int = 200_000
    queue_bytes: int = 256 << 20
    insert_threads: int = 2
    slow_insert: float = 5.0
    """Seconds after which an insert is called slow and what waits goes to the spool."""
    replay_pause: float = 0.5
    """Seconds before the first repetition while the store is away; doubles up to 10."""


class _Chunk(Struct):
    """What was submitted together."""

    documents: Sequence[Document]
    size: int
    arrived: float
    kept: Kept | None


class _Batch(Struct):
    chunks: list[_Chunk]
    documents: list[Document]
    size: int
    token: str
    started: float
    settled: bool = False
    """Whether the senders have their answer."""


class Batcher:
    """Any thread may submit; `start` and `stop` frame its life."""

    def __init__(
        self, writer: SegmentWriter, spool: Spool, counters: Counters, limits: Limits
    ) -> None:
        self._writer = writer
        self._spool = spool
        self._counters = counters
        self._limits = limits
        self._changed = threading.Condition()
        self._waiting: deque[_Chunk] = deque()
        self._waiting_documents = self._waiting_bytes = 0
        self._held_documents = self._held_bytes = 0  # waiting or being inserted
        self._running: dict[str, _Batch] = {}
        self._putting: set[str] = set()
        self._away = threading.Event()
        self._stopping = False
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def submit(self, documents: Sequence[Document]) -> Kept:
        """Queue documents; the future tells when they are kept. Raises Full."""
        kept: Kept = Future()
        if not documents:
            kept.set_result(())
        elif not self._queue(documents, kept):
            raise Full("the queue is full")
        return kept

    def offer(self, documents: Sequence[Document]) -> bool:
        """Queue documents of a sender who cannot wait; when full they are dropped and counted."""
        if not documents or self._queue(documents, None):
            return True
        self._counters.dropped.labels("queue_full").inc(len(documents))
        return False

    def start(self) -> None:
        """Begin to insert, and to replay what an earlier life left in the spool."""
        loops = [self._insert_loop] * self._limits.insert_threads
        for index, loop in enumerate([*loops, self._watch_loop, self._replay_loop]):
            thread = threading.Thread(target=loop, name=f"batcher-{index}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout: float = 10.0) -> None:
        """Refuse what comes, keep what is there, and end. What the store has not taken when
        half of the time is over goes to the spool."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads[: self._limits.insert_threads]:
            thread.join(max(0.0, deadline - timeout / 2 - time.monotonic()))
        for batch in list(self._running.values()):
            self._to_spool(batch)
        while (rest := self._take(due_only=False)) is not None:
            self._to_spool(rest)
        self._stopped.set()
        for thread in self._threads[self._limits.insert_threads :]:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._show()

    def _queue(self, documents: Sequence[Document], kept: Kept | None) -> bool:
        count = len(documents)
        size = sum(len(document.raw) for document in documents) + count * OVERHEAD
        limits = self._limits
        with self._changed:
            over = (
                self._held_documents + count > limits.queue_documents
                or self._held_bytes + size > limits.queue_bytes
            )
            # Alone, even what is larger than the queue has to get through.
            if self._stopping or (over and self._held_documents):
                return False
            self._waiting.append(_Chunk(documents, size, time.monotonic(), kept))
            self._waiting_documents += count
            self._waiting_bytes += size
            self._held_documents += count
            self._held_bytes += size
            if len(self._waiting) == 1 or self._is_due():
                self._changed.notify()
        return True

    def _is_due(self) -> bool:
        limits = self._limits
        return bool(self._waiting) and (
            self._stopping
            or self._waiting_documents >= limits.batch_documents
            or self._waiting_bytes >= limits.batch_bytes
            or time.monotonic() - self._waiting[0].arrived >= limits.batch_age
        )

    def _take(self, *, due_only: bool = True) -> _Batch | None:
        """The next batch, if one is due."""
        with self._changed:
            if not self._waiting or (due_only and not self._is_due()):
                return None
            chunks: list[_Chunk] = []
            documents: list[Document] = []
            size = 0
            while self._waiting and (
                not chunks
                or (
                    len(documents) + len(self._waiting[0].documents) <= self._limits.batch_documents
                    and size + self._waiting[0].size <= self._limits.batch_bytes
                )
            ):
                chunk = self._waiting.popleft()
                chunks.append(chunk)
                documents += chunk.documents
                size += chunk.size
            self._waiting_documents -= len(documents)
            self._waiting_bytes -= size
            batch = _Batch(chunks, documents, size, uuid.uuid4().hex, time.monotonic())
            self._running[batch.token] = batch
            return batch

    def _insert_loop(self) -> None:
        while True:
            with self._changed:
                while not self._is_due():
                    if self._stopping:
                        return
                    if self._waiting:
                        age = time.monotonic() - self._waiting[0].arrived
                        self._changed.wait(max(0.001, self._limits.batch_age - age))
                    else:
                        self._changed.wait()
            batch = self._take()
            if batch is not None:
                self._keep(batch)

    def _keep(self, batch: _Batch) -> None:
        """Put a batch into the store; into the spool while the store is away."""
        if self._away.is_set():
            self._to_spool(batch)
            return
        self._putting.add(batch.token)
        try:
            with self._counters.insert_seconds.time():
                refused = insert(self._writer, batch.documents, batch.token)
        except StoreAway as error:
            log.warning("store_away", error=str(error))
            self._away.set()
            self._to_spool(batch)
            return
        except StoreRefuses as error:
            log.error("store_refuses", error=str(error), documents=len(batch.documents))
            self._to_spool(batch)
            return
        finally:
            self._putting.discard(batch.token)
        count_stored(self._counters, len(batch.documents), len(refused))
        if not self._settle(batch, tuple(refused)):
            self._spool.remove(batch.token)  # too slow: it went to the spool meanwhile

    def _to_spool(self, batch: _Batch) -> None:
        """Keep a batch on disk; when even that has no room, its senders are told."""
        try:
            self._spool.write(batch.documents, batch.token)
        except SpoolFull as error:
            if self._settle(batch, Full(f"the store is away and the spool is full: {error}")):
                lost = sum(len(c.documents) for c in batch.chunks if c.kept is None)
                self._counters.dropped.labels("spool_full").inc(lost)
            return
        if self._settle(batch, ()):
            self._counters.batches.labels("spool").inc()
        else:
            self._spool.remove(batch.token)

    def _settle(self, batch: _Batch, outcome: tuple[Document, ...] | Full) -> bool:
        """Answer a batch's senders; False when they have been answered before."""
        with self._changed:
            first = not batch.settled
            batch.settled = True
            self._running.pop(batch.token, None)
            if first:
                self._held_documents -= len(batch.documents)
                self._held_bytes -= batch.size
        if first:
            for chunk in batch.chunks:
                _answer(chunk, outcome)
        return first

    def _watch_loop(self) -> None:
        """Show the queue's state, and spool what a slow store keeps waiting."""
        while not self._stopped.wait(0.25):
            self._show()
            slow = time.monotonic() - self._limits.slow_insert
            late = [b for b in list(self._running.values()) if b.started < slow]
            for batch in late:
                log.warning("insert_slow", documents=len(batch.documents))
                self._away.set()
                self._to_spool(batch)
            while late and (batch_due := self._take()) is not None:
                self._to_spool(batch_due)

    def _show(self) -> None:
        with self._changed:
            oldest = [chunk.arrived for chunk in self._waiting]
            oldest += [chunk.arrived for b in self._running.values() for chunk in b.chunks]
            held = self._held_documents
        age = time.monotonic() - min(oldest) if oldest else 0.0
        spooled = self._spool.oldest()
        self._counters.queued.set(held)
        self._counters.spooled_bytes.set(self._spool.size)
        self._counters.oldest.set(max(age, time.time() - spooled if spooled else 0.0, 0.0))

    def _replay_loop(self) -> None:
        limits = self._limits
        pause = limits.replay_pause
        while not self._stopped.wait(pause):
            try:
                self._spool.adopt()
                caught_up = self._replay()
            except OSError as error:
                log.error("spool_unreadable", error=str(error))
                caught_up = False
            pause = limits.replay_pause if caught_up else min(pause * 2, 10.0)

    def _replay(self) -> bool:
        """Give the store what waits on disk, oldest first; False when not all of it went."""
        all_went = True
        for name in self._spool.waiting():
            if self._stopped.is_set():
                return False
            if token_of(name) in self._putting:
                continue
            try:
                replay(self._writer, self._spool, self._counters, name)
            except StoreAway:
                self._away.set()
                return False
            except StoreRefuses as error:  # the batches behind it are none the worse for it
                log.error("store_refuses", error=str(error), file=name)
                all_went = False
            # Versions decide, not the order of arrival: new batches need not wait for the rest.
            self._away.clear()
        return all_went


def _answer(chunk: _Chunk, outcome: tuple[Document, ...] | Full) -> None:
    kept = chunk.kept
    if kept is None or not kept.set_running_or_notify_cancel():
        return
    if isinstance(outcome, Full):
        kept.set_exception(outcome)
    elif not outcome:
        kept.set_result(())
    else:
        ours = {id(document) for document in chunk.documents}
        kept.set_result(tuple(document for document in outcome if id(document) in ours))
