"""The units of a node or an edge: their traces, series and failures."""

from __future__ import annotations

from msgspec.structs import replace

from store.model import (
    Document,
    Link,
    State,
    TimeRange,
)
from store.protocol import Store
from store.query import Failure, UnitQuery, failures_by_frequency
from store.times import MINUTE, SECOND
from tests.builders import T0, call, http, segment, trace_id
from tests.store.contract.failures import edge_failures, node_failures
from tests.store.contract.nodes import BACKEND, CLIENT, FRONTEND, HOUR, failing_calls
from tests.store.contract.series import edge_series


def _linked_traces() -> list[Document]:
    """A call answered by a segment of another name, and an event that another trace received."""
    sent, received = trace_id(11), trace_id(12)
    at = T0 + 3 * SECOND
    return [
        segment(
            0x1A,
            trace_id=sent,
            start=at,
            end=at + 900,
            calls=(call(0x1C, start=at + 1, end=at + 9),),
        ),
        segment(0x1B, trace_id=sent, name="queue", parent_id=0x1C, start=at + 2, end=at + 8),
        segment(
            0x1D,
            trace_id=received,
            name="worker",
            start=at + SECOND,
            end=at + 2 * SECOND,
            state=State.FAULT,
            links=(Link(sent, 0x1B),),
        ),
    ]


def _units(store: Store, query: UnitQuery) -> int:
    return sum(each.units for each in store.find_units(query, limit=100).found)


class UnitContract:
    """Every store passes every test."""

    def test_units_of_a_node_lead_to_their_traces(self, store: Store) -> None:
        """By when they started and how they ended, whenever and however the trace itself did."""
        store.put(failing_calls(), "a")
        late = TimeRange(T0 + MINUTE, HOUR.end)
        at_backend = UnitQuery(HOUR, nodes=frozenset((BACKEND,)))
        every = store.find_units(at_backend, limit=10)
        assert [(each.trace_id, each.units) for each in every.found] == [
            (trace_id(3), 1),
            (trace_id(2), 1),
            (trace_id(1), 3),
        ]
        assert every.cursor is None
        assert every.found[-1].state is State.FAULT
        faults = replace(at_backend, states=frozenset((State.FAULT,)))
        assert [each.units for each in store.find_units(faults, limit=10).found] == [1, 2]
        assert store.find_units(replace(faults, window=late), limit=10).found == every.found[:1]
        timeouts = replace(faults, label="Timeout")
        assert store.find_units(timeouts, limit=10).found[0][::2] == (trace_id(1), 1)
        assert store.find_units(replace(timeouts, label="Time"), limit=10).found == []

    def test_units_of_an_edge_lead_to_their_traces(self, store: Store) -> None:
        """The caller's view; of a client, the entries."""
        store.put(failing_calls(), "a")
        edge = UnitQuery(HOUR, edges=frozenset(((FRONTEND, BACKEND),)))
        assert [each.units for each in store.find_units(edge, limit=10).found] == [1, 1, 3]
        entry = UnitQuery(HOUR, edges=frozenset(((CLIENT, FRONTEND),)))
        assert [each.units for each in store.find_units(entry, limit=10).found] == [1, 1, 1]
        faults = replace(entry, states=frozenset((State.FAULT,)))
        assert store.find_units(faults, limit=10).found == []

    def test_units_come_in_pages(self, store: Store) -> None:
        """Each trace once, the latest first."""
        store.put(failing_calls(), "a")
        query = UnitQuery(HOUR, nodes=frozenset((BACKEND,)))
        found, cursor = [], None
        for _ in range(3):
            page = store.find_units(query, limit=1, cursor=cursor)
            found += [each.trace_id for each in page.found]
            cursor = page.cursor
        assert (found, cursor) == ([trace_id(3), trace_id(2), trace_id(1)], None)

    def test_units_found_are_those_that_the_map_counts(self, store: Store) -> None:
        """Of every node and edge, by state and by label; links and answered calls included."""
        store.put([*failing_calls(), *_linked_traces()], "a")
        graph = store.service_graph(HOUR)
        places = [
            (
                UnitQuery(HOUR, nodes=frozenset((k,))),
                failures_by_frequency(each.failures),
                each.statistics,
            )
            for k, each in graph.services.items()
            if not k.is_client
        ]
        places += [
            (
                UnitQuery(HOUR, edges=frozenset((k,))),
                failures_by_frequency(edge.failures),
                edge.statistics,
            )
            for k, edge in {**graph.edges, **graph.links}.items()
        ]
        assert len(places) >= 6
        for query, failures, statistics in places:
            assert _units(store, query) == statistics.total + statistics.in_progress
            for state, name in ((State.OK, "ok"), (State.FAULT, "fault"), (State.ERROR, "error")):
                of_state = replace(query, states=frozenset((state,)))
                assert _units(store, of_state) == getattr(statistics, name)
            for failure in failures:
                same = replace(query, states=frozenset((failure.state,)), label=failure.label)
                assert _units(store, same) == failure.count

    def test_series_and_failures(self, store: Store) -> None:
        faulty = call(0xC1, state=State.FAULT, status=503)
        thrown = call(
            0xC2, state=State.ERROR, exception="KeyError", start=T0 + MINUTE, end=T0 + MINUTE + 5
        )
        store.put(
            [
                segment(0xA1, calls=(faulty,), http=http(500), state=State.FAULT),
                segment(0xA2, calls=(thrown,), start=T0 + MINUTE, end=T0 + MINUTE + 50),
                segment(0xA3, trace_id=trace_id(2)),
            ],
            "a",
        )
        series = store.node_series([FRONTEND], HOUR, MINUTE)
        assert [(s.start, s.statistics.ok, s.statistics.fault) for s in series] == [
            (T0, 1, 1),
            (T0 + MINUTE, 1, 0),
        ]
        assert node_failures(store, FRONTEND) == [Failure("HTTP 500", State.FAULT, 1)]
        edges = edge_series(store, [(FRONTEND, BACKEND)], HOUR, MINUTE)
        assert [(s.start, s.statistics.total) for s in edges] == [(T0, 1), (T0 + MINUTE, 1)]
        assert edge_failures(store, FRONTEND, BACKEND) == [
            Failure("HTTP 503", State.FAULT, 1),
            Failure("KeyError", State.ERROR, 1),
        ]
        assert node_failures(store, BACKEND) == edge_failures(store, FRONTEND, BACKEND)
