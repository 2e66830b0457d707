"""How often the worker looks for what it may do, while there is nothing to do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.rollup import compaction, worker
from store.clickhouse.rollup.worker import UNWATCHED_PAUSE, WIDEN_RARELY, RollupWorker


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
        clock[0] += UNWATCHED_PAUSE
    settled = [0, 35, 70, 105, 140, 175]
    assert looks[: len(settled)] == settled
    again = next(number for number, at in enumerate(looks) if at >= 1_200)
    assert looks[again] - looks[again - 1] > WIDEN_RARELY
    assert [at - looks[again] for at in looks[again : again + len(settled)]] == settled
    assert looks[-1] - looks[-2] > WIDEN_RARELY
