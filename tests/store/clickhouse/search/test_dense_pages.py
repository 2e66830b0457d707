"""Pages of traces that are many in each bucket, and lie across its ends: as the memory store finds them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from store.clickhouse.search import find_units, probe, scan_plan
from store.clickhouse.store import ClickHouseStore
from store.filters.parse import parse
from store.memory import MemoryStore
from store.metrics import QUERIES, QueryTime
from store.model import Document, Link, NodeKey, State, TimeRange
from store.protocol import Store
from store.query import Axis, TraceHit, TraceQuery, UnitQuery, UnitTrace
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.tiers import at_night

API, QUEUE, FRONT = NodeKey("", "api", ""), NodeKey("", "queue", ""), NodeKey("", "front", "")
APART = SECOND // 4
"""Between two traces: twenty of a bucket."""
WINDOW = TimeRange(T0 + 7 * SECOND, T0 + MINUTE)


def traces(count: int) -> list[Document]:
    """Each enters at `front`, calls `api`, which answers in its bucket or a later one, and `queue`, which never does;
    ids without a time; every seventh failed, every ninth has a user."""
    found = []
    for n in range(count):
        id, at = trace_id(n, epoch=n * 7919 % 60_000), T0 + n * APART
        later = at + (n % 5) * 3 * SECOND
        state = State.FAULT if n % 7 == 0 else State.OK
        own = {"trace_id": id, "user": "me" if n % 9 == 0 else ""}
        calls = (
            call(12, start=at + 1, end=later + 10, node=API),
            call(13, start=later + 2, end=later + 4, node=QUEUE, state=state),
        )
        links = (Link(trace_id(n - 1, epoch=(n - 1) * 7919 % 60_000), 1),) if n % 11 == 10 else ()
        found.append(
            segment(1, name="front", start=at, end=later + 20, calls=calls, links=links, **own)
        )
        found.append(
            segment(2, name="api", parent_id=12, start=later, end=later + 9, state=state, **own)
        )
    return found


@pytest.fixture
def both(clickhouse_store: ClickHouseStore) -> tuple[MemoryStore, ClickHouseStore]:
    """The two stores with the same traces, copies of some in progress."""
    memory = MemoryStore()
    documents = traces(200)
    early = [replace(each, state=State.IN_PROGRESS, end=each.start) for each in documents[::6]]
    for store in (memory, clickhouse_store):
        store.put(early, "early")
        store.put(documents, "all")
    return memory, clickhouse_store


def units_of(store: Store, query: UnitQuery, limit: int) -> list[UnitTrace]:
    """All pages of a list of units."""
    found: list[UnitTrace] = []
    cursor = None
    while True:
        page = store.find_units(query, limit=limit, cursor=cursor)
        found += page.found
        shown = [each.trace_id for each in page.found if each.trace_id in page.traces]
        read = store.get_traces(shown, links=False)
        assert {id: page.traces[id] for id in shown} == read
        if (cursor := page.cursor) is None:
            return found


def hits_of(store: Store, query: TraceQuery, limit: int) -> list[TraceHit]:
    """All pages of a search."""
    found: list[TraceHit] = []
    cursor = None
    while True:
        page = store.find_traces(query, limit=limit, cursor=cursor)
        found += page.found
        if (cursor := page.cursor) is None:
            return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "limit"),
    [
        (1, 90),
        (find_units.ROWS_OF_TRACE, 30),
        at_night(1, 30),
        at_night(find_units.ROWS_OF_TRACE, 90),
    ],
)
def test_a_list_of_units_reaches_back_as_far_as_it_takes(
    both: tuple[MemoryStore, ClickHouseStore],
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    limit: int,
) -> None:
    """Of nodes with segments and with calls alone, of edges, clients and links; however few rows it begins with."""
    memory, clickhouse = both
    monkeypatch.setattr(find_units, "ROWS_OF_TRACE", rows)
    monkeypatch.setattr(find_units, "WIDENED", 2)
    client = NodeKey("", "front", "client")
    queries = [UnitQuery(WINDOW, nodes=frozenset((node,))) for node in (API, QUEUE, FRONT)]
    queries += [
        UnitQuery(WINDOW, edges=frozenset((edge,)))
        for edge in ((FRONT, API), (FRONT, QUEUE), (client, FRONT), (FRONT, FRONT))
    ]
    queries += [replace(each, states=frozenset((State.FAULT,))) for each in queries]
    for query in queries:
        expected = {
            (each.trace_id, each.units, each.state) for each in units_of(memory, query, 999)
        }
        found = units_of(clickhouse, query, limit)
        assert {(each.trace_id, each.units, each.state) for each in found} == expected
        assert len(found) == len(expected)
        assert [each.time for each in found] == sorted((e.time for e in found), reverse=True)


@pytest.mark.parametrize("few", [3, 30])
@pytest.mark.parametrize("most", [5, probe.MOST_TRACES])
def test_a_probe_knows_the_buckets_that_it_reaches(
    both: tuple[MemoryStore, ClickHouseStore],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    most: int,
) -> None:
    """Those that it reads whole; of one with too many traces only what lies behind it."""
    memory, clickhouse = both
    monkeypatch.setattr(probe, "MOST_TRACES", most)
    monkeypatch.setattr(scan_plan, "CHEAP_ROWS", 0)
    for name in ("LEAST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(scan_plan, name, few)
    texts = ('user = "me"', 'service("api")', 'service("queue") { fault }', "duration > 5")
    conjunction = 'user = "me" AND service("api") { fault }'
    for text in (*texts, conjunction):
        query = TraceQuery(WINDOW, Axis.TRACE_ID, parse(text))
        expected = hits_of(memory, query, 999)
        assert expected
        for limit in (20, 90):
            assert hits_of(clickhouse, query, limit) == expected


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ('service("front")', 7),
        ('edge("front", "api") { fault }', 8),
        ('user = "me"', 6),
    ],
)
def test_a_page_is_read_whole_and_once(
    clickhouse_store: ClickHouseStore, text: str, most: int
) -> None:
    """With the documents, where these are requested."""
    memory, store = MemoryStore(), clickhouse_store
    for each in (memory, store):
        each.put([replace(document, links=()) for document in traces(200)], "all")
    query = TraceQuery(WINDOW, filter=parse(text))
    taken: list[QueryTime] = []
    token = QUERIES.set(taken)
    try:
        page = store.find_traces(query, limit=5, raw=True)
    finally:
        QUERIES.reset(token)
    assert page.found == memory.find_traces(query, limit=5).found
    ids = [each.trace_id for each in page.found]
    assert page.traces.keys() == set(ids)
    assert page.traces == store.get_traces(ids, raw=True, links=False)
    assert len(taken) <= most, " ".join(each.name for each in taken)


def test_traces_that_reach_into_a_part_are_not_looked_for(
    both: tuple[MemoryStore, ClickHouseStore],
) -> None:
    """Their candidates are selected once: who began before the part has its time before it."""
    memory, store = both
    query = TraceQuery(WINDOW, filter=parse('service("front")'))
    taken: list[QueryTime] = []
    token = QUERIES.set(taken)
    try:
        found = store.find_traces(query, limit=5).found
    finally:
        QUERIES.reset(token)
    assert found == memory.find_traces(query, limit=5).found
    assert [each.name for each in taken].count("search/candidates") == 1
