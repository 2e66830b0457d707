"""Counters of edges: each minute once, what comes late as well, and never less."""

from __future__ import annotations

import pytest

from raymap.contrib.openmetrics import totals as totals_module
from raymap.contrib.openmetrics.numbers import BOUNDS, Pair, edges_of
from raymap.contrib.openmetrics.totals import OTHERS, Totals
from store.errors import StoreUnavailable
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics
from store.memory import MemoryStore
from store.model import NodeKey, State, TimeRange
from store.rules.histogram import bucket
from store.times import MINUTE, SECOND
from tests.api.shop import FRONT, TABLE, shop
from tests.builders import T0, call, segment, trace_id

STOCK = Pair("front", "stock", "", client_type=FRONT.type)
ORDERS = Pair("front", "orders", "database", client_type=FRONT.type, server_type=TABLE.type)
ENTRY = Pair("user", "front", "virtual_node", server_type=FRONT.type)
SETTLED = T0 + 3 * MINUTE
"""When the minute of the shop's traces has settled."""


def reading(store: MemoryStore) -> Totals:
    """Of a process that started with the shop's first trace."""
    return Totals(store.service_graph, T0)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.put(shop(), "shop")
    return store


def order(number: int, at: int, state: State = State.OK) -> object:
    made = call(number + 1, start=at, end=at + 20_000, state=state, node=TABLE, host="")
    return segment(
        number, name=FRONT.name, type=FRONT.type, trace_id=trace_id(number), start=at,
        end=at + 30_000, calls=(made,), state=state,
    )  # fmt: skip


def test_a_minute_is_added_once_when_it_has_settled(store: MemoryStore) -> None:
    totals = reading(store)
    assert totals.update(SETTLED - 1) == ({}, {}, {})
    first = totals.update(SETTLED)
    function = "AWS::Lambda::Function"
    lambda_pair = Pair("resize", "resize", "", client_type="AWS::Lambda", server_type=function)
    counts = {pair: numbers.requests for pair, numbers in first.calls.items()}
    assert counts == {STOCK: 6, ORDERS: 6, lambda_pair: 1}
    entries = first.entries[ENTRY]
    assert (entries.requests, entries.failed, entries.states) == (6, 3, (3, 1, 1, 1))
    assert entries.spent == 6 * 100_000
    for later in (1, 5 * MINUTE, 15 * MINUTE, 3 * 60 * MINUTE):
        assert totals.update(SETTLED + later) == first


def test_the_counters_are_the_graphs_numbers(store: MemoryStore) -> None:
    """Of every edge, over several minutes."""
    store.put([order(1000 + n, T0 + n * 40 * SECOND) for n in range(9)], "more")  # type: ignore[misc]
    totals = reading(store)
    for minute in range(12):
        edges = totals.update(T0 + minute * MINUTE + 7)
    assert edges == edges_of(store.service_graph(TimeRange(T0, T0 + 10 * MINUTE)))


