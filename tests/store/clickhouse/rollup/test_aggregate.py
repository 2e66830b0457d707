"""Counting minutes: what comes late, what is compared, what stays when its rows are gone."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute, text_of
from store.clickhouse.graph import verify, window_plan
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import aggregate, compaction, dirty, few_rows, worker
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import dependencies, facts, whole_traces
from store.clickhouse.write import encoded_columns, rows
from store.columnar import columns_of
from store.model import Link, NodeKey, TimeRange
from store.times import BUCKET, MINUTE, PER_MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.waiting import eventually

DAY = TimeRange(T0 - 12 * 60 * MINUTE, T0 + 12 * 60 * MINUTE)
FRONTEND = NodeKey("", "frontend", "")
BACKEND = NodeKey("", "backend", "")
CLIENT = NodeKey("", "frontend", "client")
INFERRED = NodeKey("", "backend.example.com", "remote")


@pytest.fixture(
    autouse=True,
    params=[(0, whole_traces.MOST_WHOLE), (0, 0), (few_rows.MOST, whole_traces.MOST_WHOLE)],
    ids=["statements", "large traces", "python"],
)
def ways_of_counting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are counted in another way than many, and what large traces depend on is known by id."""
    few, whole = request.param
    monkeypatch.setattr(few_rows, "MOST", few)
    monkeypatch.setattr(whole_traces, "MOST_WHOLE", whole)


def differences(store: ClickHouseStore) -> list[object]:
    """What `raymap verify` would print."""
    return [each for part in store.verify(DAY) for each in part.differences]


def test_a_late_answer_erases_the_inferred_node_of_another_minute(
    clickhouse_store: ClickHouseStore,
) -> None:
    """The call was counted hours ago; who answered comes now, and began five hours later."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),))], "a")
    assert INFERRED in store.service_graph(DAY).services
    late = segment(2, name="backend", parent_id=21, start=T0 + 300 * MINUTE)
    store.put([late], "b")
    graph = store.service_graph(DAY)
    assert INFERRED not in graph.services
    assert graph.edges[FRONTEND, BACKEND].statistics.total == 1
    assert differences(store) == []


def test_what_is_compared_at_a_time() -> None:
    """A few minutes, and never more rows than fit into memory."""
    most = dirty.CHUNK_ROWS
    assert list(verify._strides(dict.fromkeys(range(7), 1))) == [[0, 1, 2, 3, 4], [5, 6]]
    assert list(verify._strides({0: 1, 9: 1})) == [[0], [9]]
    assert list(verify._strides({0: most, 1: 1, 2: most + 1})) == [[0], [1], [2]]
    assert list(verify._strides({})) == []


def test_verify_finds_what_is_wrong(clickhouse_store: ClickHouseStore) -> None:
    """A count that was changed by hand, and one that is missing."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),))], "a")
    assert differences(store) == []
    client = connect(store.address)
    client.execute(
        "INSERT INTO rollups SELECT * REPLACE (ok + 1 AS ok, rev + 1 AS rev) FROM rollups "
        "WHERE width = 1 AND (kind = 0 AND name = 'frontend' OR kind = 255)"
    )
    client.disconnect()
    found = {(each.kind, each.target) for part in store.verify(DAY) for each in part.differences}
    assert found == {
        ("node", "frontend"),
        ("node", "backend.example.com (remote)"),
        ("edge", "frontend"),
        ("edge", "backend.example.com (remote)"),
    }


def test_a_count_outlives_its_rows(clickhouse_store: ClickHouseStore) -> None:
    """Traces expire before the map does; a minute is not counted again from what is left."""
    store = clickhouse_store
    store.put([segment(1), segment(2, trace_id=trace_id(2))], "a")
    assert store.service_graph(DAY).services[FRONTEND].statistics.total == 2
    client = connect(store.address)
    for table in ("segments", "calls", "traces"):
        client.execute(f"TRUNCATE TABLE {table}")
    client.execute(
        "INSERT INTO dirty (bucket, arrived) "
        f"VALUES ({T0 // BUCKET}, toUnixTimestamp64Micro(now64(6)))"
    )
    assert store.service_graph(DAY).services[FRONTEND].statistics.total == 2
    assert dirty.dirty_buckets(partial(execute, client)) == []  # or it would be recounted for ever
    client.disconnect()


