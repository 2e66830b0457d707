"""What arrives apart from what it belongs to, and a little later: the event of a function, the record of a gateway."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from store.filters.parse import parse
from store.grouped_graph import graph_of_grouped
from store.model import (
    BACKGROUND_KINDS,
    JOIN_SLOTS,
    SETTLE_SLOT,
    Document,
    Fetched,
    Http,
    Kind,
    Link,
    NodeKey,
    State,
    derived_version,
    relayed_version,
)
from store.protocol import Store
from store.query import Entities, TraceQuery, UnitQuery
from store.rules.brokers import AWS_BROKERS, MESSAGING
from store.rules.dimensions import Dimension
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import CLIENT as ENTERING
from tests.store.contract.nodes import FRONTEND, HOUR
from tests.store.contract.series import edge_series

SERVICE = NodeKey("", "clickstream", "AWS::Lambda")
CLIENT = NodeKey("", "clickstream", "client")
STREAM = NodeKey("", "clicks", "AWS::Kinesis::Stream")
ARRIVED = T0 + 40 * SECOND
PAIR = (CLIENT, SERVICE)
BUS = NodeKey("", "Events", "AWS::Events")
AUDIT = NodeKey("", "audit", "")
LATEST = ARRIVED + (JOIN_SLOTS + 1) * SETTLE_SLOT
"""From then on nothing is awaited of what arrived at ``ARRIVED``."""


def sender(number: int, node: NodeKey = BUS) -> Document:
    """A request that made a call."""
    calls = (call(0xC1, node=node),)
    return segment(0xA1, trace_id=trace_id(number), calls=calls, version=ARRIVED)


def invoked(number: int, **change: Any) -> Document:
    """Lambda's own segment below that call."""
    given: dict[str, Any] = {"node": SERVICE, "version": ARRIVED}
    return segment(0xB1, trace_id=trace_id(number), parent_id=0xC1, **{**given, **change})


def for_event(number: int, **change: Any) -> Document:
    """The same, with what its event came from."""
    event = {"kind": Kind.CONSUMER, "before": BUS, "fetched": Fetched.MESSAGES}
    return invoked(number, **{**event, "version": ARRIVED + SECOND, **change})


def subscriber(number: int) -> Document:
    """What got the message of that call in a trace of its own."""
    link = Link(trace_id(number), 0xC1)
    return segment(
        0xD1, trace_id=trace_id(100 + number), node=AUDIT, links=(link,), version=ARRIVED
    )


