"""Inserts under a token, and what they show of a cell of the store. One for each thread that inserts there."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from collector.batches import Batches, acknowledge
from collector.group_commit import GroupCommit
from collector.health import StoreAvailability
from collector.insert import count_stored, insert_batch
from collector.journals import Journals
from collector.log_limiter import LogLimiter
from collector.metrics import IngestMetrics
from collector.records import Records
from collector.replay import Outcome
from collector.submission import Submission
from store.errors import StoreError, StoreUnavailable
from store.protocol import SegmentWriter

log = structlog.get_logger(__name__)


class StoreInserts:
    """The inserts of one thread."""

    def __init__(
        self,
        writer: SegmentWriter,
        batches: Batches,
        journals: Journals,
        commit: GroupCommit,
        store: StoreAvailability,
        metrics: IngestMetrics,
    ) -> None:
        self._writer = writer
        self._batches = batches
        self._journals = journals
        self._commit = commit
        self._store = store
        self._metrics = metrics
        self._limiter = LogLimiter(log, 10.0)
        self.started: float | None = None
        """When the insert or probe that the store has not answered yet began; None between them."""
        self.refusal = ""
        """Why the store refused the last batch that it refused for now."""

    def insert(self, submissions: Sequence[Submission | Records], token: str) -> Outcome:
        """Insert documents under a token; refused ones go to quarantine. Raises OSError."""
        self.started = time.monotonic()
        try:
            with self._metrics.insert_seconds.time():
                refused = insert_batch(self._writer, submissions, token)
        except StoreUnavailable as error:
            self.mark_unavailable(error)
            return Outcome.UNAVAILABLE
        except Exception as error:  # the store's, or a bug of ours: not the documents' fault
            kind = "" if isinstance(error, StoreError) else f"{type(error).__name__}: "
            documents = sum([each.count for each in submissions])
            self._limiter.error("store_refuses", error=f"{kind}{error}", documents=documents)
            self.refusal = f"{kind}{error}"
            return Outcome.REFUSED
        finally:
            self.started = None
        for each in refused:
            self._journals.set_aside(each.reason, *each.payload)
        count_stored(self._metrics, self._writer, submissions, refused)
        self.mark_available()
        return Outcome.STORED

    def answers(self) -> bool:
        """Whether the store answers: a cheap probe, before a batch is sent in vain."""
        self.started = time.monotonic()
        try:
            self._writer.check()
        except StoreUnavailable as error:
            self.mark_unavailable(error)
            return False
        except StoreError:
            pass  # it answers, whatever the answer
        finally:
            self.started = None
        return True

    def mark_unavailable(self, reason: str | StoreUnavailable) -> None:
        """Let acknowledgements no longer wait for inserts. Called by the watching thread as well."""
        self._store.mark_unavailable(reason)
        acknowledge(self._batches.bypass(True))

    def mark_available(self) -> None:
        """Let them wait again."""
        self._store.mark_available(self._commit.unsent)
        acknowledge(self._batches.bypass(False))
