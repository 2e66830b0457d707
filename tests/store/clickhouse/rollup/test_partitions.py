"""Minutes aggregated by partition, and aggregates that are not computed again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from store.clickhouse.connection.native_format import NativeClient
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute, text_of
from store.clickhouse.rollup import aggregate, dirty
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import partition
from store.model import Link, NodeKey, TimeRange
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

FRONTEND = NodeKey("", "frontend", "")
BACKEND = NodeKey("", "backend", "")
INFERRED = NodeKey("", "backend.example.com", "remote")
WINDOW = TimeRange(T0, T0 + 10 * MINUTE)
FIRST = T0 // MINUTE
EPOCH = T0 // SECOND
"""The first second of the minute FIRST."""


@pytest.fixture
def client(clickhouse_store: ClickHouseStore) -> Iterator[NativeClient]:
    client = connect(clickhouse_store.address)
    yield client
    client.disconnect()


@pytest.fixture
def by_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aggregates every minute by partition, as if it had many rows."""
    monkeypatch.setattr(dirty, "LONG", 0)


def mark(client: NativeClient, **change: int) -> None:
    """Insert a row about the first minute into `dirty`."""
    names = ", ".join(("minute", *change))
    values = ", ".join(map(str, (FIRST, *change.values())))
    client.execute(f"INSERT INTO dirty ({names}) VALUES ({values})")


def counted(client: NativeClient) -> dict[int, int]:
    """How often each partition of the first minute was aggregated."""
    rows = client.execute(
        f"SELECT partition, uniqExact(rev) FROM partition_rollups WHERE bucket = {FIRST} AND kind = 255 GROUP BY partition"
    )
    return dict(rows)


def seen_and_counted_at(client: NativeClient) -> tuple[int, int]:
    """When the first minute was last confirmed, and when it was last aggregated."""
    ((seen, counted_at),) = client.execute(
        "SELECT intDiv(max(rev), 1024), argMax(counted_at, rev) FROM rollups "
        f"WHERE width = 1 AND kind = 255 AND bucket = {FIRST}"
    )
    return seen, counted_at


@pytest.mark.parametrize("minute", [0, 1, FIRST, (1 << 32) // 60, 246_144_225, (1 << 32) - 1])
def test_a_partition_is_a_range_of_the_key(client: NativeClient, minute: int) -> None:
    """The expression and the condition of a partition agree, at each border and far from any."""
    seconds = {0, 1, (1 << 32) - 1, *(minute * 60 + n for n in range(-3, 64))}
    ids = [s.to_bytes(4) + tail for s in seconds if 0 <= s < 1 << 32
           for tail in (bytes(12), b"\xff" * 12)]  # fmt: skip
    every = range(1, partition.LAST + 1)
    columns = ", ".join(
        f"{partition.row_condition(minute, [number])} AS s{number}" for number in every
    )
    rows = client.execute(
        f"SELECT {partition.partition_of('trace_id', 'minute')}, {columns}, {partition.row_condition(minute, every)} "
        f"FROM (SELECT toUInt32({minute}) AS minute, toFixedString(unhex(id), 16) AS trace_id "
        f"FROM VALUES('id String', {', '.join(repr(id.hex()) for id in ids)}))"
    )
    assert len(rows) == len(ids)
    for number, *lies, anywhere in rows:
        assert [bool(each) for each in lies] == [number == each for each in every]
        assert anywhere
    some = {2, 3, 7, partition.LAST}
    (found,) = client.execute(
        f"SELECT countIf({partition.row_condition(minute, some)}), countIf({partition.partition_of('trace_id', 'minute')} "
        f"IN {tuple(some)}) FROM (SELECT toUInt32({minute}) AS minute, toFixedString(unhex(id), 16) "
        f"AS trace_id FROM VALUES('id String', {', '.join(repr(id.hex()) for id in ids)}))"
    )
    assert found[0] == found[1]


@pytest.mark.usefixtures("by_partition")
def test_only_partitions_that_rows_have_come_to_are_counted(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    store = clickhouse_store
    early, late = trace_id(1), trace_id(2, EPOCH + 30)
    store.put([segment(1, trace_id=early), segment(2, trace_id=late, start=T0 + 31 * SECOND)], "a")
    assert store.service_graph(WINDOW).services[FRONTEND].statistics.total == 2
    assert len(counted(client)) == 2
    store.put([segment(3, trace_id=late, start=T0 + 32 * SECOND, end=T0 + 32 * SECOND)], "b")
    assert store.service_graph(WINDOW).services[FRONTEND].statistics.total == 3
    times = counted(client)
    first, second = sorted(times)
    assert (times[first], times[second]) == (1, 2)
    assert [each for part in store.verify(WINDOW) for each in part.differences] == []


@pytest.mark.usefixtures("by_partition")
def test_a_link_reaches_another_partition(clickhouse_store: ClickHouseStore) -> None:
    """A link that the sender and the receiver report is one edge unit."""
    store = clickhouse_store
    one, other = trace_id(1), trace_id(2, EPOCH + 40)
    store.put([segment(1, trace_id=one, links=(Link(other, 2, upstream=False),))], "a")
    store.put([segment(9, trace_id=trace_id(9, EPOCH + 20))], "b")
    store.service_graph(WINDOW)
    at = T0 + 41 * SECOND
    received = Link(one, 1, upstream=True)
    store.put(
        [segment(2, trace_id=other, name="backend", start=at, end=at, links=(received,))], "c"
    )
    graph = store.service_graph(WINDOW)
    assert [edge.statistics.total for edge in graph.links.values()] == [1]
    assert [each for part in store.verify(WINDOW) for each in part.differences] == []


@pytest.mark.usefixtures("by_partition")
def test_expired_partitions_are_counted_again(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """Partition rollups expire after hours; rows may arrive later."""
    store = clickhouse_store
    store.put(
        [
            segment(1, trace_id=trace_id(1)),
            segment(2, trace_id=trace_id(2, EPOCH + 30), start=T0 + 31 * SECOND),
        ],
        "a",
    )
    store.service_graph(WINDOW)
    client.execute("TRUNCATE TABLE partition_rollups")
    store.put([segment(3, trace_id=trace_id(3))], "b")
    assert store.service_graph(WINDOW).services[FRONTEND].statistics.total == 3
    assert sorted(counted(client).values()) == [1, 1]


@pytest.mark.parametrize("long", [0, dirty.LONG])
def test_what_is_only_confirmed_is_not_counted_again(
    clickhouse_store: ClickHouseStore,
    client: NativeClient,
    monkeypatch: pytest.MonkeyPatch,
    long: int,
) -> None:
    """Without new or deleted rows the minute gets a new revision with the same figures."""
    monkeypatch.setattr(dirty, "LONG", long)
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),))], "a")
    before = store.service_graph(WINDOW)
    seen, counted_at = seen_and_counted_at(client)
    assert seen == counted_at
    statements: list[str] = []

    def ask(statement: Statement) -> Rows:
        statements.append(text_of(statement))
        rows: Rows = execute(client, statement)
        return rows

    client.execute("TRUNCATE TABLE dirty")  # a minute has gone by
    mark(client, confirm=seen + 1)
    assert [each.minute for each in dirty.dirty_minutes(partial(execute, client))] == [FIRST]
    aggregate.recount_minutes(ask, [FIRST])
    assert not any("TEMPORARY" in statement for statement in statements)
    assert dirty.dirty_minutes(partial(execute, client)) == []
    later, counted_then = seen_and_counted_at(client)
    assert later > seen
    assert counted_then == counted_at
    assert store.service_graph(WINDOW) == before
    mark(client, review=later + 1)
    aggregate.recount_minutes(ask, [FIRST])
    assert seen_and_counted_at(client)[1] > counted_at


