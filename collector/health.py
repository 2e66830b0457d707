"""Whether documents can be accepted now, and what an operator can do when they cannot."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from msgspec import Struct

from collector.log_limiter import LogLimiter
from store.errors import SchemaMismatch, StoreUnavailable

log = structlog.get_logger(__name__)


class IngestHealth(Struct, frozen=True):
    """The state of a process's ingest; see `Ingest.health`."""

    store_available: bool
    journal_full: bool
    journal_bytes: int
    """That wait for the store."""
    journal_limit: int
    queued: int
    """Documents in memory, not yet in the store."""
    oldest: float
    """Age in seconds of the oldest document not yet in the store."""
    journal_folder: str = ""
    schema_problem: str = ""
    """Why the store's schema does not fit this program."""
    disk_error: str = ""
    """The operating system's error when the journal was written last."""
    damaged_files: int = 0
    """Damaged journal files that are still there."""
    quarantined: int = 0
    """Documents set aside."""
    quarantine_dropped: int = 0
    """Documents lost because the quarantine had reached its bound."""
    unreadable: Mapping[str, str] = {}
    """Journals of dead processes that cannot be read, and why."""
    refusal: str = ""
    """Why the store refuses a batch for now."""
    stopping: bool = False
    """Whether the process is about to end; it still accepts documents."""
    away: Sequence[int] = ()
    """Of several cells the places of those that are unavailable, from one."""
    elsewhere: Sequence[str] = ()
    """Problems of the process's other journals, sentences for people."""

    @property
    def accepting(self) -> bool:
        """Whether a document that arrives now can be made durable, with or without the store."""
        return not self.journal_full

    @property
    def ready(self) -> bool:
        """Accepting, able to store documents without an operator's help, and not about to end."""
        return self.accepting and not self.schema_problem and not self.stopping

    def as_dict(self) -> dict[str, Any]:
        """The body of /readyz; ``problems`` are sentences with the command that helps."""
        return {
            "ready": self.ready,
            "problems": self._problems(),
            "stopping": self.stopping,
            "store_available": self.store_available,
            "journal": {
                "full": self.journal_full,
                "bytes": self.journal_bytes,
                "limit": self.journal_limit,
            },
            "queued": self.queued,
            "oldest_s": round(self.oldest, 3),
        }

    def _problems(self) -> list[str]:
        problems = ["stopping: send to another process"] if self.stopping else []
        if self.disk_error:
            problems.append(
                f"the journal cannot be written ({self.disk_error}), documents are deferred: "
                f"make room on its disk, see  df -h {self.journal_folder}"
            )
        elif not self.accepting:
            problems.append("the journal is full: documents are deferred until the store has some")
        if self.schema_problem:
            reason = self.schema_problem.rstrip(".")
            problems.append(f"{reason}; documents wait in the journal until the schema fits")
        elif self.away:
            cells = ", ".join(map(str, self.away))
            problems.append(
                f"cells that are unavailable or slow: {cells} (see  raymap topology); their documents wait in the "
                "journal, other cells have theirs"
            )
        elif not self.store_available:
            problems.append("the store is unavailable or slow: documents wait in the journal")
        if self.refusal:
            problems.append(f"the store refuses a batch, which is tried again: {self.refusal}")
        if self.quarantined:
            problems.append(
                f"{self.quarantined:,} documents could not be stored and are in quarantine; see why "
                "with  raymap journal inspect quarantine, try again with  raymap journal retry"
            )
        if self.quarantine_dropped and self.quarantined:
            problems.append(
                f"{self.quarantine_dropped:,} documents that cannot be stored are lost: the quarantine "
                "has reached its bound; empty it with  raymap journal retry"
            )
        for journal, reason in self.unreadable.items():
            problems.append(
                f"the journal {journal} of a process that died cannot be read ({reason}), its documents "
                f"wait: look at  ls -l {self.journal_folder}/{journal}"
            )
        if self.damaged_files:
            problems.append(
                f"documents in {self.damaged_files} damaged journal files are lost; after a look at "
                f"the disk remove them:  rm -r {self.journal_folder}/damaged"
            )
        return [*problems, *self.elsewhere]


class StoreAvailability:
    """Whether inserts reach a cell of the store, as the last of them showed. Thread-safe; logs changes."""

    def __init__(self, cell: str = "") -> None:
        """``cell``: its name, of one of several."""
        self._labels = {"cell": cell} if cell else {}
        self._lock = threading.Lock()
        self._unavailable = threading.Event()
        self.schema_problem = ""
        """Set while the store's schema does not fit."""
        self._since = 0.0
        self._limiter = LogLimiter(log, 10.0)

    @property
    def available(self) -> bool:
        return not self._unavailable.is_set()

    def mark_unavailable(self, reason: str | StoreUnavailable) -> None:
        """Documents wait in the journal until `mark_available`."""
        mismatch = isinstance(reason, SchemaMismatch)
        with self._lock:
            known = self._unavailable.is_set()
            if not known:
                self._unavailable.set()
                self._since = time.monotonic()
            if mismatch or isinstance(reason, StoreUnavailable):  # a slow insert says nothing of it
                known = known and mismatch == bool(self.schema_problem)
                self.schema_problem = str(reason) if mismatch else ""
        if not known:
            event = "store_schema_mismatch" if mismatch else "store_unavailable"
            self._limiter.warning(event, reason=str(reason), **self._labels)

    def mark_available(self, unsent_bytes: int) -> None:
        """Documents go to the store again."""
        with self._lock:
            if not self._unavailable.is_set():
                return
            self._unavailable.clear()
            self.schema_problem = ""
            seconds = round(time.monotonic() - self._since, 1)
        self._limiter.info(
            "store_available", seconds=seconds, unsent_bytes=unsent_bytes, **self._labels
        )
