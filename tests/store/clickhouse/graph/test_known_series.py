"""What numbers in sums stand for is cached: no node or edge ever gets the name, kind or aliases of another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute, text_of
from store.clickhouse.graph.known_series import KnownSeries, Series
from store.clickhouse.graph.rollup_cache import RollupCache
from store.clickhouse.graph.service_graph import read_rolled
from store.clickhouse.graph.window_plan import plan, rows_of
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units.aggregates import (
    BACKGROUND,
    EDGE,
    NODE,
    Aggregate,
    Key,
    collect,
    sum_of,
)
from store.model import NO_NODE, Document, Kind, NodeKey, TimeRange
from store.times import MINUTE
from tests.builders import T0, call, segment, trace_id

FIRST = T0 // MINUTE
WINDOW = TimeRange(FIRST * MINUTE, (FIRST + 3) * MINUTE)
FRONTEND, BACKEND = NodeKey("", "frontend", ""), NodeKey("", "backend", "")


class Runner:
    """Executes statements, and counts look-ups of what numbers stand for. ``deleting``: rows are gone before these."""

    def __init__(self, store: ClickHouseStore) -> None:
        self.client = connect(store.address)
        self.lookups = 0
        self.deleting = False

    def __call__(self, statement: Statement) -> Rows:
        if "{ids:" in text_of(statement):
            self.lookups += 1
            if self.deleting:
                execute(self.client, "TRUNCATE TABLE rollups")
        rows: Rows = execute(self.client, statement)
        return rows

    def check(self, cache: RollupCache) -> dict[Key, Aggregate]:
        """Compare the sums over all slots together, and over each, with those read with all texts and no cache."""
        slots = plan(self, WINDOW).slots
        for windows in ([slots], [[slot] for slot in slots]):
            found = cache.read(self, windows)
            assert found is not None
            for window, parts in zip(windows, found, strict=True):
                texts: dict[Key, Aggregate] = {}
                collect(read_rolled(self, rows_of(window)), texts)
                assert sum_of(parts) == texts
        (parts,) = cache.read(self, [slots]) or [[]]
        return sum_of(parts)


@pytest.fixture
def run(clickhouse_store: ClickHouseStore) -> Iterator[Runner]:
    runner = Runner(clickhouse_store)
    yield runner
    runner.client.disconnect()


def put(store: ClickHouseStore, *documents: Document) -> None:
    """Store documents, and count them."""
    store.put(documents, documents[0].trace_id.hex())
    store.service_graph(WINDOW)


def request(
    number: int,
    minute: int = 0,
    caller: NodeKey = FRONTEND,
    callee: NodeKey = BACKEND,
    host: str = "backend.example.com",
) -> tuple[Document, Document]:
    """A request, in which a service calls another by the name of a host."""
    start = (FIRST + minute) * MINUTE + number
    trace = trace_id(number + 1000 * minute)
    called = call(0xC1, start=start + 1, end=start + 7, service=host, host=host)
    return (
        segment(0xA1, trace_id=trace, start=start, end=start + 9, node=caller, calls=(called,)),
        segment(0xB1, trace_id=trace, start=start + 2, end=start + 5, node=callee, parent_id=0xC1),
    )


def test_series_that_differ_in_one_text(clickhouse_store: ClickHouseStore, run: Runner) -> None:
    """Also those that have two texts exchanged, in whatever order they come."""
    cache = RollupCache()
    texts = ("one", "two", "one two")
    keys = [NodeKey(*each) for each in product(texts, texts, ("", "one"), ("", "one"))]
    pairs = list(zip(reversed(keys), keys, strict=True))
    for first in range(3):
        numbered = list(enumerate(pairs))[first::3]
        put(clickhouse_store, *(each for n, ends in numbered for each in request(n, 0, *ends)))
        found = run.check(cache)
    assert {node for kind, _, node in found if kind == NODE} == set(keys)
    assert {(source, target) for kind, source, target in found if kind == EDGE} >= set(pairs)


def test_an_edge_that_gets_another_alias(clickhouse_store: ClickHouseStore, run: Runner) -> None:
    """In one minute, in another, and in both together."""
    cache, edge = RollupCache(), (EDGE, FRONTEND, BACKEND)
    put(clickhouse_store, *request(1, host="a"))
    assert run.check(cache)[edge].names == {"a"}
    put(clickhouse_store, *request(2, host="b"))
    put(clickhouse_store, *request(1, minute=1, host="c"))
    assert run.check(cache)[edge].names == {"a", "b", "c"}


def test_requests_and_background_work_of_one_node(
    clickhouse_store: ClickHouseStore, run: Runner
) -> None:
    cache = RollupCache()
    for number, kind in enumerate((Kind.SERVER, Kind.INTERNAL)):
        put(clickhouse_store, segment(1, trace_id=trace_id(number), kind=kind))
        found = run.check(cache)
    assert {(NODE, NO_NODE, FRONTEND), (BACKGROUND, NO_NODE, FRONTEND)} <= found.keys()


def test_only_what_is_new_is_looked_up(clickhouse_store: ClickHouseStore, run: Runner) -> None:
    cache = RollupCache()
    put(clickhouse_store, *request(1))
    run.check(cache)
    run.lookups = 0
    put(clickhouse_store, *request(2))
    run.check(cache)
    assert run.lookups == 0
    put(clickhouse_store, *request(3, callee=NodeKey("", "another", "")))
    run.check(cache)
    assert run.lookups == 1
    cache.forget()
    run.check(cache)
    assert run.lookups > 1


def test_rows_that_are_deleted_between_sums_and_names(
    clickhouse_store: ClickHouseStore, run: Runner
) -> None:
    """As those of a superseded revision are: the sum is not known, rather than one without them."""
    cache = RollupCache()
    put(clickhouse_store, *request(1))
    slots = plan(run, WINDOW).slots
    run.deleting = True
    assert cache.read(run, [slots]) is None
    assert run.lookups


def test_the_room_is_bounded() -> None:
    def row(number: int) -> tuple[object, ...]:
        return number, NODE, *NO_NODE, "", f"service {number}", "", "", ["alias"]

    known = KnownSeries(room=2)
    for number in range(3):
        found = Series((NODE, NO_NODE, NodeKey("", f"service {number}", "")), frozenset(["alias"]))
        assert known.learn([row(number)]) == {number: found}
        assert known.find([number, 7]) == [found, None]
    assert known.find(range(3))[:2] == [None, None]
    assert len(known.learn(list(map(row, range(9))))) == 9
    assert known.find(range(9)) == [None] * 9
