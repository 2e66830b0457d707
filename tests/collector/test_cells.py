"""A cell that is unavailable delays no other: each has its own position in the journal, and gets what it missed, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from collector import replay
from collector.batches import Ack, Limits
from collector.group_commit import JournalFull
from collector.journal.adopt import folders
from collector.journal.format import Kind, encode, pack
from collector.journal.quarantine import Quarantine
from collector.journal.reader import scan, scan_in_use
from collector.journal.writer import Journal
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from store.errors import DataRefused, StoreUnavailable
from store.memory import MemoryStore
from store.model import Document
from store.owner import owner_of
from tests.collector.samples import segment_bytes
from tests.waiting import eventually

BIG = 1 << 30
LIMITS = Limits(gather=0.0, linger=0.02, slow_insert=0.2, retry_pause=0.05)
CELLS = 2


class MemoryCell:
    """One cell, which can be unavailable, hang, or be averse to documents."""

    def __init__(self, place: int) -> None:
        self.name = f"cell {place + 1}"
        self.place = place
        self.store = MemoryStore()
        self.away = False
        self.gate = threading.Event()
        self.gate.set()
        self.averse: Callable[[Document], bool] = lambda document: False
        self.puts: list[tuple[int, str]] = []

    def check(self) -> None:
        self.gate.wait(20)
        if self.away:
            raise StoreUnavailable("connection refused")

    def close(self) -> None:
        pass

    def _own(self, documents: Sequence[Document]) -> list[Document]:
        return [each for each in documents if owner_of(each.trace_id, CELLS) == self.place]

    def put(self, documents: Sequence[Document], token: str) -> None:
        self.check()
        own = self._own(documents)
        if any(map(self.averse, own)):
            raise DataRefused("a value is out of range")
        self.puts.append((len(own), token))
        self.store.put(own, token)

    def count_own(self, documents: Sequence[Document]) -> int:
        return len(self._own(documents))

    def count_encoded(self, encoded: Any) -> int:
        raise AssertionError("nothing is encoded")

    @property
    def count(self) -> int:
        """Stored documents."""
        return sum(len(trace.documents) for trace in self.store._traces.values())

    @property
    def arrivals(self) -> int:
        """Of documents, repetitions under another token included."""
        return sum(trace.revision for trace in self.store._traces.values())


class MemoryCells(MemoryStore):
    """A store of two."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = [MemoryCell(place) for place in range(CELLS)]

    def cell_writers(self) -> list[MemoryCell]:
        return self.cells


class Setup:
    """A pipeline over two cells; documents with even ids belong to the first."""

    def __init__(self, path: Path, metrics: IngestMetrics) -> None:
        self.store = MemoryCells()
        self.first, self.second = self.store.cells
        self.path, self.root, self.metrics = path, path / "journal", metrics
        self.pipelines: list[IngestPipeline] = []

    def start(self, limits: Limits = LIMITS, journal_bytes: int = BIG) -> IngestPipeline:
        pipeline = IngestPipeline(
            self.store, self.path, metrics=self.metrics, limits=limits, journal_bytes=journal_bytes
        )
        pipeline.start()
        self.pipelines.append(pipeline)
        return pipeline

    def stored(self) -> tuple[int, int]:
        return self.first.count, self.second.count

    def waiting(self) -> int:
        """Documents in journals that one of the cells may not have."""
        return sum(scan_in_use(folder, 10, BIG).documents for folder in folders(self.root))

    def metric(self, name: str, cell: int) -> float:
        return self.metrics.registry.get_sample_value(name, {"cell": str(cell)}) or 0.0


def raw(id: int) -> bytes:
    return segment_bytes(f"{id:016x}", trace_id=f"1-6932d5c0-{id:024x}")


def submit(pipeline: IngestPipeline, *ids: int) -> Ack:
    return pipeline.submit(pipeline.decode([raw(id) for id in ids], "http"))


@pytest.fixture
def setup(tmp_path: Path, metrics: IngestMetrics) -> Iterator[Setup]:
    setup = Setup(tmp_path, metrics)
    yield setup
    for cell in setup.store.cells:
        cell.gate.set()
    for pipeline in setup.pipelines:
        pipeline.stop(2.0)


