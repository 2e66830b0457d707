"""ClickHouse's graph equals the memory store's, whatever arrives in whatever order and batches.

Hypothesis draws traces of segments, streamed subsegments, spans that name their service, calls, Lambda pairs, orphans and circles,
in progress and complete, some sampled, then shuffles, repeats and splits them; the halves of a call may be hours
apart in time and in different batches.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.xray.entity_selector import client_edges
from store.clickhouse.connection.pool import connect
from store.clickhouse.graph import window_plan
from store.clickhouse.rollup import few_rows
from store.clickhouse.search.unit_rows import CALLER_TYPE
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import whole_traces
from store.filters.conditions import touches
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics, add_statistics
from store.grouped_graph import graph_of_grouped
from store.grouped_units import Grouped, GroupedKey
from store.memory import MemoryStore
from store.model import (
    NO_NODE,
    Document,
    Fetched,
    Http,
    Independent,
    Kind,
    Link,
    NodeKey,
    State,
    TimeRange,
    derived_version,
)
from store.query import Entities, TraceQuery, UnitQuery
from store.rules import other_names
from store.rules.classify import UNKNOWN
from store.rules.dimensions import Dimension
from store.rules.histogram import bucket
from store.service_graph import graph_of_units
from store.summary import summarize
from store.times import MINUTE
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.conftest import empty
from tests.store.contract.series import edge_series
from tests.store.stories import stories
from tests.tiers import cases

EXAMPLES = cases(3)
HOURS = 60 * MINUTE
STEPS = (5_000_000, MINUTE, 2_000_000, 30_000_000)
ALL = TimeRange(T0 - 2 * HOURS, T0 + 30 * HOURS)
IDS = range(1, 9)
"""Few ids, so that parents, duplicates, circles and clashes between kinds are frequent."""

LENGTHS = st.one_of(st.integers(0, 2_000), st.integers(0, 90_000_000))
STATES = st.sampled_from((*State, State.OK, State.OK))
NAMES = st.sampled_from(("web", "api", "shop/api", "billing/api", "db", "fn"))
TYPES = st.sampled_from(("", "AWS::Lambda", "AWS::Lambda::Function"))
ACCOUNTS = st.sampled_from(("", "", "1", "2"))
REGIONS = st.sampled_from(("", "", "us-east-1", "eu-west-1"))


Weights = Sequence[int]
"""Those a unit may have, each as often as it stands there."""


@st.composite
def moves(draw: st.DrawFn, state: State) -> int:
    """How far the start of a copy lies from that of the others, microseconds: in other buckets of five
    seconds only while it is in progress (docs/xray-format.md §3.2)."""
    if state is State.IN_PROGRESS:
        return draw(st.sampled_from((0, 0, -7_000_000, -70_000_000, 130_000_000, 3 * HOURS)))
    return draw(st.sampled_from((0, 0, 300_000)))


@st.composite
def calls(draw: st.DrawFn, id: int, start: int, weights: Weights) -> Any:
    """A call to one of three resources."""
    name = draw(st.sampled_from(("table", "queue", "api", "api", "")))
    type = draw(st.sampled_from(("remote", "AWS::DynamoDB::Table", "AWS::SQS::Queue")))
    state = draw(STATES)
    start += draw(moves(state))
    return call(
        id,
        start=start,
        end=start + draw(LENGTHS),
        state=state,
        node=NodeKey(draw(ACCOUNTS), name, type, draw(REGIONS)) if name else NO_NODE,
        operation=draw(st.sampled_from(("", "GetItem", "Send"))),
        service=draw(st.sampled_from(("DynamoDB", name))) if name else "",
        host=draw(st.sampled_from(("", name, "host.example.com"))) if name else "",
        status=draw(st.sampled_from((0, 0, 200, 503))),
        weight=draw(st.sampled_from(weights)),
    )


def joins(weights: Weights) -> st.SearchStrategy[Link]:
    """A link to one of the three traces, or to one that never comes."""
    return st.builds(
        Link,
        st.integers(1, 4).map(trace_id),
        st.sampled_from((*IDS, *range(20, 29))),
        st.booleans(),
        st.sampled_from((0, T0 + 90_000_000, T0 + 27 * HOURS)),
        st.sampled_from(weights),
    )


@st.composite
def layers(
    draw: st.DrawFn, id: int, trace: bytes, start: int, state: State, weights: Weights
) -> Document:
    """A span of web that is a call, often within another that has a smaller id; or local work between two. The state
    is the one that its start is for (`moves`)."""
    end = start + draw(LENGTHS) if draw(st.booleans()) else T0 + 9 * MINUTE - id * 1_000_000
    figures: dict[str, Any] = {"start": start, "end": max(start, end), "state": state}
    given: dict[str, Any] = {
        "trace_id": trace,
        "independent": draw(st.sampled_from((Independent.OF_SENDER, Independent.OF_PROCESS))),
        "node": NodeKey("", "web", ""),
        "weight": draw(st.sampled_from(weights)),
        **figures,
    }
    parent = draw(st.sampled_from([each for each in (*IDS, 99) if each != id]))
    if draw(st.integers(0, 3)) == 0:
        return subsegment(id, parent, kind=Kind.INTERNAL, **given)
    name, type = draw(
        st.sampled_from(
            (
                ("table", "remote"), ("host.example.com", "remote"), ("pg", "Database::SQL"), ("sqlite", "Database::SQL"),
                ("table", "AWS::DynamoDB::Table"), ("m", "GenAI::Model"), ("", ""), ("", ""),
            )
        )
    )  # fmt: skip
    status = draw(st.sampled_from((0, 0, 429)))
    node = NodeKey("", name, type)
    made = call(id, node=node, service=name, host=name, status=status, **figures)
    http = Http(draw(st.sampled_from(("", "GET"))), "", status)
    given["calls"] = (msgspec.structs.replace(made, weight=given["weight"]),)
    return subsegment(id, parent, kind=Kind.CLIENT, http=http, **given)


def service_of(node: NodeKey) -> str:
    """The service's name without its namespace, as decoders have it; of some nodes another one that they go by."""
    return "frontend" if node.name == "db" else node.name.rpartition("/")[2]


