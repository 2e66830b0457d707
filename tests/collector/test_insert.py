"""A batch into a store that does not like all of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from collector.insert import (
    MAX_REFUSED,
    StoreRejectedBatch,
    insert_with_bisection,
    replay,
)
from collector.metrics import IngestMetrics
from collector.spool import Spool
from store.errors import StoreError, StoreUnavailable
from store.memory import MemoryStore
from store.model import Document
from tests.builders import segment
from tests.collector.samples import segment_bytes


class Picky:
    """Accepts batches without bad ids, and records every put."""

    def __init__(self, *bad: int, unavailable_after: int = 10_000) -> None:
        self.bad = frozenset(bad)
        self.unavailable_after = unavailable_after
        self.puts: list[str] = []
        self.taken: set[int] = set()

    def check(self) -> None:
        """Always available."""

    def close(self) -> None:
        """No connections to close."""

    def put(self, documents: Sequence[Document], token: str) -> None:
        self.puts.append(token)
        if len(self.puts) > self.unavailable_after:
            raise StoreUnavailable("gone")
        if any(document.id in self.bad for document in documents):
            raise StoreError("no")
        self.taken |= {document.id for document in documents}


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
    assert [document.id for document in refused] == [7, 80]
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


def test_gone_in_the_middle() -> None:
    """Said as it is; the whole batch may be put again."""
    with pytest.raises(StoreUnavailable):
        insert_with_bisection(Picky(7, unavailable_after=3), BATCH, "t")


def test_replay(tmp_path: Path, metrics: IngestMetrics, memory: MemoryStore) -> None:
    """A spooled batch is decoded again, inserted under its token, and off the disk then."""
    spool = Spool(tmp_path, "test", 1 << 20)
    spool.write([segment(1, raw=segment_bytes(), version=9)], "t")
    replay(memory, spool, metrics, "t")
    (trace,) = memory._traces.values()
    assert [(d.id, d.version) for d in trace.documents.values()] == [(0xA1, 9)]
    assert metrics.snapshot()["stored"] == 1
    assert (spool.waiting(), spool.size) == ([], 0)


def test_replay_of_a_damaged_file(tmp_path: Path, metrics: IngestMetrics) -> None:
    """Intact chunks are stored, lost documents counted, and the file stays for an operator."""
    spool = Spool(tmp_path, "test", 1 << 30)
    documents = [
        segment(id, raw=segment_bytes(f"{id:016x}", note="x" * 30_000), version=id)
        for id in range(1, 31)
    ]
    spool.write(documents, "t")
    (path,) = tmp_path.rglob("*.batch")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    store = Picky()
    replay(store, spool, metrics, "t")
    lost = 30 - len(store.taken)
    assert 0 < lost <= 8
    assert (metrics.snapshot()["stored"], metrics.snapshot()["dropped"]) == (30 - lost, lost)
    assert 'dropped_total{reason="corrupt"}' in metrics.render().decode()
    assert spool.waiting() == []
    assert spool.corrupt_files == 1


def test_a_damaged_file_waits_for_the_store(tmp_path: Path, metrics: IngestMetrics) -> None:
    """Nothing is counted or renamed before its intact documents are stored."""
    spool = Spool(tmp_path, "test", 1 << 30)
    documents = [
        segment(id, raw=segment_bytes(f"{id:016x}", note="x" * 30_000), version=id)
        for id in range(1, 31)
    ]
    spool.write(documents, "t")
    (path,) = tmp_path.rglob("*.batch")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreUnavailable):
        replay(Picky(unavailable_after=0), spool, metrics, "t")
    assert (metrics.snapshot()["dropped"], spool.waiting()) == (0, ["t"])


def test_replay_of_documents_that_are_refused(tmp_path: Path, metrics: IngestMetrics) -> None:
    """Rejected by this release or refused by the store: it was acknowledged, so it stays on disk,
    out of the way; the other documents of the batch go in."""
    spool = Spool(tmp_path, "test", 1 << 20)
    raws = [segment_bytes(f"{id:016x}") for id in (1, 2)]
    documents = [segment(id, raw=raw, version=id) for id, raw in enumerate([*raws, b"{}"])]
    spool.write(documents[:1] + documents[2:], "rejected")
    spool.write(documents[:2], "refused")
    store = Picky(2)
    replay(store, spool, metrics, "rejected")
    replay(store, spool, metrics, "refused")
    assert store.taken == {1}
    assert metrics.snapshot()["rejected_by_reason"] == {"MissingId": 1, "StoreRefused": 1}
    assert spool.waiting() == []
    assert spool.size > 0
    assert len(list(tmp_path.rglob("*.quarantine"))) == 2