def test_an_unavailable_cell_delays_no_other(setup: Setup) -> None:
    """What it missed is inserted when it is back, exactly once, and then no journal is left to read."""
    setup.second.away = True
    pipeline = setup.start()
    for first in range(1, 41, 4):
        submit(pipeline, *range(first, first + 4)).result(60)
    eventually(lambda: setup.stored() == (20, 0))
    eventually(lambda: setup.metrics.snapshot()["stored"] == 20)
    health = pipeline.health()
    assert (health.ready, health.store_available) == (True, False)
    assert "cells that are unavailable or slow: 2 " in health.as_dict()["problems"][0]
    eventually(lambda: setup.metric("raymap_cell_unavailable", 2) == 1.0)
    eventually(lambda: setup.metric("raymap_cell_unsent_bytes", 2) > 0)
    eventually(lambda: setup.metric("raymap_cell_unsent_bytes", 1) == 0)
    assert setup.waiting() == 40
    setup.second.away = False
    eventually(lambda: setup.stored() == (20, 20) and setup.waiting() == 0)
    assert (setup.first.arrivals, setup.second.arrivals) == (20, 20)
    eventually(lambda: setup.metrics.snapshot()["stored"] == 40)
    eventually(lambda: pipeline.health().as_dict()["problems"] == [])
    eventually(lambda: setup.metric("raymap_cell_unsent_bytes", 2) == 0)


def test_a_cell_that_hangs_delays_no_other(setup: Setup) -> None:
    """Senders do not wait for it either, once it counts as unavailable."""
    setup.first.gate.clear()
    pipeline = setup.start(Limits(gather=0.0, linger=0.0, ready_documents=2, slow_insert=0.2))
    for id in range(1, 11):
        submit(pipeline, id).result(60)
    eventually(lambda: setup.stored() == (0, 5))
    setup.first.gate.set()
    eventually(lambda: setup.stored() == (5, 5) and pipeline.health().store_available)
    assert (setup.first.arrivals, setup.second.arrivals) == (5, 5)


def test_memory_is_bounded_while_a_cell_is_unavailable(setup: Setup) -> None:
    """What it misses is dropped and later read from the journal; other cells get all of it meanwhile."""
    limits = Limits(
        gather=0.0, linger=0.01, retry_pause=0.05, memory_bytes=40_000, batch_documents=50
    )
    setup.second.away = True
    pipeline = setup.start(limits)
    for first in range(1, 1001, 10):
        submit(pipeline, *range(first, first + 10)).result(60)
    eventually(lambda: pipeline.health().queued < 100)
    eventually(lambda: setup.stored() == (500, 0))
    assert setup.first.arrivals == 500
    assert len(folders(setup.root)) > 5
    setup.second.away = False
    eventually(lambda: setup.stored() == (500, 500) and setup.waiting() == 0)
    assert (setup.first.arrivals, setup.second.arrivals) == (500, 500)
    eventually(lambda: len(folders(setup.root)) == 1)


def test_the_journal_is_full_when_the_last_cell_lags(setup: Setup) -> None:
    """Its bound counts what any cell has not had."""
    setup.second.away = True
    pipeline = setup.start(journal_bytes=700)
    submit(pipeline, 2).result(60)
    eventually(lambda: setup.stored() == (1, 0))
    with pytest.raises(JournalFull, match="700 bytes"):
        submit(pipeline, *range(2, 12))
    setup.second.away = False
    eventually(lambda: pipeline.health().journal_bytes == 0)
    submit(pipeline, *range(3, 5)).result(60)
    eventually(lambda: setup.stored() == (2, 1))


def test_ended_while_a_cell_was_unavailable(setup: Setup) -> None:
    """The heir inserts nothing again where it is, and what is missing where it is not."""
    setup.second.away = True
    pipeline = setup.start()
    for id in range(1, 11):
        submit(pipeline, id).result(60)
    eventually(lambda: setup.stored() == (5, 0))
    eventually(lambda: setup.metric("raymap_cell_unsent_bytes", 1) == 0)
    pipeline.stop(2.0)
    (folder,) = folders(setup.root)
    first, second = scan(folder, 10, BIG).cells
    assert (first.documents, second.documents) == (0, 10)
    puts = len(setup.first.puts)
    setup.second.away = False
    setup.start()
    eventually(lambda: setup.stored() == (5, 5) and setup.waiting() == 0)
    assert (setup.first.arrivals, setup.second.arrivals) == (5, 5)
    assert len(setup.first.puts) == puts


