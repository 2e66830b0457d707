"""Names in excess, and nodes that join others by their names."""

from __future__ import annotations

import time

import pytest

from store.filters.conditions import calls_along, touches
from store.model import (
    NodeKey,
    State,
    TimeRange,
)
from store.protocol import Store
from store.query import TraceQuery
from store.rules import other_names
from store.times import DAY, MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.failures import edge_failures, node_failures
from tests.store.contract.nodes import BACKEND, CLIENT, FRONTEND, HOUR
from tests.store.contract.series import edge_series


class NameContract:
    """Every store passes every test."""

    def test_names_in_excess_are_counted_as_one_node(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A service calls a host of another name each time, and another names its segments so:
        those names are one node of each kind, in the minute and account where they are many. (Of several cells in
        the cell where they are: all traces have odd ids.)"""
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
            segment(0xB1, trace_id=trace_id(3 + 2 * i), name=f"GET /users/{i}") for i in range(3)
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
        assert node_failures(store, other)[0].count == 4
        assert edge_failures(store, FRONTEND, other) == node_failures(store, other)
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
        (bucket,) = store.node_series(keys, HOUR, DAY)
        assert (bucket.statistics.ok, bucket.statistics.fault) == (1, 1)
        edges = [(FRONTEND, key) for key in keys]
        (bucket,) = edge_series(store, edges, HOUR, DAY)
        assert (bucket.statistics.ok, bucket.statistics.fault) == (1, 1)
        assert [f.count for f in node_failures(store, west)] == [1]
        assert edge_failures(store, FRONTEND, west) == node_failures(store, west)
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
            assert [f.label for f in node_failures(store, table)] == [f"Boom{number}"]
            assert [f.label for f in edge_failures(store, web, table)] == [f"Boom{number}"]
            for node in (web, api, table):
                (bucket,) = store.node_series([node], HOUR, DAY)
                assert bucket.statistics.total == 1
            for filter in (touches(table), calls_along(web, api)):
                query = TraceQuery(HOUR, filter=filter)
                found = store.find_traces(query, limit=9).found
                assert [hit.trace_id for hit in found] == [trace_id(number)]
