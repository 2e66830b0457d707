"""Buckets of five seconds: which are counted, which only compared, and how their minutes follow."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from store.clickhouse.connection.native_format import NativeClient
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute, text_of
from store.clickhouse.graph import small_pieces
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import aggregate, dirty, few_rows
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units.base_buckets import (
    MOST_RANGES,
    buckets_in,
    buckets_of,
    numbers_in,
    rows_in_buckets,
)
from store.memory import MemoryStore
from store.model import Document, Link, NodeKey, State, TimeRange
from store.rules import other_names
from store.times import BUCKET, HOUR, MINUTE, PER_MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

FRONTEND = NodeKey("", "frontend", "")
BACKEND = NodeKey("", "backend", "")
INFERRED = NodeKey("", "backend.example.com", "remote")
WINDOW = TimeRange(T0, T0 + 10 * MINUTE)
FIRST = T0 // BUCKET
"""The first bucket of the first minute."""


@pytest.fixture
def client(clickhouse_store: ClickHouseStore) -> Iterator[NativeClient]:
    client = connect(clickhouse_store.address)
    yield client
    client.disconnect()


@pytest.fixture(autouse=True, params=[0, few_rows.MOST], ids=["statements", "python"])
def rows_counted_in_python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows are counted in another way than many."""
    monkeypatch.setattr(few_rows, "MOST", request.param)


def at(seconds: int) -> dict[str, int]:
    """The times of a document that starts so long after the first minute began."""
    return {"start": T0 + seconds * SECOND, "end": T0 + seconds * SECOND + 5}


def counted(client: NativeClient) -> dict[int, int]:
    """How often each bucket was counted, by its place in the first minute."""
    rows = client.execute(
        "SELECT bucket, uniqExact(rev) FROM bucket_rollups WHERE kind = 255 GROUP BY bucket"
    )
    return {bucket - FIRST: times for bucket, times in rows}


def dirty_in(client: NativeClient) -> list[int]:
    """The dirty buckets, by their place in the first minute."""
    return [each.bucket - FIRST for each in dirty.dirty_buckets(partial(execute, client))]


def recheck(client: NativeClient, *buckets: int) -> None:
    """Make these buckets due for comparison and no others, as if their inserts had settled."""
    client.execute("TRUNCATE TABLE dirty")
    client.execute(
        "INSERT INTO dirty (bucket, arrived, recheck) SELECT arrayJoin("
        f"{list(buckets)}), 0, toUnixTimestamp64Micro(now64(6))"
    )


def differences(store: ClickHouseStore) -> list[object]:
    return [each for part in store.verify(WINDOW) for each in part.differences]