def put_within_an_hour(store: ClickHouseStore, count: int) -> TimeRange:
    """The hour in which ``count`` traces of one segment begin, nine minutes apart."""
    hour = T0 // (60 * MINUTE) * 60 * MINUTE
    for number in range(count):
        start = hour + number * 9 * MINUTE
        store.put(
            [segment(1, trace_id=trace_id(number), start=start, end=start + 5_000)], f"{number}"
        )
    return TimeRange(hour, hour + 60 * MINUTE)


def test_wide_slots_are_their_minutes(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours are added up once they are quiet, and out of date as soon as a minute is counted anew."""
    monkeypatch.setattr(compaction, "QUIET", -(10**15))
    store = clickhouse_store
    window = put_within_an_hour(store, 6)
    before = store.service_graph(window)
    client = connect(store.address)
    assert compaction.downsample(partial(execute, client)) == 1 + 5 + 6
    assert compaction.downsample(partial(execute, client)) == 0
    assert store.service_graph(window) == before
    assert differences(store) == []
    store.put(
        [segment(1, trace_id=trace_id(9), start=window.start, end=window.start + 7_000)], "late"
    )
    assert store.service_graph(window).services[FRONTEND].statistics.total == 7
    client.disconnect()


def test_series_read_the_wide_slots_that_fill_their_steps(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a quarter of an hour those of five minutes, of a minute none; none that is out of date."""
    monkeypatch.setattr(compaction, "QUIET", -(10**15))
    store = clickhouse_store
    window = put_within_an_hour(store, 6)
    client = connect(store.address)
    ask = partial(execute, client)
    compaction.downsample(ask)
    late = window.start + MINUTE
    store.put([segment(1, trace_id=trace_id(9), start=late, end=late + 7_000)], "late")
    steps = (MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 60 * MINUTE)
    before = [store.node_series([FRONTEND], window, step) for step in steps]
    for series in before:
        assert sum(each.statistics.total for each in series) == 7
    compaction.downsample(ask)
    client.execute("ALTER TABLE rollups DELETE WHERE width = 1 AND kind < 255")
    eventually(lambda: not ask("SELECT 1 FROM rollups WHERE width = 1 AND kind < 255 LIMIT 1"))
    after = [store.node_series([FRONTEND], window, step) for step in steps]
    assert after == [[], *before[1:]]
    client.disconnect()


def test_a_batch_that_arrives_while_it_is_counted(clickhouse_store: ClickHouseStore) -> None:
    """Its calls are there, its segments not yet: no node that is none, not for a moment."""
    store = clickhouse_store
    batch = [segment(1, calls=(call(21),)), segment(2, name="backend", parent_id=21)]
    calls = [table for table in rows.TABLES if table.name == "calls"]
    client = connect(store.address)

    def ask(statement: Statement) -> Rows:
        if text_of(statement).lstrip().startswith("INSERT INTO bucket_rollups") and calls:
            table = calls.pop()
            piece = encoded_columns.encode(table.types, table.build(columns_of(batch)))
            joined = encoded_columns.join(table.types, [piece])
            client.execute(f"INSERT INTO calls ({table.names}) VALUES", joined, columnar=True)
        found: Rows = execute(client, statement)
        return found

    store.put([segment(3, trace_id=trace_id(7))], "before")
    aggregate.recount(ask, dirty.dirty_buckets(ask))
    store.rollup_worker.alone = False  # as it was counted
    assert not calls
    assert set(store.service_graph(DAY).services) == {FRONTEND, CLIENT}
    store.put(batch, "batch")
    aggregate.recount(ask, dirty.dirty_buckets(ask))
    assert set(store.service_graph(DAY).services) == {FRONTEND, CLIENT, BACKEND}
    client.disconnect()


def test_what_lacks_rows_is_counted_again_once_when_all_are_there(
    clickhouse_store: ClickHouseStore,
) -> None:
    """And not each time that it is compared meanwhile: a replica may be gone for hours."""
    client = connect(clickhouse_store.address)
    run = partial(execute, client)
    clickhouse_store.put([segment(3, trace_id=trace_id(7))], "here")
    (due,) = dirty.dirty_buckets(run)

    def counts(*, complete: bool) -> int:
        aggregate.recount(run, [due._replace(far=1)], complete=complete)
        return int(run("SELECT uniqExact(rev) FROM bucket_rollups")[0][0])

    lacking = [counts(complete=False) for _ in range(3)]
    assert lacking == [1, 1, 1]
    assert [counts(complete=True) for _ in range(3)] == [2, 2, 2]
    client.disconnect()


def test_a_consumer_that_arrives_while_it_is_counted(clickhouse_store: ClickHouseStore) -> None:
    """It came too late for this count, which reads its rows once: no client calls it, not for a moment."""
    store = clickhouse_store
    consumer = segment(5, name="worker", trace_id=trace_id(9), links=(Link(trace_id(7), 3),))
    waiting = [consumer]
    client = connect(store.address)

    def ask(statement: Statement) -> Rows:
        if text_of(statement).lstrip().startswith("INSERT INTO bucket_rollups") and waiting:
            store.put([waiting.pop()], "meanwhile")
        found: Rows = execute(client, statement)
        return found

    store.put([segment(3, trace_id=trace_id(7))], "before")
    aggregate.recount(ask, dirty.dirty_buckets(ask))
    store.rollup_worker.alone = False  # as it was counted
    assert not waiting
    assert set(store.service_graph(DAY).services) == {FRONTEND, CLIENT}
    aggregate.recount(ask, dirty.dirty_buckets(ask))
    graph = store.service_graph(DAY)
    assert consumer.node in graph.services
    assert [edge for edge in graph.edges if edge[1] == consumer.node] == []
    assert differences(store) == []
    client.disconnect()


@pytest.mark.parametrize("later", [1, 12], ids=["the same buckets", "another"])
def test_an_answer_that_arrives_before_rows_elsewhere_are_compared(
    clickhouse_store: ClickHouseStore, later: int
) -> None:
    """The trace's other call was resolved from what had been read before: the count does not have the answer, and does
    not claim to."""
    store = clickhouse_store
    answers = [segment(2, name="backend", parent_id=21, start=T0 + BUCKET)]
    late = segment(3, name="backend", parent_id=22, start=T0 + later * BUCKET)
    waiting = [late]
    client = connect(store.address)

    def ask(statement: Statement) -> Rows:
        name = statement.name if isinstance(statement, Sql) else ""
        if name in ("rollup/far_rows", "rollup/rows_of_traces") and waiting:
            store.put([waiting.pop()], "meanwhile")
        found: Rows = execute(client, statement)
        return found

    store.put([segment(1, calls=(call(21), call(22))), *answers], "before")
    aggregate.recount(ask, dirty.dirty_buckets(ask))
    assert not waiting
    graph = store.service_graph(DAY)
    assert graph.edges[FRONTEND, BACKEND].statistics.total == 2
    assert INFERRED not in graph.services
    assert differences(store) == []
    client.disconnect()


def test_long_minutes_are_taken_whole(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that cuts through them is widened to what is counted already, and no further."""
    store = clickhouse_store
    first = T0 // MINUTE * MINUTE
    for number, start in enumerate((first, first + 50 * SECOND, first + 2 * MINUTE + 5 * SECOND)):
        store.put([segment(1, trace_id=trace_id(number), start=start, end=start + 9)], f"{number}")
    window = TimeRange(first + 30 * SECOND, first + 2 * MINUTE + 30 * SECOND)
    assert store.service_graph(window).services[FRONTEND].statistics.total == 2
    assert store.counted_window(window).window == window
    assert store.min_step(window) == 1
    monkeypatch.setattr(window_plan, "MOST_RAW", 1)
    # All units of the last minute are inside the window: it is not cut.
    counted = store.counted_window(window)
    assert counted.window == TimeRange(first, window.end)
    assert counted.graph.services[FRONTEND].statistics.total == 3
    whole, nothing = TimeRange(first, first + MINUTE), TimeRange(first + 1, first + 1)
    assert store.counted_window(whole).window == whole
    assert store.counted_window(nothing).window == nothing
    assert store.min_step(window) == MINUTE


def test_an_hour_outlives_its_minutes(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours expire later than minutes: a late row must not reduce an hour to one minute."""
    monkeypatch.setattr(compaction, "QUIET", -(10**15))
    store = clickhouse_store
    window = put_within_an_hour(store, 4)
    before = store.service_graph(window)
    client = connect(store.address)
    compaction.downsample(partial(execute, client))
    client.execute("ALTER TABLE rollups DELETE WHERE width < 60", settings={"mutations_sync": 1})
    client.execute("TRUNCATE TABLE segments")
    client.execute("TRUNCATE TABLE dirty")
    store.put(
        [segment(1, trace_id=trace_id(9), start=window.start, end=window.start + 7_000)], "late"
    )
    store.service_graph(window)
    client.execute("OPTIMIZE TABLE rollups FINAL")
    compaction.downsample(partial(execute, client))
    assert store.service_graph(window) == before
    client.disconnect()


def test_units_are_weighed_only_where_they_differ(clickhouse_store: ClickHouseStore) -> None:
    """It takes longer; a call or link alone may be what weighs more."""
    store = clickhouse_store
    later = {"start": T0 + MINUTE, "end": T0 + MINUTE}
    store.put([segment(1), segment(2, calls=(call(21, weight=2, **later),))], "a")
    joined = Link(segment(1).trace_id, 1, weight=2)
    latest = {"start": T0 + 2 * MINUTE, "end": T0 + 2 * MINUTE}
    store.put([segment(3, trace_id=trace_id(2), links=(joined,), **latest)], "b")
    client = connect(store.address)
    ask = partial(execute, client)
    minutes = [TimeRange(T0 + n * MINUTE, T0 + (n + 1) * MINUTE) for n in range(3)]
    scopes = [facts.prepare(ask, dependencies.resolve_scope(ask, [window])) for window in minutes]
    assert [scope.weighed for scope in scopes] == [False, True, True]
    client.disconnect()
    assert store.service_graph(DAY).services[INFERRED].statistics.ok == 2
    assert differences(store) == []


def test_a_thread_counts_and_readers_wait_a_moment(clickhouse_store: ClickHouseStore) -> None:
    """What was put is soon on the map."""
    store, stop = clickhouse_store, threading.Event()

    def total() -> int:
        services = store.service_graph(DAY).services
        return services[FRONTEND].statistics.total if FRONTEND in services else 0

    thread = threading.Thread(target=store.run_rollups, args=[stop], daemon=True)
    thread.start()
    try:
        for number in range(1, 4):
            store.put([segment(1, trace_id=trace_id(number))], f"{number}")
            eventually(lambda number=number: total() == number)  # type: ignore[misc]
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def test_two_that_count_at_once_do_no_harm(clickhouse_store: ClickHouseStore) -> None:
    """The same minutes, counted by several at the same time, while rows arrive."""
    store = clickhouse_store
    others = [ClickHouseStore(store.address, connections=1) for _ in range(2)]
    threads = [threading.Thread(target=other.service_graph, args=[DAY]) for other in others]
    store.put([segment(1, calls=(call(21),))], "a")
    for thread in threads:
        thread.start()
    store.put([segment(2, name="backend", parent_id=21)], "b")
    for thread in threads:
        thread.join()
    assert INFERRED not in store.service_graph(DAY).services
    assert differences(store) == []
    for other in others:
        other.close()


def test_the_newest_is_counted_first_and_what_is_many_apart() -> None:
    """People wait for the newest; who stops early leaves out no other for ever."""

    def parts(*waiting: tuple[int, ...]) -> list[list[int]]:
        chunks = dirty.schedule(
            [
                dirty.DirtyBucket(100 - at, rows, looked=looked, confirming=sum(confirming))
                for at, (rows, looked, *confirming) in enumerate(waiting)
            ]
        )
        return [[each.bucket for each in chunk] for chunk in chunks]

    some, most = dirty.FIRST_ROWS, dirty.CHUNK_ROWS
    assert parts((1, 0), (2, 0), (3, 0)) == [[100, 99, 98]]
    assert parts((some, 9), (1, 8), (most, 6), (1, 7)) == [[100], [98], [97], [99]]
    assert parts((some, 9), (most, 8), (most, 7, 1), (most, 6)) == [[100], [97], [99], [98]]


def test_under_load_a_round_ends_early(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the newest minute and one other; the rest stays due, and comes in its turn."""
    monkeypatch.setattr(dirty, "CHUNK_BUCKETS", 1)
    monkeypatch.setattr(dirty, "FIRST_BUCKETS", 1)
    monkeypatch.setattr(worker, "ROUND", 0.0)
    monkeypatch.setattr(worker, "TICK", 0.0)  # or a count of just now seems to be another process's
    store = clickhouse_store
    first = T0 // MINUTE * MINUTE
    for number in range(4):
        start = first + number * MINUTE
        store.put([segment(1, trace_id=trace_id(number), start=start, end=start + 9)], f"{number}")
    client = connect(store.address)
    store.rollup_worker.alone = False

    def waiting() -> list[int]:
        return [
            each.bucket // PER_MINUTE - first // MINUTE
            for each in dirty.dirty_buckets(partial(execute, client))
        ]

    assert waiting() == [3, 2, 1, 0]
    assert store.rollup_worker.tick(partial(execute, client)) == 2
    left = waiting()
    assert left[0] != 3
    assert len(left) == 2
    for _ in range(2):
        store.rollup_worker.tick(partial(execute, client))
    assert waiting() == []
    client.disconnect()


def test_a_bucket_of_many_rows_is_counted_now_and_then(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first rows at once, the rest when some seconds have passed; the lag says that they wait."""
    monkeypatch.setattr(dirty, "FILLING_ROWS", 0)
    monkeypatch.setattr(worker, "TICK", 0.0)
    store, client = clickhouse_store, connect(clickhouse_store.address)
    tick = partial(store.rollup_worker.tick, partial(execute, client))
    store.rollup_worker.alone = False
    store.put([segment(1)], "first")
    assert tick() == 1
    store.put([segment(2)], "second")
    assert tick() == 0
    assert store.backlog(DAY) is not None
    monkeypatch.setattr(dirty, "FILLING", 0)
    assert tick() == 1
    client.disconnect()
    assert differences(store) == []


def test_which_buckets_fill() -> None:
    """One of many rows that was looked at just now; unless the map is read, one with rows just now."""
    second, number = 1_000_000, T0 // BUCKET
    end = (number + 1) * BUCKET

    def filling(rows: int, looked: int, arrived: int, now: int) -> tuple[bool, bool]:
        """Seconds from the end of the bucket."""
        times = {"looked": looked, "arrived": arrived, "read_at": now}
        at = {name: end + value * second for name, value in times.items()}
        bucket = dirty.DirtyBucket(number, rows, **at)
        return bucket.is_filling(True), bucket.is_filling(False)

    many = dirty.FILLING_ROWS + 1
    assert filling(many, -1, 1, 2) == (True, True)
    assert filling(many, -9, 1, 2) == (False, True)
    assert filling(many, -9, 1, 7) == (False, False), "no more rows arrive"
    assert filling(many, 20, 30, 31) == (False, False), "late rows"
    assert filling(many - 1, 1, 2, 2) == (False, False), "few rows"
