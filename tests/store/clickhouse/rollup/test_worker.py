"""How often the worker looks for what it may do, and who waits for it."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.rollup import aggregate, compaction, dirty, worker
from store.clickhouse.rollup.backlog import Due
from store.clickhouse.rollup.worker import FIRST, SMALL, SOONER, WIDEN_RARELY, RollupWorker
from store.query import Backlog
from tests.waiting import eventually


def test_minutes_are_downsampled_rarely_while_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the start, and after a minute was downsampled, twice a minute until the last one has settled."""
    clock, looks = [10_000.0], list[float]()

    def downsample(run: RunQuery) -> int:
        looks.append(clock[0] - 10_000)
        return 1 if looks[-1] >= 1_200 > looks[-2] else 0

    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(compaction, "downsample", downsample)
    idle = RollupWorker()
    while clock[0] < 12_500:
        idle.tick(lambda statement: [])
        clock[0] += SOONER
    settled = [0, 35, 70, 105, 140, 175]
    assert looks[: len(settled)] == settled
    again = next(number for number, at in enumerate(looks) if at >= 1_200)
    assert looks[again] - looks[again - 1] > WIDEN_RARELY
    assert [at - looks[again] for at in looks[again : again + len(settled)]] == settled
    assert looks[-1] - looks[-2] > WIDEN_RARELY


def test_rounds_are_rare_without_readers_unless_they_have_many_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a round costs beside its rows is paid three times less often."""
    monkeypatch.setattr(worker, "SOONER", 0.0)
    rows, rounds = [worker.MANY + 1], list[int]()
    full = dirty.DirtyBucket(1, rows[0], read_at=1 << 50)
    monkeypatch.setattr(dirty, "few_dirty", lambda *_, **__: [full._replace(rows=rows[0])])
    monkeypatch.setattr(aggregate, "recount", lambda _, part, **__: rounds.append(part[0].rows))
    monkeypatch.setattr(compaction, "downsample", lambda _: 0)
    unread, stop = RollupWorker(), threading.Event()
    thread = threading.Thread(
        target=unread.run, args=(lambda: unread.tick(lambda _: []), stop), daemon=True
    )
    thread.start()
    eventually(lambda: len(rounds) > 3)
    rows[0] = worker.MANY
    eventually(lambda: worker.MANY in rounds)
    assert not stop.wait(0.5)
    assert rounds.count(worker.MANY) == 1
    stop.set()
    thread.join()


@pytest.mark.parametrize(
    ("rows", "live", "waits"),
    [(SMALL, False, True), (FIRST, False, False), (FIRST, True, True), (FIRST + 1, True, False)],
)
def test_the_first_reader_of_the_present_waits_for_a_round(
    rows: int, live: bool, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would see a map of UNWATCHED_PAUSE ago: of as many rows as are counted while it waits it sees all."""
    monkeypatch.setattr(compaction, "downsample", lambda _: 0)
    unread = RollupWorker()
    unread.alone = False
    due = Due(1, rows, Backlog(1, 0, 0))
    answers = list[bool]()
    reader = threading.Thread(
        target=lambda: answers.append(unread.wait_until_fresh(lambda _: [], due, live=live))
    )
    reader.start()
    if waits:
        assert not threading.Event().wait(0.2)
        assert not answers
        unread.tick(lambda _: [])
    reader.join()
    assert answers == [waits]