@pytest.mark.parametrize("minute", [0, 1, T0 // MINUTE, (1 << 32) // 60, 4_223_371_680])
def test_rows_of_buckets_are_found_by_key(client: NativeClient, minute: int) -> None:
    """The condition selects by minute and bucket, as the schema computes them of the start."""
    seconds = [minute * 60 + offset for offset in (0, 4, 5, 9, 55, 59)]
    rows = client.execute(
        "SELECT groupArray((toUInt32(intDiv(start, 60000000)), toUInt64(intDiv(start, 5000000)))) "
        f"FROM (SELECT arrayJoin({[s * SECOND for s in seconds]}) AS start)"
    )
    pairs = ", ".join(map(str, rows[0][0]))
    for buckets, expected in (([0], 2), ([0, 1], 4), ([1, 11], 4), (range(12), 6), ([2, 3, 7], 0)):
        condition = rows_in_buckets([minute * PER_MINUTE + each for each in buckets])
        ((found,),) = client.execute(
            f"SELECT countIf({condition}) FROM VALUES('minute UInt32, bucket UInt64', {pairs})"
        )
        assert found == expected


def test_many_buckets_are_found_by_key(client: NativeClient) -> None:
    """As lists, whole minutes as such; each condition selects exactly the given numbers."""
    first = T0 // MINUTE
    minutes = [first + 3 * each for each in range(2 * MOST_RANGES)]
    whole = [bucket for minute in minutes for bucket in buckets_of(minute)]
    sparse = whole[: 3 * PER_MINUTE] + whole[3 * PER_MINUTE :: PER_MINUTE + 1]
    every = f"numbers({first * PER_MINUTE}, {(minutes[-1] - first + 9) * PER_MINUTE})"
    for condition, expected in (
        (rows_in_buckets(sparse), sparse),
        (rows_in_buckets(whole), whole),
        (buckets_in(minutes), whole),
        (numbers_in("bucket", sparse), sparse),
    ):
        ((found,),) = client.execute(
            "SELECT groupArray(bucket) FROM (SELECT toUInt64(number) AS bucket, "
            f"toUInt32(intDiv(number, {PER_MINUTE})) AS minute FROM {every}) WHERE {condition}"
        )
        assert sorted(found) == expected


def test_only_buckets_that_rows_have_come_to_are_counted(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """Whatever the trace ids are."""
    store = clickhouse_store
    store.put([segment(1, **at(1)), segment(2, trace_id=trace_id(2), **at(31))], "a")
    assert store.service_graph(WINDOW).services[FRONTEND].statistics.total == 2
    store.put([segment(3, trace_id=trace_id(3), **at(32))], "b")
    assert store.service_graph(WINDOW).services[FRONTEND].statistics.total == 3
    assert counted(client) == {0: 1, 6: 2}
    assert differences(store) == []


def test_a_trace_in_several_buckets_is_one_of_the_minute(clickhouse_store: ClickHouseStore) -> None:
    """With its least weight; in another minute it is one more."""
    store = clickhouse_store
    starts = (1, 7, 58, 61)
    weights = (3, 2, 5, 1)
    store.put(
        [
            segment(n, weight=w, **at(s))
            for n, (s, w) in enumerate(zip(starts, weights, strict=True), 1)
        ],
        "a",
    )
    assert store.service_graph(WINDOW).services[FRONTEND].trace_minutes == 2 + 1
    assert differences(store) == []


def test_a_link_reaches_another_bucket(clickhouse_store: ClickHouseStore) -> None:
    """A link that the sender and the receiver report is one edge unit."""
    store = clickhouse_store
    one, other = trace_id(1), trace_id(2)
    store.put([segment(1, trace_id=one, links=(Link(other, 2, upstream=False),))], "a")
    store.service_graph(WINDOW)
    received = Link(one, 1, upstream=True)
    store.put([segment(2, trace_id=other, name="backend", links=(received,), **at(41))], "c")
    graph = store.service_graph(WINDOW)
    assert [edge.statistics.total for edge in graph.links.values()] == [1]
    assert differences(store) == []


def test_a_copy_in_another_bucket_is_without_its_links(clickhouse_store: ClickHouseStore) -> None:
    """Those of the older copy do not apply to it, counted with it or from all rows."""
    store, memory = clickhouse_store, MemoryStore()
    cause = Link(trace_id(9), 4, upstream=True)
    copies = [segment(1, state=State.IN_PROGRESS, links=(cause,)), segment(1, **at(41))]
    for each in (store, memory):
        each.put(copies, "copies")
    graph, expected = (each.service_graph(WINDOW) for each in (store, memory))
    assert graph.edges.keys() == expected.edges.keys()
    assert differences(store) == []


def test_expired_buckets_are_counted_again(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """They expire after hours; rows may arrive later, here or where a row here refers to."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),)), segment(2, trace_id=trace_id(2), **at(31))], "a")
    store.service_graph(WINDOW)
    client.execute("TRUNCATE TABLE bucket_rollups")
    store.put([segment(3, trace_id=trace_id(3), **at(1))], "b")
    assert store.service_graph(WINDOW).services[FRONTEND].statistics.total == 3
    assert counted(client) == {0: 1, 6: 1}
    client.execute("TRUNCATE TABLE bucket_rollups")
    store.put([segment(4, name="backend", parent_id=21, **at(200))], "c")
    assert INFERRED not in store.service_graph(WINDOW).services
    assert differences(store) == []


def test_what_is_unchanged_is_compared_and_not_counted(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """Once its inserts have settled: nothing new in the bucket, nor where its rows refer to."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),), parent_id=77)], "a")
    before = store.service_graph(WINDOW)
    ((looked,),) = client.execute("SELECT max(looked) FROM dirty")
    client.execute("TRUNCATE TABLE dirty")
    client.execute(
        "INSERT INTO dirty (bucket, arrived, recheck, looked) VALUES",
        [(FIRST, 0, looked + 1, looked)],
    )
    (due,) = dirty.dirty_buckets(partial(execute, client))
    assert (due.far, due.confirming) == (1, 1)
    statements: list[str] = []

    def ask(statement: Statement) -> Rows:
        statements.append(text_of(statement))
        rows: Rows = execute(client, statement)
        return rows

    aggregate.recount(ask, [due])
    assert [each for each in statements if "INSERT INTO" in each and "dirty" not in each] == []
    assert dirty_in(client) == []
    assert store.service_graph(WINDOW) == before


def test_rows_elsewhere_are_noticed_without_a_mark(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """The process that counted the answer ended before it marked who depends on it."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),))], "a")
    store.put([segment(2, name="backend", parent_id=21, **at(200))], "b")
    answer = FIRST + 200 // 5
    run = partial(execute, client)
    due = {each.bucket: each for each in dirty.dirty_buckets(run)}
    aggregate.recount(run, [due[FIRST]])  # does not know of the reference from the answer yet
    aggregate.recount(run, [due[answer]])
    recheck(client, FIRST, answer)
    graph = store.service_graph(WINDOW)
    assert INFERRED not in graph.services
    assert graph.services[BACKEND].statistics.total == 1


def test_who_counts_marks_who_depends(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """Before the version is written: a process may end between any two steps."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),))], "a")
    store.service_graph(WINDOW)
    store.put([segment(2, name="backend", parent_id=21, **at(200))], "b")

    def ask(statement: Statement) -> Rows:
        if text_of(statement).startswith("INSERT INTO bucket_rollups"):
            raise ConnectionError
        rows: Rows = execute(client, statement)
        return rows

    due = dirty.dirty_buckets(ask)
    with pytest.raises(ConnectionError):
        aggregate.recount(ask, due)
    assert dirty_in(client) == [200 // 5, 0]
    assert INFERRED not in store.service_graph(WINDOW).services
    assert differences(store) == []


def test_a_minute_added_up_without_its_newest_bucket(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """By another process that read the versions before; it shows by the sum of revisions."""
    store = clickhouse_store
    store.put([segment(1, **at(1))], "a")
    store.service_graph(WINDOW)
    store.put([segment(2, trace_id=trace_id(2), **at(31))], "b")
    run = partial(execute, client)
    aggregate.recount(run, dirty.dirty_buckets(run))
    client.execute(
        "INSERT INTO rollups SELECT * REPLACE (rev + 1 AS rev, revisions + 1 AS revisions, "
        "ok + 5 AS ok) FROM rollups FINAL WHERE width = 1"
    )
    recheck(client, FIRST)
    assert dirty_in(client) == [0]
    assert store.service_graph(WINDOW).services[FRONTEND].statistics.total == 2


def test_names_in_excess_are_those_of_the_minute(
    clickhouse_store: ClickHouseStore, client: NativeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name in one bucket makes those of another too many, though nothing else has come there."""
    monkeypatch.setattr(other_names, "MOST_NAMES", 2)
    memory = MemoryStore()
    for number, (name, seconds) in enumerate((("a", 1), ("b", 2), ("c", 33), ("b", 58))):
        document = segment(number + 1, name=name, trace_id=trace_id(number), **at(seconds))
        for store in (memory, clickhouse_store):
            store.put([document], f"{number}")
        expected = memory.service_graph(WINDOW)
        assert clickhouse_store.service_graph(WINDOW).services == expected.services
    assert differences(clickhouse_store) == []
    before = counted(client)
    recheck(client, FIRST, FIRST + 11)
    assert clickhouse_store.service_graph(WINDOW).services == expected.services
    assert counted(client) == before  # compared only: not for ever


@pytest.mark.parametrize("small", [0, small_pieces.SMALL])
def test_a_window_cuts_a_bucket(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    """Buckets are read where they are whole, the rest from the rows: the same by statements and in Python."""
    monkeypatch.setattr(small_pieces, "SMALL", small)
    memory = MemoryStore()
    documents: list[Document] = [
        segment(1, calls=(call(21, **at(13)), call(22, **at(14))), **at(12)),
        segment(2, name="backend", parent_id=21, weight=3, **at(13)),
        segment(3, name="backend", parent_id=22, trace_id=trace_id(1), **at(47)),
        segment(4, name="worker", trace_id=trace_id(2), links=(Link(trace_id(1), 1),), **at(18)),
        segment(5, trace_id=trace_id(3), **at(61)),
        segment(6, name="orphan", parent_id=99, trace_id=trace_id(3), **at(22)),
    ]
    for store in (memory, clickhouse_store):
        store.put(documents, "a")
    for low, high in ((13, 48), (11, 14), (14, 19), (18, 62), (12, 13)):
        window = TimeRange(T0 + low * SECOND, T0 + high * SECOND + 3)
        expected, found = memory.service_graph(window), clickhouse_store.service_graph(window)
        assert found.services == expected.services
        assert found.edges == expected.edges
        assert found.links == expected.links
        aligned = TimeRange(T0 + low // 5 * 5 * SECOND, window.end)
        for keys in ([FRONTEND], [BACKEND]):
            assert clickhouse_store.node_series(keys, aligned, 10 * SECOND) == memory.node_series(
                keys, aligned, 10 * SECOND
            )


def test_when_dependents_are_marked() -> None:
    """By when the row came, when they were looked at, and now."""

    def marks(inserted: int, looked: int, instant: int) -> list[tuple[int, ...]]:
        written: list[tuple[int, ...]] = []

        def ask(statement: Statement) -> Rows:
            assert isinstance(statement, Sql)
            written.extend(statement.rows or ())
            return []

        dirty.mark(ask, {7: (inserted, looked)}, [], instant)
        return written

    settle, guard = dirty.SETTLE, dirty.GUARD
    assert marks(100, 100, 200) == [(7, 0, 200, 200 + settle, 0)]
    assert marks(100, 100 + guard + 1, 200) == [(7, 0, 0, 200 + settle, 0)]
    assert marks(100, 100 + settle, 200) == []


def test_a_bulk_load_of_many_hours(clickhouse_store: ClickHouseStore) -> None:
    """Thousands of buckets are due at once, as after an import: no statement is too long for the server."""
    number = 5_000
    documents = [
        segment(
            1 + place % 2,
            trace_id=trace_id(1 + place // 2),
            parent_id=place % 2,
            name="backend" if place % 2 else "frontend",
            **at(10 * place),
        )
        for place in range(number)
    ]
    clickhouse_store.put(documents, "all")
    memory = MemoryStore()
    memory.put(documents, "all")
    day = TimeRange(T0, T0 + 24 * HOUR)
    counts, expected = (
        {key: each.statistics.total for key, each in store.service_graph(day).services.items()}
        for store in (clickhouse_store, memory)
    )
    assert counts == expected
    assert sum(counts.values()) >= number
