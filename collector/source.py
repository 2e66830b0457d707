"""What a thread has that reads documents which another system retains until the store has them: no journal is
written for them."""

from __future__ import annotations

from collections.abc import Sequence

from collector.batches import Limits
from collector.journals import Journals
from collector.payloads import Payload
from collector.records import Records
from collector.replay import Outcome
from collector.store_inserts import StoreInserts
from collector.submission import Submission
from store.model import Document
from store.protocol import ColumnarWriter


class Source:
    """The way of one thread to the store."""

    def __init__(
        self,
        inserts: Sequence[StoreInserts],
        journals: Journals,
        columnar: ColumnarWriter | None,
        limits: Limits,
    ) -> None:
        self._inserts = inserts
        """Into each cell."""
        self._token, self._stored = "", set[int]()
        """The last batch, and the cells that have it."""
        self._journals = journals
        self._columnar = columnar
        self.limits = limits
        self.problem = ""
        """A sentence for /readyz; empty while there is none."""

    def submission(self, documents: Sequence[Document]) -> Submission:
        """Documents in the form in which they wait for their batch."""
        return Submission(documents, self._columnar)

    def insert(self, submissions: Sequence[Submission | Records], token: str) -> Outcome:
        """Insert a batch into the cells that do not have it; the same ``token`` with the same documents again changes
        nothing. Raises OSError."""
        if token != self._token:
            self._token, self._stored = token, set()
        worst = Outcome.STORED
        for cell, inserts in enumerate(self._inserts):
            outcome = Outcome.STORED if cell in self._stored else inserts.insert(submissions, token)
            if outcome is Outcome.STORED:
                self._stored.add(cell)
            worst = max(worst, outcome)
        return worst

    def answers(self) -> bool:
        """Whether every cell of the store answers."""
        return all(inserts.answers() for inserts in self._inserts)

    @property
    def refusal(self) -> str:
        """Why the store refused the last batch that it refused for now."""
        return next((each.refusal for each in self._inserts if each.refusal), "")

    def set_aside(self, reason: str, payload: Payload) -> None:
        """Put what cannot be decoded into quarantine. Raises OSError."""
        self._journals.set_aside(reason, payload.kind, payload.version, 1, payload.encoded)
