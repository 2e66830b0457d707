"""Acknowledged documents are durable, whatever the store does."""

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

from collector import batcher as batch_module
from collector import replay as replay_module
from collector.batcher import Batcher
from collector.decode.document import decode_document
from collector.metrics import IngestMetrics
from collector.queue import Ack, BatchQueue, Limits, QueueFull
from collector.spool import Spool
from collector.submission import Submission
from store.errors import SchemaMismatch, StoreError, StoreUnavailable
from store.memory import MemoryStore
from store.model import Document
from tests.collector.samples import eventually, segment_bytes


class MoodyStore(MemoryStore):
    """A memory store that can be unavailable, slow, or averse to single documents."""

    def __init__(self) -> None:
        super().__init__()
        self.unavailable = False
        self.mismatch = False
        self.averse: Callable[[Document], bool] = lambda document: False
        self.gate = threading.Event()
        self.gate.set()
        self.puts: list[tuple[int, str]] = []

    def check(self) -> None:
        if self.mismatch:
            raise SchemaMismatch("the database has an older schema: run  raymap migrate  first.")
        if self.unavailable:
            raise StoreUnavailable("connection refused")

    def put(self, documents: Sequence[Document], token: str) -> None:
        self.gate.wait(20)
        self.check()
        if any(self.averse(document) for document in documents):
            raise StoreError("cannot take this")
        self.puts.append((len(documents), token))
        super().put(documents, token)

    def count(self) -> int:
        """Stored documents."""
        return sum(len(trace.documents) for trace in self._traces.values())


def documents(*ids: int) -> list[Document]:
    """Documents whose raw bytes decode to themselves."""
    return [decode_document(segment_bytes(f"{id:016x}"), id) for id in ids]


LIMITS = Limits(linger=0.02, replay_pause=0.02, slow_insert=0.2)


class Setup:
    """A batcher with everything around it."""

    def __init__(self, path: Path, metrics: IngestMetrics) -> None:
        self.store = MoodyStore()
        self.path = path
        self.metrics = metrics
        self.batchers: list[Batcher] = []

    def start(self, limits: Limits = LIMITS, spool_bytes: int = 1 << 30) -> Batcher:
        self.spool = Spool(self.path, "test", spool_bytes)
        batcher = Batcher(self.store, self.spool, self.metrics, limits)
        batcher.start()
        self.batchers.append(batcher)
        return batcher

    def value(self, key: str) -> object:
        return self.metrics.snapshot()[key]


@pytest.fixture
def setup(tmp_path: Path, metrics: IngestMetrics) -> Iterator[Setup]:
    setup = Setup(tmp_path, metrics)
    yield setup
    setup.store.gate.set()
    for batcher in setup.batchers:
        batcher.stop(2.0)


def test_durable_in_the_store(setup: Setup) -> None:
    """The future is done when the store has them."""
    batcher = setup.start()
    assert batcher.submit(documents(1, 2)).result(5) == ()
    assert setup.store.count() == 2
    assert setup.value("stored") == 2
    assert batcher.submit([]).result(0) == ()


def test_batches_by_age(setup: Setup) -> None:
    """What comes within the age goes together."""
    batcher = setup.start(Limits(linger=0.2))
    ack = [batcher.submit(documents(id)) for id in range(1, 11)]
    for future in ack:
        future.result(5)
    assert [count for count, _ in setup.store.puts] == [10]


def test_who_was_answered_sends_more() -> None:
    """After an acknowledgement waiting documents gather once more; fire-and-forget ones do not."""
    queue = BatchQueue(Limits(linger=0.0, ack_linger=0.2, busy_linger=60.0, bulk_linger=60.0))
    one = Submission(documents(1))
    for ack, due in ((Ack(), False), (None, True)):
        queue.add(one, Ack())
        batch = queue.next_batch()
        assert batch is not None
        queue.add(one, ack)
        time.sleep(0.25)
        assert queue.take() is None, "an insert is running"
        queue.complete(batch, ())
        assert (queue.take() is not None) is due
        if not due:
            batch = queue.next_batch()
            assert batch is not None
            queue.complete(batch, ())


def test_bulk_fire_and_forget_lingers_longer() -> None:
    """Until a document with an acknowledgement joins them."""
    queue = BatchQueue(Limits(linger=0.0, ack_linger=0.0, bulk_linger=60.0, bulk_threshold=2))
    queue.add(Submission(documents(1)), None)
    assert queue.take() is not None
    queue.add(Submission(documents(1, 2)), None)
    time.sleep(0.01)
    running = queue.running()
    queue.complete(running[0], ())
    assert queue.take() is None
    queue.add(Submission(documents(3)), Ack())
    time.sleep(0.01)
    batch = queue.take()
    assert batch is not None
    assert batch.count == 3


