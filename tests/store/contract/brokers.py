"""Messages: what a producer sent leads to the broker, and from there by a link edge to the consumer."""

from __future__ import annotations

from typing import Any

from store.filters.conditions import calls_along, touches
from store.model import Document, Fetched, Independent, Kind, Link, NodeKey, State
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from store.root_causes import root_causes
from store.summary import summarize
from store.times import MINUTE
from store.trace_documents import processed_documents
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import HOUR

SHOP = NodeKey("", "shop", "")
WORKER = NodeKey("", "worker", "")
AUDIT = NodeKey("", "audit", "")
ORDERS = NodeKey("", "orders", "Messaging::Kafka")
CLIENT = NodeKey("", "shop", "client")
SENT, RECEIVED = T0 + 11_000, T0 + 500_000
AGE = {490_000: 1}
"""`histogram.bucket` of what lies between the two."""


def produced(id: int = 0x51, node: NodeKey = ORDERS, **change: Any) -> Document:
    """A PRODUCER span below the segment 0xA1 of the shop."""
    sent = call(id, node=node, service=node.name, host=node.name)
    given: dict[str, Any] = {"independent": Independent.OF_SENDER, "kind": Kind.PRODUCER}
    return segment(id, parent_id=0xA1, node=SHOP, calls=(sent,), **{**given, **change})


def shop(**change: Any) -> Document:
    """The request in which a message was sent."""
    return segment(0xA1, node=SHOP, **{"kind": Kind.SERVER, **change})


def consumed(id: int = 0xC1, parent_id: int = 0x51, **change: Any) -> Document:
    """A CONSUMER span that failed."""
    given = {"node": WORKER, "kind": Kind.CONSUMER, "state": State.FAULT, "exception": "Boom"}
    times = {"start": RECEIVED, "end": RECEIVED + 3_000}
    return segment(id, parent_id=parent_id, **{**given, **times, **change})


