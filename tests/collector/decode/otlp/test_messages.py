"""What spans say of messages: the broker that a producer calls, the one that a consumer names, and what was fetched."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.request import decode_otlp
from collector.decode.stored import decode_any
from store.memory import MemoryStore
from store.model import NO_NODE, Document, Fetched, Independent, Kind, NodeKey, TimeRange
from store.times import MINUTE
from tests.builders import T0
from tests.collector.otlp_samples import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    PRODUCER,
    SERVER,
    decode,
    request,
    span,
)

KAFKA = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
ORDERS = NodeKey("", "orders", "Messaging::Kafka")
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/mail"
LINK = Span.Link(trace_id=bytes(15) + b"\x07", span_id=bytes(7) + b"\xe1")
NAMES: list[tuple[dict[str, Any], NodeKey]] = [
    (KAFKA, ORDERS),
    ({**KAFKA, "messaging.destination.template": "orders.{n}"}, ORDERS._replace(name="orders.{n}")),
    ({"messaging.destination": "celery"}, NodeKey("", "celery", "Messaging::Other")),
    ({"service.peer.name": "broker"}, NodeKey("", "broker", "Messaging::Other")),
    ({"peer.service": "broker"}, NodeKey("", "broker", "Messaging::Other")),
    ({"messaging.system": "aws_sqs", "aws.sqs.queue.url": QUEUE_URL},
     NodeKey("123456789012", "mail", "AWS::SQS::Queue", "eu-west-1")),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "node"), NAMES)
def test_producer_and_consumer_name_one_broker(attributes: dict[str, Any], node: NodeKey) -> None:
    (call,) = decode(span(PRODUCER, attributes)).calls
    assert call.node[1:3] == node[1:3]
    consumer = decode(span(CONSUMER, attributes))
    assert consumer.queue[1:3] == node[1:3]
    assert consumer.kind is Kind.CONSUMER
    assert decode_any(consumer.raw, consumer.version) == consumer


@pytest.mark.parametrize("attributes", [{}, {"messaging.system": "kafka"}, {"messaging.system": "aws_sqs"}])  # fmt: skip
def test_a_consumer_that_names_no_broker(attributes: dict[str, Any]) -> None:
    assert decode(span(CONSUMER, attributes)).queue == NO_NODE


@pytest.mark.parametrize("kind", [SERVER, CLIENT, PRODUCER, INTERNAL])
def test_only_consumers_are_behind_a_broker(kind: int) -> None:
    assert decode(span(kind, KAFKA)).queue == NO_NODE
    assert decode(span(CONSUMER, {**KAFKA, "aws.xray.document": "{}"})).queue == NO_NODE


@pytest.mark.parametrize(
    ("kind", "operation", "more", "links", "expected", "independent"),
    [
        (CLIENT, "receive", {}, [], Fetched.UNSEEN, True),
        (CLIENT, "poll", {}, [], Fetched.UNSEEN, True),
        (CLIENT, "receive", {}, [LINK], Fetched.MESSAGES, False),
        (CONSUMER, "receive", {}, [], Fetched.MESSAGES, False),
        (CONSUMER, "receive", {"messaging.batch.message_count": 0}, [], Fetched.UNSEEN, False),
        (CONSUMER, "receive", {"messaging.batch.message_count": 3}, [], Fetched.MESSAGES, False),
        (CONSUMER, "process", {}, [LINK], Fetched.NO, False),
        (CLIENT, "send", {}, [], Fetched.NO, True),
        (PRODUCER, "receive", {}, [], Fetched.NO, True),
        (CONSUMER, "receive", {"aws.xray.document": "{}"}, [], Fetched.NO, False),
    ],
)
@pytest.mark.parametrize("key", ["messaging.operation.type", "messaging.operation"])
def test_fetched(
    key: str,
    kind: int,
    operation: str,
    more: dict[str, Any],
    links: list[Span.Link],
    expected: Fetched,
    independent: bool,
) -> None:
    """A span that fetched messages is no call: a segment if they may be its work, else local work."""
    document = decode(span(kind, {**KAFKA, key: operation, **more}, links=links))
    assert document.fetched is expected
    assert document.independent is (Independent.OF_SENDER if independent else Independent.NO)
    assert bool(document.calls) is (expected is Fetched.NO and kind != CONSUMER)
    named = (expected is Fetched.MESSAGES or kind == CONSUMER) and "aws.xray.document" not in more
    assert document.queue == (ORDERS if named else NO_NODE)
    assert decode_any(document.raw, document.version) == document


def test_a_poll_without_a_parent() -> None:
    """A segment of its service that calls nothing."""
    document = decode(span(CLIENT, {**KAFKA, "messaging.operation.type": "poll"}, parent=b""))
    assert (document.independent, document.calls) == (Independent.NO, ())
    assert document.fetched is Fetched.UNSEEN


@pytest.mark.parametrize(
    ("kind", "name", "attributes", "expected"),
    [
        (CONSUMER, "recv", {}, Fetched.UNSEEN),
        (CONSUMER, "receive", {}, Fetched.NO),
        (CONSUMER, "recv", {"peer.service": "broker"}, Fetched.NO),
        (SERVER, "recv", {}, Fetched.NO),
    ],
)
def test_a_fetch_that_names_nothing(
    kind: int, name: str, attributes: dict[str, Any], expected: Fetched
) -> None:
    assert decode(span(kind, attributes, name=name)).fetched is expected


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_messages_of_confluent_kafka(order: tuple[int, ...]) -> None:
    """As Python's instrumentation 0.66b1 was recorded to send them, one span a request."""
    sent = {"messaging.system": "kafka", "messaging.destination": "orders"}
    produced = span(PRODUCER, {**sent, "messaging.destination_kind": "queue"}, trace_id=LINK.trace_id,
                    id=0xE1, parent=b"", name="orders send")  # fmt: skip
    fetch = span(CONSUMER, id=0xF1, parent=b"", name="recv")
    work = {**sent, "messaging.operation": "process", "messaging.message.id": "orders.0.0"}
    processed = span(CONSUMER, work, id=0xF2, parent=fetch.span_id, links=[LINK], name="orders process")  # fmt: skip
    given = [(produced, "shop"), (fetch, "worker"), (processed, "worker")]
    store = MemoryStore()
    for number in order:
        found = decode_otlp(request_bytes(*given[number]), T0)
        store.put([each for each in found if isinstance(each, Document)], str(number))
        graph = store.service_graph(TimeRange(0, T0 + MINUTE))
        assert not any(key.is_client and key.name == "worker" for key in graph.services)
    worker = NodeKey("", "worker", "")
    assert graph.services[worker].statistics.total == 1
    assert graph.links.keys() == {(ORDERS, worker)}
    assert graph.edges.keys() == {(NodeKey("", "shop", ""), ORDERS)}


def request_bytes(sent: Span, service: str) -> bytes:
    """A request of one span."""
    return request(sent, resource={"service.name": service}).SerializeToString()
