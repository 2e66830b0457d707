"""A batch into a store that does not like all of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from collector.insert import (
    MAX_REFUSED,
    StoreRejectedBatch,
    insert_batch,
    insert_documents,
    insert_with_bisection,
)
from collector.submission import Submission
from store.columnar import DocumentColumns
from store.errors import DataRefused, StoreError, StoreUnavailable
from store.model import Document
from tests.builders import segment
from tests.collector.samples import segment_bytes


class Picky:
    """Accepts batches without bad ids, and records every put."""

    def __init__(
        self, *bad: int, error: type[Exception] = DataRefused, unavailable_after: int = 10_000
    ) -> None:
        self.bad = frozenset(bad)
        self.error = error
        self.unavailable_after = unavailable_after
        self.puts: list[str] = []
        self.taken: set[int] = set()

    def check(self) -> None:
        """Always available."""

    def close(self) -> None:
        """No connections to close."""

    def put(self, documents: Sequence[Document], token: str) -> None:
        self._put([document.id for document in documents], token)

    def _put(self, ids: list[int], token: str) -> None:
        self.puts.append(token)
        if len(self.puts) > self.unavailable_after:
            raise StoreUnavailable("gone")
        if self.bad & set(ids):
            raise self.error("no")
        self.taken |= set(ids)


class Columnar(Picky):
    """The same by column; some ids cannot be encoded."""

    unencodable: frozenset[int] = frozenset()

    def encode(self, columns: DocumentColumns) -> Encoded:
        if self.unencodable & set(columns.ids):
            raise OverflowError("int too large")
        return Encoded(list(columns.ids))

    def put_encoded(self, packed: Sequence[Encoded], token: str) -> None:
        self._put([id for each in packed for id in each.ids], token)


class Encoded:
    size = 1

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids


BATCH = [segment(id) for id in range(1, 101)]


def test_one_put_when_nothing_is_wrong() -> None:
    """Under the batch's own token."""
    store = Picky()
    assert insert_with_bisection(store, BATCH, "t") == []
    assert store.puts == ["t"]


def test_offenders_are_found() -> None:
    """All others are taken, with few puts, under tokens that are the same each time."""
    store, again = Picky(7, 80), Picky(7, 80)
    refused = insert_with_bisection(store, BATCH, "t")
    assert [(each.document.id, each.reason) for each in refused] == [(7, "no"), (80, "no")]
    assert store.taken == set(range(1, 101)) - {7, 80}
    assert len(store.puts) < 40
    assert len(set(store.puts)) == len(store.puts)
    insert_with_bisection(again, BATCH, "t")
    assert again.puts == store.puts


def test_all_refused() -> None:
    """The store's fault, found out soon."""
    store = Picky(*range(1, 101))
    with pytest.raises(StoreRejectedBatch):
        insert_with_bisection(store, BATCH, "t")
    assert len(store.puts) < 3 * MAX_REFUSED


@pytest.mark.parametrize("error", [StoreUnavailable, StoreError, TypeError])
def test_only_errors_of_the_data_are_bisected(error: type[Exception]) -> None:
    """Any other would be repeated for every half."""
    store = Picky(7, error=error)
    with pytest.raises(error):
        insert_batch(store, [Submission(BATCH)], "t")
    assert store.puts == ["t"]


def test_gone_in_the_middle() -> None:
    """Said as it is; the whole batch may be put again."""
    with pytest.raises(StoreUnavailable):
        insert_with_bisection(Picky(7, unavailable_after=3), BATCH, "t")


@pytest.mark.parametrize("bad", [(), (90,)])
def test_documents_that_cannot_be_encoded(bad: tuple[int, ...]) -> None:
    """Found without the store; the others go in with one put, unless the store refuses another."""
    store = Columnar(*bad)
    store.unencodable = frozenset({3, 50})
    documents = [segment(id, raw=segment_bytes(f"{id:016x}"), version=id) for id in range(1, 101)]
    submissions = [Submission(documents[:1]), Submission(documents[1:64], store)]
    submissions.append(Submission(documents[64:], store))
    assert [bool(each.encoded) for each in submissions] == [False, False, True]
    refused = insert_documents(store, submissions, "t")
    assert [each.document.id for each in refused] == [3, 50, *bad]
    assert "int too large" in refused[0].reason
    assert store.taken == set(range(1, 101)) - {3, 50, *bad}
    if not bad:
        assert store.puts == ["t"]