class BrokerContract:
    """Every store passes every test."""

    def test_a_message_to_a_span_that_enters_its_service(self, store: Store) -> None:
        """Its list has it, though it is no segment."""
        store.put([shop(), produced(), consumed(independent=Independent.OF_SENDER)], "a")
        edge = (ORDERS, WORKER)
        assert store.service_graph(HOUR).links[edge].statistics.fault == 1
        found = store.find_units(UnitQuery(HOUR, edges=frozenset([edge]), link=True), limit=9).found
        assert [each.units for each in found] == [1]

    def test_a_message_by_parent_or_by_link(self, store: Store) -> None:
        """One map, and lists that equal its numbers."""
        there = trace_id(2)
        linked = consumed(
            parent_id=0, trace_id=there, links=(Link(trace_id(3), 0x51),), start=RECEIVED + MINUTE
        )
        store.put([consumed()], "consumer")
        store.put([shop(), produced()], "producer")
        _expect_a_message(store)
        store.put([linked], "linked consumer")
        store.put([produced(trace_id=trace_id(3)), shop(trace_id=trace_id(3))], "its producer")
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, ORDERS)}
        assert graph.edges[SHOP, ORDERS].statistics.total == 2
        assert graph.links.keys() == {(ORDERS, WORKER)}
        assert graph.links[ORDERS, WORKER].statistics.fault == 2

    def test_what_lists_say_of_a_message(self, store: Store) -> None:
        """A list behind each number equals it."""
        store.put([shop(), produced(), consumed()], "a")
        for nodes, expected in ((ORDERS, State.OK), (WORKER, State.FAULT)):
            (found,) = store.find_units(UnitQuery(HOUR, nodes=frozenset([nodes])), limit=9).found
            assert (found.units, found.state) == (1, expected)
        for pair, link, count in (
            ((SHOP, ORDERS), False, 1),
            ((SHOP, ORDERS), None, 1),
            ((SHOP, ORDERS), True, 0),
            ((ORDERS, WORKER), True, 1),
            ((ORDERS, WORKER), None, 1),
            ((ORDERS, WORKER), False, 0),
            ((SHOP, WORKER), None, 0),
        ):
            query = UnitQuery(HOUR, edges=frozenset([pair]), link=link)
            assert sum(each.units for each in store.find_units(query, limit=9).found) == count
        for filter, count in (
            (calls_along(SHOP, ORDERS), 1),
            (calls_along(SHOP, WORKER), 0),
            (touches(ORDERS), 1),
            (touches(WORKER), 1),
        ):
            assert len(store.find_traces(TraceQuery(HOUR, filter=filter), limit=9).found) == count

    def test_the_trace_of_a_message(self, store: Store) -> None:
        """The queue has a segment of its own, and the consumer's failure is none of the producer's request."""
        raw = b'{"id": "%016x", "name": "x", "trace_id": "%s", "start_time": 1795560000, "end_time": 1795560001%s}'
        id = b"1-6b061440-000000000000000000000001"
        documents = [
            shop(raw=raw % (0xA1, id, b"")),
            produced(raw=raw % (0x51, id, b', "namespace": "remote", "parent_id": "00000000000000a1", "type": "subsegment"')),
            consumed(raw=raw % (0xC1, id, b', "fault": true, "parent_id": "0000000000000051"')),
        ]  # fmt: skip
        store.put(documents, "a")
        (trace,) = store.get_traces([documents[0].trace_id], raw=True).values()
        assert summarize(trace).nodes.keys() == {SHOP, CLIENT, ORDERS, WORKER}
        inferred = [each for each in processed_documents(trace) if each.get("inferred")]
        assert [each["parent_id"] for each in inferred] == [f"{0x51:016x}"]
        (cause,) = root_causes(trace).fault
        assert [each.node.name for each in cause.services] == ["worker"]
        assert not cause.client_impacting
        (longest,) = root_causes(trace).response_time
        assert [each.node for each in longest.services] == [SHOP, ORDERS]

    def test_a_message_to_several_consumers(self, store: Store) -> None:
        """The producer's call counts once; each consumer has a link edge."""
        store.put([consumed(0xC2, node=AUDIT, state=State.OK, exception="")], "a")
        store.put([shop(), produced(), consumed(), consumed(0xC3)], "b")
        graph = store.service_graph(HOUR)
        assert graph.edges[SHOP, ORDERS].statistics.total == 1
        assert graph.services[ORDERS].statistics.total == 1
        assert graph.links[ORDERS, WORKER].statistics.fault == 2
        assert graph.links[ORDERS, AUDIT].statistics.ok == 1
        (found,) = store.find_units(UnitQuery(HOUR, nodes=frozenset([ORDERS])), limit=9).found
        assert found.units == 1

    def test_a_message_that_lay_for_hours(self, store: Store) -> None:
        """Producer and consumer in minutes far apart, whichever comes first, with a count between."""
        late: dict[str, Any] = {"start": RECEIVED + 20 * MINUTE, "end": RECEIVED + 21 * MINUTE}
        store.put([consumed(**late)], "a")
        assert store.service_graph(HOUR).links == {}
        store.put([shop(), produced()], "b")
        assert store.service_graph(HOUR).links.keys() == {(ORDERS, WORKER)}
        other: dict[str, Any] = {"trace_id": trace_id(2)}
        store.put([shop(**other), produced(**other)], "c")
        assert store.service_graph(HOUR).edges[SHOP, ORDERS].statistics.total == 2
        store.put([consumed(**other, **late)], "d")
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, ORDERS)}
        assert graph.edges[SHOP, ORDERS].statistics.total == 2
        assert graph.links[ORDERS, WORKER].statistics.fault == 2

    def test_a_call_of_no_broker(self, store: Store) -> None:
        """A consumer answers it no more than a broker's: a message went on from there. What is no consumer answers either."""
        remote = NodeKey("", "rest.example.com", "remote")
        store.put([shop(), produced(node=remote), consumed()], "a")
        other: dict[str, Any] = {"trace_id": trace_id(2)}
        store.put([shop(**other), produced(**other), consumed(**other, kind=Kind.NONE)], "b")
        graph = store.service_graph(HOUR)
        assert (
            graph.edges[SHOP, WORKER].statistics.ok == graph.edges[SHOP, remote].statistics.ok == 1
        )
        assert graph.links.keys() == {(remote, WORKER)}
        assert graph.links[remote, WORKER].statistics.fault == 1
        assert ORDERS not in graph.services

    def test_a_link_to_a_sender_with_a_consumer_below(self, store: Store) -> None:
        """It comes from the broker, too."""
        store.put([shop(), produced(), consumed(state=State.OK, exception="")], "a")
        links = (Link(shop().trace_id, 0x51),)
        store.put([consumed(0xC9, 0, node=AUDIT, trace_id=trace_id(2), links=links)], "b")
        graph = store.service_graph(HOUR)
        assert graph.links.keys() == {(ORDERS, WORKER), (ORDERS, AUDIT)}

    def test_a_message_of_an_unknown_producer(self, store: Store) -> None:
        """The queue that the consumer names stands in front of it, and no client: without a parent, with one that
        never came, with links that lead nowhere, and below work of its own service."""
        lost = Link(trace_id(99), 0x51)
        own = {"independent": Independent.OF_SENDER, "kind": Kind.INTERNAL, "node": WORKER}
        cases: list[dict[str, Any]] = [
            {},
            {"parent_id": 0x99},
            {"links": (lost, Link(trace_id(98), 0x51))},
            {"parent_id": 0x99, "links": (lost,)},
            {"parent_id": 0x77},
        ]
        for number, case in enumerate(cases, 1):
            given = {"parent_id": 0, "before": ORDERS, "trace_id": trace_id(number), **case}
            store.put([consumed(**given)], str(number))
        loop = segment(0x77, parent_id=0x99, trace_id=trace_id(5), **own)
        store.put([loop], "loop")
        graph = store.service_graph(HOUR)
        assert graph.edges == {}
        assert graph.links.keys() == {(ORDERS, WORKER)}
        statistics = graph.links[ORDERS, WORKER].statistics
        assert (statistics.fault, statistics.histogram) == (6, {0: 6})
        assert graph.services[WORKER].statistics.total == 5
        assert graph.services[ORDERS].statistics.total == 0
        for link, count in ((True, 6), (None, 6), (False, 0)):
            query = UnitQuery(HOUR, edges=frozenset([(ORDERS, WORKER)]), link=link)
            assert sum(each.units for each in store.find_units(query, limit=9).found) == count
        client = NodeKey("", "worker", "client")
        for node in (client, ORDERS):
            assert store.find_traces(TraceQuery(HOUR, filter=touches(node)), limit=9).found == []
        (trace,) = store.get_traces([trace_id(1)]).values()
        assert summarize(trace).nodes.keys() == {WORKER}

    def test_a_producer_that_comes_later(self, store: Store) -> None:
        """From its queue the message came to the one that the consumer names, and it has an age."""
        named = ORDERS._replace(name="orders.template")
        store.put([consumed(before=named)], "a")
        links, there = (Link(trace_id(3), 0x51),), trace_id(2)
        store.put([consumed(parent_id=0, before=named, trace_id=there, links=links)], "b")
        assert store.service_graph(HOUR).links.keys() == {(named, WORKER)}
        store.put([shop(), produced()], "c")
        store.put([shop(trace_id=trace_id(3)), produced(trace_id=trace_id(3))], "d")
        graph = store.service_graph(HOUR)
        assert graph.links.keys() == {(ORDERS, named), (named, WORKER)}
        for edge, each in graph.links.items():
            assert each.statistics.histogram == {490_000: 2}
            query = UnitQuery(
                HOUR, edges=frozenset([edge]), link=True, states=frozenset([State.FAULT])
            )
            found = store.find_units(query, limit=9).found
            assert [(one.units, one.state) for one in found] == [(1, State.FAULT)] * 2
        assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, ORDERS)}

    def test_a_producer_that_names_no_queue(self, store: Store) -> None:
        """Its message came through the one that the consumer names, by parent or by link."""
        there, links = trace_id(2), (Link(trace_id(3), 0xA1),)
        store.put([consumed(parent_id=0xA1, before=ORDERS)], "a")
        store.put([consumed(parent_id=0, before=ORDERS, trace_id=there, links=links)], "b")
        assert store.service_graph(HOUR).links.keys() == {(ORDERS, WORKER)}
        store.put([shop(), shop(trace_id=trace_id(3))], "c")
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, SHOP)}
        assert graph.links.keys() == {(SHOP, ORDERS), (ORDERS, WORKER)}
        assert graph.services[ORDERS].statistics.total == 0
        for edge in graph.links:
            assert graph.links[edge].statistics.fault == 2
            query = UnitQuery(HOUR, edges=frozenset([edge]))
            assert [each.units for each in store.find_units(query, limit=9).found] == [1, 1]

    def test_a_queue_that_a_consumer_names_joins_the_producers(self, store: Store) -> None:
        """Which knows the account and the region."""
        queue = NodeKey("1", "orders", "AWS::SQS::Queue", "us-east-1")
        named = NodeKey("", "orders", "AWS::SQS::Queue")
        store.put([shop(), produced(node=queue), consumed(0xC9, 0, before=named)], "a")
        graph = store.service_graph(HOUR)
        assert graph.links.keys() == {(queue, WORKER)}
        assert graph.services.keys() == {CLIENT, SHOP, queue, WORKER}
        assert graph.services[queue].keys == {queue, named}

    def test_a_consumer_that_names_no_queue(self, store: Store) -> None:
        """It has a client, and is called by the work of its own service above it."""
        own = {"independent": Independent.OF_SENDER, "kind": Kind.INTERNAL, "node": WORKER}
        store.put([consumed(parent_id=0)], "a")
        other = trace_id(2)
        store.put([segment(0x77, trace_id=other, **own), consumed(0xC2, 0x77, trace_id=other)], "b")
        graph = store.service_graph(HOUR)
        assert graph.links == {}
        assert graph.edges.keys() == {(NodeKey("", "worker", "client"), WORKER), (WORKER, WORKER)}

    def test_messages_that_were_fetched_together(self, store: Store) -> None:
        """Three messages count three times, whatever their spans came with, in any order."""
        links = tuple(Link(trace_id(number), 0x51) for number in (2, 3, 4))
        for number in (2, 3, 4):
            sent: dict[str, Any] = {"trace_id": trace_id(number)}
            store.put([shop(**sent), produced(**sent)], f"producer {number}")
        fetch = fetched(links=links, fetched=Fetched.MESSAGES)
        store.put([fetch], "fetch")
        assert store.service_graph(HOUR).services[WORKER].statistics.total == 1
        processed = [
            consumed(0xC1 + number, 0xF1, before=ORDERS, links=(link,))
            for number, link in enumerate(links)
        ]
        store.put(processed, "processed")
        _expect_three_messages(store)
        counted = store.version_statistics([WORKER], HOUR)
        assert {version: each.statistics.total for version, each in counted.items()} == {"": 3}
        client = fetched(trace_id=trace_id(5), links=(), fetched=Fetched.UNSEEN, kind=Kind.CLIENT)
        store.put([client], "a poll that found nothing")
        _expect_three_messages(store)

    def test_what_is_fetched_and_processed_hours_apart(self, store: Store) -> None:
        """What fetched is counted until the consumer below it comes."""
        late: dict[str, Any] = {"start": RECEIVED + 20 * MINUTE, "end": RECEIVED + 21 * MINUTE}
        store.put([fetched(fetched=Fetched.MESSAGES, before=ORDERS)], "a")
        graph = store.service_graph(HOUR)
        assert graph.services[WORKER].statistics.total == 1
        assert graph.links[ORDERS, WORKER].statistics.total == 1
        store.put([consumed(0xC1, 0xF1, before=ORDERS, **late)], "b")
        graph = store.service_graph(HOUR)
        assert graph.services[WORKER].statistics.fault == 1
        assert graph.services[WORKER].statistics.total == 1
        assert graph.links[ORDERS, WORKER].statistics.total == 1
        assert graph.edges == {}

    def test_what_fetched_for_another_service(self, store: Store) -> None:
        """It is a unit of its own, and calls the other."""
        store.put([fetched(fetched=Fetched.MESSAGES), consumed(0xC1, 0xF1, node=AUDIT)], "a")
        graph = store.service_graph(HOUR)
        assert graph.services[WORKER].statistics.total == 1
        assert graph.services[AUDIT].statistics.total == 1
        assert (WORKER, AUDIT) in graph.edges

    def test_a_link_of_two_that_fetched(self, store: Store) -> None:
        """One of them has it."""
        sent: dict[str, Any] = {"trace_id": trace_id(2)}
        link = (Link(trace_id(2), 0x51),)
        store.put([shop(**sent), produced(**sent)], "a")
        for id in (0xF1, 0xF2):
            fetch = fetched(id, fetched=Fetched.MESSAGES, links=link)
            store.put([fetch], str(id))
        assert store.service_graph(HOUR).links[ORDERS, WORKER].statistics.total == 1


