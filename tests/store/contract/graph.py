"""Nodes, edges and links of the service graph: which units there are, and how they count."""

from __future__ import annotations

from store.filters.conditions import touches
from store.model import (
    Link,
    NodeKey,
    State,
    TimeRange,
)
from store.protocol import Store
from store.query import Entities, TraceQuery
from store.times import MINUTE, SECOND
from tests.builders import T0, TRACE, call, segment, trace_id
from tests.store.contract.nodes import BACKEND, CLIENT, FRONTEND, HOUR
from tests.store.contract.series import edge_series


class GraphContract:
    """Every store passes every test."""

    def test_empty(self, store: Store) -> None:
        """An empty store finds nothing and raises nothing."""
        assert not store.has_traces()
        assert store.service_graph(HOUR).services == {}
        assert store.get_traces([TRACE]) == {}
        assert store.find_traces(TraceQuery(HOUR), limit=10)[:3] == ([], 0, None)
        assert store.node_series([FRONTEND], HOUR, MINUTE) == []
        counted = store.counted_window(HOUR)
        assert (counted.window, counted.graph.services) == (HOUR, {})
        assert counted.series(Entities(nodes=frozenset((FRONTEND,))), MINUTE) == []

    def test_windows_counted_together(self, store: Store) -> None:
        """Each window counts what starts in it, though they share a minute, five seconds and a trace."""
        for number in range(4):
            document = segment(
                0xA1 + number, start=T0 + number * SECOND, end=T0 + number * SECOND + 9
            )
            store.put([document], f"{number}")
        middle = T0 + SECOND + 500_000
        before, after = TimeRange(T0 - MINUTE, middle), TimeRange(middle, T0 + MINUTE + SECOND)
        empty = TimeRange(HOUR.end, HOUR.end)
        counted = store.counted_windows([after, before, empty])
        assert [each.window for each in counted] == [after, before, empty]
        assert [
            each.graph.services[FRONTEND].statistics.total if each.graph.services else 0
            for each in counted
        ] == [2, 2, 0]
        (whole,) = store.counted_windows([HOUR])
        assert whole.graph.services[FRONTEND].statistics.total == 4

    def test_a_root_has_a_client(self, store: Store) -> None:
        store.put([segment(0xA1)], "a")
        graph = store.service_graph(HOUR)
        assert store.has_traces()
        assert set(graph.services) == {FRONTEND, CLIENT}
        frontend = graph.services[FRONTEND]
        assert (frontend.root, frontend.active, frontend.trace_minutes) == (True, True, 1)
        assert (frontend.start, frontend.end) == (T0, T0 + 100_000)
        edge = graph.edges[CLIENT, FRONTEND]
        assert edge.statistics == frontend.statistics
        assert edge.statistics.histogram == {100_000: 1}

    def test_in_progress_is_there_but_not_counted(self, store: Store) -> None:
        store.put([segment(0xA1, state=State.IN_PROGRESS)], "a")
        frontend = store.service_graph(HOUR).services[FRONTEND]
        assert (frontend.statistics.total, frontend.statistics.in_progress) == (0, 1)
        store.put([segment(0xA1, version=T0 + 300_000)], "b")
        frontend = store.service_graph(HOUR).services[FRONTEND]
        assert (frontend.statistics.total, frontend.statistics.in_progress) == (1, 0)

    def test_an_unanswered_call_infers_a_node(self, store: Store) -> None:
        fault = call(0xC1, state=State.FAULT)
        store.put([segment(0xA1, calls=(fault,))], "a")
        graph = store.service_graph(HOUR)
        inferred = graph.services[BACKEND]
        assert not inferred.active
        assert not inferred.root
        assert inferred.statistics.fault == 1
        assert graph.edges[FRONTEND, BACKEND].statistics.fault == 1

    def test_an_answered_call_leads_to_who_answered(self, store: Store) -> None:
        """The edge is the caller's view, the node the callee's; the host name is an alias."""
        store.put([segment(0xA1, calls=(call(0xC1, state=State.FAULT),))], "a")
        answer = segment(0xB1, name="backend", parent_id=0xC1, start=T0 + 2_000, end=T0 + 9_000)
        store.put([answer], "b")
        graph = store.service_graph(HOUR)
        backend = NodeKey("", "backend", "")
        assert set(graph.services) == {CLIENT, FRONTEND, backend}
        assert graph.services[backend].statistics.ok == 1
        assert not graph.services[backend].root
        edge = graph.edges[FRONTEND, backend]
        assert edge.statistics.fault == 1
        assert edge.statistics.histogram == {10_000: 1}
        assert edge.aliases == {"backend.example.com"}

    def test_callee_before_caller_and_days_apart(self, store: Store) -> None:
        """The two halves of a call find each other however late the second comes."""
        later = T0 + 26 * 60 * MINUTE
        answer = segment(0xB1, name="worker", parent_id=0xC1, start=later, end=later + 5_000)
        store.put([answer], "b")
        store.put([segment(0xA1, calls=(call(0xC1),))], "a")
        graph = store.service_graph(HOUR)
        worker = NodeKey("", "worker", "")
        assert (FRONTEND, worker) in graph.edges
        assert BACKEND not in graph.services
        assert graph.services[worker].trace_minutes == 0
        afterwards = store.service_graph(TimeRange(later - MINUTE, later + MINUTE))
        assert set(afterwards.services) == {worker}
        assert not afterwards.services[worker].root

    def test_the_lambda_pair(self, store: Store) -> None:
        """A segment may name a segment as its parent; the edge then shows the child's figures."""
        service = segment(0xA1, name="fn", type="AWS::Lambda")
        function = segment(
            0xA2, name="fn", type="AWS::Lambda::Function", parent_id=0xA1, end=T0 + 70_000
        )
        store.put([function, service], "a")
        graph = store.service_graph(HOUR)
        edge = graph.edges[
            NodeKey("", "fn", "AWS::Lambda"), NodeKey("", "fn", "AWS::Lambda::Function")
        ]
        assert edge.statistics.histogram == {70_000: 1}
        assert sum(node.is_client for node in graph.services) == 1

    def test_a_child_of_a_local_subsegment(self, store: Store) -> None:
        parent = segment(0xA1, members=(0x11, 0x12))
        child = segment(0xB1, name="child", parent_id=0x12, end=T0 + 20_000)
        store.put([parent, child], "a")
        graph = store.service_graph(HOUR)
        edge = graph.edges[FRONTEND, NodeKey("", "child", "")]
        assert edge.statistics.histogram == {20_000: 1}
        assert not graph.services[NodeKey("", "child", "")].root

    def test_a_link_joins_two_traces(self, store: Store) -> None:
        """From the queue, whose call is unanswered, to the consumer; times are ages of the message."""
        sent, taken = trace_id(1), trace_id(2)
        queue = NodeKey("", "jobs", "AWS::SQS::Queue")
        send = call(0xC1, node=queue, service="SQS", end=T0 + 11_000)
        worker = segment(
            0xB1,
            trace_id=taken,
            name="worker",
            start=T0 + 5 * SECOND,
            end=T0 + 6 * SECOND,
            state=State.FAULT,
            links=(Link(sent, 0xC1, received=T0 + 3_011_000), Link(trace_id(9), 0xC1)),
        )
        store.put([worker], "b")
        assert store.service_graph(HOUR).links == {}
        store.put([segment(0xA1, trace_id=sent, calls=(send,))], "a")
        graph = store.service_graph(HOUR)
        edge = graph.links[queue, NodeKey("", "worker", "")]
        assert edge.link
        assert edge.statistics.fault == 1
        assert edge.statistics.histogram == {3_000_000: 1}
        assert (queue, NodeKey("", "worker", "")) not in graph.edges
        assert [
            s.statistics.total
            for s in edge_series(store, [(edge.source, edge.target)], HOUR, MINUTE)
        ] == [1]

    def test_a_link_from_both_ends_counts_once(self, store: Store) -> None:
        """The sender's link is enough; when the receiver has one too, its word counts."""
        sent, taken = trace_id(1), trace_id(2)
        sender = segment(
            0xA1,
            trace_id=sent,
            members=(0x11,),
            links=(Link(taken, 0xB1, upstream=False, received=T0 + 400_000),),
        )
        worker = segment(
            0xB1, trace_id=taken, name="worker", start=T0 + SECOND, end=T0 + 2 * SECOND
        )
        store.put([sender, worker], "a")
        pair = FRONTEND, NodeKey("", "worker", "")
        assert store.service_graph(HOUR).links[pair].statistics.histogram == {300_000: 1}
        reported = segment(
            0xB2,
            trace_id=taken,
            name="worker",
            start=T0 + SECOND,
            end=T0 + 2 * SECOND,
            links=(Link(sent, 0x11),),
        )
        store.put([reported], "b")
        edge = store.service_graph(HOUR).links[pair]
        assert edge.statistics.histogram == {900_000: 1}

    def test_windows_are_half_open(self, store: Store) -> None:
        store.put([segment(0xA1)], "a")
        assert store.service_graph(TimeRange(T0, T0 + 1)).services
        assert not store.service_graph(TimeRange(T0 - MINUTE, T0)).services
        assert not store.service_graph(TimeRange(T0 + 1, T0 + MINUTE)).services

    def test_traces_per_minute(self, store: Store) -> None:
        """A trace counts once in each minute in which it touched the node."""
        same = [segment(id, start=T0 + id, end=T0 + 10_000) for id in (1, 2, 3)]
        later = segment(4, start=T0 + MINUTE, end=T0 + MINUTE + 5)
        other = segment(5, trace_id=trace_id(2))
        store.put([*same, later, other], "a")
        assert store.service_graph(HOUR).services[FRONTEND].trace_minutes == 3

    def test_names_that_try_to_be_sql(self, store: Store) -> None:
        for number, name in enumerate(("it's", "a\\", ":from", "x:to y", "--", "\u2603"), 1):
            node = NodeKey("", name, "AWS::X")
            store.put([segment(1, trace_id=trace_id(number), name=name, type="AWS::X")], name)
            assert store.node_series([node], HOUR, MINUTE)[0].statistics.total == 1
            query = TraceQuery(HOUR, filter=touches(node))
            assert len(store.find_traces(query, limit=9).found) == 1
            client = NodeKey("", name, "client")
            assert len(edge_series(store, [(client, node)], HOUR, MINUTE)) == 1