@pytest.mark.parametrize("long", [0, dirty.LONG])
@pytest.mark.parametrize("settle", [dirty.SETTLE, 1_000])
def test_confirmed_is_not_counted(
    clickhouse_store: ClickHouseStore,
    client: NativeClient,
    monkeypatch: pytest.MonkeyPatch,
    long: int,
    settle: int,
) -> None:
    """A minute is confirmed after an answer to its call has arrived in another minute but before that minute is
    aggregated: it is recounted once the other minute is."""
    monkeypatch.setattr(dirty, "LONG", long)
    monkeypatch.setattr(dirty, "SETTLE", settle)
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),))], "a")
    assert INFERRED in store.service_graph(WINDOW).services
    at = T0 + 3 * MINUTE
    store.put([segment(2, name="backend", parent_id=21, start=at, end=at)], "b")
    seen, _ = seen_and_counted_at(client)
    mark(client, confirm=seen + 1)
    aggregate.recount_minutes(partial(execute, client), [FIRST])
    store.rollup_worker.alone = False  # as it was counted
    assert INFERRED in store.service_graph(WINDOW).services
    aggregate.recount_minutes(partial(execute, client), [FIRST + 3])
    assert FIRST in [each.minute for each in dirty.dirty_minutes(partial(execute, client))]
    aggregate.recount_minutes(partial(execute, client), [FIRST])
    graph = store.service_graph(WINDOW)
    assert INFERRED not in graph.services
    assert graph.services[BACKEND].statistics.total == 1


def test_an_unresolved_reference_is_reviewed_once(
    clickhouse_store: ClickHouseStore, client: NativeClient
) -> None:
    """A process that aggregates the other end at the same time cannot see the reference yet."""
    clickhouse_store.put([segment(2, name="backend", parent_id=21)], "a")
    clickhouse_store.service_graph(WINDOW)

    def review() -> int:
        ((at,),) = client.execute(f"SELECT max(review) FROM dirty WHERE minute = {FIRST}")
        return int(at)

    first = review()
    assert first > seen_and_counted_at(client)[1]
    mark(client, related=first)
    aggregate.recount_minutes(partial(execute, client), [FIRST])
    assert review() == first  # and not for ever


def test_when_an_invalidation_is_stale() -> None:
    related, review = dirty.Invalidation(1, 50, 0), dirty.Invalidation(1, 0, 50)
    assert [related.is_stale(counted_at, instant=60) for counted_at in (49, 50, 51)] == [
        True,
        False,
        False,
    ]
    assert [review.is_stale(counted_at, instant=60) for counted_at in (49, 50, 51)] == [
        True,
        False,
        False,
    ]
    assert not review.is_stale(0, instant=49)


def test_when_dependents_are_invalidated() -> None:
    """By when the row came, when they were counted, and now."""
    inserted_rows: list[str] = []

    def marks(inserted: int, counted_at: int, instant: int) -> list[str]:
        inserted_rows.clear()

        def ask(statement: Statement) -> Rows:
            inserted_rows.append(text_of(statement))
            return []

        dirty.invalidate(ask, {(7, 3): (inserted, counted_at)}, [], instant)
        return [
            each[each.index("(7, 3") : each.index(")", each.index("(7, 3")) + 1]
            for each in inserted_rows
        ]

    settle = dirty.SETTLE
    settled = 100 + settle
    assert marks(100, 100, 200) == [f"(7, 3, 200, {settled}, {200 + 2 * settle})"]
    assert marks(100, 101, 200) == [f"(7, 3, 0, {settled}, {200 + 2 * settle})"]
    late = settled + 5
    assert marks(100, 101, late) == [f"(7, 3, {late}, {settled}, {late + 2 * settle})"]
    assert marks(100, settled, late) == []
