"""Searches in ClickHouse find what the memory store finds, in its order, page by page."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Statement, execute
from store.clickhouse.search import find_traces
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import MINUTE, Document, NodeKey, State, TimeRange
from store.protocol import Axis, Store, TraceHit, TraceQuery
from store.trace_filter import matches, matches_without_calls
from tests.builders import SECOND, T0, call, segment, trace_id
from tests.conftest import empty
from tests.store.test_agreement import ALL, deliveries

HOUR = 60 * MINUTE
IDS = {
    trace_id(1): trace_id(1),
    trace_id(2): bytes.fromhex("f0e1d2c3") + trace_id(2)[4:],  # no epoch
    trace_id(3): trace_id(3, epoch=T0 // SECOND + 3600),
}
ANNOTATIONS = ('tier="gold"', "order=7", 'it\'s="\\\\"')
counter = itertools.count()


def changed(document: Document, choice: int) -> Document:
    """With a trace id of each kind, and annotations that a later copy may not have."""
    id = IDS.get(document.trace_id, document.trace_id)
    return msgspec.structs.replace(
        document,
        trace_id=id,
        annotations=tuple(a for bit, a in enumerate(ANNOTATIONS) if choice >> bit & 1),
    )


@st.composite
def queries(draw: st.DrawFn, memory: MemoryStore) -> TraceQuery:
    """A question about what is there."""
    graph = memory.service_graph(ALL)
    windows = (ALL, TimeRange(T0, T0 + 2 * MINUTE), TimeRange(T0 + MINUTE, T0 + 27 * HOUR))
    nodes, edges = sorted(graph.services), sorted(graph.edges)
    return TraceQuery(
        draw(st.sampled_from(windows)),
        draw(st.sampled_from(tuple(Axis))),
        node=draw(st.none() | st.sampled_from(nodes)) if nodes else None,
        edge=draw(st.none() | st.sampled_from(edges)) if edges else None,
        states=draw(st.frozensets(st.sampled_from(tuple(State)), max_size=3)),
        annotations=tuple(draw(st.lists(st.sampled_from(ANNOTATIONS), max_size=2, unique=True))),
    )


def all_pages(store: Store, query: TraceQuery, limit: int) -> list[TraceHit]:
    """Everything a query finds."""
    found: list[TraceHit] = []
    cursor: str | None = None
    while True:
        page = store.find_traces(query, limit=limit, cursor=cursor)
        assert len(page.found) <= limit
        found += page.found
        cursor = page.cursor
        if cursor is None:
            return found


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries(), data=st.data())
def test_searches_agree_with_memory(
    clickhouse_store: ClickHouseStore, batches: list[list[Document]], data: st.DataObject
) -> None:
    """Copies, orphans, circles, halves of a trace 26 hours apart, ids with and without an epoch."""
    empty(clickhouse_store.address)
    memory = MemoryStore()
    for batch in batches:
        known = [changed(document, data.draw(st.integers(0, 7))) for document in batch]
        for store in (memory, clickhouse_store):
            store.put(known, f"search-{next(counter)}")
    for _ in range(3):
        query = data.draw(queries(memory))
        limit = data.draw(st.integers(1, 2))
        assert all_pages(clickhouse_store, query, limit) == all_pages(memory, query, limit), query
        for id in IDS.values():
            for trace in memory.get_traces([id]).values():
                assert matches_without_calls(trace, query) in (None, matches(trace, query))


def many(count: int, **change: Any) -> list[Document]:
    """Traces a second apart, every seventh of which failed."""
    return [
        segment(
            1,
            trace_id=trace_id(n, epoch=T0 // SECOND + n),
            start=T0 + n * SECOND,
            end=T0 + n * SECOND + 1000,
            state=State.FAULT if n % 7 == 0 else State.OK,
            **change,
        )
        for n in range(count)
    ]


def test_a_page_ends_short_when_patience_does(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found so far, and where to go on: nothing is skipped and nothing comes twice."""
    monkeypatch.setattr(find_traces, "ROWS_OF_FOUND", 0)
    monkeypatch.setattr(find_traces, "PLANNING_ROWS", 20)
    documents = many(400)
    clickhouse_store.put(documents, "many")
    client = connect(clickhouse_store.address)

    def ask(statement: Statement) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = execute(client, statement)
        return rows

    query = TraceQuery(TimeRange(T0, T0 + HOUR), states=frozenset({State.FAULT}))
    found: list[int] = []
    pages, cursor = 0, None
    while pages == 0 or cursor is not None:
        page = find_traces.find_traces(ask, query, limit=1000, cursor=cursor, max_seconds=0.0)
        found += [each.time for each in page.found]
        pages, cursor = pages + 1, page.cursor
    client.disconnect()
    assert pages > 1
    assert found == [T0 + n * SECOND for n in reversed(range(0, 400, 7))]


def test_a_search_is_bounded(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices shrink to what fits in memory, chunks to what may be judged, and the result is
    the same; so it is when most traces lie apart from their slice and are too many to be listed."""
    late = [
        segment(2, trace_id=d.trace_id, parent_id=1, name="late", start=d.start + 3 * HOUR)
        for d in many(30)
    ]
    documents = [
        msgspec.structs.replace(d, end=d.start + 5, last_end=d.start + 5)
        for d in [*many(30), *late]
    ]
    clickhouse_store.put(documents, "spread")
    memory = MemoryStore()
    memory.put(documents, "spread")
    for name, value in (("MAX_ROWS", 12), ("CHUNK", 4), ("MAX_FAR_TRACES", 2)):
        monkeypatch.setattr(find_traces, name, value)
    window = TimeRange(T0 - HOUR, T0 + 4 * HOUR)
    fault = frozenset({State.FAULT})
    for query in (
        TraceQuery(window),
        TraceQuery(window, node=NodeKey("", "late", ""), states=fault),
        TraceQuery(window, Axis.EVENT, node=NodeKey("", "late", "")),
        TraceQuery(window, Axis.SERVICE, node=NodeKey("", "frontend", "client")),
    ):
        expected = all_pages(memory, query, 20)
        assert expected
        assert all_pages(clickhouse_store, query, 20) == expected


def test_an_inferred_node_among_answered_calls(clickhouse_store: ClickHouseStore) -> None:
    """A name most of whose calls were answered: those that were not are found among hundreds."""
    host = NodeKey("", "backend.example.com", "remote")
    documents = []
    for n in range(300):
        id = trace_id(n, epoch=T0 // SECOND)
        documents.append(segment(1, trace_id=id, calls=(call(2),)))
        if n % 100:
            documents.append(segment(3, trace_id=id, name="backend", parent_id=2, start=T0 + 2000))
    clickhouse_store.put(documents, "answered")
    for query in (
        TraceQuery(ALL, node=host),
        TraceQuery(ALL, edge=(NodeKey("", "frontend", ""), host)),
        TraceQuery(ALL, node=host, states=frozenset({State.OK})),
    ):
        page = clickhouse_store.find_traces(query, limit=10)
        assert [found.trace_id[-2:] for found in page.found] == [b"\0\xc8", b"\0\x64", b"\0\0"]
        assert page.cursor is None