def test_batches_by_size(setup: Setup) -> None:
    """A full batch does not wait for its age, and consists of whole submissions."""
    batcher = setup.start(Limits(linger=60, batch_documents=4))
    ack = [batcher.submit(documents(id, id + 1)) for id in (1, 3, 5)]
    for future in ack[:2]:
        future.result(5)
    assert not ack[2].done()
    batcher.stop(2.0)
    assert ack[2].result(0) == ()
    assert setup.store.count() == 6


def test_batches_by_bytes(setup: Setup) -> None:
    """Large documents fill a batch sooner."""
    batcher = setup.start(Limits(linger=60, batch_bytes=2000))
    batcher.submit(documents(1, 2)).result(5)


def test_bounded_by_documents(setup: Setup) -> None:
    """What is on its way to the store counts too; later there is room again."""
    batcher = setup.start(Limits(linger=0.01, queue_documents=3, slow_insert=60))
    setup.store.gate.clear()
    first = batcher.submit(documents(1, 2))
    with pytest.raises(QueueFull):
        batcher.submit(documents(3, 4))
    assert batcher.offer(documents(3))
    assert not batcher.offer(documents(4, 5))
    assert setup.value("dropped") == 2
    setup.store.gate.set()
    first.result(5)
    eventually(lambda: setup.store.count() == 3)
    batcher.submit(documents(4, 5)).result(5)


def test_bounded_by_bytes(setup: Setup) -> None:
    """One submission larger than everything still gets through an empty queue."""
    batcher = setup.start(Limits(linger=0.01, queue_bytes=1500, slow_insert=60))
    setup.store.gate.clear()
    first = batcher.submit(documents(1, 2, 3))
    with pytest.raises(QueueFull):
        batcher.submit(documents(4))
    setup.store.gate.set()
    first.result(5)


def test_store_unavailable(setup: Setup) -> None:
    """Acknowledged from the disk, inserted when the store is back, and off the disk then."""
    batcher = setup.start()
    setup.store.unavailable = True
    assert batcher.submit(documents(1, 2)).result(5) == ()
    assert batcher.offer(documents(3))
    eventually(lambda: len(setup.spool) == 2)
    assert setup.store.count() == 0
    assert setup.value("stored") == 0
    setup.store.unavailable = False
    eventually(lambda: setup.store.count() == 3 and len(setup.spool) == 0)
    batcher.submit(documents(4)).result(5)
    assert setup.store.count() == 4
    assert setup.value("stored") == 4


def test_another_schema(setup: Setup) -> None:
    """Not ready, retrying, and every document on disk: none is refused one by one."""
    setup.store.mismatch = True
    batcher = setup.start()
    eventually(lambda: not batcher.health().ready)  # before any document arrives
    assert "raymap migrate" in batcher.health().as_dict()["problems"][0]
    assert batcher.submit(documents(*range(1, 41))).result(5) == ()
    assert batcher.offer(documents(41))
    eventually(lambda: setup.spool.size > 0 and batcher.health().queued == 0)
    assert (setup.value("rejected"), setup.value("dropped"), setup.store.count()) == (0, 0, 0)
    setup.store.mismatch = False
    eventually(lambda: setup.store.count() == 41 and len(setup.spool) == 0)
    eventually(lambda: batcher.health().as_dict()["problems"] == [])
    assert batcher.health().ready


def test_spool_full(setup: Setup) -> None:
    """Then no document is acknowledged."""
    batcher = setup.start(spool_bytes=250)
    setup.store.unavailable = True
    batcher.submit(documents(1)).result(5)
    with pytest.raises(QueueFull, match="spool"):
        batcher.submit(documents(2)).result(5)
    batcher.offer(documents(3))
    eventually(lambda: setup.value("dropped") == 1)
    setup.store.unavailable = False
    eventually(lambda: setup.store.count() == 1)
    batcher.submit(documents(4)).result(5)
    assert setup.store.count() == 2


def test_left_in_the_spool_by_an_earlier_life(setup: Setup) -> None:
    """Replayed at the start."""
    setup.store.unavailable = True
    batcher = setup.start()
    batcher.submit(documents(1, 2)).result(5)
    batcher.stop(2.0)
    setup.spool.close()
    assert setup.store.count() == 0
    setup.store.unavailable = False
    setup.start()
    eventually(lambda: setup.store.count() == 2 and len(setup.spool) == 0)


