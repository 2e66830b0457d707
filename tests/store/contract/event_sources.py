"""Messages for which a function was invoked: each counts once, however many an invocation had."""

from __future__ import annotations

import itertools
from typing import Any

from store.model import Document, Fetched, Kind, Link, NodeKey, State
from store.protocol import Store
from store.query import UnitQuery
from store.rules.event_sources import unknown_sender
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import HOUR

ACCOUNT, REGION = "111122223333", "eu-west-1"
QUEUE = NodeKey(ACCOUNT, "reminders", "AWS::SQS::Queue", REGION)
SHOP = NodeKey(ACCOUNT, "shop", "", REGION)
SERVICE = NodeKey(ACCOUNT, "remind", "AWS::Lambda", REGION)
FUNCTION = NodeKey(ACCOUNT, "remind", "AWS::Lambda::Function", REGION)
CLIENT = NodeKey("", "shop", "client")
HERE = trace_id(1)
RECEIVED = T0 + 500_000


def sender(number: int, **change: Any) -> Document:
    """A request that sent messages, in a trace of its own; the call ends after 11 ms."""
    sent = call(0x51, node=QUEUE, service="SQS")
    return segment(0xA1, trace_id=trace_id(number), node=SHOP, calls=(sent,), **change)


def service(*links: Link, **change: Any) -> Document:
    """Lambda's own segment of an invocation for messages of the queue."""
    given: dict[str, Any] = {
        "node": SERVICE,
        "kind": Kind.CONSUMER,
        "before": QUEUE,
        "fetched": Fetched.MESSAGES,
    }
    times = {"start": RECEIVED, "end": RECEIVED + 3_000}
    return segment(0x5E, links=links, **{"trace_id": HERE, **given, **times, **change})  # fmt: skip


def function(**change: Any) -> Document:
    """The function's, below it."""
    times = {"start": RECEIVED, "end": RECEIVED + 3_000}
    return segment(0xF0, parent_id=0x5E, node=FUNCTION, **{"trace_id": HERE, **times, **change})


def sent_by(number: int, weight: int = 1) -> Link:
    return Link(trace_id(number), 0x51, True, RECEIVED, weight)


class EventSourceContract:
    """Every store passes every test."""

    def test_messages_of_a_batch_count_each_once(self, store: Store) -> None:
        """Three of one request, six of another and one of an unknown sender, whatever comes first."""
        batch = sent_by(2, 3), sent_by(3, 6), Link(*unknown_sender(HERE, 0x5E), received=RECEIVED)
        for document in (service(*batch), sender(2), function(), sender(3)):
            store.put([document], f"{document.trace_id.hex()}{document.id}")
            store.service_graph(HOUR)
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, QUEUE), (SERVICE, FUNCTION)}
        assert graph.edges[SHOP, QUEUE].statistics.total == 2
        assert graph.links.keys() == {(QUEUE, SERVICE)}
        statistics = graph.links[QUEUE, SERVICE].statistics
        assert (statistics.ok, statistics.histogram) == (10, {0: 1, 490_000: 9})
        assert graph.services[SERVICE].statistics.total == 1
        assert graph.services[FUNCTION].statistics.total == 1
        assert graph.services[QUEUE].statistics.total == 2
        query = UnitQuery(HOUR, edges=frozenset([(QUEUE, SERVICE)]), link=True)
        assert sum(each.units for each in store.find_units(query, limit=9).found) == 10

    def test_a_source_whose_messages_have_no_senders(self, store: Store) -> None:
        """One message, and ten of an invocation that failed; no client stands in front of the function."""
        store.put([service(), function()], "a")
        graph = store.service_graph(HOUR)
        assert graph.links[QUEUE, SERVICE].statistics.ok == 1
        lost = Link(*unknown_sender(trace_id(9), 0x5E), weight=10)
        store.put([service(lost, trace_id=trace_id(9), state=State.FAULT)], "b")  # fmt: skip
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(SERVICE, FUNCTION)}
        assert graph.links[QUEUE, SERVICE].statistics.fault == 10
        assert not any(node.is_client for node in graph.services)

    def test_what_the_sender_and_another_consumer_say_as_well(self, store: Store) -> None:
        """A link at the other end is the same one, and one of a span in the function, too: in every order."""
        total = 0
        for with_span in (False, True):
            for order in itertools.permutations(range(4 if with_span else 3)):
                total += 1
                here, there = trace_id(1_000 + total), 2_000 + total
                back = Link(here, 0x5E, upstream=False, received=RECEIVED)
                span = {
                    "node": FUNCTION,
                    "kind": Kind.CONSUMER,
                    "before": QUEUE,
                    "start": RECEIVED,
                    "end": RECEIVED,
                }
                documents = [
                    service(sent_by(there), trace_id=here),
                    sender(there, links=(back,)),
                    function(trace_id=here),
                    segment(0xC1, trace_id=here, parent_id=0xF0, links=(sent_by(there),), **span),
                ]
                for place in order:
                    store.put([documents[place]], f"{total} {place}")
        graph = store.service_graph(HOUR)
        assert sum(each.statistics.total for each in graph.links.values()) == total
        assert {source for source, _ in graph.links} == {QUEUE}
        assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, QUEUE), (SERVICE, FUNCTION)}

    def test_an_event_in_the_trace_of_its_sender(self, store: Store) -> None:
        """A topic passes the trace on: the message goes on from there to the function."""
        topic = NodeKey(ACCOUNT, "alerts", "AWS::SNS", REGION)
        published = call(0x51, node=topic, service="SNS")
        shop = segment(0xA1, trace_id=HERE, node=SHOP, calls=(published,))
        for documents in ([service(before=topic, parent_id=0x51), function()], [shop]):
            store.put(documents, str(len(documents)))
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(CLIENT, SHOP), (SHOP, topic), (SERVICE, FUNCTION)}
        assert graph.links.keys() == {(topic, SERVICE)}
        assert graph.links[topic, SERVICE].statistics.histogram == {490_000: 1}
