"""Acknowledged documents are durable, whatever the store and the disk do, and reach the store once."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog

from collector import group_commit, replay, store_inserts
from collector.batches import Ack, Limits
from collector.group_commit import JournalFull, StoreBehind
from collector.journal.adopt import folders
from collector.journal.format import Kind, encode, pack
from collector.journal.quarantine import Quarantine
from collector.journal.reader import files_of, scan_in_use
from collector.journal.writer import Journal
from collector.metrics import IngestMetrics
from collector.payloads import Decoded, decode_documents
from collector.pipeline import IngestPipeline
from store.errors import DataRefused, SchemaMismatch, StoreError, StoreUnavailable
from store.memory import MemoryStore
from store.model import Document
from tests.collector.samples import segment_bytes
from tests.waiting import eventually

BIG = 1 << 30
LIMITS = Limits(gather=0.0, linger=0.02, slow_insert=0.2, retry_pause=0.05)


class MoodyStore(MemoryStore):
    """A memory store that can be unavailable, slow, or averse to single documents."""

    def __init__(self) -> None:
        super().__init__()
        self.unavailable = False
        self.refused_connections = 0
        """How many requests found it so."""
        self.mismatch = False
        self.averse: Callable[[Document], bool] = lambda document: False
        """To documents it can never take."""
        self.refuses: Callable[[Document], bool] = lambda document: False
        """For a reason of its own."""
        self.gate = threading.Event()
        self.gate.set()
        self.answers = threading.Event()
        """Cleared: probes hang, as behind a network that is silent."""
        self.answers.set()
        self.puts: list[tuple[int, str]] = []

    def check(self) -> None:
        self.answers.wait(20)
        if self.mismatch:
            raise SchemaMismatch("the database has an older schema: run  raymap migrate  first.")
        if self.unavailable:
            self.refused_connections += 1
            raise StoreUnavailable("connection refused")

    def put(self, documents: Sequence[Document], token: str) -> None:
        self.gate.wait(20)
        self.check()
        if any(self.refuses(document) for document in documents):
            raise StoreError("something is wrong")
        if any(self.averse(document) for document in documents):
            raise DataRefused("a value is out of range")
        self.puts.append((len(documents), token))
        super().put(documents, token)

    def count(self) -> int:
        """Stored documents."""
        return sum(len(trace.documents) for trace in self._traces.values())

    def arrivals(self) -> int:
        """Of documents, repetitions under another token included."""
        return sum(trace.revision for trace in self._traces.values())


def raws(*ids: int, **change: object) -> list[bytes]:
    return [segment_bytes(f"{id:016x}", **change) for id in ids]


class Setup:
    """A pipeline with everything around it."""

    def __init__(self, path: Path, metrics: IngestMetrics) -> None:
        self.store = MoodyStore()
        self.path = path
        self.root = path / "journal"
        self.metrics = metrics
        self.pipelines: list[IngestPipeline] = []

    def start(self, limits: Limits = LIMITS, journal_bytes: int = BIG) -> IngestPipeline:
        pipeline = IngestPipeline(
            self.store, self.path, metrics=self.metrics, limits=limits, journal_bytes=journal_bytes
        )
        pipeline.start()
        self.pipelines.append(pipeline)
        return pipeline

    def value(self, key: str) -> object:
        return self.metrics.snapshot()[key]

    def waiting(self) -> int:
        """Documents in journals that the store may not have."""
        return sum(scan_in_use(folder, 10, BIG).documents for folder in folders(self.root))


def submit(pipeline: IngestPipeline, *ids: int) -> Ack:
    return pipeline.submit(pipeline.decode(raws(*ids), "http"))


def offer(pipeline: IngestPipeline, *ids: int) -> bool:
    return pipeline.offer(pipeline.decode(raws(*ids), "udp"))


@pytest.fixture
def setup(tmp_path: Path, metrics: IngestMetrics) -> Iterator[Setup]:
    setup = Setup(tmp_path, metrics)
    yield setup
    setup.store.gate.set()
    for pipeline in setup.pipelines:
        pipeline.stop(2.0)


def test_durable_in_the_journal(setup: Setup) -> None:
    """The future is done when the journal has them, and the store has them soon."""
    setup.store.gate.clear()
    pipeline = setup.start()
    submit(pipeline, 1, 2).result(60)
    assert (setup.store.count(), setup.waiting()) == (0, 2)
    setup.store.gate.set()
    eventually(lambda: setup.store.count() == 2 and setup.value("stored") == 2)
    eventually(lambda: setup.waiting() == 0)
    assert pipeline.submit(pipeline.decode([], "http")).result(0) is None


def test_one_insert_for_what_gathers(setup: Setup) -> None:
    pipeline = setup.start(Limits(gather=60.0, batch_documents=10))
    for id in range(1, 11):
        submit(pipeline, id).result(60)
    eventually(lambda: setup.store.count() == 10)
    assert [count for count, _ in setup.store.puts] == [10]


def test_one_request_is_stored_at_once(setup: Setup) -> None:
    """A developer looks for it: the first documents after a pause do not linger."""
    pipeline = setup.start(Limits(linger=60.0, bulk_linger=60.0))
    submit(pipeline, 1, 2)
    eventually(lambda: setup.store.count() == 2)
    assert Limits().gather < 0.5


def test_store_unavailable(setup: Setup) -> None:
    """No state of ingest: acknowledged as ever, and inserted when the store is back."""
    setup.store.unavailable = True
    pipeline = setup.start()
    submit(pipeline, 1, 2).result(60)
    assert offer(pipeline, 3)
    eventually(lambda: setup.waiting() == 3)
    assert (setup.store.count(), setup.value("stored")) == (0, 0)
    setup.store.unavailable = False
    eventually(lambda: setup.store.count() == 3 and setup.waiting() == 0)
    submit(pipeline, 4).result(60)
    eventually(lambda: setup.store.count() == 4 == setup.value("stored"))


def test_another_schema(setup: Setup) -> None:
    """Not ready, retrying, and every document in the journal: none is refused one by one."""
    setup.store.mismatch = True
    pipeline = setup.start()
    eventually(lambda: not pipeline.health().ready)  # before any document arrives
    assert "raymap migrate" in pipeline.health().as_dict()["problems"][0]
    submit(pipeline, *range(1, 41)).result(60)
    assert offer(pipeline, 41)
    eventually(lambda: setup.waiting() == 41)
    assert (setup.value("rejected"), setup.value("dropped"), setup.store.count()) == (0, 0, 0)
    setup.store.mismatch = False
    eventually(lambda: setup.store.count() == 41 and setup.waiting() == 0)
    eventually(lambda: pipeline.health().as_dict()["problems"] == [])
    assert pipeline.health().ready


def test_journal_full(setup: Setup) -> None:
    """At its bound nothing is acknowledged; documents without a sender are dropped and counted."""
    setup.store.unavailable = True
    pipeline = setup.start(journal_bytes=700)
    submit(pipeline, 1).result(60)
    with pytest.raises(JournalFull, match="700 bytes"):
        submit(pipeline, *range(2, 9))
    assert not offer(pipeline, *range(2, 9))
    assert setup.value("dropped") == 7
    setup.store.unavailable = False
    eventually(lambda: setup.store.count() == 1)
    eventually(lambda: pipeline.health().journal_bytes == 0)
    submit(pipeline, 2).result(60)
    eventually(lambda: setup.store.count() == 2)


def test_a_full_quarantine(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no room there is lost, counted, and named while the quarantine is not emptied."""
    pipeline = setup.start()
    monkeypatch.setattr(pipeline._ingest._journals.quarantine, "_max_documents", 2)
    setup.store.averse = lambda document: document.id < 6
    submit(pipeline, *range(1, 9)).result(60)
    eventually(lambda: setup.store.count() == 3)
    eventually(lambda: setup.value("dropped") == 3)
    assert len(list(Quarantine(setup.root).read())) == 2
    problems = " ".join(pipeline.health().as_dict()["problems"])
    assert "3 documents that cannot be stored are lost" in problems
    assert "2 documents could not be stored" in problems


