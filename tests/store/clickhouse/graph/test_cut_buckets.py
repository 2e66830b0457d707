"""The buckets that a window cuts are read once, and again after whatever changes their units."""

from __future__ import annotations

import pytest

from store.clickhouse.graph import window_plan
from store.clickhouse.rollup import few_rows
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.metrics import QUERIES, QueryTime
from store.model import Document, Link, NodeKey, TimeRange
from tests.builders import T0, call, segment, trace_id

SECOND = 1_000_000
WINDOW = TimeRange(T0 + 12 * SECOND, T0 + 33 * SECOND)
"""It cuts two buckets, and has three between them."""
RAW = {"graph/unit_documents", "search/calls", "search/links"}
STORED = {"graph/stored_visits"}


def work(number: int, second: int, **values: object) -> Document:
    start = T0 + second * SECOND
    return segment(number, trace_id=trace_id(number), start=start, end=start + 2 * SECOND, **values)


class Both:
    """A store and the reference."""

    def __init__(self, store: ClickHouseStore) -> None:
        self.store = store
        self.memory = MemoryStore()

    def put(self, *documents: Document) -> None:
        for store in (self.memory, self.store):
            store.put(documents, f"batch of {documents[0].id}, {documents[0].parent_id}")

    def read(self, window: TimeRange = WINDOW) -> set[str]:
        """Compare the graphs of a window; the names of the statements that it took."""
        noted: list[QueryTime] = []
        token = QUERIES.set(noted)
        try:
            found = self.store.service_graph(window)
        finally:
            QUERIES.reset(token)
        expected = self.memory.service_graph(window)
        assert found.services == expected.services
        assert (found.edges, found.links) == (expected.edges, expected.links)
        return {query.name for query in noted}


@pytest.fixture
def both(clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> Both:
    monkeypatch.setattr(window_plan, "SETTLED", -1)
    monkeypatch.setattr(few_rows, "MOST", 0)  # a count does not read what is looked for here
    both = Both(clickhouse_store)
    both.put(work(1, 11), work(2, 13), work(3, 21), work(4, 31), work(5, 34), work(6, 2))
    return both


def test_what_was_read_is_not_read_again(both: Both) -> None:
    assert both.read() >= RAW | STORED
    assert both.read().isdisjoint(RAW | STORED)
    narrower = TimeRange(WINDOW.start + SECOND, WINDOW.end - SECOND)
    assert both.read(narrower).isdisjoint(RAW | STORED)


def test_a_bucket_is_read_again_when_rows_arrive_in_it(both: Both) -> None:
    both.read()
    both.put(work(7, 13))
    assert both.read() >= RAW
    both.put(work(8, 22))
    names = both.read()
    assert names >= STORED
    assert names.isdisjoint(RAW)


def test_a_bucket_is_read_again_when_its_caller_arrives_elsewhere(both: Both) -> None:
    """A root of a bucket that is cut turns out to be called, from another minute."""
    answer = segment(
        9, name="backend", parent_id=90, trace_id=trace_id(9), start=WINDOW.end - 1, end=WINDOW.end
    )
    both.put(answer)
    both.read()
    assert both.read().isdisjoint(RAW)
    start = T0 - 400 * SECOND
    both.put(
        segment(
            10,
            trace_id=trace_id(9),
            start=start,
            end=start + 1,
            calls=(call(90, node=NodeKey("", "backend", ""), start=start, end=start + 1),),
        )
    )
    assert both.read() >= RAW


@pytest.mark.parametrize("upstream", [True, False])
def test_the_other_end_of_a_link_is_elsewhere(both: Both, upstream: bool) -> None:
    """Its trace has no row near the window, and arrives after a read; whichever of the two carries the link."""
    to_sender, to_receiver = Link(trace_id(20), 20), Link(trace_id(21), 21, upstream=False)
    start = T0 - 400 * SECOND
    sender = segment(
        20,
        name="sender",
        trace_id=trace_id(20),
        start=start,
        end=start + 1,
        links=() if upstream else (to_receiver,),
    )
    receiver = work(21, 13, name="receiver", links=(to_sender,) if upstream else ())
    both.put(receiver)
    both.read()
    assert both.read().isdisjoint(RAW)
    both.put(sender)
    assert both.read() >= RAW
    assert both.read().isdisjoint(RAW)


def test_a_bucket_that_was_just_counted_is_read_every_time(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An insert that was running may not have been visible to the count or to the read."""
    monkeypatch.undo()
    both.read()
    assert both.read() >= RAW
