"""Spans that tell of one request, and what is said of it: maps, lists, filters, versions and root causes agree."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import pytest
from msgspec.structs import replace

from store.filters.ast import And, Bare, Compare, Field, Not, Selector, ServiceMatch
from store.filters.conditions import calls_along, touches
from store.grouped_graph import graph_of_grouped
from store.grouped_units import Grouped, GroupedKey
from store.layers import ENCLOSING
from store.model import Document, Fetched, Independent, Kind, NodeKey, State
from store.otel.derived_ids import shared_server_id
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from store.root_causes import root_causes
from store.rules.classify import UNKNOWN_OUTCOME
from store.rules.dimensions import Dimension
from store.trace_documents import processed_documents
from store.version_edges import calls_by_version
from tests.builders import T0, call, http, segment, trace_id
from tests.store.contract.nodes import BACKEND, HOUR

REVIEWS = NodeKey("", "reviews", "")
RATINGS = NodeKey("", "ratings", "remote")


def server(id: int, parent_id: int = 0, **change: Any) -> Document:
    """A SERVER span of reviews."""
    return segment(id, **{"name": "reviews", "kind": Kind.SERVER, "parent_id": parent_id, **change})


def behind_sidecar(kind: Kind = Kind.SERVER, **inner: Any) -> list[Document]:
    """A sidecar's request, or the message that it delivers, with its application's, which calls."""
    calls = (call(0xC1, node=RATINGS),)
    given = {"start": T0 + 1_000, "end": T0 + 90_000, "service_version": "2", "calls": calls}
    return [server(0xA1, kind=kind, service_version="2"), server(0xA2, 0xA1, **{**given, **inner})]


def requests_of(store: Store, node: NodeKey) -> int:
    """How many a list has, after it is checked against the map."""
    stats = store.service_graph(HOUR).services[node].statistics
    listed = store.find_units(UnitQuery(HOUR, nodes=frozenset([node])), limit=9).found
    assert sum(each.units for each in listed) == stats.total
    return stats.total


PROXIED = "reviews:9080/*"


def _inside(id: int, **change: Any) -> Document:
    """A SERVER span directly in that of reviews."""
    times = {"start": T0 + (id & 0xF) * 1_000, "end": T0 + 90_000}
    return server(id, 0xA1, **{**times, "operation": "GET /reviews", **change})


FRONT, BACK, DATABASE = (NodeKey("", name, "") for name in ("front", "back", "db"))


def span(id: int, parent_id: int, node: NodeKey = BACK, **change: Any) -> Document:
    """A span that is no segment, of a service that it names."""
    given = {"independent": Independent.OF_SENDER, "node": node, "service": "work", **change}
    return segment(id, parent_id=parent_id, **given)


def lost_server() -> list[Document]:
    """A call, and the call of another service below it, whose SERVER span is lost."""
    return [
        segment(0xA1, name="front"),
        span(0xC1, 0xA1, FRONT, calls=(call(0xC1, host="back.example.com"),)),
        span(
            0xC2,
            0xC1,
            kind=Kind.CLIENT,
            state=State.FAULT,
            service="back",
            service_version="3",
            calls=(call(0xC2, node=DATABASE, state=State.FAULT),),
        ),
    ]


class RequestContract:
    """Every store passes every test."""

    def test_a_span_enters_its_service(self, store: Store) -> None:
        """In whatever order it comes: a request of its service, which answers the call that is its parent."""
        for number, order in enumerate(permutations(lost_server())):
            for at, each in enumerate(order):
                document = replace(each, trace_id=trace_id(number))
                store.put([document], f"{number} {at}")
                if number == 0:
                    store.service_graph(HOUR)
        graph = store.service_graph(HOUR)
        assert graph.edges[FRONT, BACK].statistics.ok == 6
        assert graph.edges[BACK, DATABASE].statistics.fault == 6
        assert graph.services[BACK].names == {"back"}
        assert graph.services[BACK].statistics.ok == 6
        assert [requests_of(store, node) for node in (FRONT, BACK, DATABASE)] == [6, 6, 6]
        assert len(graph.edges) == 3
        edge = UnitQuery(HOUR, edges=frozenset([(FRONT, BACK)]))
        assert sum(each.units for each in store.find_units(edge, limit=9).found) == 6

    def test_a_span_enters_below_work_without_a_call(self, store: Store) -> None:
        """The edge has its own figures then."""
        store.put([segment(0xA1, name="front"), span(0xB1, 0xA1, state=State.ERROR)], "a")
        assert store.service_graph(HOUR).edges[FRONT, BACK].statistics.error == 1
        assert requests_of(store, BACK) == 1
        edge = UnitQuery(HOUR, edges=frozenset([(FRONT, BACK)]))
        assert sum(each.units for each in store.find_units(edge, limit=9).found) == 1

    def test_what_does_not_enter(self, store: Store) -> None:
        """Below its own service, whatever its account and region; below a server that shares its client's id; below
        what has not arrived; and where the parent is known to be in the same process."""
        there = NodeKey("1", "back", "", "eu-west-1")
        caller = segment(0xA1, name="front", calls=(call(0xC1),))
        store.put([segment(0xB1, parent_id=0xC1, node=BACK), caller], "a")
        store.put([span(0xB2, 0xB1, there), span(0xB3, 0xC1), span(0xB4, 0x99)], "b")
        local: dict[str, Any] = {
            "independent": Independent.OF_PROCESS,
            "calls": (call(0xB5, node=DATABASE),),
        }
        store.put([span(0xB5, 0xA1, **local)], "c")
        assert store.service_graph(HOUR).edges[BACK, DATABASE].statistics.total == 1
        assert there not in store.service_graph(HOUR).services
        assert requests_of(store, BACK) == 1

    def test_filters_of_a_span_that_enters(self, store: Store) -> None:
        """It is a unit of its service, and the call that it answers is none of the inferred node."""
        store.put(lost_server(), "a")
        selector = Selector(name="back")
        for filter, found in (
            (touches(BACK), 1),
            (touches(BACKEND), 0),
            (ServiceMatch(selector, Bare(Field("fault"))), 0),
            (ServiceMatch(selector, Not(Bare(Field("fault")))), 1),
            (ServiceMatch(selector, Bare(Field("ok"))), 1),
            (ServiceMatch(Selector(name="back.example.com"), None), 0),
            (calls_along(FRONT, BACK), 1),
            (calls_along(FRONT, DATABASE), 0),
            (calls_along(BACK, DATABASE), 1),
        ):
            assert len(store.find_traces(TraceQuery(HOUR, filter=filter), limit=9).found) == found

    def test_a_call_in_place_of_its_request(self, store: Store) -> None:
        """A failed call does not say how the request ended that made it, which is unknown; other work of the service is the
        request itself."""
        front = segment(0xA1, name="front")
        kinds = (Kind.CLIENT, Kind.PRODUCER, Kind.INTERNAL)
        for number, (kind, state) in enumerate(product(kinds, State)):
            at = trace_id(number)
            made = (call(0xB1, node=DATABASE, state=state),) if kind != Kind.INTERNAL else ()
            work = span(0xB1, 0xA1, kind=kind, state=state, http=http(500), calls=made, trace_id=at)
            store.put([replace(front, trace_id=at), work], f"{number}")
        graph = store.service_graph(HOUR)
        for counted in (graph.services[BACK], graph.edges[FRONT, BACK]):
            found = counted.statistics
            assert (found.ok, found.error, found.throttle, found.fault) == (9, 1, 1, 1)
            assert found.in_progress == 3
            assert (sum(counted.failures.values()), counted.unknown) == (9, 6)
        assert graph.edges[BACK, DATABASE].statistics.fault == 2
        places = (
            UnitQuery(HOUR, frozenset([BACK])),
            UnitQuery(HOUR, edges=frozenset([(FRONT, BACK)])),
        )
        for state, number in zip(State, (3, 9, 1, 1, 1), strict=True):
            for place in places:
                query = replace(place, states=frozenset([state]))
                assert sum(each.units for each in store.find_units(query, limit=99).found) == number
        for place in places:
            query = replace(place, states=frozenset([State.OK]), label=UNKNOWN_OUTCOME)
            assert sum(each.units for each in store.find_units(query, limit=99).found) == 6

    def test_versions_of_a_span_that_enters(self, store: Store) -> None:
        """It has none, as segments alone report versions."""
        store.put(lost_server(), "a")
        assert store.version_statistics(frozenset([BACK]), HOUR) == {}
        assert store.version_series(frozenset([BACK]), HOUR, "3", 60_000_000) == []
        (trace,) = store.get_traces([lost_server()[0].trace_id]).values()
        assert calls_by_version([trace], [BACK], ["3"])["3"].requests == 0

    def test_root_causes_of_a_span_that_enters(self, store: Store) -> None:
        """Its service is on the path, and its trace shows a segment of it."""
        raws = [
            b'{"id": "00000000000000a1", "name": "front", "fault": true}',
            b'{"id": "00000000000000c1", "name": "back.example.com", "namespace": "remote", "fault": true}',
            b'{"id": "00000000000000c2", "name": "db", "namespace": "remote", "fault": true}',
        ]
        store.put([replace(d, raw=raw) for d, raw in zip(lost_server(), raws, strict=True)], "a")
        (trace,) = store.get_traces([lost_server()[0].trace_id], raw=True).values()
        (cause,) = root_causes(trace).fault
        assert [service.node.name for service in cause.services] == ["front", "back", "db"]
        assert [service.inferred for service in cause.services] == [False, False, True]
        names = [document["name"] for document in processed_documents(trace)]
        assert names == ["front", "back", "db"]

    @pytest.mark.parametrize("kind", ENCLOSING)
    def test_a_sidecar_and_its_application(self, store: Store, kind: Kind) -> None:
        """A SERVER span directly in a SERVER or CONSUMER span of its service is one request with that, the outer's."""
        outer, inner = behind_sidecar(kind, state=State.FAULT)
        store.put([inner], "a")
        assert requests_of(store, REVIEWS) == 1
        store.put([outer], "b")
        graph = store.service_graph(HOUR)
        assert graph.services[REVIEWS].statistics.fault == 0
        assert (REVIEWS, REVIEWS) not in graph.edges
        assert graph.edges[REVIEWS, RATINGS].statistics.total == 1
        assert requests_of(store, REVIEWS) == 1
        failed = UnitQuery(HOUR, nodes=frozenset([REVIEWS]), states=frozenset([State.FAULT]))
        assert store.find_units(failed, limit=9).found == []

    def test_a_sidecar_that_shares_its_clients_id(self, store: Store) -> None:
        """Zipkin's: the application names that id, below which its sidecar is stored; other servers there are apart."""
        for number, local in enumerate((False, True)):
            id = trace_id(number)
            calls = () if local else (call(0xC1),)
            client = span(0xC1, 0xA1, FRONT, trace_id=id, calls=calls)
            sidecar = server(shared_server_id(id, 0xC1), 0xC1, trace_id=id)
            store.put([segment(0xA1, name="front", trace_id=id), client], f"{number} a")
            store.put([server(0xB1, 0xC1, trace_id=id, end=T0 + 50_000)], f"{number} b")
            assert requests_of(store, REVIEWS) == number + 1
            store.put([sidecar], f"{number} c")
            assert requests_of(store, REVIEWS) == number + 1
        store.put([server(0xB2, 0xC1), server(0xB3, 0xC1)], "d")
        assert requests_of(store, REVIEWS) == 4
        graph = store.service_graph(HOUR)
        assert graph.edges[FRONT, REVIEWS].statistics.total == 2
        assert (REVIEWS, REVIEWS) not in graph.edges
        filter = ServiceMatch(Selector(name="reviews"), Compare(Field("responsetime"), "<", 0.06))
        assert store.find_traces(TraceQuery(HOUR, filter=filter), limit=9).found == []

    def test_what_is_no_sidecar(self, store: Store) -> None:
        """Another service's, later than the outer, below something else, or of X-Ray's: a request of its own."""
        changes: list[dict[str, Any]] = [
            {"node": NodeKey("", "other", ""), "service": "other"},
            {"end": T0 + 102_000},
            {"start": T0 - 2_000},
            {"parent_id": 0xC1},
            {"kind": Kind.CONSUMER},
            {"kind": Kind.NONE},
        ]
        fetched = {"kind": Kind.CONSUMER, "fetched": Fetched.MESSAGES}
        for number, (around, change) in enumerate(
            [*(({}, each) for each in changes), (fetched, {})]
        ):
            id = trace_id(number)
            outer = server(0xA1, trace_id=id, calls=(call(0xC1, node=RATINGS),), **around)
            inner = server(0xA2, **{"parent_id": 0xA1, "trace_id": id, **change})
            store.put([outer, inner], f"{number}")
        assert requests_of(store, REVIEWS) == 13
        graph = store.service_graph(HOUR)
        assert graph.edges[REVIEWS, REVIEWS].statistics.total == 6

    @pytest.mark.parametrize("kind", ENCLOSING)
    def test_filters_of_a_sidecar(self, store: Store, kind: Kind) -> None:
        """What only the application's span has is no request's; the edge to itself is none."""
        store.put(behind_sidecar(kind, http=http(404), state=State.ERROR), "a")
        selector = Selector(name="reviews")
        for filter, found in (
            (touches(REVIEWS), 1),
            (ServiceMatch(selector, Compare(Field("http.status"), "=", 404.0)), 0),
            (calls_along(REVIEWS, REVIEWS), 0),
            (calls_along(REVIEWS, RATINGS), 1),
        ):
            assert len(store.find_traces(TraceQuery(HOUR, filter=filter), limit=9).found) == found

    def test_the_operation_behind_a_sidecar(self, store: Store) -> None:
        """A proxy knows where it passes a request to, and the application what is done there: in lists, filters and maps
        by operation. What no application reports, and what two of its instrumentations do, has its own."""
        there = NodeKey("", "reviews", "AWS::EKS::Container")
        given = (
            [server(0xA1, operation=PROXIED), _inside(0xA2), _inside(0xA3, operation="later")],
            [server(0xA1, operation=PROXIED), _inside(0xA2, node=there)],
            [server(0xA1, operation=PROXIED)],
            [server(0xA1, operation=PROXIED), _inside(0xA2, operation="")],
            [server(0xA1, operation=PROXIED), _inside(0xA2, end=T0 + 200_000, operation="longer")],
            [server(0xA1, operation="GET"), _inside(0xA2, operation="render")],
        )
        for number, documents in enumerate(given):
            for each in reversed(documents):
                store.put([replace(each, trace_id=trace_id(number))], f"{number} {each.id}")
        expected = {"GET /reviews": 2, PROXIED: 3, "longer": 1, "GET": 1}
        nodes = frozenset([REVIEWS])
        listed = store.operation_statistics(nodes, HOUR, background=False, filter=None)
        assert {name: found.total for name, found in listed.items()} == expected
        grouped = graph_of_grouped(store.grouped_units(HOUR, Dimension.OPERATION, None))
        counts = {
            key.value: each.statistics.total
            for key, each in grouped.services.items()
            if isinstance(key, GroupedKey) and key.node == REVIEWS
        }
        assert counts == expected
        for name, number in expected.items():
            query = UnitQuery(HOUR, nodes, by=Grouped(Dimension.OPERATION, name))
            assert sum(each.units for each in store.find_units(query, limit=9).found) == number
        is_long = Compare(Field("responsetime"), ">", 0.095)
        is_it = Compare(Field("operation"), "=", "GET /reviews")
        is_proxied = Compare(Field("operation"), "=", PROXIED)
        for condition, number in (
            (is_it, 2),
            (And((is_it, is_long)), 2),
            (Not(is_it), 4),
            (is_proxied, 3),
            (Not(is_proxied), 4),
        ):
            filter = ServiceMatch(REVIEWS, condition)
            assert len(store.find_traces(TraceQuery(HOUR, filter=filter), limit=9).found) == number

    @pytest.mark.parametrize("kind", ENCLOSING)
    def test_versions_of_a_sidecar(self, store: Store, kind: Kind) -> None:
        """The request counts once, with the calls of its application."""
        store.put(behind_sidecar(kind), "a")
        versions = store.version_statistics(frozenset([REVIEWS]), HOUR, None)
        assert versions["2"].statistics.total == 1
        (trace,) = store.get_traces([behind_sidecar()[0].trace_id]).values()
        calls = calls_by_version([trace], [REVIEWS], ["2"])["2"]
        assert (calls.requests, calls.edges[RATINGS].requests) == (1, 1)

    def test_root_causes_behind_a_sidecar(self, store: Store) -> None:
        """One service on the path; of a request that is answered all the same the application is no cause."""
        documents = [
            server(
                id, parent, raw=b'{"id": "%016x", "name": "reviews", %s "fault": true}' % (id, line)
            )
            for id, parent, line in (
                (0xA1, 0, b""),
                (0xA2, 0xA1, b'"parent_id": "00000000000000a1",'),
            )
        ]
        store.put(documents, "a")
        (trace,) = store.get_traces([documents[0].trace_id], raw=True).values()
        (cause,) = root_causes(trace).fault
        assert [len(service.entities) for service in cause.services] == [2]
