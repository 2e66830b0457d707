"""Each node and edge of a graph carries its ratios as numbers."""

from __future__ import annotations

import pytest

from api.graph.build import build_graph
from api.graph.passes import prune
from store.memory import MemoryStore
from store.model import NodeKey, State, TimeRange
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

WINDOW = TimeRange(T0, T0 + 2 * MINUTE)
API, TABLE = NodeKey("", "api", ""), NodeKey("", "orders", "AWS::DynamoDB::Table")
STATES = [State.OK] * 5 + [State.ERROR] * 2 + [State.THROTTLE] * 2 + [State.FAULT]


@pytest.fixture
def store() -> MemoryStore:
    """Ten traces; each request takes 40 ms, and its call, which ends as it does, 10 ms."""
    store = MemoryStore()
    for number, state in enumerate(STATES, 1):
        at = T0 + number * SECOND
        made = call(0xC0 + number, start=at, end=at + 10_000, state=state, node=TABLE, host="")
        of = {"trace_id": trace_id(number, epoch=at // SECOND), "start": at, "end": at + 40_000}
        request = segment(number, name="api", state=state, calls=(made,), **of)
        store.put([request], str(number))
    return store


RATIOS = {"ok_ratio": 0.5, "error_ratio": 0.2, "throttle_ratio": 0.2, "fault_ratio": 0.1}


def test_nodes_and_edges_carry_their_ratios(store: MemoryStore) -> None:
    graph = prune(build_graph(store.service_graph(WINDOW), WINDOW))
    node = dict(graph.nodes[API])
    edge = dict(graph.edges[API, TABLE])
    del node["stats"], edge["stats"]
    assert node == {**RATIOS, "average_ms": 40.0, "traces_per_min": 5.0}
    assert edge == {**RATIOS, "average_ms": 10.0, "traces_per_min": 5.0}


def test_what_nothing_finished_has_no_ratios(store: MemoryStore) -> None:
    graph = build_graph(store.service_graph(WINDOW), WINDOW)
    client = graph.nodes[NodeKey("", "api", "client")]
    assert (client["ok_ratio"], client["average_ms"]) == (None, None)


def test_without_a_window_there_is_no_rate(store: MemoryStore) -> None:
    node = build_graph(store.service_graph(WINDOW)).nodes[API]
    assert (node["traces_per_min"], node["fault_ratio"]) == (None, 0.1)