@st.composite
def documents(draw: st.DrawFn, weights: Weights) -> Document:
    """A segment or a streamed subsegment of one of three traces. One id has one start, but for
    copies in progress (`moves`)."""
    id = draw(st.sampled_from(IDS))
    state = draw(STATES)
    offset = (id * 7_919_000_003) % (27 * HOURS) if id % 3 == 0 else id * 17_000_000
    start = T0 + offset + draw(moves(state))
    members = draw(st.lists(st.sampled_from(range(20, 29)), max_size=3, unique=True))
    embedded = tuple(
        draw(calls(member, T0 + member * 7_000_000, weights))
        for member in members
        if draw(st.booleans())
    )
    called = {each.id for each in embedded}
    common: dict[str, Any] = {
        "trace_id": trace_id(draw(st.integers(1, 3))),
        "start": start,
        "end": start + draw(LENGTHS),
        "state": state,
        "members": tuple(member for member in members if member not in called),
        "calls": embedded,
        "links": tuple(draw(st.lists(joins(weights), max_size=2)))
        if draw(st.integers(0, 3)) == 0
        else (),
        "weight": draw(st.sampled_from(weights)),
    }
    common["service_version"] = draw(st.sampled_from(("", "1", "2")))
    common["environment"] = draw(st.sampled_from(("", "prod")))
    common["operation"] = draw(st.sampled_from(("", "GET /", "poll")))
    method, status = draw(st.sampled_from((("", 0), ("GET", 200), ("POST", 503))))
    common["http"] = Http(method, "", status)
    parents = st.sampled_from((*IDS, *range(20, 29), 99))
    nodes = st.builds(NodeKey, ACCOUNTS, NAMES, TYPES, REGIONS)
    common["fetched"] = draw(st.sampled_from((*[Fetched.NO] * 4, *Fetched)))
    if draw(st.integers(0, 2)) == 0:
        type = st.sampled_from(("remote", "AWS::SQS::Queue"))
        common["before"] = draw(st.builds(NodeKey, ACCOUNTS, st.just("queue"), type, REGIONS))
    common["kind"] = draw(st.sampled_from((Kind.NONE, Kind.NONE, *Kind, Kind.CONSUMER)))
    if draw(st.integers(0, 3)) == 0:
        return draw(layers(id, common["trace_id"], start, state, weights))
    if draw(st.integers(0, 2)) == 0:
        if draw(st.booleans()):
            common["calls"] = (*embedded, draw(calls(id, start, weights)))
        if draw(st.booleans()):
            senders = Independent.OF_SENDER, Independent.OF_SENDER, Independent.OF_PROCESS
            common["independent"] = draw(st.sampled_from(senders))
            common["node"] = node = draw(nodes)
            common["service"] = service_of(node)
        return subsegment(id, draw(parents.filter(lambda parent: parent != id)), **common)
    parent = draw(st.one_of(st.just(0), parents.filter(lambda parent: parent != id)))
    node = draw(nodes)
    if draw(st.integers(0, 3)) == 0:  # often within another SERVER span of its service
        common |= {"kind": Kind.SERVER, "end": max(start, T0 + 9 * MINUTE - id * 1_000_000)}
        node = NodeKey("", draw(st.sampled_from(("web", "shop/api"))), "")
    if common["kind"] is Kind.SERVER and "before" in common:  # a caller, which is of no other type
        common["before"] = common["before"]._replace(type=CALLER_TYPE)
    return segment(
        id,
        parent_id=parent,
        node=node,
        service=service_of(node),
        inferred=draw(st.integers(0, 9)) == 0,
        **common,
    )


