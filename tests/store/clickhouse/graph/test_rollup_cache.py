"""What was counted is remembered by revision: a map is never older than its markers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute, text_of
from store.clickhouse.graph import service_graph
from store.clickhouse.graph.rollup_cache import RollupCache
from store.clickhouse.graph.window_plan import Marks, Slot, marks_of, plan, versions_query
from store.clickhouse.store import ClickHouseStore
from store.graph import ServiceGraph
from store.model import NodeKey, TimeRange
from store.times import MINUTE
from tests.builders import T0, segment, trace_id

FIRST = T0 // MINUTE
WINDOW = TimeRange(FIRST * MINUTE, (FIRST + 4) * MINUTE)
FRONTEND = NodeKey("", "frontend", "")


class Recorder:
    """Executes statements and records them."""

    def __init__(self, store: ClickHouseStore) -> None:
        self.client = connect(store.address)
        self.statements: list[str] = []

    def __call__(self, statement: Statement) -> Rows:
        self.statements.append(text_of(statement))
        rows: Rows = execute(self.client, statement)
        return rows

    def total(self, rollup_cache: RollupCache, marks: Marks | None = None) -> int:
        """The frontend's units in a map of the window."""
        known = None if marks is None else [marks]
        (found,) = service_graph.service_graphs(self, [WINDOW], rollup_cache, known)
        return found.graph.services[FRONTEND].statistics.total


@pytest.fixture
def ask(clickhouse_store: ClickHouseStore) -> Iterator[Recorder]:
    recorder = Recorder(clickhouse_store)
    yield recorder
    recorder.client.disconnect()


def put(store: ClickHouseStore, number: int, minute: int = 0) -> None:
    """One more unit of the frontend, counted."""
    start = (FIRST + minute) * MINUTE
    store.put([segment(1, trace_id=trace_id(number), start=start, end=start + 9)], f"{number}")
    store.service_graph(WINDOW)


def test_a_cached_sum_is_not_read_again(clickhouse_store: ClickHouseStore, ask: Recorder) -> None:
    rollup_cache = RollupCache()
    put(clickhouse_store, 1)
    put(clickhouse_store, 2, minute=1)
    assert ask.total(rollup_cache) == 2
    ask.statements.clear()
    assert ask.total(rollup_cache) == 2
    assert len(ask.statements) == 1  # the markers
    put(clickhouse_store, 3)
    assert ask.total(rollup_cache) == 3


def test_a_minute_recounted_after_planning(
    clickhouse_store: ClickHouseStore, ask: Recorder
) -> None:
    """Merges delete rows of the old revision: the map is planned again."""
    rollup_cache = RollupCache()
    put(clickhouse_store, 1)
    put(clickhouse_store, 2, minute=1)
    (marks,) = marks_of([WINDOW], ask(versions_query([WINDOW])))
    old = [Slot(width, first, rev) for width, first, *_, rev in marks.slots if width == 1]
    put(clickhouse_store, 3)
    ask("OPTIMIZE TABLE rollups FINAL")
    assert rollup_cache.read(ask, [old]) is None
    assert ask.total(rollup_cache, marks) == 3


def test_the_graph_of_the_same_slots_is_not_made_anew(
    clickhouse_store: ClickHouseStore, ask: Recorder
) -> None:
    rollup_cache = RollupCache()
    put(clickhouse_store, 1)

    def graph() -> ServiceGraph:
        return service_graph.service_graphs(ask, [WINDOW], rollup_cache)[0].graph

    first = graph()
    assert graph() is first
    put(clickhouse_store, 2)
    assert graph().services[FRONTEND].statistics.total == 2
    rollup_cache.forget()
    assert graph() is not first


def test_the_memory_is_bounded(clickhouse_store: ClickHouseStore, ask: Recorder) -> None:
    rollup_cache = RollupCache(room=30)  # one minute of one node and one edge
    put(clickhouse_store, 1)
    put(clickhouse_store, 2, minute=1)
    slots = sorted(plan(ask, WINDOW).slots)
    for slot in slots:
        assert rollup_cache.read(ask, [[slot]]) is not None
    for slot, statements in zip(reversed(slots), (0, 2), strict=True):
        ask.statements.clear()
        assert rollup_cache.read(ask, [[slot]]) is not None
        assert len(ask.statements) == statements


def test_more_slots_than_a_statement_lists(
    clickhouse_store: ClickHouseStore, ask: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.clickhouse.graph.service_graph.MOST_SLOTS", 1)
    put(clickhouse_store, 1)
    put(clickhouse_store, 2, minute=1)
    assert ask.total(RollupCache()) == 2


def test_a_minute_that_is_cut_only_in_the_second_result() -> None:
    """The first minute of a long window is recounted between the two statements: it is a piece and not a slot."""
    window = TimeRange(T0 + 30_000_000, T0 + 7 * 60 * MINUTE)
    first = window.start // MINUTE
    inside, outside = window.start + 1, window.start - 1
    parts = (1, 5, 9)
    again: Rows = [
        (1, first, 1, outside, inside, parts, 8),
        (1, first + 1, 1, inside, inside, parts, 8),
    ]
    chosen = plan(
        lambda statement: again,
        window,
        Marks([(1, first, 1, inside, inside, parts, 7)], {}),
    )
    assert chosen.slots == [Slot(1, first + 1, 8)]
    assert [piece.start for piece in chosen.pieces.raw] == [window.start]