def test_what_comes_late_is_added_and_nothing_is_subtracted(store: MemoryStore) -> None:
    totals = reading(store)
    assert totals.update(SETTLED).calls[ORDERS].requests == 6
    store.put([order(1000, T0)], "late")  # type: ignore[list-item]
    assert totals.update(SETTLED + MINUTE).calls[ORDERS].requests == 6
    late = totals.update(T0 + 6 * MINUTE)
    assert late.calls[ORDERS].requests == 7
    assert sum(late.calls[ORDERS].times) == 7
    # The call turns out to have failed: another copy of its document wins.
    store.put([order(1000, T0, State.FAULT)], "replaced")  # type: ignore[list-item]
    replaced = totals.update(T0 + 16 * MINUTE).calls[ORDERS]
    assert (replaced.requests, replaced.failed, replaced.states) == (7, 1, (7, 0, 0, 1))
    empty = MemoryStore()
    totals._read = empty.service_graph
    assert totals.update(T0 + 61 * MINUTE).calls[ORDERS] == replaced
    assert totals._recent.keys().isdisjoint({T0 // MINUTE})


def test_minutes_that_were_not_scraped_are_added_at_once(store: MemoryStore) -> None:
    windows: list[TimeRange] = []

    def read(window: TimeRange) -> ServiceGraph:
        windows.append(window)
        return store.service_graph(window)

    totals = Totals(read, T0)
    edges = totals.update(T0 + 300 * MINUTE)
    assert edges.calls[ORDERS].requests == 6
    whole = windows[0]
    assert (whole.start, whole.end) == (T0 - 2 * MINUTE, T0 + 240 * MINUTE)
    assert len(windows) <= 1 + 2 * 60
    assert totals.update(T0 + 300 * MINUTE) == edges


def test_counters_start_with_the_process(store: MemoryStore) -> None:
    """Minutes that settled before are in none; the first to settle afterwards is."""
    assert Totals(store.service_graph, SETTLED).update(SETTLED + MINUTE) == ({}, {}, {})
    begun = Totals(store.service_graph, SETTLED - 1)
    assert begun.update(SETTLED).calls[ORDERS].requests == 6


def test_an_unavailable_store_loses_nothing(store: MemoryStore) -> None:
    store.put([order(1000, T0 + MINUTE)], "next")  # type: ignore[list-item]
    fails = [False]

    def read(window: TimeRange) -> ServiceGraph:
        if fails[0] and window.start > T0:
            raise StoreUnavailable("gone")
        return store.service_graph(window)

    totals = Totals(read, T0)
    fails[0] = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            totals.update(SETTLED + MINUTE)
    fails[0] = False
    assert totals.update(SETTLED + MINUTE).calls[ORDERS].requests == 7


def graph(*pairs: tuple[str, str]) -> ServiceGraph:
    """Edges of one request of 7 ms each."""
    nodes = {name: NodeKey("", name, "") for pair in pairs for name in pair}
    services = {key: ServiceStats(key, frozenset(), True, False, T0, T0) for key in nodes.values()}
    edges = {}
    for source, target in pairs:
        ends = nodes[source], nodes[target]
        statistics = Statistics(ok=1, total_time=7000, histogram={7000: 1}, observed=1)
        edges[ends] = EdgeStats(*ends, frozenset(), T0, T0, statistics)
    return ServiceGraph(services, edges)


def test_pairs_beyond_the_limit_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """And stay so: no series falls because another one appears."""
    monkeypatch.setattr(totals_module, "MOST_PAIRS", 3)
    pairs = [("a", "b"), ("a", "c"), ("a", "d"), ("a", "e"), ("a", "f")]
    graphs = {T0 // MINUTE: graph(*pairs[2:]), T0 // MINUTE + 1: graph(*pairs)}
    totals = Totals(lambda window: graphs.get(window.start // MINUTE, graph()), T0)
    first = totals.update(SETTLED).calls
    assert {pair.server: numbers.requests for pair, numbers in first.items()} == {"d": 1, "e": 1, "f": 1}  # fmt: skip
    second = totals.update(SETTLED + MINUTE).calls
    assert {pair.server: numbers.requests for pair, numbers in second.items()} == {
        "d": 2, "e": 2, "f": 2, OTHERS.server: 2,
    }  # fmt: skip
    assert totals.update(T0 + 30 * MINUTE).calls == second


def test_times_fall_into_the_buckets_of_their_bounds() -> None:
    """A bound includes times equal to it."""
    for number, bound in enumerate(BOUNDS):
        micros = round(bound * SECOND)
        for time, expected in ((micros, number), (micros + micros // 20, number + 1)):
            made = graph(("a", "b"))
            (edge,) = made.edges.values()
            edge.statistics.histogram = {bucket(time): 5}
            (numbers,) = edges_of(made).calls.values()
            assert numbers.times[expected] == 5, (bound, time)