@st.composite
def arrived(draw: st.DrawFn, document: Document, version: int, moves: bool) -> Document:
    """The document with its version. Some are derived (`store.model.derived_version`): with ``moves``
    they may start in another minute than the copy that was reported."""
    if document.calls or document.links or document.in_progress or draw(st.integers(0, 3)):
        return msgspec.structs.replace(document, version=version)
    moved = draw(st.sampled_from((0, -70_000_000, 130_000_000))) if moves else 0
    return msgspec.structs.replace(
        document,
        version=derived_version(version, draw(st.integers(0, 2))),
        start=document.start + moved,
        end=document.end + moved,
        last_end=document.last_end + moved,
    )


@st.composite
def deliveries(draw: st.DrawFn, moves: bool = True) -> list[list[Document]]:
    """Batches in the order of arrival; every document has its own version."""
    weights = draw(st.sampled_from(((1, 1, 3, 1 << 20), (1,), (2, 3))))
    originals = draw(st.lists(documents(weights), min_size=1, max_size=14))
    for number in range(draw(st.sampled_from((0, 1, 1, 2, 2)))):
        originals += draw(stories(number, weights))
    repeats = draw(st.lists(st.sampled_from(originals), max_size=5))
    order = draw(st.permutations([*originals, *repeats]))
    versioned = [
        draw(arrived(document, T0 + 60_000_000 + number, moves))
        for number, document in enumerate(order)
    ]
    if draw(st.integers(0, 2)) == 0:
        versioned = [squeezed(document) for document in versioned]
    cuts = sorted(draw(st.lists(st.integers(1, len(versioned)), max_size=3)))
    return [
        batch
        for start, end in itertools.pairwise([0, *cuts, len(versioned)])
        if (batch := versioned[start:end])
    ]


DENSE = 6
"""Seconds within which a squeezed story happens."""


def squeezed(document: Document) -> Document:
    """The document at another second, the same for the same second: so that ids that lie hours apart
    meet in one bucket, as two answers of a call or the levels of nested subsegments do."""

    def moved(start: int) -> int:
        seconds, rest = divmod(start - T0, 1_000_000)
        return T0 + seconds * 12_345 // 97 % DENSE * 1_000_000 + rest

    by = moved(document.start) - document.start
    return msgspec.structs.replace(
        document,
        start=document.start + by,
        end=document.end + by,
        last_end=document.last_end + by,
        calls=tuple(
            msgspec.structs.replace(
                each, start=moved(each.start), end=moved(each.start) + each.end - each.start
            )
            for each in document.calls
        ),
    )


def plain(graph: ServiceGraph) -> Any:
    """A graph as comparable builtins."""
    return (
        {key: msgspec.structs.asdict(value) for key, value in graph.services.items()},
        {key: msgspec.structs.asdict(value) for key, value in graph.edges.items()},
        {key: msgspec.structs.asdict(value) for key, value in graph.links.items()},
    )


