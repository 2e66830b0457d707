"""How far the map is behind: in seconds, in the metrics, and in a sentence."""

from __future__ import annotations

import time
from functools import partial

import pytest
from prometheus_client import REGISTRY

from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.rollup import dirty
from store.clickhouse.rollup.backlog import read_due
from store.clickhouse.rollup.lag import RollupLag
from store.clickhouse.store import ClickHouseStore
from store.errors import StoreUnavailable
from store.query import Backlog
from store.times import SECOND
from tests.builders import segment


def backlog(seconds: float, minutes: int = 2) -> Backlog:
    """Documents of which the first has waited for so long."""
    return Backlog(minutes, 0, round((time.time() - seconds) * SECOND))


def metric(name: str) -> float | None:
    return REGISTRY.get_sample_value(name)


def test_nothing_waits() -> None:
    lag = RollupLag()
    assert (lag.seconds, lag.problem()) == (0.0, "")
    lag.note(None)
    assert (lag.seconds, lag.problem()) == (0.0, "")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which passes when a test says so."""
    now = [1_790_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_the_longest_wait_counts(now: list[float]) -> None:
    lag = RollupLag()
    lag.note(backlog(40))
    assert lag.seconds == 40
    assert lag.problem() == "", "less than a minute is nothing to do about"
    assert metric("raymap_rollup_lag_seconds") == 40
    assert metric("raymap_dirty_minutes") == 2


def test_a_long_wait_is_a_problem_with_its_beginning(now: list[float]) -> None:
    lag = RollupLag()
    lag.note(backlog(600))
    assert lag.problem() == (
        "the map is behind: 2 minutes have waited to be aggregated since 2026-09-21 14:03 UTC; "
        "see  raymap doctor  and the metric raymap_rollup_lag_seconds"
    )


def test_a_failure_counts_from_the_first_one(now: list[float]) -> None:
    lag = RollupLag()
    lag.note_failure(StoreUnavailable("memory limit exceeded"))
    now[0] += 45
    lag.note_failure(StoreUnavailable("memory limit exceeded"))
    now[0] += 30
    assert lag.seconds == 75
    assert lag.problem().startswith(
        "the map has not been updated since 2026-09-21 14:13 UTC: memory limit exceeded; see"
    )
    lag.note(None)
    assert lag.problem() == ""


def test_rows_wait_from_their_arrival(clickhouse_store: ClickHouseStore) -> None:
    """Until their bucket is aggregated."""
    client = connect(clickhouse_store.address)
    run = partial(execute, client)
    clickhouse_store.put([segment(1)], "waiting")
    (waiting,) = dirty.dirty_buckets(run)
    assert 0 < waiting.waited < 60 * SECOND
    assert not waiting.confirming
    due, _ = read_due(run)
    worker = clickhouse_store.rollup_worker
    worker.lag.note(due.backlog)
    assert 0.0 < worker.lag.seconds < 60
    worker.wait_until_fresh(run, due)
    assert dirty.dirty_buckets(run) == []
    assert worker.lag.seconds == 0.0
    client.execute(
        "INSERT INTO dirty (bucket, arrived, rows) VALUES", [(waiting.bucket, waiting.looked, 1)]
    )
    client.disconnect()
    assert clickhouse_store.problems() == []