class EventContract:
    """Every store passes every test."""

    @pytest.mark.parametrize("version", [ARRIVED, relayed_version(ARRIVED)])
    def test_a_function_without_a_caller_awaits_its_event(self, store: Store, version: int) -> None:
        """Lambda's own segment does not say that a stream invoked it. What does arrives apart, about as soon."""
        store.put([segment(0xA1, node=SERVICE, version=version)], "a")
        for settled, count in (
            (ARRIVED, 0),
            (ARRIVED + JOIN_SLOTS * SETTLE_SLOT, 0),
            (ARRIVED + (JOIN_SLOTS + 1) * SETTLE_SLOT, 1),
            (None, 1),
        ):
            graph = store.service_graph(HOUR, settled_before=settled)
            drawn = graph.edges[PAIR].statistics.total if PAIR in graph.edges else 0
            series = edge_series(store, [PAIR], HOUR, MINUTE, settled_before=settled)
            assert drawn == sum(each.statistics.total for each in series) == count
            assert graph.services[SERVICE].statistics.total == 1
            assert graph.services[SERVICE].root is (count == 1)
        known = segment(0xA1, node=SERVICE, before=STREAM, version=version + SECOND)
        store.put([known], "b")
        for settled in (T0, None):
            graph = store.service_graph(HOUR, settled_before=settled)
            assert not graph.edges
            assert graph.links.keys() == {(STREAM, SERVICE)}

    def test_a_root_is_as_young_as_its_arrival(self, store: Store) -> None:
        """It may have taken long, or be delivered late: what it waits for does so, too."""
        late, later = T0 + 10 * MINUTE, T0 + 10 * MINUTE + JOIN_SLOTS * SETTLE_SLOT
        store.put([segment(0xA1, parent_id=0xC1, version=late)], "a")
        link = Link(trace_id(9), 0xC1)
        store.put([segment(0xA2, trace_id=trace_id(2), links=(link,), version=late)], "b")
        joined = {"node": SERVICE, "version": derived_version(late, 20)}
        store.put([segment(0xA3, trace_id=trace_id(3), parent_id=0xC1, **joined)], "c")
        store.put([segment(0xA4, trace_id=trace_id(4), links=(link,), **joined)], "d")
        for settled, count in (
            (late, 0),
            (late + SETTLE_SLOT, 2),
            (later, 2),
            (later + SETTLE_SLOT, 4),
        ):
            edges = store.service_graph(HOUR, settled_before=settled).edges
            assert sum(each.statistics.total for each in edges.values()) == count

    def test_other_roots_have_their_clients_at_once(self, store: Store) -> None:
        """What was derived of a record has been joined to its trace; the event of a function is its service's."""
        function = NodeKey("", "clickstream", "AWS::Lambda::Function")
        gateway = NodeKey("", "shop/prod", "AWS::ApiGateway::Stage")
        derived = derived_version(ARRIVED, 20)
        store.put(
            [
                segment(0xA1, node=SERVICE, version=derived),
                segment(0xA2, trace_id=trace_id(2), node=function, version=ARRIVED),
                segment(0xA3, trace_id=trace_id(3), node=gateway, version=ARRIVED),
            ],
            "a",
        )
        edges = store.service_graph(HOUR, settled_before=T0).edges
        assert {target for _, target in edges} == {SERVICE, function, gateway}

    def test_one_in_progress_awaits_its_event(self, store: Store) -> None:
        http = Http(user_agent="x")
        store.put(
            [segment(0xA1, node=SERVICE, http=http, state=State.IN_PROGRESS, version=ARRIVED)], "a"
        )
        assert not store.service_graph(HOUR, settled_before=ARRIVED).edges
        assert PAIR in store.service_graph(HOUR, settled_before=ARRIVED + MINUTE).edges

    @pytest.mark.parametrize("kind", BACKGROUND_KINDS)
    def test_work_that_serves_no_request_awaits_no_event(self, store: Store, kind: Kind) -> None:
        """It has no client to hold back: map, lists and filters call it background work at once. (AWS's own segments
        have no kind.)"""
        store.put([segment(0xA1, node=SERVICE, kind=kind, version=ARRIVED)], "a")
        for settled in (T0, None):
            graph = store.service_graph(HOUR, settled_before=settled)
            assert graph.services.keys() == {SERVICE}
            assert graph.services[SERVICE].is_background
        for background, count in ((True, 1), (False, 0)):
            query = UnitQuery(HOUR, nodes=frozenset([SERVICE]), background=background)
            assert len(store.find_units(query, limit=9).found) == count
        filter = TraceQuery(HOUR, filter=parse("background"))
        assert len(store.find_traces(filter, limit=9).found) == 1
        assert store.operation_statistics([SERVICE], HOUR) == {}

    def test_a_function_below_a_broker_awaits_its_event(self, store: Store) -> None:
        """No call of a function is drawn that proves to be a message, whatever comes first; in the end the map is exact."""
        orders = list(itertools.permutations(range(3)))
        for number, order in enumerate(orders, 1):
            made = sender(number), invoked(number), for_event(number)
            for place in order:
                store.put([made[place]], f"{number} {place}")
                for early in (T0, ARRIVED):
                    graph = store.service_graph(HOUR, settled_before=early)
                    assert (FRONTEND, SERVICE) not in graph.edges, (order, place)
        for settled in (T0, LATEST, None):
            graph = store.service_graph(HOUR, settled_before=settled)
            assert graph.edges.keys() == {(ENTERING, FRONTEND), (FRONTEND, BUS)}
            assert graph.links.keys() == {(BUS, SERVICE)}
            sent, received = graph.edges[FRONTEND, BUS], graph.links[BUS, SERVICE]
            assert sent.statistics.total == received.statistics.total == len(orders)
            assert graph.services[BUS].statistics.total == len(orders)

    def test_one_without_an_event_is_called_in_the_end(self, store: Store) -> None:
        """Nothing is lost: its layer may see no events. Map, series and lists change at once."""
        pair = (FRONTEND, SERVICE)
        store.put([sender(1), invoked(1)], "a")
        for settled, count in ((T0, 0), (LATEST - 1, 0), (LATEST, 1), (None, 1)):
            graph = store.service_graph(HOUR, settled_before=settled)
            edges = {(ENTERING, FRONTEND), *([pair] if count else [])}
            assert graph.edges.keys() == edges
            assert graph.services.keys() == {ENTERING, FRONTEND, SERVICE}
            query = UnitQuery(HOUR, edges=frozenset([pair]), settled_before=settled)
            assert len(store.find_units(query, limit=9).found) == count
            listed = store.entity_series(
                Entities(edges=frozenset([pair])), HOUR, MINUTE, settled_before=settled
            )
            assert sum(each.statistics.total for each in listed) == count
            units = store.grouped_units(HOUR, Dimension.STATUS)
            assert len(graph_of_grouped(units, settled).edges) == len(edges)
        match = parse('edge("frontend", "clickstream")')
        assert len(store.find_traces(TraceQuery(HOUR, filter=match), limit=9).found) == 1

    def test_whatever_the_broker(self, store: Store) -> None:
        brokers = (*AWS_BROKERS, f"{MESSAGING}Kafka")
        for number, type in enumerate(brokers, 1):
            store.put([sender(number, NodeKey("", "b", type)), invoked(number)], type)
        assert (FRONTEND, SERVICE) not in store.service_graph(HOUR, settled_before=T0).edges
        edge = store.service_graph(HOUR, settled_before=LATEST).edges[FRONTEND, SERVICE]
        assert edge.statistics.total == len(brokers)

    @pytest.mark.parametrize(
        ("node", "change"),
        [
            (NodeKey("", "clickstream", "AWS::Lambda"), {}),
            (NodeKey("", "stage.example.com", "remote"), {}),
            (BUS, {"node": NodeKey("", "topic", "AWS::SNS")}),
            (BUS, {"version": derived_version(ARRIVED, 20)}),
        ],
    )
    def test_other_answers_are_drawn_at_once(
        self, store: Store, node: NodeKey, change: dict[str, Any]
    ) -> None:
        """A function that was called, and what no event will be known of."""
        store.put([sender(1, node), invoked(1, **change)], "a")
        answer = invoked(1, **change).node
        assert (FRONTEND, answer) in store.service_graph(HOUR, settled_before=T0).edges

    def test_a_link_to_what_a_function_awaits_leads_to_the_broker(self, store: Store) -> None:
        """A message to several consumers did not come from one of them, whatever arrives first."""
        orders = list(itertools.permutations(range(4)))
        for step in range(4):
            for number, order in enumerate(orders, 1):
                made = sender(number), invoked(number), for_event(number), subscriber(number)
                store.put([made[order[step]]], f"{number} {step}")
            for settled in (T0, LATEST, None):
                graph = store.service_graph(HOUR, settled_before=settled)
                assert graph.links.keys() <= {(BUS, SERVICE), (BUS, AUDIT)}
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(ENTERING, FRONTEND), (FRONTEND, BUS)}
        for consumer in (SERVICE, AUDIT):
            assert graph.links[BUS, consumer].statistics.total == len(orders)

    @pytest.mark.parametrize(
        ("node", "version"),
        [
            (NodeKey("", "stage.example.com", "remote"), ARRIVED),
            (BUS, derived_version(ARRIVED, 20)),
        ],
    )
    def test_a_link_to_what_a_function_answers_leads_to_that(
        self, store: Store, node: NodeKey, version: int
    ) -> None:
        """It was called, or no event will be known of it."""
        store.put([sender(1, node), invoked(1, version=version), subscriber(1)], "a")
        assert store.service_graph(HOUR).links.keys() == {(SERVICE, AUDIT)}

    def test_a_host_awaits_what_answers_under_its_name(self, store: Store) -> None:
        """A gateway's own record comes later than the segment that called it by its host. What answered such calls
        before will answer these; one that it does not answer is drawn in the end."""
        stage = NodeKey("", "shop/prod", "AWS::ApiGateway::Stage")
        api = NodeKey("", "api.example.com", "remote")
        later = T0 + 30 * SECOND

        def calls(number: int, start: int, answered: bool) -> None:
            own = trace_id(number)
            made = call(0xC1, node=api, host=api.name, start=start, end=start + 9)
            found = [segment(0xA1, trace_id=own, start=start, end=start + 9, calls=(made,))]
            if answered:
                found.append(
                    segment(
                        0xB1, trace_id=own, parent_id=0xC1, node=stage, start=start, end=start + 9
                    )
                )
            store.put(found, f"{number} {answered}")

        calls(1, later, False)
        assert api in store.service_graph(HOUR, settled_before=T0).services, "nothing known better"
        calls(2, T0, True)
        other = NodeKey("", "other.example.com", "remote")
        store.put(
            [segment(0xA1, trace_id=trace_id(3), start=later, end=later + 9,
                     calls=(call(node=other, host=other.name, start=later, end=later + 9),))],
            "3",
        )  # fmt: skip
        for settled, count in ((later, 0), (later + SETTLE_SLOT, 1), (None, 1)):
            graph = store.service_graph(HOUR, settled_before=settled)
            pairs = {(FRONTEND, stage), (FRONTEND, other), (ENTERING, FRONTEND)}
            assert graph.edges.keys() - {(FRONTEND, api)} == pairs
            drawn = (FRONTEND, api) in graph.edges, api in graph.services
            assert drawn == (count == 1, count == 1)
            units = store.grouped_units(HOUR, Dimension.STATUS)
            names = {key.name for key in graph_of_grouped(units, settled).services}
            assert names == {key.name for key in graph.services}
        calls(1, later, True)
        graph = store.service_graph(HOUR)
        assert graph.edges[FRONTEND, stage].statistics.total == 2
        assert api not in graph.services