def test_slow_store(setup: Setup) -> None:
    """An insert that hangs is acknowledged from the disk, and so is what waits behind it."""
    batcher = setup.start()
    setup.store.gate.clear()
    started = time.monotonic()
    ack = [batcher.submit(documents(1))]
    for id in range(2, 8):
        time.sleep(0.03)
        ack.append(batcher.submit(documents(id)))
    for future in ack:
        assert future.result(5) == ()
    assert time.monotonic() - started < 5
    assert setup.store.count() == 0
    setup.store.gate.set()
    eventually(lambda: setup.store.count() == 7 and len(setup.spool) == 0)
    tokens = [token for _, token in setup.store.puts]
    assert len(tokens) == len(set(tokens)), "a batch was put twice"


def test_an_outage_with_little_traffic(setup: Setup) -> None:
    """Leaves a file for each moment, not for each request, and replays them as few inserts."""
    batcher = setup.start(Limits(linger=0.001, ack_linger=0.001, replay_pause=60))
    setup.store.unavailable = True
    batcher.submit(documents(1)).result(5)

    def send(worker: int) -> None:
        for number in range(4):
            batcher.submit(documents(worker * 100 + number)).result(10)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(send, range(1, 11)))
    assert len(setup.spool) < 15
    assert batcher.health().queued == 0
    setup.store.unavailable = False
    assert batcher._replayer.replay_all()
    assert setup.store.count() == 41
    assert len(setup.store.puts) < 15


def test_slow_store_that_fails_in_the_end(setup: Setup) -> None:
    """What was acknowledged from the disk stays there when the insert that hung fails."""
    batcher = setup.start()
    setup.store.gate.clear()
    assert batcher.submit(documents(1)).result(5) == ()
    setup.store.unavailable = True
    setup.store.gate.set()
    eventually(lambda: not batcher._inserting)
    assert len(setup.spool) == 1
    setup.store.unavailable = False
    eventually(lambda: setup.store.count() == 1 and len(setup.spool) == 0)


def test_replay_while_batches_are_spooled(setup: Setup) -> None:
    """The store comes and goes under load: whatever was acknowledged arrives, without a restart."""
    batcher = setup.start(Limits(linger=0.001, ack_linger=0.001, replay_pause=0.001))
    done = threading.Event()

    def come_and_go() -> None:
        while not done.wait(0.02):
            setup.store.unavailable = not setup.store.unavailable
        setup.store.unavailable = False

    def send(worker: int) -> None:
        for number in range(100):
            batcher.submit(documents(worker * 1000 + number + 1)).result(10)

    moods = threading.Thread(target=come_and_go)
    moods.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    done.set()
    moods.join()
    eventually(lambda: len(setup.spool) == 0)
    assert setup.store.count() == 400
    assert not list(setup.path.rglob("*.corrupt"))


def test_how_it_stands(setup: Setup) -> None:
    """For /metrics and /readyz: away, no room, and all well again by itself."""
    batcher = setup.start(spool_bytes=250)
    assert batcher.health().as_dict() == {
        "ready": True,
        "problems": [],
        "store_available": True,
        "spool": {"full": False, "bytes": 0, "limit": 250},
        "queued": 0,
        "oldest_s": 0.0,
    }
    setup.store.unavailable = True
    batcher.submit(documents(1)).result(5)
    now = batcher.health()
    assert (now.accepting, now.store_available, now.spool_bytes > 0) == (True, False, True)
    assert "documents wait on disk" in now.as_dict()["problems"][0]
    with pytest.raises(QueueFull):
        batcher.submit(documents(2, 3)).result(5)
    assert not batcher.health().accepting
    assert "documents are deferred" in batcher.health().as_dict()["problems"][0]
    eventually(lambda: "raymap_ingest_blocked 1.0" in setup.metrics.render().decode())
    shown = setup.metrics.render().decode()
    assert "raymap_store_unavailable 1.0" in shown
    assert 'raymap_documents_deferred_total{reason="spool_full"} 2.0' in shown
    setup.store.unavailable = False
    eventually(lambda: batcher.health().as_dict()["problems"] == [] and len(setup.spool) == 0)
    eventually(lambda: "raymap_ingest_blocked 0.0" in setup.metrics.render().decode())


