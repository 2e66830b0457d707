"""Counting units; the contract (contract/) tests whole graphs through every store."""

from __future__ import annotations

import pytest

from store.graph import EdgeStats, ServiceStats, Statistics
from store.model import NodeKey, State, TimeRange
from store.service_graph import add_missing_endpoints, build_service_graph, count
from tests.builders import FRONTEND, T0, call, segment, trace_of


@pytest.mark.parametrize("state", list(State))
def test_every_unit_counts_in_one_state(state: State) -> None:
    statistics = Statistics(histogram={})
    count(statistics, state, 1_234, 3)
    fields = {s: getattr(statistics, s.name.lower()) for s in State}
    assert fields == {s: 3 if s is state else 0 for s in State}
    assert statistics.observed == 1
    complete = state is not State.IN_PROGRESS
    assert statistics.total == (3 if complete else 0)
    assert statistics.total_time == (3 * 1_234 if complete else 0)
    assert statistics.histogram == ({1_250: 3} if complete else {})


def test_unweighted_graphs_count_each_unit_once() -> None:
    trace = trace_of(segment(0xA1, weight=8, calls=(call(0xC1, weight=8),)))
    weighted, plain = build_service_graph([trace]), build_service_graph([trace], weighted=False)
    assert weighted.services[FRONTEND].statistics.ok == 8
    assert plain.services[FRONTEND].statistics.ok == 1
    assert plain.services[FRONTEND].trace_minutes == 1


def test_only_units_that_start_in_the_window_count() -> None:
    trace = trace_of(segment(0xA1, calls=(call(0xC1),)))
    graph = build_service_graph([trace], TimeRange(T0 + 1, T0 + 2_000))
    assert graph.services.keys() == {FRONTEND, call().node}
    assert graph.services[FRONTEND].statistics.total == 0


def test_every_end_of_an_edge_is_a_service() -> None:
    source, target = NodeKey("", "a", ""), NodeKey("", "b", "")
    edge = EdgeStats(source, target, frozenset(), T0, T0 + 9, Statistics())
    services: dict[NodeKey, ServiceStats] = {}
    add_missing_endpoints(services, [edge])
    assert services.keys() == {source, target}
