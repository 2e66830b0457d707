"""What windows lack: decided by the buckets that are dirty inside them, not by when their rows arrived."""

from __future__ import annotations

import math
import time
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.v1 import MapNumbers, TimeSeries
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import COUNT_LIMITS, QueryRunner, execute
from store.clickhouse.graph import methods as graph_methods
from store.clickhouse.rollup import dirty, worker
from store.clickhouse.rollup.backlog import read_due
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from store.times import BUCKET, HOUR, MINUTE, PER_MINUTE, SECOND
from tests.api.console.test_map import get
from tests.builders import T0, segment, trace_id

FIRST = T0 // HOUR * HOUR


def put(store: ClickHouseStore, *starts: int) -> None:
    documents = [
        segment(1, trace_id=trace_id(number), start=start, end=start + 5_000)
        for number, start in enumerate(starts)
    ]
    store.put(documents, f"{starts}")


def uncounted(store: ClickHouseStore) -> ClickHouseStore:
    """The store, whose readers do not count: there is a worker, which is busy."""
    store.rollup_worker.alone = False
    store.rollup_worker._busy = worker.STEADY
    store.rollup_worker._read = time.monotonic()
    return store


def test_a_back_fill_is_in_the_windows_of_its_starts(clickhouse_store: ClickHouseStore) -> None:
    """Its documents arrived long after the end of these windows, and are missing from their graphs."""
    store = uncounted(clickhouse_store)
    put(store, FIRST, FIRST + 10 * SECOND, FIRST + 3 * MINUTE, FIRST + 2 * HOUR)
    day = TimeRange(FIRST, FIRST + 24 * HOUR)
    counted = store.counted_window(day)
    assert counted.graph.services == {}
    assert counted.backlog is not None
    assert (counted.backlog.minutes, counted.backlog.start) == (3, FIRST // BUCKET * BUCKET)
    assert abs(counted.backlog.since / SECOND - time.time()) < 60
    windows = [
        TimeRange(FIRST + MINUTE, FIRST + HOUR),
        TimeRange(FIRST + 4 * MINUTE, FIRST + HOUR),
        TimeRange(FIRST - HOUR, FIRST),
    ]
    first, *others = store.counted_windows(windows)
    assert first.backlog is not None
    assert first.backlog.minutes == 1
    assert [each.backlog for each in others] == [None, None]
    assert store.backlog(day) == counted.backlog
    assert store.backlog(day, least=60 * SECOND) is None, "they have not waited for so long"
    assert store.backlog(windows[2]) is None


def test_what_is_counted_is_no_backlog(clickhouse_store: ClickHouseStore) -> None:
    store = uncounted(clickhouse_store)
    put(store, FIRST, FIRST + HOUR)
    client = connect(store.address)
    store.rollup_worker.tick(partial(execute, client))
    client.disconnect()
    counted = store.counted_window(TimeRange(FIRST, FIRST + 2 * HOUR))
    assert counted.backlog is None
    assert [each.statistics.total for each in counted.graph.services.values()] == [2, 0]


def test_answers_of_the_api_say_how_much_waits(clickhouse_store: ClickHouseStore) -> None:
    """Of v1 in their body, of X-Ray in a header; until the rest is counted."""
    store = uncounted(clickhouse_store)
    client = TestClient(create_app(store, version="0"))

    def answers(hours: int) -> tuple[Any, Any, list[str | None]]:
        start, end = FIRST // SECOND, FIRST // SECOND + hours * 3600
        window = f"from={start}&to={end}"
        service_map = get(client, f"/api/v1/map?{window}", MapNumbers)
        series = get(client, f"/api/v1/timeseries?{window}", TimeSeries)
        headers = []
        for path in ("/ServiceGraph", "/TimeSeriesServiceStatistics"):
            answer = client.post(path, json={"StartTime": start, "EndTime": end})
            assert answer.status_code == 200
            headers.append(answer.headers.get("x-raymap-incomplete"))
        return service_map, series, headers

    put(store, FIRST, FIRST + 10 * SECOND, FIRST + 3 * MINUTE, FIRST + 2 * HOUR)
    for hours, minutes in ((24, 3), (1, 2)):
        service_map, series, headers = answers(hours)
        assert service_map["services"] == []
        for each in (service_map, series):
            assert each["incomplete"]["minutes"] == minutes
            assert abs(each["incomplete"]["since"] - time.time()) < 120
            assert each["data_until"] == FIRST / SECOND
        assert headers == [f"minutes={minutes}"] * 2

    connection = connect(store.address)
    store.rollup_worker.tick(partial(execute, connection))
    connection.disconnect()
    service_map, series, headers = answers(24)
    assert [service_map["incomplete"], series["incomplete"], *headers] == [None] * 4
    assert len(service_map["services"]) == 2


def test_who_reads_the_past_does_not_make_counts_frequent(
    clickhouse_store: ClickHouseStore,
) -> None:
    """As alarms do every minute, whether or not the map is read."""
    store = clickhouse_store
    store.rollup_worker.alone = False
    now = round(time.time() * SECOND)
    past = TimeRange(now - HOUR, now - MINUTE)
    store.service_graph(past)
    assert store.backlog(TimeRange(past.start, now)) is None
    assert not store.rollup_worker.watched
    store.service_graph(TimeRange(past.start, now))
    assert store.rollup_worker.watched


def test_while_documents_wait_a_missing_parent_may_be_among_them(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client of a root is settled by the lag of the count, not by the clock alone."""
    store = uncounted(clickhouse_store)
    root = segment(
        2,
        trace_id=trace_id(1),
        parent_id=1,
        start=FIRST,
        end=FIRST + 5_000,
        version=FIRST + 6_000,
    )
    store.put([root], "root")
    client = connect(store.address)
    store.rollup_worker.tick(partial(execute, client))
    client.disconnect()
    window = TimeRange(FIRST, FIRST + HOUR)

    def edges() -> int:
        settled = store.counted_window(window, settled_before=FIRST + 40 * SECOND)
        return len(settled.graph.edges)

    assert edges() == 1
    put(store, FIRST + MINUTE)
    assert edges() == 1, "as long as usual"
    monkeypatch.setattr(graph_methods, "time", SimpleNamespace(time=lambda: time.time() + 60))
    assert edges() == 0


def test_the_newest_of_a_back_fill_come_first(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more dirty buckets than are read at once those whose turn is next, in few statements."""
    monkeypatch.setattr(dirty, "FEW", 0)
    monkeypatch.setattr(dirty, "FIRST_BUCKETS", 2)
    monkeypatch.setattr(dirty, "MOST", 5)
    monkeypatch.setattr(dirty, "CHUNK_BUCKETS", 3)
    monkeypatch.setattr(worker, "ROUND", 0.0)
    monkeypatch.setattr(worker, "TICK", 0.0)
    monkeypatch.setattr(worker, "UNWATCHED", math.inf)
    store = uncounted(clickhouse_store)
    put(store, *(FIRST + number * MINUTE for number in range(12)))
    client = connect(store.address)
    run = partial(execute, client)

    def waiting() -> list[int]:
        found = dirty.dirty_buckets(run)
        return [
            each.bucket // PER_MINUTE - FIRST // MINUTE for each in found if not each.confirming
        ]

    assert waiting() == [11, 10, 9, 8, 7]
    assert store.rollup_worker.tick(run) == 10, "twice as many as are read at once"
    assert waiting() == [1, 0]
    (whole,) = store.counted_windows([TimeRange(FIRST, FIRST + HOUR)])
    assert whole.backlog is not None
    assert (whole.backlog.minutes, whole.backlog.start) == (2, FIRST)
    store.rollup_worker.tick(run)
    assert waiting() == []
    client.disconnect()


def test_few_dirty_buckets_are_named_as_many_are(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By Python and by SQL, whatever is known of each: no time lies within seconds of now, which is not one."""
    client = connect(clickhouse_store.address)
    run = partial(execute, client)
    random, now = Random(7), time.time_ns() // 1000
    times = [0, *(now + n * 10 * SECOND for n in range(-4, 4))]
    rows = [(FIRST // BUCKET + n, *random.choices(times, k=4), n % 9) for n in range(600)]
    client.execute(
        "INSERT INTO dirty (bucket, arrived, related, recheck, looked, rows) VALUES", rows
    )
    windows = [TimeRange(FIRST + n * MINUTE, FIRST + n * n * MINUTE) for n in range(2, 8)]

    def named(guard: int) -> tuple[list[dirty.DirtyBucket], object]:
        found = [
            each._replace(read_at=0, waited=each.waited and each.read_at - each.waited)
            for each in dirty.dirty_buckets(run, guard=guard)
        ]
        return found, [read_due(run, windows, least=least) for least in (0, 15 * SECOND)]

    for guard in (0, 15 * SECOND):
        of_few = named(guard)
        with monkeypatch.context() as patch:
            patch.setattr(dirty, "FEW", 0)
            of_many = named(guard)
        assert len(of_few[0]) > 200
        assert of_few == of_many
    client.disconnect()


def test_verification_counts_what_is_due_for_as_long_as_it_takes(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a load of hours that is more than a reader waits for."""
    limits: list[object] = []

    def noted(_: worker.RollupWorker, run: QueryRunner, *__: object) -> bool:
        limits.extend(run("SELECT getSetting('max_execution_time')")[0])
        return False

    monkeypatch.setattr(worker.RollupWorker, "wait_until_fresh", noted)
    list(clickhouse_store.verify(TimeRange(FIRST, FIRST + MINUTE)))
    assert limits == [COUNT_LIMITS["max_execution_time"]]
