"""The contract of every store; a subclass provides the `store` fixture (test_contract.py)."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from store.errors import InvalidCursor, TraceNotFound
from store.filters.ast import Expression, Field
from store.filters.conditions import all_of, annotated, calls_along, entered_with, touches
from store.filters.parse import parse
from store.model import (
    SETTLE_SLOT,
    Document,
    Http,
    Link,
    NodeKey,
    State,
    TimeRange,
    derived_version,
)
from store.otel.adjusted_count import LARGEST
from store.pins import Pin
from store.protocol import Store
from store.query import VALUE_FIELDS, Axis, Failure, TraceQuery, UnitQuery, ValueCount
from store.rules import other_names
from store.rules.annotations import annotation_item
from store.summary import summarize
from store.times import MINUTE, SECOND
from tests.builders import T0, TRACE, call, http, segment, subsegment, trace_id

HOUR = TimeRange(T0 - 30 * MINUTE, T0 + 30 * MINUTE)
FRONTEND = NodeKey("", "frontend", "")
BACKEND = NodeKey("", "backend.example.com", "remote")
CLIENT = NodeKey("", "frontend", "client")


def _failing_calls() -> list[Document]:
    """Three traces whose entries succeed and whose calls to the backend end in different ways."""

    def trace(number: int, *states: tuple[State, str], start: int) -> Document:
        calls = tuple(
            call(
                number * 16 + at, start=start + at, end=start + 9, state=state, exception=exception
            )
            for at, (state, exception) in enumerate(states)
        )
        id = trace_id(number)
        return segment(number, trace_id=id, start=start, end=start + 10, calls=calls)

    return [
        trace(
            1,
            (State.FAULT, "Timeout"),
            (State.FAULT, ""),
            (State.OK, ""),
            start=T0,
        ),
        trace(2, (State.ERROR, "Timeout"), start=T0 + 30 * SECOND),
        # Begun in the trace's minute, called in the next.
        trace(3, (State.FAULT, "Refused"), start=T0 + 2 * MINUTE),
    ]


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


class StoreContract:
    """Every store passes every test."""

    def test_empty(self, store: Store) -> None:
        """An empty store finds nothing and raises nothing."""
        assert not store.has_traces()
        assert store.service_graph(HOUR).services == {}
        assert store.get_traces([TRACE]) == {}
        assert store.find_traces(TraceQuery(HOUR), limit=10) == ([], 0, None)
        assert store.node_series([FRONTEND], HOUR, MINUTE) == []
        assert store.edge_failures([(FRONTEND, BACKEND)], HOUR) == []

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

    def test_resent_segment_counts_once(self, store: Store) -> None:
        """SDKs resend after a timeout; the map must not show the call twice."""
        store.put([segment(0xA1, calls=(call(0xC1),))], "a")
        store.put([segment(0xA1, calls=(call(0xC1),))], "b")
        graph = store.service_graph(HOUR)
        assert graph.services[FRONTEND].statistics.total == 1
        assert graph.edges[FRONTEND, BACKEND].statistics.total == 1

    def test_a_repeated_put_changes_nothing(self, store: Store) -> None:
        """A collector repeats a batch whose answer it did not get."""
        for _ in range(2):
            store.put([segment(0xA1, calls=(call(0xC1),))], "same")
        trace = store.get_traces([TRACE])[TRACE]
        assert trace.revision == 1
        assert store.service_graph(HOUR).edges[FRONTEND, BACKEND].statistics.total == 1

    def test_a_late_in_progress_copy_never_replaces_the_finished_segment(
        self, store: Store
    ) -> None:
        store.put([segment(0xA1, state=State.FAULT, version=T0)], "a")
        store.put([segment(0xA1, state=State.IN_PROGRESS, version=T0 + 9)], "b")
        statistics = store.service_graph(HOUR).services[FRONTEND].statistics
        assert (statistics.fault, statistics.in_progress) == (1, 0)
        assert store.get_traces([TRACE])[TRACE].documents[0xA1].state == State.FAULT

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
            for s in store.edge_series([(edge.source, edge.target)], HOUR, MINUTE)
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
        assert store.edge_series([(CLIENT, FRONTEND)], HOUR, MINUTE)[0].statistics.total == 1
        # A root without a parent has a client at once, and the orphan counts as well.
        store.put([segment(0xA2, start=T0 + SECOND, end=T0 + SECOND + 7, state=State.FAULT)], "b")
        young = store.service_graph(HOUR, settled_before=T0)
        assert young.edges[CLIENT, FRONTEND].statistics.total == 1
        settled_graph = store.service_graph(HOUR)
        edge = settled_graph.edges[CLIENT, FRONTEND]
        assert (edge.statistics.ok, edge.statistics.fault, edge.start) == (1, 1, T0)
        (bucket,) = store.edge_series([(CLIENT, FRONTEND)], HOUR, MINUTE)
        assert bucket.statistics == edge.statistics
        assert store.edge_failures([(CLIENT, FRONTEND)], HOUR) == [
            Failure("No exception recorded", State.FAULT, 1)
        ]
        # With its parent, the child has a caller.
        store.put([segment(0xB1, name="front", calls=(call(0xC1),))], "c")
        graph = store.service_graph(HOUR)
        assert graph.edges[CLIENT, FRONTEND].statistics.total == 1

    def test_names_in_excess_are_counted_as_one_node(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A service calls a host of another name each time, and another names its segments so:
        those names are one node of each kind, in the minute and account where they are many."""
        monkeypatch.setattr(other_names, "MOST_NAMES", 2)
        other = NodeKey("", other_names.OTHER_NAMES, "remote")
        made_up = NodeKey("", other_names.OTHER_NAMES, "")
        client = NodeKey("", other_names.OTHER_NAMES, "client")
        elsewhere, later = NodeKey("9", "queue", "AWS::SQS::Queue"), T0 + MINUTE
        calls = [call(0xC0 + i, node=BACKEND) for i in range(3)]
        calls += [
            call(0xD0 + i, node=NodeKey("", f"host-{i}", "remote"), state=State.FAULT)
            for i in range(4)
        ]
        calls += [
            call(0xE0, node=elsewhere),
            call(0xE1, node=NodeKey("", "host-0", "remote"), start=later, end=later),
        ]
        documents = [segment(0xA1, calls=tuple(calls))]
        documents += [
            segment(0xB1, trace_id=trace_id(2 + i), name=f"GET /users/{i}") for i in range(3)
        ]
        store.put(documents, "a")
        graph = store.service_graph(HOUR)
        assert set(graph.services) == {
            CLIENT, FRONTEND, BACKEND, other, made_up, client, elsewhere,
            NodeKey("", "host-0", "remote"),
        }  # fmt: skip
        assert graph.services[other].statistics.fault == 4
        assert graph.services[other].names == {other.name}
        assert graph.services[made_up].statistics.ok == 3
        assert graph.services[made_up].names == {made_up.name, "GET /users/0"}
        edge = graph.edges[FRONTEND, other]
        assert (edge.statistics.fault, edge.aliases) == (4, frozenset())
        assert graph.edges[client, made_up].statistics.ok == 3
        assert sum(s.statistics.fault for s in store.node_series([other], HOUR, MINUTE)) == 4
        assert store.node_failures([other], HOUR)[0].count == 4
        assert store.edge_failures([(FRONTEND, other)], HOUR) == store.node_failures([other], HOUR)
        part = TimeRange(T0 - SECOND, T0 + SECOND)  # cuts the minute
        assert store.service_graph(part).services[other].statistics.fault == 4

    def test_names_that_each_minute_has_anew_are_one_node_of_a_window(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(other_names, "MOST_NAMES_OF_WINDOW", 3)
        other = NodeKey("", other_names.OTHER_NAMES, "remote")
        store.put(
            [
                segment(
                    0xA0 + i,
                    trace_id=trace_id(20 + i),
                    start=T0 + i * MINUTE,
                    calls=(
                        call(
                            0xC0 + i,
                            node=NodeKey("", f"host-{i}", "remote"),
                            start=T0 + i * MINUTE,
                            end=T0 + i * MINUTE + 7,
                        ),
                    ),
                )
                for i in range(6)
            ],
            "a",
        )
        graph = store.service_graph(HOUR)
        assert set(graph.services) == {CLIENT, FRONTEND, other}
        assert graph.services[other].folded == 6
        assert graph.services[other].statistics == graph.edges[FRONTEND, other].statistics
        assert graph.edges[FRONTEND, other].statistics.ok == 6
        first = store.service_graph(TimeRange(T0, T0 + MINUTE))
        assert set(first.services) == {CLIENT, FRONTEND, NodeKey("", "host-0", "remote")}

    def test_who_makes_up_names_is_a_problem(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With what to do, for some minutes; then it is over."""
        assert store.problems() == []
        monkeypatch.setattr(other_names, "MOST_NAMES", 2)
        now = time.time_ns() // 1000
        long_ago = now - (other_names.RECENT_MINUTES + 2) * MINUTE
        for name, start in (("old", long_ago), ("shop", now - SECOND)):
            calls = tuple(
                call(
                    0xC0 + i, node=NodeKey("", f"{name}-{i}", "remote"), start=start, end=start + 7
                )
                for i in range(4)
            )
            store.put(
                [segment(0xA1, name=name, start=start, trace_id=trace_id(start), calls=calls)], name
            )
        store.service_graph(TimeRange(long_ago - SECOND, now))  # counts what has arrived
        (problem,) = store.problems()
        assert problem.startswith("shop calls nodes under more than 5,000 names a minute; ")
        assert problem.endswith(": leave ids out of the names")

    def test_no_accepted_weight_and_duration_wraps(self, store: Store) -> None:
        """Two spans of eight thousand years, each standing for a million, in two minutes."""
        longest = 253_402_300_799_000_000
        for number in range(2):
            start = T0 + number * MINUTE
            one = segment(trace_id=trace_id(number + 1), start=start, end=longest, weight=LARGEST)
            store.put([one], f"{number}")
        expected = LARGEST * (2 * longest - 2 * T0 - MINUTE)
        assert expected > 1 << 64
        graph = store.service_graph(HOUR)
        for each in (graph.services[FRONTEND], graph.edges[CLIENT, FRONTEND]):
            assert each.statistics.total_time == expected
            assert each.statistics.total == 2 * LARGEST
        minutes = TimeRange(T0 + 1, T0 + 2 * MINUTE - 1)  # cuts both
        assert store.service_graph(minutes).services[FRONTEND].statistics.total == LARGEST
        series = store.node_series([FRONTEND], HOUR, HOUR.end - HOUR.start)
        assert [each.statistics.total_time for each in series] == [expected]

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
            series = store.edge_series([pair], HOUR, MINUTE, settled_before=settled)
            failures = store.edge_failures([pair], HOUR, settled_before=settled)
            assert drawn == sum(each.statistics.total for each in series) == count
            assert [each.count for each in failures] == [count] * (count > 0)

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

    def test_an_unanswered_call_joins_the_only_account_of_its_node(self, store: Store) -> None:
        """A call by function name has no account; with two accounts it could be either's."""
        kind = "AWS::Lambda"
        bare, first = NodeKey("", "fn", kind), NodeKey("1" * 12, "fn", kind)
        call_of = call(0xC1, node=bare, service="Lambda", host="", state=State.FAULT)
        store.put([segment(0xA1, calls=(call_of,))], "a")
        assert bare in store.service_graph(HOUR).services
        store.put([segment(0xB1, trace_id=trace_id(2), node=first, name="fn")], "b")
        graph = store.service_graph(HOUR)
        assert bare not in graph.services
        statistics = graph.services[first].statistics
        assert (statistics.ok, statistics.fault) == (1, 1)
        assert graph.edges[FRONTEND, first].statistics.fault == 1
        assert graph.services[first].keys == {bare, first}
        second = first._replace(account="2" * 12)
        store.put([segment(0xB1, trace_id=trace_id(3), node=second, name="fn")], "c")
        graph = store.service_graph(HOUR)
        assert {bare, first, second} <= graph.services.keys()
        assert graph.services[bare].statistics.fault == 1

    def test_an_unanswered_call_joins_the_only_region_of_its_node(self, store: Store) -> None:
        """The half of a call that names no region is no second table."""
        kind = "AWS::DynamoDB::Table"
        bare, west = NodeKey("", "orders", kind), NodeKey("", "orders", kind, "us-west-2")
        pair = (call(0xC1, node=bare), call(0xC2, node=west, state=State.FAULT))
        store.put([segment(0xA1, calls=pair)], "a")
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, FRONTEND), (FRONTEND, west)}
        statistics = graph.edges[FRONTEND, west].statistics
        assert (statistics.ok, statistics.fault) == (1, 1)
        keys = graph.services[west].keys
        (bucket,) = store.node_series(keys, HOUR, HOUR.end - HOUR.start)
        assert (bucket.statistics.ok, bucket.statistics.fault) == (1, 1)
        edges = [(FRONTEND, key) for key in keys]
        (bucket,) = store.edge_series(edges, HOUR, HOUR.end - HOUR.start)
        assert (bucket.statistics.ok, bucket.statistics.fault) == (1, 1)
        assert [f.count for f in store.node_failures(keys, HOUR)] == [1]
        assert store.edge_failures(edges, HOUR) == store.node_failures(keys, HOUR)
        east = west._replace(region="us-east-1")
        store.put([segment(0xB1, trace_id=trace_id(2), calls=(call(0xC3, node=east),))], "b")
        assert {bare, west, east} <= store.service_graph(HOUR).services.keys()

    def test_two_regions_have_two_nodes_each(self, store: Store) -> None:
        """Services and tables of one name in two regions, each with its own edge, series, errors
        and traces; an answered call leads to the region of its answer."""
        graphs = {}
        for number, region in enumerate(("us-east-1", "eu-west-1"), 1):
            web, api = (NodeKey("1", name, "", region) for name in ("web", "api"))
            table = NodeKey("1", "orders", "AWS::DynamoDB::Table", region)
            graphs[region] = web, api, table
            calls = (
                call(0xC1, node=NodeKey("1", "api", "", "us-east-1")),
                call(0xC2, node=table, state=State.FAULT, exception=f"Boom{number}"),
            )
            id = trace_id(number)
            front = segment(0xA1, trace_id=id, node=web, calls=calls)
            store.put([front, segment(0xB1, trace_id=id, node=api, parent_id=0xC1)], f"{number}")
        graph = store.service_graph(HOUR)
        client = NodeKey("", "web", "client")
        assert graph.edges.keys() == {
            pair
            for web, api, table in graphs.values()
            for pair in ((client, web), (web, api), (web, table))
        }
        for number, (web, api, table) in enumerate(graphs.values(), 1):
            assert [f.label for f in store.node_failures([table], HOUR)] == [f"Boom{number}"]
            assert [f.label for f in store.edge_failures([(web, table)], HOUR)] == [f"Boom{number}"]
            for node in (web, api, table):
                (bucket,) = store.node_series([node], HOUR, HOUR.end - HOUR.start)
                assert bucket.statistics.total == 1
            for filter in (touches(table), calls_along(web, api)):
                query = TraceQuery(HOUR, filter=filter)
                found = store.find_traces(query, limit=9).found
                assert [hit.trace_id for hit in found] == [trace_id(number)]

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

    def test_streamed_subsegments_find_their_segment(self, store: Store) -> None:
        """Python's SDK sends finished leaves first, each a document of its own, any depth."""
        leaf = subsegment(0x52, parent_id=0x51, calls=(call(0x52),))
        middle = subsegment(0x51, parent_id=0x11, members=(0x15,))
        store.put([leaf], "a")
        assert set(store.service_graph(HOUR).services) == {BACKEND}
        store.put([middle], "b")
        assert store.service_graph(HOUR).edges == {}
        store.put([segment(0xA1, members=(0x11,))], "c")
        graph = store.service_graph(HOUR)
        assert graph.edges[FRONTEND, BACKEND].statistics.total == 1
        assert len(graph.edges) == 2

    def test_streamed_below_a_call(self, store: Store) -> None:
        """A call contains what is nested below it: its document's segment made the nested call, too. Also
        if the call is in another minute, and if a later copy of the document leaves it out."""
        table = NodeKey("", "table", "AWS::DynamoDB::Table")
        start = T0 + 70_000_000
        outer = call(0x11, start=start, end=start + 9_000)
        below = subsegment(
            0x52, parent_id=0x11, start=start, calls=(call(0x52, start=start, node=table),)
        )
        minutes = TimeRange(T0, T0 + 3 * MINUTE)
        store.put([below], "a")
        assert store.service_graph(minutes).edges == {}
        store.put([segment(0xA1, calls=(outer,), state=State.IN_PROGRESS)], "b")
        assert store.service_graph(minutes).edges[FRONTEND, table].statistics.total == 1
        store.put([segment(0xA1, version=T0 + 300_000)], "c")
        assert store.service_graph(minutes).edges[FRONTEND, table].statistics.total == 1
        # Another document's call by that id, the last one, takes what is below along.
        other = segment(0xB1, name="other", calls=(outer,), version=T0 + 400_000)
        store.put([other], "d")
        graph = store.service_graph(minutes)
        assert {key for key in graph.edges if key[1] == table} == {(other.node, table)}

    def test_orphans_in_a_circle(self, store: Store) -> None:
        """Nonsense parents end, and neither node nor edge comes of them."""
        one = subsegment(0x51, parent_id=0x52, calls=(call(0x51),))
        two = subsegment(0x52, parent_id=0x51)
        child = segment(0xB1, name="child", parent_id=0x52)
        store.put([one, two, child], "a")
        graph = store.service_graph(HOUR)
        assert set(graph.services) == {BACKEND, NodeKey("", "child", "")}
        assert graph.edges == {}

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

    def test_what_was_sampled_counts_as_what_it_stands_for(self, store: Store) -> None:
        """Counts, times and traces a minute are adjusted; units, traces and revisions are not."""
        caller = {"weight": 8, "calls": (call(0xC1, weight=8, state=State.FAULT),)}
        store.put([segment(0xA1, state=State.ERROR, last_end=T0 + 300_000, **caller)], "a")
        store.put([segment(0xA2, state=State.IN_PROGRESS, weight=4)], "b")
        store.put([segment(0xA3, trace_id=trace_id(2), parent_id=9, weight=3)], "c")
        store.put([segment(0xA4, trace_id=trace_id(3)), segment(0xB4, trace_id=trace_id(4))], "d")
        joined = Link(TRACE, 0xC1, weight=5)
        worker = segment(1, name="worker", trace_id=trace_id(5), links=(joined,), weight=5)
        store.put([worker], "e")
        graph = store.service_graph(HOUR)
        frontend = graph.services[FRONTEND]
        counts = frontend.statistics
        assert (counts.error, counts.ok, counts.in_progress) == (8, 3 + 1 + 1, 4)
        assert (counts.observed, counts.total_time) == (5, 13 * 100_000)
        assert counts.histogram == {100_000: 13}
        assert frontend.durations == {100_000: 5, 300_000: 8}
        assert frontend.trace_minutes == 4 + 3 + 1 + 1
        for inferred in (graph.services[BACKEND], graph.edges[FRONTEND, BACKEND]):
            assert (inferred.statistics.fault, inferred.statistics.observed) == (8, 1)
        assert store.node_failures([BACKEND], HOUR) == [
            Failure("No exception recorded", State.FAULT, 8)
        ]
        assert graph.links[BACKEND, NodeKey("", "worker", "")].statistics.ok == 5
        (slice,) = store.node_series([FRONTEND], HOUR, MINUTE)
        assert slice.statistics == counts
        assert len(store.find_traces(TraceQuery(HOUR), limit=9).found) == 5
        assert store.get_traces([TRACE])[TRACE].revision == 2

    def test_get_traces_gives_everything_back(self, store: Store) -> None:
        document = segment(
            0xA1,
            parent_id=0x77,
            type="AWS::ECS::Container",
            state=State.THROTTLE,
            last_end=T0 + 140_000,
            http=Http("POST", "http://x/ä?q='1'", 429, "::1", "curl\\8"),
            user="Ola \u2603",
            resource_arn="arn:aws:x",
            instance_id="i-1",
            availability_zone="eu-1a",
            exception="ValueError",
            annotations=(annotation_item("a=b%", "x\n"), annotation_item("n", 2.0)),
            members=(0x11, 0xFFFFFFFFFFFFFFFF),
            calls=(call(0xC1, status=503, traced=True, exception="OSError", weight=8),),
            raw='{"name":"ä\\u0000 ☃"}'.encode() + bytes(range(256)),
            inferred=True,
            links=(Link(trace_id(7), 0xE, upstream=False, received=T0 + 5, weight=8),),
            weight=8,
        )
        store.put([document], "a")
        trace = store.get_traces([TRACE, trace_id(9)], raw=True)[TRACE]
        back = trace.documents[0xA1]
        carried = ("calls", "links")
        fields = [field for field in Document.__struct_fields__ if field not in carried]
        assert [f for f in fields if getattr(back, f) != getattr(document, f)] == []
        assert trace.calls[0xC1].call == document.calls[0]
        assert trace.calls[0xC1].node == document.node
        (joined,) = trace.links.values()
        assert (joined.link, joined.document_id) == (document.links[0], 0xA1)
        assert (trace.updated, trace.revision) == (document.version, 1)

    def test_what_is_not_sampled_counts_and_is_no_trace(self, store: Store) -> None:
        store.put([segment(0xA1, sampled=False, calls=(call(0xC1),))], "a")
        assert store.service_graph(HOUR).services[FRONTEND].statistics.total == 1
        assert store.service_graph(HOUR).edges[FRONTEND, BACKEND].statistics.total == 1
        assert store.get_traces([TRACE], raw=True) == {}
        for axis, window in ((Axis.TRACE_ID, HOUR), (Axis.EVENT, HOUR), (Axis.SERVICE, HOUR)):
            assert store.find_traces(TraceQuery(window, axis), limit=9).found == []
        store.put([segment(0xB1, parent_id=0xC1)], "b")
        assert set(store.get_traces([TRACE])[TRACE].documents) == {0xA1, 0xB1}
        assert len(store.find_traces(TraceQuery(HOUR), limit=9).found) == 1

    def test_times_of_any_century(self, store: Store) -> None:
        """Implausible dates are stored, and found where they claim to be."""
        for number, year in enumerate((1970, 2438, 9999), 1):
            start = (year - 1970) * 31_556_952 * SECOND
            store.put(
                [segment(1, trace_id=trace_id(number), start=start, end=start + 1)], f"y{year}"
            )
            window = TimeRange(start, start + MINUTE)
            assert store.service_graph(window).services[FRONTEND].statistics.total == 1

    @pytest.mark.parametrize("reported_first", [True, False])
    @pytest.mark.parametrize("moved", [0, 2 * MINUTE])
    def test_a_reported_segment_replaces_a_derived_one_and_counts_once(
        self, store: Store, reported_first: bool, moved: int
    ) -> None:
        """Whichever arrives first, wherever the derived copy starts, and counted in between or not."""
        node = NodeKey("1", "reported", "AWS::Lambda::Function")
        reported = segment(1, parent_id=9, node=node, version=T0)
        assumed = [
            replace(
                segment(1, parent_id=8, name="assumed", start=T0 + moved, end=T0 + moved + 5),
                version=derived_version(T0 + later, rank),
            )
            for later, rank in ((10, 1), (20, 11))
        ]
        order = [reported, *assumed] if reported_first else [*assumed, reported]
        for number, document in enumerate(order):
            store.put([document], f"copy-{number}")
            store.service_graph(HOUR)
        counted = store.service_graph(HOUR).services
        assert {
            key: each.statistics.total for key, each in counted.items() if not key.is_client
        } == {node: 1}
        (read,) = store.get_traces([TRACE])[TRACE].documents.values()
        assert (read.parent_id, read.version) == (9, T0)

    @pytest.mark.parametrize("better_first", [True, False])
    def test_of_derived_copies_the_greater_rank_counts(
        self, store: Store, better_first: bool
    ) -> None:
        better = segment(1, name="better", version=derived_version(T0, 3))
        lesser = segment(
            1, name="lesser", start=T0 + 2 * MINUTE, version=derived_version(T0 + 9, 1)
        )
        for document in (better, lesser) if better_first else (lesser, better):
            store.put([document], document.service)
        names = {key.name for key in store.service_graph(HOUR).services}
        assert names == {"better"}
        trace = store.get_traces([TRACE])[TRACE]
        assert trace.documents[1].version == better.version
        assert trace.updated == T0 + 9

    def test_find_newest_first_and_page(self, store: Store) -> None:
        ids = [trace_id(n, epoch=T0 // SECOND + n) for n in range(7)]
        store.put(
            [
                segment(1, trace_id=id, start=T0 + n * SECOND, end=T0 + n * SECOND + 1)
                for n, id in enumerate(ids)
            ],
            "a",
        )
        seen, cursor = [], None
        while True:
            page = store.find_traces(TraceQuery(HOUR), limit=3, cursor=cursor)
            seen += [found.trace_id for found in page.found]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == list(reversed(ids))

    def test_a_last_page_that_is_full_has_no_cursor(self, store: Store) -> None:
        store.put([segment(1, trace_id=trace_id(n)) for n in range(1, 4)], "a")
        page = store.find_traces(TraceQuery(HOUR), limit=3)
        assert (len(page.found), page.cursor) == (3, None)

    def test_axes(self, store: Store) -> None:
        """TraceId: the epoch in the id when plausible; Service: an end; Event: the last arrival."""
        arrived = T0 + 50 * MINUTE
        plausible = trace_id(1, epoch=T0 // SECOND - 3600)
        random = bytes.fromhex("f0f1f2f3") + trace_id(2)[4:]
        store.put(
            [
                segment(1, trace_id=plausible, version=arrived),
                segment(1, trace_id=random, version=arrived, end=T0 + 40 * MINUTE),
            ],
            "a",
        )

        def found(axis: Axis, start: int, end: int) -> set[bytes]:
            query = TraceQuery(TimeRange(start, end), axis)
            return {found.trace_id for found in store.find_traces(query, limit=9).found}

        assert found(Axis.TRACE_ID, T0, T0 + 1) == {random}
        assert found(Axis.TRACE_ID, T0 - 60 * MINUTE, T0 - 59 * MINUTE) == {plausible}
        assert found(Axis.SERVICE, T0, T0 + MINUTE) == {plausible}
        assert found(Axis.SERVICE, T0, T0 + 41 * MINUTE) == {plausible, random}
        assert found(Axis.EVENT, T0, T0 + 41 * MINUTE) == set()
        assert found(Axis.EVENT, arrived, arrived + 1) == {plausible, random}

    def test_pages_while_traces_arrive(self, store: Store) -> None:
        """Each trace that existed at the first request comes exactly once, whatever arrives between
        pages: newer traces, older ones, and further documents of those that are listed."""
        existing = [trace_id(n, epoch=T0 // SECOND + n) for n in range(9)]
        existing[4] = bytes.fromhex("f0e1d2c3") + existing[4][4:]
        starts = [T0 + n * SECOND for n in range(9)]
        store.put(
            [
                segment(1, trace_id=id, start=at, end=at + 5, user="ann")
                for id, at in zip(existing, starts, strict=True)
            ],
            "existing",
        )
        query = TraceQuery(HOUR, filter=parse("user = ann AND !fault"))
        found: list[bytes] = []
        cursor, pages = None, 0
        while pages == 0 or cursor is not None:
            page = store.find_traces(query, limit=2, cursor=cursor)
            found += [hit.trace_id for hit in page.found]
            cursor, pages = page.cursor, pages + 1
            newer = trace_id(50 + pages, epoch=T0 // SECOND + 60)
            older = trace_id(50 + pages, epoch=T0 // SECOND - 60)
            store.put(
                [
                    segment(
                        1, trace_id=newer, user="ann", start=T0 + 60 * SECOND, end=T0 + 61 * SECOND
                    ),
                    segment(1, trace_id=older, user="ann", start=T0 - 60 * SECOND, end=T0),
                    *(
                        subsegment(
                            7 + pages, 1, trace_id=id, start=at + 9 * SECOND, end=at + 9 * SECOND
                        )
                        for id, at in zip(existing, starts, strict=True)
                    ),
                ],
                f"arriving {pages}",
            )
            if pages > 20:
                break
        assert [id for id in found if id in existing] == existing[::-1]
        assert len(found) == len(set(found))

    def test_find_by_filter(self, store: Store) -> None:
        """Each expression finds exactly its traces; pages do not change that."""
        plain, calling, failed = (trace_id(n) for n in (1, 2, 3))
        tier = annotation_item("tier", 2)
        store.put(
            [
                segment(1, trace_id=plain, annotations=(tier,), user="ann"),
                segment(1, trace_id=calling, calls=(call(0xC1, state=State.THROTTLE),)),
                segment(1, trace_id=failed, state=State.FAULT, annotations=(tier,)),
            ],
            "a",
        )

        def found(text: str) -> set[bytes]:
            query = TraceQuery(HOUR, filter=parse(text))
            ids: list[bytes] = []
            cursor = None
            while True:
                page = store.find_traces(query, limit=1, cursor=cursor)
                ids += [hit.trace_id for hit in page.found]
                cursor = page.cursor
                if cursor is None:
                    assert len(ids) == len(set(ids))
                    return set(ids)

        everything = {plain, calling, failed}
        assert found('service("frontend")') == everything
        assert found("fault") == {failed}
        assert found("!fault") == {plain, calling}
        assert found("annotation.tier = 2") == {plain, failed}
        assert found("annotation.tier = 2 AND ok") == {plain}
        assert found('annotation.tier = "2"') == set()
        assert found("annotation.tier > 1 OR throttle") == everything
        assert found("service(id(type: remote)) { throttle }") == {calling}
        assert found('edge("frontend", "backend.example.com") { fault }') == set()
        assert found('user = "ann"') == {plain}
        assert found("rootcause.fault.service { name = frontend }") == set(), "raw has no fault"
        assert found("ok AND fault") == set()

    def test_find_by_node_edge_and_state(self, store: Store) -> None:
        plain, calling, failed = (trace_id(n) for n in (1, 2, 3))
        store.put(
            [
                segment(1, trace_id=plain),
                segment(1, trace_id=calling, calls=(call(0xC1),)),
                segment(1, trace_id=failed, state=State.FAULT),
            ],
            "a",
        )

        def found(*conditions: Expression) -> list[bytes]:
            query = TraceQuery(HOUR, filter=all_of(*conditions))
            return [found.trace_id for found in store.find_traces(query, limit=9).found]

        assert found(touches(BACKEND)) == [calling]
        assert found(touches(CLIENT)) == [failed, calling, plain]
        assert found(calls_along(FRONTEND, BACKEND)) == [calling]
        assert found(entered_with({State.FAULT, State.ERROR})) == [failed]
        assert found(touches(BACKEND), entered_with({State.FAULT})) == []

    def test_find_by_annotations(self, store: Store) -> None:
        """Each item is on some document of the trace, in its winning copy."""
        gold, order = annotation_item("tier", "gold"), annotation_item("order", 7)
        both, one, former = (trace_id(n) for n in (1, 2, 3))
        store.put(
            [
                segment(1, trace_id=both, annotations=(gold,)),
                subsegment(2, 1, trace_id=both, annotations=(order, annotation_item("é", "'"))),
                segment(1, trace_id=one, annotations=(gold, annotation_item("order", "7"))),
                segment(1, trace_id=former, annotations=(gold, order)),
            ],
            "a",
        )
        store.put([segment(1, trace_id=former, version=T0 + 900_000)], "b")

        def found(*items: str, **more: Expression) -> list[bytes]:
            query = TraceQuery(HOUR, filter=all_of(*map(annotated, items), *more.values()))
            return [found.trace_id for found in store.find_traces(query, limit=9).found]

        assert found(gold) == [one, both]
        assert found(gold, order) == [both]
        assert found(annotation_item("é", "'")) == [both]
        assert found(annotation_item("tier", "silver")) == []
        assert found(gold, node=touches(BACKEND)) == []
        assert found(gold, state=entered_with({State.OK})) == [one, both]

    def test_a_foreign_cursor_is_refused(self, store: Store) -> None:
        for cursor in ("nonsense", "AAAA", "Ⅷ"):
            try:
                store.find_traces(TraceQuery(HOUR), limit=1, cursor=cursor)
            except InvalidCursor:
                continue
            raise AssertionError(cursor)

    def test_units_of_a_node_lead_to_their_traces(self, store: Store) -> None:
        """By when they started and how they ended, whenever and however the trace itself did."""
        store.put(_failing_calls(), "a")
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
        store.put(_failing_calls(), "a")
        edge = UnitQuery(HOUR, edges=frozenset(((FRONTEND, BACKEND),)))
        assert [each.units for each in store.find_units(edge, limit=10).found] == [1, 1, 3]
        entry = UnitQuery(HOUR, edges=frozenset(((CLIENT, FRONTEND),)))
        assert [each.units for each in store.find_units(entry, limit=10).found] == [1, 1, 1]
        faults = replace(entry, states=frozenset((State.FAULT,)))
        assert store.find_units(faults, limit=10).found == []

    def test_units_come_in_pages(self, store: Store) -> None:
        """Each trace once, the latest first."""
        store.put(_failing_calls(), "a")
        query = UnitQuery(HOUR, nodes=frozenset((BACKEND,)))
        found, cursor = [], None
        for _ in range(3):
            page = store.find_units(query, limit=1, cursor=cursor)
            found += [each.trace_id for each in page.found]
            cursor = page.cursor
        assert (found, cursor) == ([trace_id(3), trace_id(2), trace_id(1)], None)

    def test_units_found_are_those_that_the_map_counts(self, store: Store) -> None:
        """Of every node and edge, by state and by label; links and answered calls included."""
        store.put([*_failing_calls(), *_linked_traces()], "a")
        graph = store.service_graph(HOUR)
        places = [
            (
                UnitQuery(HOUR, nodes=frozenset((k,))),
                store.node_failures([k], HOUR),
                each.statistics,
            )
            for k, each in graph.services.items()
            if not k.is_client
        ]
        places += [
            (
                UnitQuery(HOUR, edges=frozenset((k,))),
                store.edge_failures([k], HOUR),
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

    def test_entry_times_are_those_of_the_summary(self, store: Store) -> None:
        """Of traces that are simple enough; others are absent."""
        store.put(_failing_calls(), "a")
        store.put([segment(0xE1, trace_id=trace_id(7), state=State.IN_PROGRESS)], "b")
        store.put([segment(0xE2, trace_id=trace_id(8), parent_id=0xDEAD)], "c")
        ids = [trace_id(number) for number in (1, 2, 3, 7, 8, 9)]
        times = store.entry_times(ids)
        assert set(times) == {trace_id(1), trace_id(2), trace_id(3)}
        for id, trace in store.get_traces(list(times)).items():
            summary = summarize(trace)
            assert times[id] == (summary.start, summary.response_time, summary.state)

    def test_values_are_counted_by_traces(self, store: Store) -> None:
        """Of annotations by key, and of other fields; only those that begin with a prefix."""
        for number, tier in enumerate(("gold", "gold", "silver"), 1):
            items = (f'tier="{tier}"', "a%3Db=5", "first=true")
            document = segment(
                number, trace_id=trace_id(number), annotations=items, http=http(500 + number)
            )
            store.put([document], tier + str(number))
        store.put(
            [segment(9, trace_id=trace_id(9), start=T0 - HOUR.end, annotations=("old=1",))], "x"
        )
        assert store.annotation_keys(HOUR, limit=9) == [("a=b", 3), ("first", 3), ("tier", 3)]
        assert store.annotation_keys(HOUR, limit=1) == [("a=b", 3)]

        def values(field: Field, prefix: str = "") -> list[ValueCount]:
            return store.field_values(field, HOUR, prefix=prefix, limit=9)

        assert values(Field("annotation", "tier")) == [("gold", 2), ("silver", 1)]
        assert values(Field("annotation", "tier"), "si") == [("silver", 1)]
        assert values(Field("annotation", "a=b"), "5") == [(5.0, 3)]
        assert values(Field("annotation", "first")) == [(True, 3)]
        assert values(Field("http.status"), "50") == [(501.0, 1), (502.0, 1), (503.0, 1)]
        assert values(Field("http.method")) == [("GET", 3)]
        assert [values(Field(keyword)) for keyword in VALUE_FIELDS if "http" not in keyword] == [
            []
        ] * 4

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
        assert store.node_failures([FRONTEND], HOUR) == [Failure("HTTP 500", State.FAULT, 1)]
        edges = store.edge_series([(FRONTEND, BACKEND)], HOUR, MINUTE)
        assert [(s.start, s.statistics.total) for s in edges] == [(T0, 1), (T0 + MINUTE, 1)]
        assert store.edge_failures([(FRONTEND, BACKEND)], HOUR) == [
            Failure("HTTP 503", State.FAULT, 1),
            Failure("KeyError", State.ERROR, 1),
        ]
        assert store.node_failures([BACKEND], HOUR) == store.edge_failures(
            [(FRONTEND, BACKEND)], HOUR
        )

    def test_names_that_try_to_be_sql(self, store: Store) -> None:
        for number, name in enumerate(("it's", "a\\", ":from", "x:to y", "--", "\u2603"), 1):
            node = NodeKey("", name, "AWS::X")
            store.put([segment(1, trace_id=trace_id(number), name=name, type="AWS::X")], name)
            assert store.node_series([node], HOUR, MINUTE)[0].statistics.total == 1
            query = TraceQuery(HOUR, filter=touches(node))
            assert len(store.find_traces(query, limit=9).found) == 1
            client = NodeKey("", name, "client")
            assert len(store.edge_series([(client, node)], HOUR, MINUTE)) == 1

    def test_a_pin_changes_nothing_that_is_read(self, store: Store) -> None:
        """Not the trace, its revision, lists or the map: only how long it is stored."""
        sent, taken = trace_id(1), trace_id(2)
        worker = segment(
            0xB1,
            trace_id=taken,
            name="worker",
            start=T0 + SECOND,
            end=T0 + 2 * SECOND,
            links=(Link(sent, 0xC1),),
        )
        store.put([segment(0xA1, trace_id=sent, calls=(call(0xC1),)), worker], "a")
        store.put([segment(0xA1, trace_id=sent, calls=(call(0xC1),), version=T0 + 9)], "b")

        def seen() -> list[object]:
            lists = [store.find_traces(TraceQuery(HOUR, axis), limit=9) for axis in Axis]
            return [
                store.get_traces([sent, taken], raw=True),
                store.service_graph(HOUR),
                lists,
                store.find_traces(TraceQuery(HOUR, filter=touches(BACKEND)), limit=9),
            ]

        before = seen()
        store.pin(sent, "why", T0)
        store.pin(taken, "", T0)
        assert seen() == before
        store.pin(sent, "another word", T0 + 1)
        assert store.refresh_pins() == 0
        assert seen() == before
        store.unpin(sent, T0 + 2)
        assert seen() == before

    def test_pins_are_listed(self, store: Store) -> None:
        """The latest first; a second pin is a new note, and an unpin the end of it."""
        one, two = trace_id(1), trace_id(2)
        store.put([segment(1, trace_id=one), segment(1, trace_id=two)], "a")
        assert (store.pins(), store.pin_of(one), store.unpin(one, T0)) == ([], None, False)
        assert store.pin(one, "it's \\ \u2603", T0) == Pin(one, "it's \\ \u2603", T0)
        assert store.pin(two, "", T0 + 5) == Pin(two, "", T0 + 5)
        assert store.pins() == [Pin(two, "", T0 + 5), Pin(one, "it's \\ \u2603", T0)]
        assert store.pin(one, "better", T0 + 9) == Pin(one, "better", T0)
        assert store.pin_of(one) == Pin(one, "better", T0)
        assert store.unpin(one, T0 + 10)
        assert store.pins() == [Pin(two, "", T0 + 5)]
        assert not store.unpin(one, T0 + 11)
        assert store.pin(one, "again", T0 + 1).at == T0 + 1, "by a clock that lags"
        assert store.pin_of(one) == Pin(one, "again", T0 + 1)

    def test_only_what_is_a_trace_can_be_pinned(self, store: Store) -> None:
        store.put([segment(1, trace_id=trace_id(1), sampled=False)], "a")
        for number in (1, 2):
            with pytest.raises(
                TraceNotFound, match=r"there is no trace 1-[0-9a-f]{8}-0{23}\d here"
            ):
                store.pin(trace_id(number), "", T0)
        assert store.pins() == []
