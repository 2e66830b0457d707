"""Callers that roots name, in place of an unknown client."""

from __future__ import annotations

import pytest

from store.filters.conditions import calls_along, touches
from store.filters.parse import parse
from store.model import SETTLE_SLOT, Http, Kind, Link, NodeKey, State
from store.protocol import Store
from store.query import Failure, TraceQuery, UnitQuery
from store.rules import other_names
from store.summary import summarize
from store.times import MINUTE
from tests.builders import T0, TRACE, call, segment, trace_id
from tests.store.contract.failures import edge_failures
from tests.store.contract.nodes import CLIENT, FRONTEND, HOUR
from tests.store.contract.series import edge_series

MOBILE = NodeKey("", "mobile", "remote")
PLACED = NodeKey("123456789012", "partner", "remote", "eu-west-1")
WORKER = NodeKey("", "worker", "")


class CallerContract:
    """Every store passes every test."""

    @pytest.mark.parametrize("caller", [MOBILE, PLACED])
    def test_a_root_is_called_by_what_it_names(self, store: Store, caller: NodeKey) -> None:
        """On the map, in series, lists and filters alike; and by no client."""
        store.put([segment(0xA1, kind=Kind.SERVER, before=caller, state=State.FAULT)], "a")
        store.put([segment(0xA2, trace_id=trace_id(2), kind=Kind.SERVER)], "b")
        graph = store.service_graph(HOUR)
        pair = caller, FRONTEND
        assert graph.edges.keys() == {pair, (CLIENT, FRONTEND)}
        assert graph.edges[pair].statistics.fault == 1
        assert graph.edges[CLIENT, FRONTEND].statistics.ok == 1
        assert graph.services[caller].statistics.total == 0
        assert not graph.services[caller].active
        (bucket,) = edge_series(store, [pair], HOUR, MINUTE)
        assert bucket.statistics == graph.edges[pair].statistics
        assert edge_failures(store, *pair) == [Failure("No exception recorded", State.FAULT, 1)]
        (found,) = store.find_units(UnitQuery(HOUR, edges=frozenset([pair])), limit=9).found
        assert (found.trace_id, found.units, found.state) == (TRACE, 1, State.FAULT)
        described = parse(f'service(id(name: "{caller.name}", type: "{caller.type}")) {{fault}}')
        named = parse(f'edge("{caller.name}", "frontend") {{root}}')
        for expression in (touches(caller), calls_along(*pair), described, named):
            hits = store.find_traces(TraceQuery(HOUR, filter=expression), limit=9).found
            assert [hit.trace_id for hit in hits] == [TRACE], expression
        for expression in (touches(CLIENT), calls_along(CLIENT, FRONTEND)):
            hits = store.find_traces(TraceQuery(HOUR, filter=expression), limit=9).found
            assert [hit.trace_id for hit in hits] == [trace_id(2)], expression
        (trace,) = store.get_traces([TRACE]).values()
        assert trace.documents[0xA1].caller == caller
        assert summarize(trace).nodes.keys() == {caller, FRONTEND}

    @pytest.mark.parametrize("caller", [MOBILE, PLACED])
    def test_a_young_root_with_an_unknown_parent_has_none_yet(
        self, store: Store, caller: NodeKey
    ) -> None:
        """As it has no client: its parent may still arrive, and is its caller then."""
        named = {"kind": Kind.SERVER, "before": caller}
        store.put([segment(0xA1, parent_id=0xC1, **named)], "a")
        young = store.service_graph(HOUR, settled_before=T0)
        assert set(young.services) == {FRONTEND}
        assert not young.edges
        pair = caller, FRONTEND
        for settled, count in ((T0, 0), (T0 + SETTLE_SLOT, 1), (None, 1)):
            edges = store.service_graph(HOUR, settled_before=settled).edges
            assert edges.keys() == ({pair} if count else set())
            series = edge_series(store, [pair], HOUR, MINUTE, settled_before=settled)
            assert sum(each.statistics.total for each in series) == count
            query = UnitQuery(HOUR, edges=frozenset([pair]), settled_before=settled)
            assert len(store.find_units(query, limit=9).found) == count
        hits = store.find_traces(TraceQuery(HOUR, filter=calls_along(*pair)), limit=9).found
        assert [hit.trace_id for hit in hits] == [TRACE]
        # One without a parent is called by it at once; both are one edge.
        store.put([segment(0xA2, start=T0 + 7, end=T0 + 9, trace_id=trace_id(2), **named)], "b")
        assert store.service_graph(HOUR, settled_before=T0).edges[pair].statistics.total == 1
        assert store.service_graph(HOUR).edges[pair].statistics.total == 2
        # With its parent, the child has another caller.
        store.put([segment(0xB1, node=WORKER, calls=(call(0xC1),))], "c")
        edges = store.service_graph(HOUR).edges
        assert edges[pair].statistics.total == 1
        assert edges[WORKER, FRONTEND].statistics.total == 1
        for expression in (touches(caller), calls_along(*pair)):
            hits = store.find_traces(TraceQuery(HOUR, filter=expression), limit=9).found
            assert [hit.trace_id for hit in hits] == [trace_id(2)]

    def test_a_root_whose_link_resolves_has_the_sender_for_its_caller(self, store: Store) -> None:
        """What it names is in front of it only as long as nothing else is known."""
        sent, received = trace_id(1), trace_id(2)
        server = {"kind": Kind.SERVER, "before": MOBILE, "links": (Link(sent, 0xC1),)}
        queue = NodeKey("", "jobs", "AWS::SQS::Queue")
        store.put([segment(0xB1, trace_id=received, node=WORKER, **server)], "a")
        assert store.service_graph(HOUR).edges.keys() == {(MOBILE, WORKER)}
        store.put([segment(0xA1, trace_id=sent, calls=(call(0xC1, node=queue),))], "b")
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, FRONTEND), (FRONTEND, queue)}
        assert graph.links.keys() == {(queue, WORKER)}
        query = UnitQuery(HOUR, edges=frozenset([(MOBILE, WORKER)]))
        assert store.find_units(query, limit=9).found == []

    def test_a_canary_that_is_named_is_no_client(self, store: Store) -> None:
        agent = Http(user_agent="CloudWatchSynthetics")
        store.put([segment(0xA1, kind=Kind.SERVER, before=MOBILE, http=agent)], "a")
        assert store.service_graph(HOUR).edges.keys() == {(MOBILE, FRONTEND)}

    def test_callers_in_excess_are_one_node(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Roots that name another one each time, also by roots whose parents are unknown."""
        monkeypatch.setattr(other_names, "MOST_NAMES", 2)
        other = NodeKey("", other_names.OTHER_NAMES, "remote")
        roots = [
            segment(
                0xA0 + n,
                trace_id=trace_id(n),
                kind=Kind.SERVER,
                before=NodeKey("", f"phone-{n}", "remote"),
                parent_id=0x99 * (n % 2),
            )
            for n in range(1, 7)
        ]
        store.put([*roots, segment(0xB1, trace_id=trace_id(9))], "a")
        graph = store.service_graph(HOUR)
        assert set(graph.services) == {FRONTEND, CLIENT, other}
        assert graph.edges[other, FRONTEND].statistics.total == 6
