"""Subsegments that come as documents of their own."""

from __future__ import annotations

from store.filters.conditions import touches
from store.filters.parse import parse
from store.model import (
    SETTLE_SLOT,
    Link,
    NodeKey,
    State,
    TimeRange,
)
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from store.times import DAY, MINUTE
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.store.contract.nodes import BACKEND, FRONTEND, HOUR


class SubsegmentContract:
    """Every store passes every test."""

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

    def test_a_link_to_a_streamed_call(self, store: Store) -> None:
        """Its queue is in its caller's account and region, which the call does not know."""
        queue, place = (
            NodeKey("", "jobs", "AWS::SQS::Queue"),
            {"account": "1", "region": "eu-west-1"},
        )
        sent = subsegment(0x51, parent_id=0x11, calls=(call(0x51, node=queue, service="SQS"),))
        links = (Link(sent.trace_id, 0x51),)
        store.put([sent], "a")
        store.put([segment(0xC1, node=BACKEND, trace_id=trace_id(2), links=links)], "b")
        assert store.service_graph(HOUR).links.keys() == {(queue, BACKEND)}
        store.put([segment(0xA1, node=FRONTEND._replace(**place), members=(0x11,))], "c")
        graph = store.service_graph(HOUR)
        assert graph.links.keys() == {(queue._replace(**place), BACKEND)}
        assert graph.services.keys() & {queue, queue._replace(**place)} == {queue._replace(**place)}

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

    def test_a_table_is_in_its_callers_account(self, store: Store) -> None:
        """Of a streamed call, the segment knows it, whichever comes first: nodes, lists, series and filters."""
        places = [("1" * 12, "eu-west-1"), ("2" * 12, "us-east-1")]
        table = NodeKey("", "orders", "AWS::DynamoDB::Table")
        for number, (account, region) in enumerate(places, 1):
            shop = NodeKey(account, "shop", "", region)
            made = subsegment(
                0x51, 0xA1, trace_id=trace_id(number), calls=(call(0x51, node=table),)
            )
            own = segment(0xA1, trace_id=trace_id(number), node=shop, calls=())
            for part in (made, own) if number == 1 else (own, made):
                store.put([part], f"{number} {part.id}")
        graph = store.service_graph(HOUR)
        tables = {key for key in graph.services if key.name == "orders"}
        assert tables == {
            NodeKey(account, "orders", table.type, region) for account, region in places
        }
        for number, (account, region) in enumerate(places, 1):
            mine = NodeKey(account, "orders", table.type, region)
            shop = NodeKey(account, "shop", "", region)
            assert graph.services[mine].statistics.ok == 1
            assert graph.edges[shop, mine].statistics.ok == 1
            assert sum(each.statistics.ok for each in store.node_series({mine}, HOUR, DAY)) == 1
            for query in (
                UnitQuery(HOUR, nodes=frozenset((mine,))),
                UnitQuery(HOUR, edges=frozenset(((shop, mine),))),
            ):
                found = store.find_units(query, limit=9).found
                assert [each.trace_id for each in found] == [trace_id(number)]
            for text in (
                f'service(id(name: "orders", account.id: "{account}"))',
                f'edge("shop", id(name: "orders", account.id: "{account}"))',
                f'service("orders") {{ account.id = "{account}" }}',
                f'service("orders") {{ region = "{region}" }}',
                f'service("orders") {{ !(account.id = "{places[-number][0]}") }}',
            ):
                filtered = TraceQuery(HOUR, filter=parse(text))
                found_ids = [each.trace_id for each in store.find_traces(filtered, limit=9).found]
                assert found_ids == [trace_id(number)], text
            exactly = TraceQuery(HOUR, filter=touches(mine))
            assert [e.trace_id for e in store.find_traces(exactly, limit=9).found] == [
                trace_id(number)
            ]
        assert store.find_units(UnitQuery(HOUR, nodes=frozenset((table,))), limit=9).found == []

    def test_a_young_call_of_an_unknown_caller_is_not_drawn(self, store: Store) -> None:
        """Of tables in two accounts it could be either's; later it is a node of its own."""
        table = NodeKey("", "orders", "AWS::DynamoDB::Table")
        tables = {table._replace(account=account) for account in ("1" * 12, "2" * 12)}
        for number, each in enumerate(sorted(tables), 1):
            made = segment(0xA1, trace_id=trace_id(number), calls=(call(0x51, node=each),))
            store.put([made], f"{number}")
        streamed = subsegment(0x51, 0xA1, trace_id=trace_id(3), calls=(call(0x51, node=table),))
        store.put([streamed], "3")
        for settled, drawn in (
            (T0, tables),
            (T0 + SETTLE_SLOT, tables | {table}),
            (None, tables | {table}),
        ):
            graph = store.service_graph(HOUR, settled_before=settled)
            assert {key for key in graph.services if key.name == "orders"} == drawn
        store.put([segment(0xA1, trace_id=trace_id(4), calls=(call(0x52, node=table),))], "4")
        young = store.service_graph(HOUR, settled_before=T0)
        assert young.services[table].statistics.ok == 2, "something is known to lead there"

    def test_orphans_in_a_circle(self, store: Store) -> None:
        """Nonsense parents end, and neither node nor edge comes of them."""
        one = subsegment(0x51, parent_id=0x52, calls=(call(0x51),))
        two = subsegment(0x52, parent_id=0x51)
        child = segment(0xB1, name="child", parent_id=0x52)
        store.put([one, two, child], "a")
        graph = store.service_graph(HOUR)
        assert set(graph.services) == {BACKEND, NodeKey("", "child", "")}
        assert graph.edges == {}