counter = itertools.count()
SETTLED = T0 + 90_000_000
"""When the documents that did not begin later await nothing any more, but what is to be joined to its caller or event."""


@pytest.mark.slow
@pytest.mark.timeout(120 + 40 * EXAMPLES)  # twenty seconds each where other tests run beside it
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    batches=deliveries(),
    queried=st.lists(st.booleans(), min_size=4, max_size=4),
    most_names=st.sampled_from((other_names.MOST_NAMES, other_names.MOST_NAMES, 2)),
    settled=st.sampled_from((-1, window_plan.SETTLED)),
    few=st.lists(st.sampled_from((0, few_rows.MOST)), min_size=4, max_size=4),
    whole=st.sampled_from((whole_traces.MOST_WHOLE, 0)),
)
def test_clickhouse_agrees_with_memory(
    clickhouse_store: ClickHouseStore,
    batches: list[list[Document]],
    queried: list[bool],
    most_names: int,
    settled: int,
    few: list[int],
    whole: int,
) -> None:
    """Graphs over the whole and over windows, summaries, listings, series: all equal.

    Some are queried while batches are still to come: what comes later finds minutes counted, and the units of
    buckets read, before; by statements or in Python, after each batch anew. Every trace may be a large one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_plan, "SETTLED", settled)
        patch.setattr(other_names, "MOST_NAMES", most_names)
        patch.setattr(whole_traces, "MOST_WHOLE", whole)
        agree(
            clickhouse_store,
            batches,
            queried,
            (partial(patch.setattr, few_rows, "MOST", n) for n in few),
        )


def agree(
    clickhouse_store: ClickHouseStore,
    batches: list[list[Document]],
    queried: list[bool],
    before: Iterable[Callable[[], None]],
) -> None:
    """What `test_clickhouse_agrees_with_memory` says."""
    empty(clickhouse_store.address)
    memory = MemoryStore()
    windows = [
        ALL,
        TimeRange(T0, T0 + 2 * MINUTE),
        TimeRange(T0 + MINUTE, T0 + HOURS),
        TimeRange(T0 + 12_345_678, T0 + 2 * MINUTE + 5_000_000),
        TimeRange(T0 + 20_000_000, T0 + 47_000_000),
    ]
    for batch, asks, prepare in zip(batches, queried, before, strict=False):
        prepare()
        token = f"batch-{next(counter)}"
        for store in (memory, clickhouse_store):
            store.put(batch, token)
        for window in (ALL, windows[3]) if asks else ():
            expected = memory.service_graph(window)
            assert plain(clickhouse_store.service_graph(window)) == plain(expected)
    for window, settled in itertools.product(windows, (SETTLED, None)):
        expected = memory.service_graph(window, settled_before=settled)
        counted = clickhouse_store.service_graph(window, settled_before=settled)
        assert plain(counted) == plain(expected)
    agree_on_traces(memory, clickhouse_store)
    agree_on_details(memory, clickhouse_store, expected=memory.service_graph(ALL))
    for window in windows[-2:]:
        agree_on_series(memory, clickhouse_store, window)
        agree_on_entries(memory, clickhouse_store, window)
    agree_together(memory, clickhouse_store, windows)
    for dimension in Dimension:
        for window in (ALL, windows[3]):
            agree_on_groups(memory, clickhouse_store, window, dimension)
    agree_on_parts(clickhouse_store, windows[1], T0 + 77_654_321)
    if queried[-1]:
        assert [each for part in clickhouse_store.verify(ALL) for each in part.differences] == []


def agree_on_traces(memory: MemoryStore, clickhouse: ClickHouseStore) -> None:
    """Listings and summaries."""
    ids = [trace_id(number) for number in (1, 2, 3)]
    theirs, ours = clickhouse.get_traces(ids), memory.get_traces(ids)
    assert theirs.keys() == ours.keys()
    for id in ours:
        entry = summarize(theirs[id]).entry
        assert (entry and entry.id) == ((mine := summarize(ours[id]).entry) and mine.id)
        left, right = (
            msgspec.structs.asdict(msgspec.structs.replace(summarize(t[id]), entry=None))
            for t in (theirs, ours)
        )
        assert left == right
    query = TraceQuery(ALL)
    assert clickhouse.find_traces(query, limit=2)[:3] == memory.find_traces(query, limit=2)[:3]


def agree_on_details(
    memory: MemoryStore, clickhouse: ClickHouseStore, expected: ServiceGraph
) -> None:
    """Series of two nodes and two edges; those of a node, and its failures, add up to its figures."""
    for key, stats in itertools.islice(expected.services.items(), 2):
        series = clickhouse.node_series(stats.keys, ALL, HOURS)
        assert series == memory.node_series(stats.keys, ALL, HOURS)
        works = stats.requests, stats.background
        observed = sum(work.statistics.observed for work in works)
        assert sum(each.statistics.observed for each in series) == observed
        for work in works:
            states = ("error", "throttle", "fault")
            failed = sum(getattr(work.statistics, state) for state in states)
            unknown = work.failures.get(UNKNOWN, 0)
            assert sum(work.failures.values()) == failed + unknown
            units = UnitQuery(ALL, nodes=stats.keys, background=work is stats.background)
            agree_on_units(memory, clickhouse, units)
            operations, theirs = (
                store.operation_statistics(stats.keys, ALL, background=units.background)
                for store in (memory, clickhouse)
            )
            assert theirs == operations
        query = TraceQuery(ALL, filter=touches(key))
        assert (
            clickhouse.find_traces(query, limit=9).found == memory.find_traces(query, limit=9).found
        )
    for pair in itertools.islice((*expected.links, *expected.edges), 2):
        assert edge_series(clickhouse, [pair], ALL, HOURS) == edge_series(
            memory, [pair], ALL, HOURS
        )
        for link in (True, False, None):
            units = UnitQuery(ALL, edges=frozenset([pair]), link=link)
            agree_on_units(memory, clickhouse, units)


def agree_on_units(memory: MemoryStore, clickhouse: ClickHouseStore, query: UnitQuery) -> None:
    """The traces with some units, how many they are, and the worst."""
    theirs, ours = (
        {each.trace_id: (each.units, each.state) for each in store.find_units(query, limit=9).found}
        for store in (clickhouse, memory)
    )
    assert theirs == ours


def agree_on_series(memory: MemoryStore, clickhouse: ClickHouseStore, window: TimeRange) -> None:
    """Of a window that cuts minutes, and steps: every unit of the graph is in a step."""
    ours, theirs = memory.counted_window(window), clickhouse.counted_window(window)
    assert (theirs.window, plain(theirs.graph)) == (window, plain(ours.graph))
    for step, stats in zip(STEPS, ours.graph.services.values(), strict=False):
        for entities, work in (
            (Entities(nodes=stats.keys), stats.requests),
            (Entities(background=stats.keys), stats.background),
        ):
            series = theirs.series(entities, step)
            assert series == ours.series(entities, step)
            assert series == clickhouse.entity_series(entities, window, step)
            observed = sum(each.statistics.observed for each in series)
            assert observed == work.statistics.observed


def agree_on_entries(memory: MemoryStore, clickhouse: ClickHouseStore, window: TimeRange) -> None:
    """The calls of clients, whomever they call, are those along the edges from clients."""
    graph = memory.service_graph(window)
    for step in STEPS:
        series = clickhouse.entity_series(Entities(entries=True), window, step)
        assert series == memory.entity_series(Entities(entries=True), window, step)
        assert series == memory.entity_series(client_edges(graph), window, step)


def agree_on_groups(
    memory: MemoryStore, clickhouse: ClickHouseStore, window: TimeRange, dimension: Dimension
) -> None:
    """A grouped map; its nodes and edges add up to those of the map that is not split."""
    ours, theirs = (
        graph_of_grouped(store.grouped_units(window, dimension)) for store in (memory, clickhouse)
    )
    assert plain(theirs) == plain(ours)
    grouped = list(memory.grouped_units(window, dimension))
    for settled in (None, T0 + MINUTE):
        whole = graph_of_units(((id, each.unit) for id, each in grouped), settled)
        assert sums_of(graph_of_grouped(grouped, settled)) == sums_of(whole)
    for key in itertools.islice((key for key in ours.services if isinstance(key, GroupedKey)), 2):
        by = Grouped(dimension, key.value)
        nodes = ours.services[key].keys
        for background in (False, True):
            query = UnitQuery(window, nodes=nodes, background=background, by=by)
            agree_on_units(memory, clickhouse, query)
            stats = ours.services[key]
            work = stats.background if background else stats.requests
            found = sum(each.units for each in memory.find_units(query, limit=9).found)
            assert found == work.statistics.total + work.statistics.in_progress
    for source, target in itertools.islice((*ours.edges, *ours.links), 3):
        values = [end.value if isinstance(end, GroupedKey) else None for end in (source, target)]
        pairs = itertools.product(ours.services[source].keys, ours.services[target].keys)
        by = Grouped(dimension, values[1], values[0])
        agree_on_units(memory, clickhouse, UnitQuery(window, edges=frozenset(pairs), by=by))


def sums_of(graph: ServiceGraph) -> Any:
    """The counts and the total times of each node, edge and link, whatever its values."""
    found: dict[Any, Counter[str]] = {}
    for kind, parts in enumerate((graph.services, graph.edges, graph.links)):
        for key, stats in cast("dict[Any, ServiceStats | EdgeStats]", parts).items():
            node = without_value(key) if kind == 0 else tuple(map(without_value, key))
            for number, statistics in enumerate(statistics_of(stats)):
                fields = msgspec.structs.asdict(statistics)
                times = {f"time {n}": count for n, count in fields.pop("histogram").items()}
                found.setdefault((kind, number, node), Counter()).update({**fields, **times})
    return found


def without_value(key: NodeKey) -> NodeKey:
    """The node that a node of a grouped map is part of."""
    return key.node if isinstance(key, GroupedKey) else key


def agree_together(
    memory: MemoryStore, clickhouse: ClickHouseStore, windows: Sequence[TimeRange]
) -> None:
    """Windows that are read together, with what precedes each: adjacent ones, and ones that overlap."""
    pairs = [(each, TimeRange(2 * each.start - each.end, each.start)) for each in windows]
    for together in (*pairs, windows):
        ours = memory.counted_windows(together)
        for mine, found in zip(ours, clickhouse.counted_windows(together), strict=True):
            assert (found.window, plain(found.graph)) == (mine.window, plain(mine.graph))


def agree_on_parts(clickhouse: ClickHouseStore, window: TimeRange, cut: int) -> None:
    """Whole minutes count what the two parts count that an instant cuts them into: nodes, edges and links, each
    together, since which nodes are one depends on the window."""

    def sums(*windows: TimeRange) -> list[Statistics]:
        found = [Statistics(histogram={}) for _ in range(3)]
        for each in windows:
            graph = clickhouse.service_graph(each)
            kinds: tuple[dict[Any, Any], ...] = graph.services, graph.edges, graph.links
            for total, kind in zip(found, kinds, strict=True):
                for stats in kind.values():
                    for statistics in statistics_of(stats):
                        add_statistics(total, statistics)
        return found

    assert sums(window) == sums(TimeRange(window.start, cut), TimeRange(cut, window.end))


@given(st.permutations(range(9)), st.lists(st.integers(1, 9), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_order_and_batching_gives_the_same_graph(order: Sequence[int], cuts: list[int]) -> None:
    """One set of documents, in-progress copies and resends among them: one graph."""
    story = [
        segment(1, state=State.IN_PROGRESS),
        segment(1, calls=(call(21), call(22, state=State.IN_PROGRESS))),
        segment(1, calls=(call(21), call(22))),
        segment(2, name="backend", parent_id=21),
        segment(3, name="fn", type="AWS::Lambda", parent_id=22),
        segment(4, name="fn", type="AWS::Lambda::Function", parent_id=3, state=State.FAULT),
        subsegment(5, 4, calls=(call(5, node=NodeKey("", "t", "AWS::DynamoDB::Table")),)),
        subsegment(5, 4, calls=(call(5, node=NodeKey("", "t", "AWS::DynamoDB::Table")),)),
        segment(2, name="backend", parent_id=21),
    ]
    story[1] = msgspec.structs.replace(story[1], version=1)
    graphs = []
    for arrangement in (range(9), order):
        store = MemoryStore()
        arranged = [story[number] for number in arrangement]
        for number, (start, end) in enumerate(itertools.pairwise([0, *sorted(cuts), 9])):
            store.put(arranged[start:end], str(number))
        graphs.append(plain(store.service_graph(ALL)))
    assert graphs[0] == graphs[1]


@pytest.mark.slow
@given(deliveries(), st.integers(1, 29 * 60))
@settings(max_examples=60, deadline=None)
def test_a_window_is_its_halves_merged(batches: list[list[Document]], minute: int) -> None:
    """Statistics add: a day's counts are its hours', cut wherever a minute ends."""
    store = MemoryStore()
    for number, batch in enumerate(batches):
        store.put(batch, str(number))
    middle = ALL.start + minute * MINUTE
    halves = [
        store.service_graph(TimeRange(ALL.start, middle)),
        store.service_graph(TimeRange(middle, ALL.end)),
    ]
    whole = _by_name([store.service_graph(ALL)])
    assert whole == _by_name(halves)


def _by_name(graphs: Sequence[ServiceGraph]) -> dict[tuple[str, str], list[int]]:
    """Figures by name and type: which nodes without an account or region join others depends on
    the window, and so does whether a name needs its namespace."""
    found: dict[tuple[str, str], list[int]] = {}
    for service in (service for graph in graphs for service in graph.services.values()):
        name = service.key.name.rpartition("/")[2]
        sums = found.setdefault((name, service.key.type), [0] * 6)
        works = service.requests, service.background
        figures = [
            figure
            for work in works
            for figure in (work.trace_minutes, work.statistics.total, work.statistics.total_time)
        ]
        sums[:] = map(sum, zip(sums, figures, strict=True))
    return found


def statistics_of(stats: ServiceStats | EdgeStats) -> tuple[Statistics, ...]:
    """Those of a node's requests and of its background work, or of an edge."""
    if isinstance(stats, EdgeStats):
        return (stats.statistics,)
    return stats.requests.statistics, stats.background.statistics