def test_room_on_a_disk_that_was_full(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found without a sender: turned-away load balancers send none."""
    monkeypatch.setattr(batch_module, "SPACE_PROBE_INTERVAL", 0.1)
    batcher = setup.start()
    setup.store.unavailable = True
    real = os.fsync

    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(QueueFull, match="No space left"):
        batcher.submit(documents(1)).result(5)
    time.sleep(0.6)
    assert not batcher.health().accepting
    monkeypatch.setattr(os, "fsync", real)
    eventually(lambda: batcher.health().accepting)
    batcher.submit(documents(1)).result(5)


def test_an_outage_is_logged_once(setup: Setup) -> None:
    """However many batches it sends to the disk, and however often the store is probed."""
    batcher = setup.start()
    with structlog.testing.capture_logs() as reported:
        setup.store.unavailable = True
        for id in range(1, 9):
            batcher.submit(documents(id)).result(5)
        setup.store.unavailable = False
        eventually(lambda: setup.store.count() == 8)
        eventually(
            lambda: [line["event"] for line in reported] == ["store_unavailable", "store_available"]
        )


def test_replay_yields_to_ingest(setup: Setup) -> None:
    """While more queues up than goes into a batch, at most half of the time is the replay's."""
    waits: list[float] = []
    batcher = setup.start(Limits(linger=60, batch_documents=10, queue_documents=40))
    replayer = batcher._replayer
    batcher._stopped.wait = lambda timeout=None: bool(waits.append(timeout))  # type: ignore
    for queued, expected in ((0, []), (10, [0.5]), (25, [2.0])):
        waits.clear()
        batcher._queue.state = lambda queued=queued: (queued, 0.0)  # type: ignore
        replayer._yield_to_ingest(0.5)
        assert [wait for wait in waits if wait in (0.5, 2.0)] == expected


def test_a_mistake_ends_no_thread(setup: Setup) -> None:
    """An unexpected exception in each place: the batch is on disk, and the threads go on."""
    batcher = setup.start()

    def mistake(*_: object, **__: object) -> object:
        raise RuntimeError("a bug")

    with pytest.MonkeyPatch.context() as patch, structlog.testing.capture_logs() as reported:
        patch.setattr(batch_module, "insert_batch", mistake)
        patch.setattr(replay_module, "replay", mistake)
        patch.setattr(batcher, "_update_gauges", mistake)
        assert batcher.submit(documents(1)).result(5) == ()
        assert len(setup.spool) == 1
        eventually(
            lambda: (
                {"insert_failed", "replay_failed", "watch_failed"}
                == {line["event"] for line in reported}
            )
        )
    eventually(lambda: setup.store.count() == 1)
    batcher.submit(documents(2)).result(5)
    assert setup.store.count() == 2


def test_one_bad_document(setup: Setup) -> None:
    """It is rejected and named; its neighbours are stored."""
    batcher = setup.start(Limits(linger=0.2))
    setup.store.averse = lambda document: document.id == 5
    good = batcher.submit(documents(1, 2, 3))
    bad = batcher.submit(documents(4, 5, 6))
    assert good.result(5) == ()
    (refused,) = bad.result(5)
    assert refused.id == 5
    assert setup.store.count() == 5
    assert setup.metrics.snapshot()["rejected_by_reason"] == {"StoreRefused": 1}
    assert setup.value("stored") == 5


def test_store_that_refuses_everything(setup: Setup) -> None:
    """That is no fault of the documents: they wait on disk, and nothing is lost."""
    batcher = setup.start()
    setup.store.averse = lambda document: True
    assert batcher.submit(documents(*range(1, 41))).result(5) == ()
    assert setup.value("rejected") == 0
    assert len(setup.spool) == 1
    setup.store.averse = lambda document: False
    eventually(lambda: setup.store.count() == 40 and len(setup.spool) == 0)


def test_refused_batches_on_disk_block_nothing(setup: Setup) -> None:
    """Later batches go into the store all the same."""
    batcher = setup.start()
    setup.store.averse = lambda document: document.id <= 40
    batcher.submit(documents(*range(1, 41))).result(5)
    batcher.submit(documents(41)).result(5)
    eventually(lambda: setup.store.count() == 1)
    assert len(setup.spool) == 1


def test_stop_keeps_what_is_queued(setup: Setup) -> None:
    """In the store, or on disk when the store hangs; afterwards nothing is taken."""
    batcher = setup.start(Limits(linger=60))
    ack = batcher.submit(documents(1))
    batcher.stop(2.0)
    assert ack.result(0) == ()
    assert setup.store.count() == 1
    with pytest.raises(QueueFull):
        batcher.submit(documents(2))

    hanging = setup.start(Limits(linger=0.01, slow_insert=60))
    setup.store.gate.clear()
    first = hanging.submit(documents(3))
    time.sleep(0.1)
    second = hanging.submit(documents(4))
    hanging.stop(1.0)
    assert first.result(0) == second.result(0) == ()
    assert len(setup.spool) >= 1


def test_many_threads(setup: Setup) -> None:
    """Every submission is acknowledged once and stored once."""
    batcher = setup.start(Limits(linger=0.005, batch_documents=50))

    def send(worker: int) -> None:
        for number in range(50):
            batcher.submit(documents(worker * 1000 + number + 1)).result(10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert setup.store.count() == 400
    assert setup.value("stored") == 400
