"""Buckets of few rows, counted in Python."""

from __future__ import annotations

from functools import partial
from types import ModuleType

import pytest

from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute, text_of
from store.clickhouse.rollup import few_rows, worker
from store.clickhouse.rollup.few_rows import Ids
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import whole_traces
from store.model import Link, NodeKey, TimeRange
from store.times import BUCKET, MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

FIRST = T0 // BUCKET
WINDOW = TimeRange(T0, T0 + 5 * MINUTE)


@pytest.mark.parametrize(
    ("ids", "leaves"),
    [
        (Ids(documents={1}), False),
        (Ids(documents={1}, parents={2}), True),
        (Ids(documents={1}, parents={2}, others={2}), False),
        (Ids(documents={1, 2}, parents={2}), False),
        (Ids(others={3}, carriers={1}), True),
        (Ids(documents={1}, others={3}, carriers={1}), False),
        (Ids(documents={2}, others={3, 1}, carriers={1}), True),
        (Ids(documents={1}, unsure=True), True),
    ],
)
def test_what_leaves_a_bucket(ids: Ids, leaves: bool) -> None:
    """A parent or a call's document that is not here, and what a later copy may replace."""
    assert ids.leaves is leaves


def test_rows_elsewhere(clickhouse_store: ClickHouseStore) -> None:
    """A call and its answer an hour later: each bucket depends on the other once both are known."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),))], "a")
    assert store.service_graph(WINDOW).services
    with store._asking() as run:
        alone = few_rows.read(run, {FIRST})
        assert alone
        assert (alone.far(), alone.dependents({FIRST})) == ({}, {})
    begins = T0 + 60 * MINUTE
    store.put([segment(2, parent_id=21, name="backend", start=begins, end=begins + 1)], "b")
    there = begins // BUCKET
    with store._asking() as run:
        found = few_rows.read(run, {there})
        assert found
        assert {bucket: far.rows for bucket, far in found.far().items()} == {there: 2, FIRST: 1}
        found.record_references({there})
        assert list(found.dependents({there})) == [FIRST]
        before = few_rows.read(run, {FIRST})
        assert before
        assert before.far().keys() == {FIRST, there}, "found by what the other has recorded"


def test_a_link_to_another_trace(clickhouse_store: ClickHouseStore) -> None:
    """The trace that a link names is one that the bucket depends on, whether it is stored or not."""
    store = clickhouse_store
    linked = segment(1, links=(Link(trace_id(9), 7),))
    store.put([linked], "a")
    with store._asking() as run:
        found = few_rows.read(run, {FIRST})
        assert found
        assert found.far() == {}
        found.record_references({FIRST})
    later = T0 + MINUTE
    store.put([segment(7, trace_id=trace_id(9), name="sender", start=later, end=later)], "b")
    with store._asking() as run:
        found = few_rows.read(run, {later // BUCKET})
        assert found
        assert list(found.dependents({later // BUCKET})) == [FIRST]


@pytest.mark.parametrize(
    ("module", "limit", "most"),
    [(whole_traces, "MOST_WHOLE", 1), (few_rows, "MOST_OF_TRACES", 2)],
    ids=["one", "all"],
)
def test_traces_of_many_rows(
    clickhouse_store: ClickHouseStore,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    limit: str,
    most: int,
) -> None:
    """Rows elsewhere may be many where those of a bucket are few: those are counted by statements."""
    store = clickhouse_store
    monkeypatch.setattr(module, limit, most)
    later = T0 + MINUTE
    store.put([segment(1), segment(2, parent_id=1, start=later, end=later + SECOND)], "a")
    store.put([segment(1, trace_id=trace_id(1))], "b")
    with store._asking() as run:
        assert few_rows.read(run, {FIRST}) is None
    graph = store.service_graph(WINDOW)
    assert graph.services[NodeKey("", "frontend", "")].statistics.total == 3


def test_how_many_statements_a_round_takes(clickhouse_store: ClickHouseStore) -> None:
    """A round of few rows creates no temporary table."""
    store = clickhouse_store
    store.put([segment(1, calls=(call(21),)), segment(2, parent_id=21, name="backend")], "a")
    client = connect(store.address)
    texts: list[str] = []

    def run(statement: Statement) -> Rows:
        texts.append(text_of(statement))
        rows: Rows = execute(client, statement)
        return rows

    assert store.rollup_worker.tick(run) == 1
    client.disconnect()
    assert not [text for text in texts if "TEMPORARY" in text]


def test_what_a_count_makes_dirty_waits_while_the_map_is_not_read(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader has both ends of a call at once; without one, the second is counted in the next round."""
    monkeypatch.setattr(worker, "TICK", 0.0)
    monkeypatch.setattr(worker, "GUARD", 0)
    store, client = clickhouse_store, connect(clickhouse_store.address)
    tick = partial(store.rollup_worker.tick, partial(execute, client))
    store.put([segment(1, calls=(call(21),))], "a")
    assert tick() == 1
    later = T0 + MINUTE
    store.put([segment(2, parent_id=21, name="backend", start=later, end=later + 1)], "b")
    for times in (1, 2):
        tick()
        counted = client.execute(
            "SELECT uniqExact(rev) FROM bucket_rollups WHERE kind = 255 AND bucket = {bucket:UInt64}",
            {"bucket": FIRST},
        )
        assert counted == [(times,)]
    client.disconnect()
