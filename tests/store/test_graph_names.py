"""Nodes under names in excess over a window: one node per account, type and region, exact sums."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from store.graph import ServiceGraph
from store.graph_names import name_problems
from store.model import Document, NodeKey, State
from store.rules import other_names
from store.rules.other_names import OTHER_NAMES
from store.service_graph import build_service_graph
from store.times import MINUTE
from tests.builders import FRONTEND, T0, call, segment, trace_id, trace_of

OTHER = NodeKey("", OTHER_NAMES, "remote")
CLIENT = NodeKey("", "frontend", "client")


def host(number: int) -> NodeKey:
    return NodeKey("", f"host-{number}", "remote")


def graph_of(*documents: Document) -> ServiceGraph:
    return build_service_graph([trace_of(document) for document in documents])


def problems_of(graph: ServiceGraph) -> list[str]:
    return name_problems(graph.services.values(), graph.edges.values())


def every_minute(hosts: Iterable[int]) -> list[Document]:
    """A root per minute, which calls a host of another name each time: no minute has many names."""
    return [
        segment(
            0xA0 + i,
            trace_id=trace_id(i),
            start=T0 + i * MINUTE,
            end=T0 + i * MINUTE + 100_000,
            calls=(
                call(
                    0xC0 + i,
                    node=host(i),
                    start=T0 + i * MINUTE,
                    end=T0 + i * MINUTE + 1_000,
                    state=State.FAULT if i % 2 else State.OK,
                ),
            ),
        )
        for i in hosts
    ]


@pytest.fixture(autouse=True)
def few_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_names, "MOST_NAMES_OF_WINDOW", 3)


def test_a_window_with_room_is_left_alone() -> None:
    graph = graph_of(*every_minute(range(2)))
    assert set(graph.services) == {CLIENT, FRONTEND, host(0), host(1)}
    assert not any(stats.folded for stats in graph.services.values())


def test_names_that_change_every_minute_are_one_node_of_a_long_window() -> None:
    graph = graph_of(*every_minute(range(6)))
    assert set(graph.services) == {CLIENT, FRONTEND, OTHER}
    stats, edge = graph.services[OTHER], graph.edges[FRONTEND, OTHER]
    for counted in (stats.statistics, edge.statistics):
        assert (counted.ok, counted.fault, counted.observed) == (3, 3, 6)
        assert (counted.total_time, counted.histogram) == (6_000, {1_000: 6})
    assert stats.folded == 6
    assert stats.names == {OTHER_NAMES, "host-0"}, "one of them as an example"
    assert (stats.start, stats.end) == (T0, T0 + 5 * MINUTE + 1_000)
    assert (stats.trace_minutes, stats.durations, stats.active) == (6, {1_000: 6}, False)
    assert edge.aliases == frozenset()
    assert graph.edges.keys() == {(CLIENT, FRONTEND), (FRONTEND, OTHER)}


def test_the_most_frequent_names_remain() -> None:
    busy = [
        segment(
            0xB0 + i,
            trace_id=trace_id(100 + i),
            calls=(call(0xD0 + i, node=NodeKey("", "backend", "remote")),),
        )
        for i in range(3)
    ]
    graph = graph_of(*every_minute(range(6)), *busy)
    assert set(graph.services) == {CLIENT, FRONTEND, NodeKey("", "backend", "remote"), OTHER}
    assert graph.edges[FRONTEND, NodeKey("", "backend", "remote")].aliases


def test_roots_under_such_names_take_their_clients_along() -> None:
    made_up = [
        segment(0xA0 + i, trace_id=trace_id(i), name=f"GET /users/{i}", start=T0 + i * MINUTE)
        for i in range(5)
    ]
    graph = graph_of(*made_up)
    other, client = NodeKey("", OTHER_NAMES, ""), NodeKey("", OTHER_NAMES, "client")
    assert set(graph.services) == {other, client}
    assert graph.edges[client, other].statistics.observed == 5
    assert graph.services[other].root


def test_another_account_is_left_alone() -> None:
    elsewhere = NodeKey("210987654321", "queue", "AWS::SQS::Queue")
    root = segment(0xB1, trace_id=trace_id(99), calls=(call(0xD1, node=elsewhere),))
    graph = graph_of(*every_minute(range(6)), root)
    assert graph.edges[FRONTEND, elsewhere].statistics.ok == 1


def test_the_banner_names_the_service_and_the_limit_of_the_window() -> None:
    (problem,) = problems_of(graph_of(*every_minute(range(6))))
    assert problem.startswith("frontend calls nodes under more than 10,000 names; the rarest are")


def test_who_makes_up_names_is_named() -> None:
    """The busiest caller; without one, what reports itself under such names."""
    other = NodeKey("", OTHER_NAMES, "remote")
    calls = [call(0xC0, node=other), call(0xC1, node=other)]
    front = segment(0xA1, name="shop", calls=tuple(calls))
    quiet = segment(0xA2, trace_id=trace_id(2), name="cron", calls=(call(0xC3, node=other),))
    alone = segment(0xA3, trace_id=trace_id(3), name=OTHER_NAMES)
    traces = [trace_of(document) for document in (front, quiet, alone)]
    problems = problems_of(build_service_graph(traces))
    rest = (
        "under more than 5,000 names a minute; the rarest are counted together as (other names): "
        "leave ids out of the names"
    )
    assert sorted(problems) == [f"segments come {rest}", f"shop calls nodes {rest}"]