def test_sql_buckets_are_python_buckets(clickhouse_store: ClickHouseStore) -> None:
    """The one expression of the histogram rule that SQL has."""
    from store.clickhouse.queries import HISTOGRAM_BUCKET, POWER, Sql

    power = POWER.render({"column": Sql("v")}).text
    rounded = HISTOGRAM_BUCKET.render({"column": Sql("v"), "power": Sql("p")}).text
    edges = [10**n + d for n in range(1, 15) for d in (-1, 0, 1, 4, 5, 49, 50)]
    fives, twos = (value * 5 for value in edges), (value * 2 for value in edges)
    values = sorted({0, *edges, *fives, *twos, *range(900, 1100)})
    client = connect(clickhouse_store.address)
    listed = ", ".join(str(value) for value in values)
    rows = client.execute(
        f"SELECT v, {rounded} "
        f"FROM (SELECT v, {power} AS p FROM (SELECT arrayJoin([{listed}]) AS v))"
    )
    client.disconnect()
    assert dict(rows) == {value: bucket(value) for value in values}


@pytest.mark.parametrize("completed_first", [False, True])
@pytest.mark.parametrize("counted_between", [False, True])
def test_a_copy_in_progress_with_another_start_is_not_counted_beside_its_completion(
    clickhouse_store: ClickHouseStore, completed_first: bool, counted_between: bool
) -> None:
    """The node and the call are in the minute of the completion alone, in any order of arrival."""
    moved = T0 + 70_000_000

    def copy(start: int, state: State, version: int) -> Document:
        inner = call(2, start=start, end=start + 5, state=state)
        times: dict[str, Any] = {"start": start, "end": start + 10, "version": version}
        return segment(1, state=state, calls=(inner,), **times)

    copies = [copy(moved, State.IN_PROGRESS, T0 + 1), copy(T0, State.OK, T0 + 2)]
    memory = MemoryStore()
    for number, document in enumerate(reversed(copies) if completed_first else copies):
        for store in (memory, clickhouse_store):
            store.put([document], f"copy-{number}")
        if counted_between:
            clickhouse_store.service_graph(ALL)
    for window in (ALL, TimeRange(T0, T0 + MINUTE), TimeRange(T0 + MINUTE, T0 + 2 * MINUTE)):
        expected = memory.service_graph(window)
        assert plain(clickhouse_store.service_graph(window)) == plain(expected)
