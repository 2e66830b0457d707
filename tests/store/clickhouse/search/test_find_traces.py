"""Searches in ClickHouse find what the memory store finds, in its order, page by page."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.decode.document import decode_document
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import (
    Rows,
    RunQuery,
    Statement,
    execute,
    run_concurrently,
    text_of,
)
from store.clickhouse.queries import Sql
from store.clickhouse.search import (
    find_traces,
    get_traces,
    judge,
    known_parts,
    scan_plan,
)
from store.clickhouse.search.get_traces import LinkPresence
from store.clickhouse.store import ClickHouseStore
from store.filters.ast import MayHaveCalled, MayHaveFailed, Not, needs_documents
from store.filters.conditions import all_of, calls_along, entered_with, touches
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import Document, Fetched, NodeKey, State, TimeRange
from store.protocol import Store
from store.query import Axis, TraceHit, TraceQuery
from store.times import MINUTE, SECOND
from store.trace_id import format_trace_id
from tests.builders import T0, call, segment, trace_id
from tests.conftest import empty
from tests.store.filters.strategies import enriched, expressions
from tests.store.test_agreement import ALL, deliveries
from tests.tiers import cases

HOUR = 60 * MINUTE
counter = itertools.count()
WINDOWS = (ALL, TimeRange(T0, T0 + 2 * MINUTE), TimeRange(T0 + MINUTE, T0 + 27 * HOUR))
EXAMPLES = cases(5)
EXPRESSIONS = int(os.environ.get("RAYMAP_TEST_FILTERS", "4"))
"""Filters of one example."""


def all_pages(store: Store, query: TraceQuery, limit: int) -> list[TraceHit]:
    """Everything a query finds."""
    found: list[TraceHit] = []
    cursor: str | None = None
    raw = limit > 1 or (query.filter is not None and needs_documents(query.filter))
    while True:
        page = store.find_traces(query, limit=limit, cursor=cursor, raw=raw)
        assert len(page.found) <= limit
        shown = [hit.trace_id for hit in page.found if hit.trace_id in page.traces]
        assert page.traces == store.get_traces(shown, raw=raw, links=False)
        found += page.found
        cursor = page.cursor
        if cursor is None:
            return found


def puts(stores: Sequence[Store], batches: list[list[Document]], data: st.DataObject) -> None:
    """Store batches of enriched documents everywhere."""
    for batch in batches:
        known = [data.draw(enriched(document)) for document in batch]
        for store in stores:
            store.put(known, f"search-{next(counter)}")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries(moves=False), data=st.data())
def test_searches_agree_with_memory(
    clickhouse_store: ClickHouseStore, batches: list[list[Document]], data: st.DataObject
) -> None:
    """Copies, orphans, circles, halves of a trace 26 hours apart, ids with and without an epoch: each filter
    finds the same traces on the same pages."""
    empty(clickhouse_store.address)
    memory = MemoryStore()
    puts((memory, clickhouse_store), batches, data)
    for _ in range(EXPRESSIONS):
        filter = data.draw(expressions())
        axis, window = data.draw(st.sampled_from(tuple(Axis))), data.draw(st.sampled_from(WINDOWS))
        query = TraceQuery(window, axis, filter)
        limit = data.draw(st.sampled_from((1, 2, 9)))
        with pytest.MonkeyPatch.context() as patch:
            if data.draw(st.booleans()):
                probe_for(patch, data.draw(st.sampled_from((2, 1000))))
            found = all_pages(clickhouse_store, query, limit)
        assert found == all_pages(memory, query, limit), query


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries(moves=False), data=st.data())
def test_lists_agree_with_memory_and_are_counted(
    clickhouse_store: ClickHouseStore, batches: list[list[Document]], data: st.DataObject
) -> None:
    """The same pages without a filter, from whichever range they begin with; each page knows how many follow."""
    empty(clickhouse_store.address)
    memory = MemoryStore()
    puts((memory, clickhouse_store), batches, data)
    for axis, window in product(Axis, WINDOWS):
        query, limit = TraceQuery(window, axis), data.draw(st.sampled_from((1, 2, 9)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scan_plan, "ROWS_OF_FOUND", data.draw(st.sampled_from((0, 1, 8))))
            found = all_pages(clickhouse_store, query, limit)
            page = clickhouse_store.find_traces(query, limit=limit)
            counted = clickhouse_store.count_traces(query, cursor=page.cursor, max_seconds=60.0)
            until = clickhouse_store.count_traces(
                query, cursor=None, until=page.cursor, max_seconds=60.0
            )
        assert found == all_pages(memory, query, limit), query
        assert until == len(page.found)
        assert counted == memory.count_traces(query, cursor=page.cursor, max_seconds=60.0)
        if page.cursor is not None:
            assert counted == len(found) - len(page.found)


def test_counting_gives_up(clickhouse_store: ClickHouseStore) -> None:
    clickhouse_store.put(many(30), "many")
    query = TraceQuery(TimeRange(T0, T0 + HOUR))
    assert clickhouse_store.count_traces(query, cursor=None, max_seconds=60.0) == 30
    for seconds in (-1.0, 1e-6, 0.001):
        assert clickhouse_store.count_traces(query, cursor=None, max_seconds=seconds) is None


def probe_for(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Probe for so many rows, however short the window is."""
    monkeypatch.setattr(scan_plan, "CHEAP_ROWS", 0)
    for name in ("LEAST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(scan_plan, name, few)


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
    monkeypatch.setattr(scan_plan, "ROWS_OF_FOUND", 0)
    monkeypatch.setattr(scan_plan, "GROWTH", 1)
    probe_for(monkeypatch, 3)
    documents = many(400)
    clickhouse_store.put(documents, "many")
    client = connect(clickhouse_store.address)

    def ask(statement: Statement) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = execute(client, statement)
        return rows

    query = TraceQuery(TimeRange(T0, T0 + HOUR), filter=entered_with({State.FAULT}))
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
    probe_for(monkeypatch, 3)
    window = TimeRange(T0 - HOUR, T0 + 4 * HOUR)
    late_node = touches(NodeKey("", "late", ""))
    for query in (
        TraceQuery(window),
        TraceQuery(window, filter=all_of(late_node, entered_with({State.FAULT}))),
        TraceQuery(window, Axis.EVENT, late_node),
        TraceQuery(window, Axis.SERVICE, touches(NodeKey("", "frontend", "client"))),
        TraceQuery(window, filter=Not(late_node)),
    ):
        expected = all_pages(memory, query, 20)
        assert expected or isinstance(query.filter, Not)
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
    for filter in (
        touches(host),
        calls_along(NodeKey("", "frontend", ""), host),
        all_of(touches(host), entered_with({State.OK})),
    ):
        page = clickhouse_store.find_traces(TraceQuery(ALL, filter=filter), limit=10)
        assert [found.trace_id[-2:] for found in page.found] == [b"\0\xc8", b"\0\x64", b"\0\0"]
        assert page.cursor is None


@pytest.mark.slow
def test_units_of_either_table_share_pages(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of many segments and of a few calls without an answer: a probe that segments fill finds the calls
    between them, also where they are more than it looks for."""
    memory = MemoryStore()
    table = NodeKey("", "api", "remote")
    documents = []
    for n in range(60):
        id, at = trace_id(n, epoch=T0 // SECOND + n * 60), T0 + n * MINUTE
        calls = (call(2, start=at, end=at + 5, node=table),) if n % 5 == 0 else ()
        name = "frontend" if calls else "api"
        documents.append(segment(1, trace_id=id, name=name, start=at, end=at + 9, calls=calls))
    for store in (memory, clickhouse_store):
        store.put(documents, "tables")
    for filter in (parse('service("api")'), parse('service("api") AND !fault')):
        query = TraceQuery(TimeRange(T0, T0 + HOUR), filter=filter)
        assert len(all_pages(memory, query, 60)) == 60
        for few, unread in ((1000, 1000), (20, 1000), (20, 2), (3, 1000)):
            probe_for(monkeypatch, few)
            monkeypatch.setattr(known_parts, "MOST_UNREAD", unread)
            monkeypatch.setattr(find_traces, "MOST_UNREAD", unread)
            for limit in (4, 100):
                assert all_pages(clickhouse_store, query, limit) == all_pages(memory, query, limit)


@pytest.mark.parametrize("lookup", [0, known_parts.ROWS_OF_LOOKUP])
def test_a_conjunction_sees_rows_far_from_those_of_its_rarest_term(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, lookup: int
) -> None:
    """Also if the rows of the candidates are scanned near these instead of looked up one by one."""
    monkeypatch.setattr(known_parts, "ROWS_OF_LOOKUP", lookup)
    memory = MemoryStore()
    probe_for(monkeypatch, 20)
    documents = []
    for n in range(200):
        at = T0 + n * SECOND
        far = at - 5 * HOUR if n % 10 == 0 else at
        id, state = trace_id(n, epoch=T0 // SECOND + n), State.FAULT if n % 5 == 0 else State.OK
        documents.append(segment(1, trace_id=id, name="api", start=at, end=at + 9, state=state))
        documents.append(segment(2, trace_id=id, name="frontend", start=far, end=far + 9))
    for store in (memory, clickhouse_store):
        store.put(documents, "far")
    filter = parse('service("api") { fault } AND service("frontend")')
    query = TraceQuery(TimeRange(T0, T0 + HOUR), filter=filter)
    found = all_pages(memory, query, 60)
    assert len(found) == 40
    for limit in (4, 100):
        assert all_pages(clickhouse_store, query, limit) == found


@pytest.mark.parametrize("text", ["annotation.tier EXISTS", "fault AND annotation.tier EXISTS"])
def test_a_trace_of_hours_is_not_read_for_filters_that_it_cannot_match(
    clickhouse_store: ClickHouseStore, text: str
) -> None:
    """It has rows far from every range, and none of those that probes look for."""
    hours = [segment(n + 1, trace_id=trace_id(1), start=T0 + n * 20 * MINUTE) for n in range(10)]
    clickhouse_store.put(hours, "hours")
    query = TraceQuery(TimeRange(T0, T0 + MINUTE), filter=parse(text))
    page = clickhouse_store.find_traces(query, limit=20, cursor=None)
    assert (page.found, page.scanned) == ([], 0)


def test_a_page_takes_few_statements(clickhouse_store: ClickHouseStore) -> None:
    """Each is planned for some milliseconds, whatever it reads."""
    clickhouse_store.put(many(400, name="api"), "many")
    client = connect(clickhouse_store.address)
    texts: list[str] = []

    def ask(statement: Statement) -> list[tuple[Any, ...]]:
        texts.append(text_of(statement))
        rows: list[tuple[Any, ...]] = execute(client, statement)
        return rows

    for text, most in (
        # Probes of each table; candidates, with the traces that have rows elsewhere; traces, documents, calls.
        ('service("api")', 6),
        ('service("nothing")', 3),
        ("fault", 7),
        ('service("api") { fault }', 6),
    ):
        texts.clear()
        query = TraceQuery(TimeRange(T0, T0 + HOUR), filter=parse(text))
        page = find_traces.find_traces(ask, query, limit=20, cursor=None)
        found = [hit.trace_id for hit in page.found]
        assert len(found) == (0 if "nothing" in text else 20)
        whole = get_traces.get_traces(
            ask, [id for id in found if id not in page.traces], LinkPresence()
        )
        assert {**whole, **page.traces} == clickhouse_store.get_traces(found)
        assert len(texts) <= most, texts
    client.disconnect()


def failed_call(number: int, name: str) -> Document:
    """A segment in whose trace a call failed that no segment answers."""
    start = T0 // SECOND + number
    times = {"start_time": start, "end_time": start + 1, "fault": True}
    content = {
        "name": "shop",
        "id": f"{1:016x}",
        "trace_id": format_trace_id(trace_id(number, epoch=start)),
        "subsegments": [{"id": f"{2:016x}", "name": name, "namespace": "remote", **times}],
        **times,
    }
    return decode_document(json.dumps(content).encode(), T0 + number)


def test_calls_and_documents_are_read_ahead(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an edge and of a root cause they are read beside the statement that selects candidates, and none later."""
    memory = MemoryStore()
    for store in (memory, clickhouse_store):
        store.put([failed_call(n, "ledger" if n % 2 else "stock") for n in range(12)], "calls")
    later: list[str] = []

    def noted(ask: RunQuery, *statements: Statement) -> list[Rows]:
        later.extend(each.name for each in statements if isinstance(each, Sql))
        return run_concurrently(ask, *statements)

    monkeypatch.setattr(judge, "run_concurrently", noted)
    for text in (
        'edge("shop", "ledger") { fault }',
        'rootcause.fault.service { name = "ledger" AND type = "remote" }',
    ):
        query = TraceQuery(ALL, filter=parse(text))
        expected = memory.find_traces(query, limit=9)
        found = clickhouse_store.find_traces(query, limit=9)
        assert found.found == expected.found
        assert len(found.found) == 6
    assert later == []


def test_failed_calls_that_their_caller_survived(clickhouse_store: ClickHouseStore) -> None:
    """Only their rows say that they failed: no document of the service does."""
    survived = replace(failed_call(1, "ledger"), state=State.OK)
    others = [failed_call(2, "ledger"), segment(3, trace_id=trace_id(3), name="shop")]
    memory = MemoryStore()
    for store in (memory, clickhouse_store):
        store.put([survived, *others], "calls")
        for service, found in (("shop", 2), ("", 2), ("ledger", 0)):
            query = TraceQuery(ALL, filter=MayHaveFailed(service))
            assert len(store.find_traces(query, limit=9).found) == found, service


def test_calls_by_what_they_name_whatever_answers_them(clickhouse_store: ClickHouseStore) -> None:
    """A call of the shop's that the ledger answers is found by the name that the shop knows."""
    calling = segment(1, name="shop", calls=(call(2),))
    answer = segment(3, name="ledger", parent_id=2)
    other = segment(4, trace_id=trace_id(2), name="shop", fetched=Fetched.UNSEEN)
    memory = MemoryStore()
    for store in (memory, clickhouse_store):
        store.put([calling, answer, other], "calls")
        for service, called, found in (
            ("shop", "backend.example.com", 2),
            ("", "backend.example.com", 2),
            ("shop", "ledger", 1),
            ("ledger", "backend.example.com", 0),
        ):
            query = TraceQuery(ALL, filter=MayHaveCalled(service, called))
            assert len(store.find_traces(query, limit=9).found) == found, (service, called)
