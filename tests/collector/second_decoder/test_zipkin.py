"""Zipkin spans are stored as OpenTelemetry's, and decoded a second time from that form; here the conversion is compared
with what docs/opentelemetry.md says of Zipkin ("Zipkin")."""

from __future__ import annotations

import itertools
from typing import Any

from collector.decode.zipkin.spans import decode_zipkin
from store.model import Document, Kind, State
from tests.builders import T0
from tests.collector.second_decoder.agreement import agree
from tests.collector.zipkin_dependencies.notation import json_body, spans_of
from tests.collector.zipkin_dependencies.test_dependencies import CASES

STATES: list[tuple[dict[str, str], State]] = [
    ({}, State.OK),
    ({"error": ""}, State.FAULT),
    ({"error": "boom"}, State.FAULT),
    ({"http.status_code": "404"}, State.ERROR),
    ({"http.status_code": "429", "error": "429"}, State.THROTTLE),
    ({"http.status_code": "503"}, State.FAULT),
    ({"http.status_code": "200"}, State.OK),
    ({"grpc.status_code": "RESOURCE_EXHAUSTED", "error": "x"}, State.THROTTLE),
    ({"grpc.status_code": "NOT_FOUND", "error": "x"}, State.ERROR),
]
CALLED: list[tuple[dict[str, Any], dict[str, str], str, str]] = [
    # remoteEndpoint, tags, and what they call: its name and its type
    ({"serviceName": "pay"}, {}, "pay", "remote"),
    ({"serviceName": "pay", "ipv4": "10.0.0.1", "port": 80}, {}, "pay", "remote"),
    ({"ipv4": "10.0.0.1", "port": 80}, {}, "10.0.0.1", "remote"),
    ({"serviceName": "mysql"}, {"sql.query": "select 1"}, "mysql", "Database::SQL"),
    ({"serviceName": "kafka"}, {"kafka.topic": "orders"}, "orders", "Messaging::Kafka"),
    ({}, {}, "", ""),
]


def one(**change: Any) -> Document:
    """The document of one span."""
    body = {
        "traceId": "6b061440000000000000000000000001",
        "id": "00000000000000b1",
        "parentId": "00000000000000a1",
        "timestamp": T0,
        "duration": 5_000,
        "localEndpoint": {"serviceName": "shop"},
        **change,
    }
    (document,) = decode_zipkin(json_body([body]), T0).documents
    return document


def test_outcomes() -> None:
    """By tags, of every kind, for the span and for its call."""
    for kind, (tags, state) in itertools.product(("CLIENT", "SERVER", None), STATES):
        change = {"kind": kind, "tags": tags, "remoteEndpoint": {"serviceName": "pay"}}
        document = one(**{key: value for key, value in change.items() if value})
        assert document.state is state, (kind, tags)
        assert [call.state for call in document.calls] == ([] if kind == "SERVER" else [state])
        assert (document.start, document.end) == (T0, T0 + 5_000)


def test_callees() -> None:
    """By remote endpoint and tags."""
    for remote, tags, name, type in CALLED:
        document = one(kind="CLIENT", remoteEndpoint=remote, tags=tags)
        found = [(call.node.name, call.node.type) for call in document.calls]
        assert found == [(name, type)], (remote, tags)


def test_senders() -> None:
    """Whose work it is, and what is above it."""
    document = one(kind="SERVER", remoteEndpoint={"serviceName": "front"})
    assert (document.node.name, document.kind, document.caller.name) == (
        "shop",
        Kind.SERVER,
        "front",
    )
    assert (document.id, document.parent_id) == (0xB1, 0xA1)
    shared = one(kind="SERVER", shared=True)
    assert shared.parent_id == 0xB1
    assert shared.id != 0xB1
    consumer = one(kind="CONSUMER", tags={"kafka.topic": "orders"})
    assert (consumer.queue.name, consumer.queue.type) == ("orders", "Messaging::Kafka")
    producer = one(kind="PRODUCER", remoteEndpoint={"serviceName": "kafka"})
    assert [call.node.type for call in producer.calls] == ["Messaging::Other"]


def _kind(given: dict[str, Any]) -> str:
    """One without a kind that names what it calls is a client, as for Zipkin."""
    calls = bool(given.get("remoteEndpoint"))
    return str(given.get("kind") or ("CLIENT" if calls else "INTERNAL"))


def test_services_and_times_of_the_cases() -> None:
    """Each span of Zipkin's own cases keeps its service, its kind and its times."""
    for case in CASES:
        spans = spans_of(case)
        documents = decode_zipkin(json_body(spans), T0).documents
        agree(documents)
        given = {
            (each["localEndpoint"]["serviceName"], _kind(each), each["timestamp"])
            for each in spans
            if each.get("localEndpoint", {}).get("serviceName")
        }
        found = {(each.node.name, each.kind.name, each.start) for each in documents if each.owner}
        assert given <= found, case.name