@pytest.mark.slow
def test_an_unreadable_journal_is_a_problem(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its documents wait, and the others are replayed."""
    setup.store.unavailable = True
    for id in (1, 2):
        pipeline = setup.start()
        submit(pipeline, id).result(60)
        pipeline.stop(0.1)
    bad = folders(setup.root)[0].name
    real = os.open

    def fails(path: Path, *arguments: int) -> int:
        if bad in str(path) and str(path).endswith(".log"):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, *arguments)

    setup.store.unavailable = False
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fails)
        pipeline = setup.start()
        eventually(lambda: setup.store.count() == 1)
        eventually(lambda: bad in " ".join(pipeline.health().as_dict()["problems"]))
    eventually(lambda: setup.store.count() == 2)
    eventually(lambda: pipeline.health().as_dict()["problems"] == [])


def test_a_store_that_does_not_keep_up(setup: Setup) -> None:
    """So many requests wait; more are to be sent again later, and none is lost."""
    limits = Limits(gather=0.0, linger=0.0, slow_insert=60, ready_documents=2, waiting_documents=3)
    pipeline = setup.start(limits)
    setup.store.gate.clear()
    acks = [submit(pipeline, id) for id in (1, 2, 3, 4, 5)]
    eventually(lambda: [ack.done() for ack in acks] == [True, True, False, False, False])
    eventually(lambda: pipeline._ingest._commit._batches[0].defers)  # all five are in the journal
    with pytest.raises(StoreBehind):
        submit(pipeline, 6)
    assert offer(pipeline, 7)  # a datagram is not sent again
    setup.store.gate.set()
    for ack in acks:
        ack.result(60)
    submit(pipeline, 6).result(60)
    eventually(lambda: setup.store.count() == 7)


def test_left_by_an_earlier_life(setup: Setup) -> None:
    """Replayed at the start, under the same token if the batch had been marked."""
    setup.store.unavailable = True
    pipeline = setup.start()
    submit(pipeline, 1, 2).result(60)
    submit(pipeline, *range(101, 141)).result(60)
    pipeline.stop(2.0)
    assert (setup.store.count(), setup.waiting()) == (0, 42)
    setup.store.unavailable = False
    setup.start()
    eventually(lambda: setup.store.count() == 42 and setup.waiting() == 0)
    assert setup.store.arrivals() == 42


def test_inserted_and_killed_before_the_checkpoint(setup: Setup) -> None:
    """The heir repeats the insert under the same token: it changes nothing."""
    pipeline = setup.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "checkpoint", lambda *_: None)
        for id in range(1, 6):
            submit(pipeline, id, id + 100).result(60)
        eventually(lambda: setup.store.count() == 10)
        pipeline.stop(2.0)
    tokens = {token for _, token in setup.store.puts}
    assert setup.waiting() == 10
    setup.start()
    eventually(lambda: setup.waiting() == 0)
    assert setup.store.arrivals() == 10
    assert {token for _, token in setup.store.puts} == tokens


def test_memory_is_bounded_in_an_outage(setup: Setup) -> None:
    """Columns are dropped and decoded again from the journal, a batch at a time; new documents do
    not wait for old ones."""
    limits = Limits(
        gather=0.0, linger=0.01, retry_pause=0.05, memory_bytes=40_000, batch_documents=50
    )
    setup.store.unavailable = True
    pipeline = setup.start(limits)
    for first in range(1, 1000, 10):
        submit(pipeline, *range(first, first + 10)).result(60)
    eventually(lambda: pipeline.health().queued < 100)
    assert setup.waiting() == 1000
    assert len(folders(setup.root)) > 5
    assert pipeline.health().journal_bytes > 10_000
    setup.store.unavailable = False
    eventually(lambda: setup.store.count() == 1000 and setup.waiting() == 0)
    assert setup.store.arrivals() == 1000
    assert max(count for count, _ in setup.store.puts) <= 50
    eventually(lambda: len(folders(setup.root)) == 1)


@pytest.mark.slow
def test_acknowledgements_wait_for_a_slow_store(setup: Setup) -> None:
    """Until it counts as unavailable."""
    pipeline = setup.start(
        Limits(gather=0.0, linger=0.0, ready_documents=2, slow_insert=0.6, retry_pause=0.05)
    )
    setup.store.gate.clear()
    submit(pipeline, 1, 2).result(60)
    second = submit(pipeline, 3, 4)
    available: list[bool] = []
    second.add_done_callback(lambda _: available.append(pipeline.health().store_available))
    second.result(60)
    eventually(lambda: available == [False])
    assert not pipeline.health().store_available
    assert "unavailable or slow" in pipeline.health().as_dict()["problems"][0]
    setup.store.gate.set()
    eventually(lambda: setup.store.count() == 4 and pipeline.health().store_available)
    assert setup.store.arrivals() == 4


def test_a_probe_that_hangs(setup: Setup) -> None:
    """The network is silent before the first insert: senders do not wait for it."""
    setup.store.answers.clear()
    pipeline = setup.start(
        Limits(gather=0.0, linger=0.0, ready_documents=2, slow_insert=0.2, retry_pause=0.05)
    )
    eventually(lambda: not pipeline.health().store_available)
    for first in (1, 3, 5):
        submit(pipeline, first, first + 1).result(60)
    setup.store.answers.set()
    eventually(lambda: setup.store.count() == 6 and pipeline.health().store_available)


def test_an_insert_that_fails_after_hanging(setup: Setup) -> None:
    pipeline = setup.start()
    setup.store.gate.clear()
    submit(pipeline, 1).result(60)
    eventually(lambda: not pipeline.health().store_available)
    setup.store.unavailable = True
    setup.store.gate.set()
    eventually(lambda: setup.store.refused_connections > 0)
    assert setup.waiting() == 1
    setup.store.unavailable = False
    eventually(lambda: setup.store.count() == 1 and setup.waiting() == 0)


def test_the_store_comes_and_goes_under_load(setup: Setup) -> None:
    """Whatever was acknowledged arrives, and once, without a restart."""
    pipeline = setup.start(Limits(gather=0.0, linger=0.001, retry_pause=0.002))
    done = threading.Event()

    def come_and_go() -> None:
        while not done.wait(0.02):
            setup.store.unavailable = not setup.store.unavailable
        setup.store.unavailable = False

    def send(worker: int) -> None:
        for number in range(100):
            submit(pipeline, worker * 1000 + number + 1).result(60)

    moods = threading.Thread(target=come_and_go)
    moods.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    done.set()
    moods.join()
    eventually(lambda: setup.waiting() == 0)
    assert (setup.store.count(), setup.store.arrivals()) == (400, 400)


def test_how_it_stands(setup: Setup) -> None:
    """For /metrics and /readyz: unavailable, no room, and all well again by itself."""
    pipeline = setup.start(journal_bytes=700)
    assert pipeline.health().as_dict() == {
        "ready": True,
        "problems": [],
        "stopping": False,
        "store_available": True,
        "journal": {"full": False, "bytes": 0, "limit": 700},
        "queued": 0,
        "oldest_s": 0.0,
    }
    setup.store.unavailable = True
    submit(pipeline, 1).result(60)
    eventually(lambda: not pipeline.health().store_available)
    now = pipeline.health()
    assert (now.accepting, now.ready, now.journal_bytes > 0) == (True, True, True)
    assert now.as_dict()["problems"] == [
        "the store is unavailable or slow: documents wait in the journal"
    ]
    with pytest.raises(JournalFull):
        submit(pipeline, *range(2, 9))
    assert "the journal is full" in pipeline.health().as_dict()["problems"][0]
    assert not pipeline.health().ready
    eventually(lambda: "raymap_store_unavailable 1.0" in setup.metrics.render().decode())
    shown = setup.metrics.render().decode()
    assert 'raymap_documents_deferred_total{reason="journal_full"} 7.0' in shown
    assert "raymap_journal_fsync_seconds_count" in shown
    setup.store.unavailable = False
    eventually(lambda: pipeline.health().as_dict()["problems"] == [] and setup.waiting() == 0)
    eventually(lambda: "raymap_store_unavailable 0.0" in setup.metrics.render().decode())


def test_a_full_disk(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, never acknowledged; room is found without a sender: load balancers that were turned
    away send none."""
    monkeypatch.setattr(group_commit, "PROBE_INTERVAL", 0.05)
    pipeline = setup.start()
    submit(pipeline, 1).result(60)
    real = os.fdatasync, os.fsync

    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", no_space)
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(JournalFull, match="No space left"):
        submit(pipeline, 2).result(60)
    offer(pipeline, 3)
    eventually(lambda: setup.value("dropped") == 1)
    health = pipeline.health()
    assert not health.accepting
    assert "make room" in health.as_dict()["problems"][0]
    assert "No space left" in health.as_dict()["problems"][0]
    eventually(lambda: "raymap_ingest_blocked 1.0" in setup.metrics.render().decode())
    monkeypatch.setattr(os, "fdatasync", real[0])
    monkeypatch.setattr(os, "fsync", real[1])
    eventually(lambda: pipeline.health().accepting)
    submit(pipeline, 4).result(60)
    eventually(lambda: setup.store.count() == 2 and setup.waiting() == 0)


def test_an_outage_is_logged_once(setup: Setup) -> None:
    """However many batches it delays, and however often the store is probed."""
    pipeline = setup.start()
    with structlog.testing.capture_logs() as reported:
        setup.store.unavailable = True
        for id in range(1, 9):
            submit(pipeline, id).result(60)
            time.sleep(0.01)
        eventually(lambda: len(reported) > 0)
        setup.store.unavailable = False
        eventually(lambda: setup.store.count() == 8)
        eventually(
            lambda: [line["event"] for line in reported] == ["store_unavailable", "store_available"]
        )


def test_one_bad_document(setup: Setup) -> None:
    """It is set aside with the store's reason, and named; its neighbours are stored."""
    setup.store.averse = lambda document: document.id == 5
    pipeline = setup.start(Limits(gather=0.1))
    submit(pipeline, 1, 2, 3).result(60)
    submit(pipeline, 4, 5, 6).result(60)
    eventually(lambda: setup.store.count() == 5 and setup.waiting() == 0)
    assert setup.metrics.snapshot()["rejected_by_reason"] == {"StoreRefused": 1}
    assert setup.value("stored") == 5
    (entry,) = Quarantine(setup.root).read()
    assert (entry.reason, entry.documents) == ("a value is out of range", 1)
    assert raws(5)[0] in entry.payload
    (problem,) = pipeline.health().as_dict()["problems"]
    assert problem.startswith("1 documents could not be stored")
    assert pipeline.health().ready


def test_a_store_that_refuses_everything(setup: Setup) -> None:
    """That is no fault of the documents: they wait, nothing is lost, and few inserts are tried."""
    setup.store.averse = lambda document: True
    tried = 0
    real = setup.store.put

    def put(documents: Sequence[Document], token: str) -> None:
        nonlocal tried
        tried += 1
        real(documents, token)

    setup.store.put = put  # type: ignore[method-assign]
    pipeline = setup.start()
    submit(pipeline, *range(1, 41)).result(60)
    eventually(lambda: "refuses" in str(pipeline.health().as_dict()["problems"]))
    assert (setup.value("rejected"), setup.waiting()) == (0, 40)
    setup.store.averse = lambda document: False
    eventually(lambda: setup.store.count() == 40 and setup.waiting() == 0)
    assert not list(Quarantine(setup.root).read())
    assert tried < 300


def test_a_refused_batch_delays_no_other(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a reason that is not the data's: not bisected, tried again, and others pass it."""
    monkeypatch.setattr(replay, "REFUSED_PAUSE", 0.05)
    setup.store.refuses = lambda document: document.id == 7
    pipeline = setup.start()
    submit(pipeline, *range(1, 11)).result(60)
    eventually(lambda: len(folders(setup.root)) == 2)
    submit(pipeline, 20, 21).result(60)
    eventually(lambda: setup.store.count() == 2 and setup.waiting() == 10)
    assert list(Quarantine(setup.root).read()) == []
    assert "something is wrong" in pipeline.health().as_dict()["problems"][0]
    setup.store.refuses = lambda document: False
    eventually(lambda: setup.store.count() == 12 and setup.waiting() == 0)
    eventually(lambda: pipeline.health().as_dict()["problems"] == [])
    assert setup.store.arrivals() == 12


@pytest.mark.slow
def test_a_mistake_ends_no_thread(setup: Setup) -> None:
    """An unexpected exception in each place: the journal has the batch, and the threads go on."""
    pipeline = setup.start()

    def mistake(*_: object, **__: object) -> object:
        raise RuntimeError("a bug")

    with pytest.MonkeyPatch.context() as patch, structlog.testing.capture_logs() as reported:
        patch.setattr(store_inserts, "insert_batch", mistake)
        patch.setattr(pipeline._ingest._cells[0].backlog, "is_ready", mistake)
        patch.setattr(pipeline._ingest, "_update_gauges", mistake)
        submit(pipeline, 1).result(60)
        with pytest.MonkeyPatch.context() as more:
            more.setattr(group_commit, "encode", mistake)
            with pytest.raises(JournalFull):
                submit(pipeline, 2).result(60)
        eventually(
            lambda: (
                {"insert_failed", "journal_failed", "store_refuses", "watch_failed"}
                <= {line["event"] for line in reported}
            )
        )
        assert setup.waiting() == 1
    eventually(lambda: setup.store.count() == 1)
    submit(pipeline, 3).result(60)
    eventually(lambda: setup.store.count() == 2)


def test_stop(setup: Setup) -> None:
    """Stores what is in memory and leaves nothing, or leaves it in the journal; takes nothing more."""
    pipeline = setup.start(Limits(gather=60))
    submit(pipeline, 1).result(60)
    assert offer(pipeline, 2)
    pipeline.stop(2.0)
    assert setup.store.count() == 2
    assert folders(setup.root) == []
    with pytest.raises(JournalFull):
        submit(pipeline, 3)

    hanging = setup.start(Limits(gather=0.0, slow_insert=60))
    setup.store.gate.clear()
    submit(hanging, 3).result(60)
    offer(hanging, 4)
    hanging.stop(0.3)
    assert setup.waiting() == 2


def test_many_threads(setup: Setup) -> None:
    """Every submission is acknowledged once and stored once."""
    pipeline = setup.start(Limits(gather=0.0, linger=0.005, batch_documents=50, ready_documents=60))

    def send(worker: int) -> None:
        for number in range(50):
            submit(pipeline, worker * 1000 + number + 1).result(60)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    eventually(lambda: setup.store.count() == 400 == setup.value("stored"))
    assert setup.store.arrivals() == 400


def leave(setup: Setup, *decoded: Decoded) -> Journal:
    """A journal of a dead process, whose lock is free."""
    journal = Journal.create(setup.root, "test")
    for each in decoded:
        payload = each.payload
        count = len(each.documents)
        journal.write([encode(payload.kind, payload.version, count, payload.encoded)])
    journal.release()
    return journal


def test_a_damaged_journal(setup: Setup) -> None:
    """Intact records are stored, lost documents counted, and the file stays for an operator."""
    few = [decode_documents(raws(*range(n, n + 3)), n) for n in (1, 11, 21)]
    journal = leave(setup, *few)
    ((_, path),) = files_of(journal.folder)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    pipeline = setup.start()
    eventually(lambda: setup.store.count() == 6)
    eventually(lambda: folders(setup.root) == [pipeline._ingest._commit.journal.folder])
    assert (setup.value("stored"), setup.value("dropped")) == (6, 3)
    assert 'dropped_total{reason="corrupt"} 3.0' in setup.metrics.render().decode()
    assert next(p.read_bytes() for p in (setup.root / "damaged").iterdir()).startswith(content)
    (problem,) = pipeline.health().as_dict()["problems"]
    assert "1 damaged journal files" in problem


def test_a_missing_file(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.journal.writer.MAX_FILE", 300)
    journal = leave(setup, *[decode_documents(raws(n), n) for n in range(1, 11)])
    files = files_of(journal.folder)
    files[len(files) // 2][1].unlink()
    pipeline = setup.start()
    eventually(lambda: 0 < setup.store.count() < 10)
    eventually(lambda: "damaged" in str(pipeline.health().as_dict()["problems"]))
    eventually(lambda: setup.value("dropped") == 1)


def test_documents_that_this_release_cannot_decode(setup: Setup) -> None:
    """They were acknowledged, so they are set aside; the others of their record are stored."""
    good = decode_documents(raws(1, 2), 1)
    journal = Journal.create(setup.root, "test")
    payload = pack([*raws(1, 2), b"{}"])
    journal.write([encode(Kind.DOCUMENTS, 5, 3, payload), encode(Kind.OTLP, 6, 2, b"\xff\xff")])
    journal.write([b"".join([encode(Kind.STORED, 7, 1, b"nonsense")])])
    journal.release()
    assert len(good.documents) == 2
    setup.start()
    eventually(lambda: setup.store.count() == 2 and setup.waiting() == 0)
    entries = list(Quarantine(setup.root).read())
    assert [(entry.version, entry.documents) for entry in entries] == [(5, 3), (6, 2), (7, 1)]
    assert "1 of 3" in entries[0].reason
    assert entries[0].payload == payload


def test_what_the_journal_returns_is_what_was_accepted(setup: Setup) -> None:
    """Versions included, also by column."""
    decoded = [decode_documents(raws(*range(1, 41)), 1000), decode_documents(raws(50), 2000)]
    leave(setup, *decoded)
    setup.start()
    eventually(lambda: setup.store.count() == 41)
    (trace,) = setup.store._traces.values()
    found = {document.id: document for document in trace.documents.values()}
    assert found == {document.id: document for each in decoded for document in each.documents}
