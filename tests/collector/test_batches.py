"""When a batch is due, and when an acknowledgement is."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from collector.batches import Ack, Batches, Entry, Limits, acknowledge
from collector.decode.document import decode_document
from collector.submission import Submission
from tests.collector.samples import segment_bytes

SOON = Limits(gather=0.0, linger=0.0)


def entry(count: int = 1, *, ack: bool = True, age: float = 0.0) -> Entry:
    documents = [decode_document(segment_bytes(f"{id:016x}"), id) for id in range(1, count + 1)]
    return Entry(None, Submission(documents), Ack() if ack else None, time.monotonic() - age)


def add(batches: Batches, *entries: Entry) -> None:
    acknowledge(batches.add(entries))


def done(entry: Entry) -> bool:
    assert entry.ack is not None
    return entry.ack.done()


class Clock:
    """What `time.monotonic` returns: seconds that pass when a test says so."""

    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def test_one_request_is_due_at_once(clock: Clock) -> None:
    """After the moment in which its documents arrive, and it takes all of them."""
    batches = Batches(Limits(gather=0.05))
    add(batches, entry())
    assert batches.next(0.0) == []
    clock.now += 0.04
    add(batches, entry())
    assert batches.next(0.0) == []
    clock.now += 0.02
    assert len(batches.next(0.0)) == 2


def test_a_batch_is_taken_when_it_is_due() -> None:
    """Not only at the end of the wait."""
    batches = Batches(Limits(gather=0.05))
    add(batches, entry())
    started = time.monotonic()
    assert len(batches.next(60.0)) == 1
    assert time.monotonic() - started < 30


def test_few_documents_linger_after_an_insert(clock: Clock) -> None:
    batches = Batches(Limits(gather=0.0, linger=0.1))
    add(batches, entry())
    first = batches.next(0.0)
    batches.complete(first)
    add(batches, entry())
    clock.now += 0.09
    assert batches.next(0.0) == []
    clock.now += 0.02
    assert len(batches.next(0.0)) == 1


def test_many_documents_linger_longer() -> None:
    """Until the oldest has the maximum age."""
    batches = Batches(Limits(gather=0.0, linger=0.0, bulk_linger=60, bulk_documents=3))
    add(batches, entry(3))
    assert batches.next(0.0) == []
    batches = Batches(Limits(gather=0.0, linger=0.0, bulk_linger=60, bulk_documents=3))
    add(batches, entry(3, age=61))
    assert len(batches.next(0.0)) == 1


def test_a_full_batch_is_due() -> None:
    """By documents or bytes, of whole entries; the rest waits."""
    for limits in (
        Limits(gather=60, linger=60, batch_documents=4, bulk_linger=60),
        Limits(gather=60, linger=60, batch_bytes=4 * entry().submission.size, bulk_linger=60),
    ):
        batches = Batches(limits)
        entries = [entry(2) for _ in range(3)]
        add(batches, *entries)
        assert batches.next(0.0) == entries[:2]
        assert batches.next(0.0) == []
        batches.close()
        assert batches.next(0.0) == entries[2:]
        assert batches.next(1.0) == []


def test_an_entry_larger_than_a_batch() -> None:
    batches = Batches(Limits(batch_documents=4))
    add(batches, entry(6), entry(1))
    assert len(batches.next(0.0)) == 1


def test_acknowledgements_wait_when_much_is_ready() -> None:
    """And go on by documents, not by batches: as many as have been stored."""
    batches = Batches(Limits(ready_documents=10, batch_documents=4, gather=0.0))
    entries = [entry(2) for _ in range(9)]
    add(batches, *entries)
    assert [done(each) for each in entries] == [True] * 5 + [False] * 4
    acknowledge(batches.complete(batches.next(0.0)))
    assert [done(each) for each in entries] == [True] * 7 + [False] * 2
    acknowledge(batches.complete(batches.next(0.0)))
    assert all(map(done, entries))


def test_acknowledgements_go_on_while_an_insert_runs(clock: Clock) -> None:
    """At the pace of the last insert, not by whole batches: none waits for the end of a long one."""
    batches = Batches(Limits(ready_documents=10, batch_documents=10, gather=0.0))
    entries = [entry() for _ in range(30)]
    add(batches, *entries)
    first = batches.next(0.0)
    clock.now += 10.0
    acknowledge(batches.complete(first))  # one document a second
    assert sum(map(done, entries)) == 20
    assert not batches.paced
    running = batches.next(0.0)
    assert (len(running), batches.paced) == (10, True)
    for seconds, expected in ((0.5, 20), (3.0, 23), (7.0, 30), (60.0, 30)):
        clock.now = 110.0 + seconds
        acknowledge(batches.release())
        assert sum(map(done, entries)) == min(expected, 20 + int(seconds)), seconds
    acknowledge(batches.complete(running))
    assert all(map(done, entries))


def test_how_many_may_wait() -> None:
    """Then requests are deferred; an entry that was taken in is acknowledged all the same."""
    batches = Batches(Limits(ready_documents=2, waiting_documents=3, gather=0.0))
    entries = [entry() for _ in range(5)]
    add(batches, *entries[:4])
    assert ([done(each) for each in entries[:4]], batches.defers) == (
        [True, True, False, False],
        False,
    )
    add(batches, entries[4])
    assert batches.defers
    acknowledge(batches.complete(batches.next(0.0)))
    assert all(map(done, entries))
    assert not batches.defers


def test_bounded_by_bytes() -> None:
    size = entry().submission.size
    batches = Batches(Limits(ready_bytes=size, gather=0.0))
    entries = [entry(), entry()]
    add(batches, *entries)
    assert [done(each) for each in entries] == [True, False]


def test_one_entry_beyond_every_bound_is_acknowledged() -> None:
    batches = Batches(Limits(ready_documents=1, ready_bytes=1))
    large = entry(5)
    add(batches, large)
    assert done(large)


def test_datagrams_need_no_acknowledgement() -> None:
    """They count as ready, and their receiver pauses."""
    batches = Batches(Limits(ready_documents=3, gather=0.0, linger=0.0))
    add(batches, entry(4, ack=False))
    waiting = entry()
    add(batches, waiting)
    assert not done(waiting)
    started = time.monotonic()
    batches.wait_for_room(0.05)
    assert time.monotonic() - started >= 0.05
    storing = threading.Timer(0.05, lambda: acknowledge(batches.complete(batches.next(0.0))))
    storing.start()
    batches.wait_for_room(60.0)
    assert time.monotonic() - started < 30
    storing.join()
    assert done(waiting)


def test_none_waits_while_the_store_is_unavailable() -> None:
    batches = Batches(Limits(ready_documents=1))
    entries = [entry() for _ in range(3)]
    add(batches, *entries)
    assert [done(each) for each in entries] == [True, False, False]
    acknowledge(batches.bypass(True))
    assert all(map(done, entries))
    more = entry()
    add(batches, more)
    assert done(more)
    acknowledge(batches.bypass(False))
    another = entry()
    add(batches, another)
    assert not done(another)


def test_dropped_from_memory() -> None:
    """What waits is forgotten and acknowledged; what is being inserted is not affected."""
    batches = Batches(Limits(ready_documents=1, gather=0.0, memory_bytes=1))
    first, second = entry(), entry()
    add(batches, first)
    running = batches.next(0.0)
    add(batches, second)
    assert batches.exceeds_memory
    acknowledge(batches.drop())
    assert done(second)
    assert (batches.documents, batches.next(0.0)) == (1, [])
    acknowledge(batches.complete(running))
    assert (batches.documents, batches.exceeds_memory, batches.age) == (0, False, 0.0)


def test_age(clock: Clock) -> None:
    """Of the oldest, also while it is being inserted."""
    batches = Batches(SOON)
    assert batches.age == 0
    add(batches, entry(age=5))
    assert batches.age == 5
    running = batches.next(0.0)
    add(batches, entry(age=1))
    clock.now += 2
    assert batches.age == 7
    batches.complete(running)
    assert batches.age == 3


def test_a_sender_that_left(tmp_path: Path) -> None:
    """A cancelled acknowledgement does no harm."""
    batches = Batches(Limits(ready_documents=1, gather=0.0))
    first, second, third = entry(), entry(), entry()
    add(batches, first, second, third)
    assert second.ack is not None
    second.ack.cancel()
    acknowledge(batches.complete(batches.next(0.0)))
    assert done(third)
