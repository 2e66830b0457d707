"""Whether documents can be accepted now, and what an operator can do when they cannot."""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog
from msgspec import Struct

from collector.log_limiter import LogLimiter

log = structlog.get_logger(__name__)


class IngestHealth(Struct, frozen=True):
    """The state of a process's ingest; see `Batcher.health`."""

    store_available: bool
    spool_full: bool
    spool_bytes: int
    spool_limit: int
    queued: int
    """Documents in memory, not yet durable."""
    oldest: float
    """Age in seconds of the oldest document not yet in the store."""
    spool_folder: str = ""

    @property
    def accepting(self) -> bool:
        """Whether a document that arrives now can be made durable, in the store or on disk."""
        return self.store_available or not self.spool_full

    def as_dict(self) -> dict[str, Any]:
        """The body of /readyz; ``problems`` are sentences with the command that helps."""
        return {
            "ready": self.accepting,
            "problems": self._problems(),
            "store_available": self.store_available,
            "spool": {
                "full": self.spool_full,
                "bytes": self.spool_bytes,
                "limit": self.spool_limit,
            },
            "queued": self.queued,
            "oldest_s": round(self.oldest, 3),
        }

    def _problems(self) -> list[str]:
        problems = []
        if not self.accepting:
            problems.append(
                "the store is unavailable and the spool is full: documents are deferred"
            )
        elif not self.store_available:
            problems.append("the store is unavailable or slow: documents wait on disk")
        return problems


class StoreAvailability:
    """Whether inserts reach the store, as the last of them showed. Thread-safe; logs changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unavailable = threading.Event()
        self._since = 0.0
        self._limiter = LogLimiter(log, 10.0)

    @property
    def available(self) -> bool:
        return not self._unavailable.is_set()

    def mark_unavailable(self, reason: str) -> None:
        """Documents go to the spool until `mark_available`."""
        with self._lock:
            if self._unavailable.is_set():
                return
            self._unavailable.set()
            self._since = time.monotonic()
        self._limiter.warning("store_unavailable", reason=reason)

    def mark_available(self, spooled_bytes: int) -> None:
        """Documents go to the store again."""
        with self._lock:
            if not self._unavailable.is_set():
                return
            self._unavailable.clear()
            seconds = round(time.monotonic() - self._since, 1)
        self._limiter.info("store_available", seconds=seconds, spooled_bytes=spooled_bytes)
