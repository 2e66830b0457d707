"""Clients: which roots have one, and when it is drawn."""

from __future__ import annotations

import pytest

from store.filters.conditions import calls_along, touches
from store.filters.parse import parse
from store.model import (
    SETTLE_SLOT,
    Http,
    Kind,
    Link,
    NodeKey,
    State,
    TimeRange,
)
from store.protocol import Store
from store.query import Failure, TraceQuery
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.failures import edge_failures
from tests.store.contract.nodes import CLIENT, FRONTEND, HOUR
from tests.store.contract.series import edge_series


class ClientContract:
    """Every store passes every test."""

    def test_an_unknown_parent_makes_a_root(self, store: Store) -> None:
        store.put([segment(0xA1, parent_id=0xDEAD)], "a")
        graph = store.service_graph(HOUR)
        assert graph.services[FRONTEND].root
        assert (CLIENT, FRONTEND) in graph.edges

    def test_a_young_root_with_an_unknown_parent_has_no_client(self, store: Store) -> None:
        """A child is often stored before its parent: no client is drawn until the trace settles."""
        store.put([segment(0xA1, parent_id=0xC1)], "a")
        assert (CLIENT, FRONTEND) not in store.service_graph(HOUR, settled_before=T0).edges
        young = store.service_graph(HOUR, settled_before=T0)
        assert set(young.services) == {FRONTEND}
        assert not young.services[FRONTEND].root
        for settled in (T0 + SETTLE_SLOT, None):
            graph = store.service_graph(HOUR, settled_before=settled)
            assert graph.edges[CLIENT, FRONTEND].statistics.total == 1
            assert set(graph.services) == {CLIENT, FRONTEND}
            assert graph.services[FRONTEND].root
        assert edge_series(store, [(CLIENT, FRONTEND)], HOUR, MINUTE)[0].statistics.total == 1
        # A root without a parent has a client at once, and the orphan counts as well.
        store.put([segment(0xA2, start=T0 + SECOND, end=T0 + SECOND + 7, state=State.FAULT)], "b")
        young = store.service_graph(HOUR, settled_before=T0)
        assert young.edges[CLIENT, FRONTEND].statistics.total == 1
        settled_graph = store.service_graph(HOUR)
        edge = settled_graph.edges[CLIENT, FRONTEND]
        assert (edge.statistics.ok, edge.statistics.fault, edge.start) == (1, 1, T0)
        (bucket,) = edge_series(store, [(CLIENT, FRONTEND)], HOUR, MINUTE)
        assert bucket.statistics == edge.statistics
        assert edge_failures(store, CLIENT, FRONTEND) == [
            Failure("No exception recorded", State.FAULT, 1)
        ]
        # With its parent, the child has a caller.
        store.put([segment(0xB1, name="front", calls=(call(0xC1),))], "c")
        graph = store.service_graph(HOUR)
        assert graph.edges[CLIENT, FRONTEND].statistics.total == 1

    def test_one_old_orphan_does_not_confirm_the_young_ones(self, store: Store) -> None:
        """Each root is judged by its own start: in the map, the series and the errors."""
        pair = (CLIENT, FRONTEND)
        for number, start in enumerate((T0, T0 + 50 * SECOND, T0 + 55 * SECOND, T0 + 65 * SECOND)):
            orphan = segment(
                0xA1,
                trace_id=trace_id(number + 1),
                parent_id=0xDEAD,
                start=start,
                end=start + SECOND,
                state=State.FAULT,
                exception="Boom",
            )
            store.put([orphan], f"{number}")
        for settled, count in ((T0, 0), (T0 + 49 * SECOND, 1), (T0 + 60 * SECOND, 3), (None, 4)):
            edges = store.service_graph(HOUR, settled_before=settled).edges
            drawn = edges[pair].statistics.total if pair in edges else 0
            series = edge_series(store, [pair], HOUR, MINUTE, settled_before=settled)
            failures = edges[pair].failures if pair in edges else {}
            assert drawn == sum(each.statistics.total for each in series) == count
            assert list(failures.values()) == [count] * (count > 0)

    def test_a_young_root_that_awaits_the_trace_it_links_to_has_no_client(
        self, store: Store
    ) -> None:
        """A receiver is often stored before the producer that its link names."""
        sent, received = trace_id(1), trace_id(2)
        link = Link(sent, 0xC1, upstream=True, received=T0)
        worker = NodeKey("", "worker", "")
        store.put([segment(0xB1, trace_id=received, node=worker, links=(link,))], "a")
        client = NodeKey("", "worker", "client")
        assert not store.service_graph(HOUR, settled_before=T0).edges
        for settled in (T0 + SETTLE_SLOT, None):
            edges = store.service_graph(HOUR, settled_before=settled).edges
            assert edges[client, worker].statistics.total == 1
        queue = NodeKey("", "jobs", "AWS::SQS::Queue")
        store.put([segment(0xA1, trace_id=sent, calls=(call(0xC1, node=queue),))], "b")
        graph = store.service_graph(HOUR)
        assert (client, worker) not in graph.edges
        assert graph.links.keys() == {(queue, worker)}

    @pytest.mark.parametrize("minutes_later", [0, 5])
    @pytest.mark.parametrize("receiver_first", [False, True])
    @pytest.mark.parametrize("names", [0xB1, 0xB9])
    def test_a_root_that_its_sender_links_to_has_no_client(
        self, store: Store, names: int, receiver_first: bool, minutes_later: int
    ) -> None:
        """As when only the producer reports the link (SNS, EventBridge, S3): the root of the
        receiving trace, or something in it, is named from elsewhere."""
        sent, received = trace_id(1), trace_id(2)
        queue, worker = NodeKey("", "jobs", "AWS::SQS::Queue"), NodeKey("", "worker", "")
        start = T0 + minutes_later * MINUTE
        link = Link(received, names, upstream=False, received=start)
        sender = segment(0xA1, trace_id=sent, calls=(call(0xC1, node=queue),), links=(link,))
        receiver = [
            segment(0xB1, trace_id=received, node=worker, members=(0xB9,), start=start,
                    end=start + SECOND),
            segment(0xB2, trace_id=received, node=worker, parent_id=0xDEAD, start=start,
                    end=start + SECOND),
        ]  # fmt: skip
        client = NodeKey("", "worker", "client")
        store.put(receiver if receiver_first else [sender], "a")
        if receiver_first:
            assert store.service_graph(HOUR).edges[client, worker].statistics.total == 2
        store.put([sender] if receiver_first else receiver, "b")
        graph = store.service_graph(HOUR)
        assert graph.edges[client, worker].statistics.total == 1  # the second is another root
        assert graph.links.keys() == {(FRONTEND, worker)}
        for window, total in ((HOUR, 1), (TimeRange(start, start + MINUTE), 1)):
            edge = store.service_graph(window).edges[client, worker]
            assert edge.statistics.total == total

    def test_a_root_whose_link_resolves_has_no_client(self, store: Store) -> None:
        """Its caller is known: the queue. Until the sender's trace is stored it has a client."""
        sent, received = trace_id(1), trace_id(2)
        queue = NodeKey("", "jobs", "AWS::SQS::Queue")
        joined = (Link(sent, 0xC1),)
        worker, late = NodeKey("", "worker", ""), NodeKey("", "late", "")
        store.put(
            [
                segment(0xB1, trace_id=received, name="worker", links=joined),
                segment(0xB2, trace_id=received, name="late", parent_id=0x99, links=joined),
            ],
            "b",
        )
        assert (NodeKey("", "worker", "client"), worker) in store.service_graph(HOUR).edges
        store.put([segment(0xA1, trace_id=sent, calls=(call(0xC1, node=queue),))], "a")
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, FRONTEND), (FRONTEND, queue)}
        assert graph.links.keys() == {(queue, worker), (queue, late)}
        assert not graph.services[worker].root
        assert set(graph.services) == {CLIENT, FRONTEND, queue, worker, late}
        for name in ("worker", "late"):
            client = NodeKey("", name, "client")
            described = parse(f'service(id(name: "{name}", type: "client"))')
            for expression in (touches(client), described):
                query = TraceQuery(HOUR, filter=expression)
                assert store.find_traces(query, limit=9).found == []
        assert store.get_traces([received])[received].caused == {0xB1, 0xB2}
        entered = store.find_traces(TraceQuery(HOUR, filter=touches(CLIENT)), limit=9).found
        assert [hit.trace_id for hit in entered] == [sent]

    @pytest.mark.parametrize("kind", Kind)
    def test_work_that_serves_no_request_has_no_client(self, store: Store, kind: Kind) -> None:
        """A span without a parent that neither serves nor consumes: a job, a start-up, a timer. One whose
        parent is elsewhere was requested."""
        background = kind in (Kind.INTERNAL, Kind.CLIENT, Kind.PRODUCER)
        store.put([segment(0xA1, kind=kind, calls=(call(0xC1),))], "a")
        graph = store.service_graph(HOUR)
        assert ((CLIENT, FRONTEND) in graph.edges) is not background
        assert graph.services[FRONTEND].root is not background
        assert graph.services[FRONTEND].statistics.total == 1
        for expression in (touches(CLIENT), calls_along(CLIENT, FRONTEND)):
            hits = store.find_traces(TraceQuery(HOUR, filter=expression), limit=9).found
            assert len(hits) == (not background)
        store.put([segment(0xA2, trace_id=trace_id(2), kind=kind, parent_id=0x99)], "b")
        edge = store.service_graph(HOUR).edges[CLIENT, FRONTEND]
        assert edge.statistics.total == 1 + (not background)
        entered = store.find_traces(TraceQuery(HOUR, filter=touches(CLIENT)), limit=9).found
        assert len(entered) == 1 + (not background)

    def test_a_canary_is_a_client_of_its_own_type(self, store: Store) -> None:
        agent = (
            "Mozilla/5.0 CloudWatchSynthetics/arn:aws:synthetics:eu-west-1:123456789012:canary:x"
        )
        canary = NodeKey("", "frontend", "client::Synthetics")
        store.put([segment(0xA1, http=Http(user_agent=agent))], "a")
        store.put(
            [segment(0xA2, trace_id=trace_id(2), parent_id=0x99, http=Http(user_agent=agent))], "b"
        )
        store.put([segment(0xA3, trace_id=trace_id(3), http=Http(user_agent="curl"))], "c")
        graph = store.service_graph(HOUR)
        assert set(graph.services) == {FRONTEND, CLIENT, canary}
        assert graph.edges[canary, FRONTEND].statistics.total == 2
        assert graph.edges[CLIENT, FRONTEND].statistics.total == 1
        for client, count in ((canary, 2), (CLIENT, 1)):
            assert (
                len(store.find_traces(TraceQuery(HOUR, filter=touches(client)), limit=9).found)
                == count
            )
            edge = (client, FRONTEND)
            assert (
                len(store.find_traces(TraceQuery(HOUR, filter=calls_along(*edge)), limit=9).found)
                == count
            )
