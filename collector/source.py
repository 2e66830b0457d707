"""What a thread has that reads documents which another system retains until the store has them: no journal is
written for them."""

from __future__ import annotations

from collections.abc import Sequence

from collector.batches import Limits
from collector.payloads import Payload
from collector.records import Records
from collector.replay import Backlog, Outcome
from collector.store_inserts import StoreInserts
from collector.submission import Submission
from store.model import Document
from store.protocol import ColumnarWriter


class Source:
    """The way of one thread to the store."""

    def __init__(
        self,
        inserts: StoreInserts,
        backlog: Backlog,
        columnar: ColumnarWriter | None,
        limits: Limits,
    ) -> None:
        self._inserts = inserts
        self._backlog = backlog
        self._columnar = columnar
        self.limits = limits
        self.problem = ""
        """A sentence for /readyz; empty while there is none."""

    def submission(self, documents: Sequence[Document]) -> Submission:
        """Documents in the form in which they wait for their batch."""
        return Submission(documents, self._columnar)

    def insert(self, submissions: Sequence[Submission | Records], token: str) -> Outcome:
        """Insert a batch; the same ``token`` with the same documents again changes nothing. Raises OSError."""
        return self._inserts.insert(submissions, token)

    def answers(self) -> bool:
        """Whether the store answers."""
        return self._inserts.answers()

    @property
    def refusal(self) -> str:
        """Why the store refused the last batch that it refused for now."""
        return self._inserts.refusal

    def set_aside(self, reason: str, payload: Payload) -> None:
        """Put what cannot be decoded into quarantine. Raises OSError."""
        self._backlog.set_aside(reason, payload.kind, payload.version, 1, payload.encoded)