def test_killed_before_the_checkpoints(setup: Setup) -> None:
    """Each cell's batches are repeated under their own tokens."""
    pipeline = setup.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "checkpoint", lambda *_: None)
        for id in range(1, 11):
            submit(pipeline, id, id + 100).result(60)
        eventually(lambda: setup.stored() == (10, 10))
        pipeline.stop(2.0)
    tokens = [{token for _, token in cell.puts} for cell in setup.store.cells]
    assert setup.waiting() == 20
    setup.start()
    eventually(lambda: setup.waiting() == 0)
    assert [{token for _, token in cell.puts} for cell in setup.store.cells] == tokens
    assert (setup.first.arrivals, setup.second.arrivals) == (10, 10)


def test_one_document_that_a_cell_refuses(setup: Setup) -> None:
    """It is set aside once; nothing is inserted twice into the other cell, which had the batch as a whole."""
    setup.second.averse = lambda document: document.id == 7
    pipeline = setup.start(Limits(gather=60.0, batch_documents=10))
    for id in range(1, 11):
        submit(pipeline, id).result(60)
    eventually(lambda: setup.stored() == (5, 4) and setup.waiting() == 0)
    assert (setup.first.arrivals, setup.second.arrivals) == (5, 4)
    (entry,) = Quarantine(setup.root).read()
    assert entry.documents == 1
    eventually(lambda: setup.metrics.snapshot()["stored"] == 9)


def test_what_cannot_be_decoded_is_set_aside_once(setup: Setup) -> None:
    journal = Journal.create(setup.root, "test", CELLS)
    journal.write([encode(Kind.DOCUMENTS, 5, 3, pack([raw(1), raw(2), b"{}"]))])
    journal.release()
    setup.start()
    eventually(lambda: setup.stored() == (1, 1) and setup.waiting() == 0)
    assert [entry.documents for entry in Quarantine(setup.root).read()] == [3]


def test_a_journal_of_a_store_with_one_cell(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the one had, all have; they get the rest."""
    monkeypatch.setattr(replay, "REFUSED_PAUSE", 0.05)
    journal = Journal.create(setup.root, "test")
    records = [encode(Kind.DOCUMENTS, id, 1, pack([raw(id)])) for id in range(1, 5)]
    journal.write(records)
    journal.checkpoint(sum(map(len, records[:2])))
    journal.release()
    setup.start()
    eventually(lambda: setup.stored() == (1, 1) and setup.waiting() == 0)


def test_files_are_deleted_below_the_last_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.journal.writer.MAX_FILE", 200)
    journal = Journal.create(tmp_path, "test", CELLS)
    for id in range(1, 11):
        journal.write([encode(Kind.DOCUMENTS, id, 1, pack([raw(id)]))])
    files = len(list(journal.folder.glob("*.log")))
    assert files >= 5
    journal.checkpoint(journal.unsent_end, 0)
    assert len(list(journal.folder.glob("*.log"))) >= files
    contents = scan(journal.folder, 100, BIG)
    assert [cell.documents for cell in contents.cells] == [0, 10]
    assert (contents.documents, contents.lost) == (10, [])
    journal.checkpoint(journal.unsent_end, 1)
    assert len(list(journal.folder.glob("*.log"))) <= 2
    contents = scan(journal.folder, 100, BIG)
    assert (contents.documents, contents.lost) == (0, [])
    journal.release()


def test_the_cells_come_and_go_under_load(setup: Setup) -> None:
    """Whatever was acknowledged arrives in its cell, and once, in turns and both at once."""
    pipeline = setup.start(Limits(gather=0.0, linger=0.001, retry_pause=0.002, memory_bytes=20_000))
    done = threading.Event()

    def come_and_go() -> None:
        turn = 0
        while not done.wait(0.02):
            turn += 1
            setup.first.away, setup.second.away = turn % 2 == 0, turn % 3 == 0
        setup.first.away = setup.second.away = False

    moods = threading.Thread(target=come_and_go)
    moods.start()
    for id in range(1, 401):
        submit(pipeline, id).result(60)
    done.set()
    moods.join()
    eventually(lambda: setup.waiting() == 0 and setup.stored() == (200, 200))
    assert (setup.first.arrivals, setup.second.arrivals) == (200, 200)
