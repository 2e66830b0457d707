"""Calls that are one (`store.layers`), and what is said of them: maps, lists, filters, versions and root causes agree."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from store.filters.ast import Bare, EdgeMatch, Expression, Field, Not, Selector, ServiceMatch
from store.filters.conditions import calls_along, touches
from store.model import NO_NODE, Document, Http, Independent, Kind, Link, NodeKey, State
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from store.root_causes import root_causes
from store.summary import summarize
from store.trace_documents import processed_documents
from store.version_edges import calls_by_version
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import HOUR

SHOP, PAY = NodeKey("", "shop", ""), NodeKey("", "pay", "")
HOST, STRIPE = (NodeKey("", name, "remote") for name in ("payhost", "stripe"))
MODEL, TOPIC = NodeKey("", "model", "GenAI::Model"), NodeKey("", "top", "Messaging::Kafka")
ORDERS, VAGUE = (NodeKey("", name, "Database::SQL") for name in ("orders", "postgresql"))
SELECTOR = Selector(name="shop")


def shop(**change: Any) -> Document:
    """A request of shop, 100 ms from T0."""
    return segment(0xA1, **{"name": "shop", "kind": Kind.SERVER, **change})


def work(id: int, parent: int, **change: Any) -> Document:
    """A span inside shop, 10 ms long."""
    times: dict[str, Any] = {"start": T0 + 1_000, "end": T0 + 11_000}
    given: dict[str, Any] = {
        "independent": Independent.OF_SENDER,
        "node": SHOP,
        "kind": Kind.INTERNAL,
        **times,
    }
    return segment(id, parent_id=parent, **{**given, **change})


def client(id: int, parent: int, callee: NodeKey, **change: Any) -> Document:
    """A span of shop that is a call, of the same time and state; by HTTP to what is only a host."""
    figures = {key: change[key] for key in ("start", "end", "state") if key in change}
    status = change.pop("status", 0)
    host = callee.name if callee.type == "remote" else ""
    made = call(id, node=callee, service=callee.name, host=host, status=status, **figures)
    method = "GET" if callee == HOST else ""
    given: dict[str, Any] = {
        "kind": Kind.CLIENT,
        "calls": (made,),
        "http": Http(method, "", status, "", ""),
    }
    return work(id, parent, **{**given, **change})


def wrapped(state: State = State.OK, inner: NodeKey = HOST, **change: Any) -> list[Document]:
    """A call of pay that is made by hand around a request, of HTTP or what does not say of what, which pay answered."""
    return [
        shop(service_version="2"),
        client(0xC1, 0xA1, STRIPE, state=state, **change),
        client(0xC2, 0xC1, inner, start=T0 + 2_000, end=T0 + 9_000),
        segment(0xB1, name="pay", parent_id=0xC2, start=T0 + 3_000, end=T0 + 8_000),
    ]


def throttled() -> list[Document]:
    """A call of a model that failed, because its request was throttled."""
    return [
        shop(),
        client(0xC1, 0xA1, MODEL, state=State.FAULT),
        client(0xC2, 0xC1, HOST, state=State.THROTTLE, status=429),
    ]


def counts(store: Store, node: NodeKey, source: NodeKey = SHOP) -> tuple[int, int]:
    """The units of a node and of the edge to it, after lists are checked against the map."""
    graph = store.service_graph(HOUR)
    of_node = graph.services[node].statistics if node in graph.services else None
    edge = graph.edges.get((source, node))
    of_edge = edge.statistics if edge else None
    nodes, edges = frozenset([node]), frozenset([(source, node)])
    queries = UnitQuery(HOUR, nodes=nodes), UnitQuery(HOUR, edges=edges, link=False)
    for query, stats in zip(queries, (of_node, of_edge), strict=True):
        listed = store.find_units(query, limit=9).found
        assert sum(each.units for each in listed) == (stats.observed if stats else 0)
    return of_node.observed if of_node else 0, of_edge.observed if of_edge else 0


def found(store: Store, filter: Expression) -> int:
    """How many traces satisfy a filter."""
    return len(store.find_traces(TraceQuery(HOUR, filter=filter), limit=9).found)


class LayerContract:
    """Calls of several spans."""

    @pytest.mark.parametrize("inner", [HOST, NO_NODE], ids=["host", "nameless"])
    def test_an_answered_request_within_a_call(self, store: Store, inner: NodeKey) -> None:
        """The call counts, with the answer of the request, in whatever order they come."""
        for number, batch in enumerate(reversed(wrapped(inner=inner))):
            store.put([batch], f"{number}")
        assert counts(store, PAY) == (1, 1)
        assert counts(store, STRIPE) == counts(store, HOST) == (0, 0)
        edge = store.service_graph(HOUR).edges[SHOP, PAY]
        assert (edge.aliases, edge.statistics.total_time) == (frozenset(["stripe"]), 10_000)

    @pytest.mark.parametrize("inner", [HOST, NO_NODE], ids=["host", "nameless"])
    def test_filters_of_an_answered_request_within_a_call(
        self, store: Store, inner: NodeKey
    ) -> None:
        """They find the call at its answer, with its own state."""
        store.put(wrapped(State.ERROR, inner, status=404), "a")
        failed, node = Bare(Field("error")), Selector(name="pay")
        for filter, number in (
            (touches(PAY), 1),
            (touches(STRIPE), 0),
            (touches(HOST), 0),
            (calls_along(SHOP, PAY), 1),
            (calls_along(SHOP, HOST), 0),
            (EdgeMatch(SELECTOR, node, failed), 1),
            (EdgeMatch(SELECTOR, node, Not(failed)), 0),
            (EdgeMatch(SELECTOR, Selector(name="payhost"), None), 0),
            (Bare(Field("inferred")), 0),
        ):
            assert found(store, filter) == number, filter

    def test_what_a_trace_shows_of_calls_that_are_one(self, store: Store) -> None:
        """Both spans, and no inferred segment beside the answer; the summary has the nodes of the map."""
        documents = wrapped()
        flags = b'"namespace": "remote", "type": "subsegment", "fault": true'
        raws = [
            b'{"id": "00000000000000a1", "name": "shop", "fault": true}',
            b'{"id": "00000000000000c1", "parent_id": "00000000000000a1", "name": "x", %s}' % flags,
            b'{"id": "00000000000000c2", "parent_id": "00000000000000c1", "name": "h", %s}' % flags,
            b'{"id": "00000000000000b1", "parent_id": "00000000000000c2", "name": "pay", "fault": true}',
        ]
        store.put([replace(d, raw=raw) for d, raw in zip(documents, raws, strict=True)], "a")
        (trace,) = store.get_traces([documents[0].trace_id], raw=True).values()
        assert {each["name"] for each in processed_documents(trace)} == {"shop", "pay"}
        assert summarize(trace).nodes.keys() == {SHOP, PAY, NodeKey("", "shop", "client")}
        (cause,) = root_causes(trace).fault
        assert [service.node for service in cause.services] == [SHOP, PAY]
        assert calls_by_version([trace], [SHOP], ["2"])["2"].edges.keys() == {PAY}

    def test_a_failure_that_the_request_explains(self, store: Store) -> None:
        """A call that failed without a status is throttled, if its last request was."""
        store.put(throttled(), "a")
        assert counts(store, MODEL) == (1, 1)
        assert store.service_graph(HOUR).services[MODEL].statistics.throttle == 1
        for state, number in ((State.THROTTLE, 1), (State.FAULT, 0)):
            states = frozenset([state])
            for query in (
                UnitQuery(HOUR, nodes=frozenset([MODEL]), states=states),
                UnitQuery(HOUR, edges=frozenset([(SHOP, MODEL)]), states=states),
            ):
                assert len(store.find_units(query, limit=9).found) == number
        model, throttle, fault = (
            Selector(name="model"),
            Bare(Field("throttle")),
            Bare(Field("fault")),
        )
        for filter, number in (
            (ServiceMatch(model, throttle), 1),
            (ServiceMatch(model, fault), 0),
            (ServiceMatch(model, Not(fault)), 1),
            (EdgeMatch(SELECTOR, model, throttle), 1),
            (EdgeMatch(SELECTOR, model, fault), 0),
            (throttle, 1),
        ):
            assert found(store, filter) == number, filter

    def test_a_throttled_attempt_within_a_call_that_succeeded(self, store: Store) -> None:
        """Is no failure of the call."""
        attempts = [
            client(0xC2, 0xC1, HOST, state=State.THROTTLE, status=429, end=T0 + 5_000),
            client(0xC3, 0xC1, HOST, start=T0 + 6_000),
        ]
        store.put([shop(), client(0xC1, 0xA1, MODEL), *attempts], "a")
        assert counts(store, MODEL) == (1, 1)
        assert found(store, Bare(Field("throttle"))) == 0
        (trace,) = store.get_traces([attempts[0].trace_id]).values()
        assert summarize(trace).failed_inside == {}

    def test_queries_within_a_repository(self, store: Store) -> None:
        """They count each, also of another bucket; a call that says less than the other is that."""
        queries = [
            client(0xC2 + n, 0xC1, ORDERS, start=T0 + n * 2_000_000, end=T0 + n * 2_000_000 + 9)
            for n in range(4)
        ]
        store.put([shop(), client(0xC1, 0xA1, VAGUE, start=T0, end=T0 + 9_000_000)], "a")
        assert counts(store, VAGUE) == (1, 1)
        store.put(queries, "b")
        assert counts(store, ORDERS) == (4, 4)
        assert counts(store, VAGUE) == (0, 0)

    def test_local_work_between_two_calls(self, store: Store) -> None:
        """Of the same service, they are one all the same; by whatever flags, and in whatever buckets."""
        for number, kind in enumerate((Independent.OF_SENDER, Independent.OF_PROCESS)):
            id, start = trace_id(number), T0 + 7_000_000
            around: dict[str, Any] = {"trace_id": id, "independent": kind, "end": T0 + 8_000_000}
            documents = [
                shop(trace_id=id),
                client(0xC1, 0xA1, MODEL, **around),
                work(0xD1, 0xC1, start=T0 + 5_500_000, **around),
                work(0xD2, 0xD1, start=start, **around),
                client(0xC2, 0xD2, HOST, start=start, **around),
            ]
            for document in reversed(documents):
                store.put([document], f"{number} {document.id}")
                store.service_graph(HOUR)
            assert counts(store, MODEL) == (number + 1, number + 1)
            assert counts(store, HOST) == (0, 0)

    def test_the_call_that_begins_a_trace(self, store: Store) -> None:
        """May be one with what is inside."""
        made = call(0xC1, node=MODEL, service="model", host="")
        root = segment(0xE1, name="shop", kind=Kind.CLIENT, calls=(made,))
        store.put([root, client(0xC2, 0xC1, HOST)], "a")
        assert counts(store, MODEL) == (1, 1)
        assert counts(store, HOST) == (0, 0)

    def test_calls_that_are_two(self, store: Store) -> None:
        """Later than the outer, of another service, of X-Ray's documents, below a request, or to another place."""
        changes: list[dict[str, Any]] = [
            {"end": T0 + 13_000},
            {"start": T0 - 1_000},
            {"independent": Independent.OF_PARENT},
            {"kind": Kind.NONE},
            {"node": PAY, "independent": Independent.OF_PROCESS},
            {"parent_id": 0xA1},
            {"calls": (call(0xC2, node=NodeKey("", "169.254.169.254", "remote")),)},
        ]
        for number, change in enumerate(changes):
            id = trace_id(number)
            documents = [
                shop(trace_id=id),
                client(0xC1, 0xA1, MODEL, trace_id=id),
                client(0xC2, change.pop("parent_id", 0xC1), HOST, trace_id=id, **change),
            ]
            store.put(documents, f"{number}")
        assert counts(store, MODEL)[0] == 7
        assert counts(store, HOST)[0] == 6

    def test_a_message_that_is_sent_through_two_layers(self, store: Store) -> None:
        """Is one, whichever of them its consumer names, or links to."""
        for number, parent in enumerate((0xC1, 0xC2, 0)):
            id, other = trace_id(number), trace_id(number + 10)
            sent: dict[str, Any] = {"trace_id": id, "kind": Kind.PRODUCER}
            got: dict[str, Any] = {"trace_id": id, "parent_id": parent}
            if not parent:
                got = {"trace_id": other, "links": (Link(id, 0xC2),)}
            store.put(
                [
                    shop(trace_id=id),
                    client(0xC1, 0xA1, TOPIC, **sent),
                    client(0xC2, 0xC1, TOPIC, **sent),
                    segment(0xB1, name="worker", kind=Kind.CONSUMER, **got),
                ],
                f"{number}",
            )
        assert counts(store, TOPIC) == (3, 3)
        links = store.service_graph(HOUR).links
        assert links[TOPIC, NodeKey("", "worker", "")].statistics.total == 3
