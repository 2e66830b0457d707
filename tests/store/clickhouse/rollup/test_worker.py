"""How often the worker looks for what it may do while there is nothing to do, and when it says that it may not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.rollup import compaction, worker
from store.clickhouse.rollup.turn import MayNotCount
from store.clickhouse.rollup.worker import HAND_OVER, UNWATCHED_PAUSE, WIDEN_RARELY, RollupWorker


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


class Stop:
    """An event that is never set while there are errors left; to wait for it advances the clock."""

    def __init__(self, clock: list[float], errors: list[Exception | None]) -> None:
        self._clock, self._errors = clock, errors

    def is_set(self) -> bool:
        return not self._errors

    def wait(self, seconds: float) -> bool:
        self._clock[0] += seconds
        return self.is_set()


@pytest.mark.parametrize(
    ("errors", "warnings"),
    [
        ([MayNotCount("lags")] * 5, 0),
        ([*[MayNotCount("lags")] * 5, None, *[MayNotCount("lags")] * 5], 0),
        ([MayNotCount("clocks differ")] * 30, 1),
        ([RuntimeError("no such table")] * 5, 1),
        ([MayNotCount("lags"), RuntimeError("no such table")], 1),
    ],
    ids=["handed over", "twice", "none may", "failed", "failed then"],
)
def test_leaving_the_count_to_another_is_no_warning(
    monkeypatch: pytest.MonkeyPatch, errors: list[Exception | None], warnings: int
) -> None:
    """One that lasts for longer than another takes to begin is: nothing is counted meanwhile."""
    clock, left = [10_000.0], list(errors)
    assert sum(isinstance(each, MayNotCount) for each in errors[:5]) < HAND_OVER

    def tick() -> None:
        if error := left.pop(0):
            raise error

    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    lagging = RollupWorker()
    monkeypatch.setattr(worker, "UNWATCHED_PAUSE", 0.0)
    with capture_logs() as lines:
        lagging.run(tick, Stop(clock, left))  # type: ignore[arg-type]
    assert [line["event"] for line in lines] == ["rollup_failed"] * warnings