def fetched(id: int = 0xF1, **change: Any) -> Document:
    """A CONSUMER span that fetched messages."""
    return consumed(id, 0, **{"state": State.OK, "exception": "", **change})


def _expect_three_messages(store: Store) -> None:
    graph = store.service_graph(HOUR)
    assert graph.services[WORKER].statistics.fault == 3
    assert graph.services[WORKER].statistics.total == 3
    assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, ORDERS)}
    assert graph.links.keys() == {(ORDERS, WORKER)}
    assert graph.links[ORDERS, WORKER].statistics.total == 3
    for query in (
        UnitQuery(HOUR, nodes=frozenset([WORKER])),
        UnitQuery(HOUR, edges=frozenset([(ORDERS, WORKER)])),
    ):
        assert sum(each.units for each in store.find_units(query, limit=9).found) == 3


def _expect_a_message(store: Store) -> None:
    graph = store.service_graph(HOUR)
    assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, ORDERS)}
    edge = graph.edges[SHOP, ORDERS].statistics
    assert (edge.total, edge.ok, edge.histogram) == (1, 1, {10_000: 1})
    assert graph.services[ORDERS].statistics.ok == 1
    assert graph.links.keys() == {(ORDERS, WORKER)}
    link = graph.links[ORDERS, WORKER]
    assert (link.statistics.fault, link.statistics.histogram) == (1, AGE)
    assert link.failures == {"4:Boom": 1}
    assert graph.services[WORKER].statistics.histogram == {3_000: 1}
    assert not graph.services[WORKER].root
