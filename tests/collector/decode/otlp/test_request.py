"""What a span becomes: segment or subsegment, its state, its columns; and what is turned away."""

from __future__ import annotations

import collections
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector.decode.limits import MAX_DOCUMENTS, MAX_OBJECTS, SMALL_MESSAGE
from collector.decode.otlp import frames
from collector.decode.otlp.columns import decode_otlp_columns
from collector.decode.otlp.frames import MAX_SPANS
from collector.decode.otlp.protobuf import Field, message_classes
from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from collector.decode.stored import decode_any
from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
from store.memory import MemoryStore
from store.model import NO_NODE, Independent, Kind, Link, NodeKey, State
from store.otel.derived_ids import derived_id
from store.otel.span_facts import MAX_ANNOTATIONS
from store.otel.to_xray import render_span
from store.service_graph import build_service_graph
from tests.collector.otlp_samples import (
    CLIENT,
    CONSUMER,
    INTERNAL,
    MILLISECOND,
    PARENT,
    PRODUCER,
    SERVER,
    START,
    TRACE,
    checkout_export,
    decode,
    export,
    request,
    results,
    span,
)
from tests.otlp_json import decode_otlp_json
from tests.vectors import files

SHOP = NodeKey("", "shop", "")
PAY = {"server.address": "pay"}


OF_A_SERVICE = [Independent.OF_SENDER, Independent.OF_PROCESS]


@pytest.mark.parametrize(
    ("kind", "change", "independent", "calls"),
    [
        (SERVER, {}, False, 0),
        (SERVER, {"parent": b""}, False, 0),
        (CONSUMER, {}, False, 0),
        (INTERNAL, {}, True, 0),
        (INTERNAL, {"parent": b""}, False, 0),
        (INTERNAL, {"parent": bytes(8)}, False, 0),
        (INTERNAL, {"flags": 0x300}, False, 0),
        (INTERNAL, {"flags": 0x100}, True, 0),
        (0, {}, True, 0),
        (CLIENT, {"attributes": PAY}, True, 1),
        (PRODUCER, {"attributes": PAY}, True, 1),
        (CLIENT, {"attributes": PAY, "parent": b""}, False, 1),
        (PRODUCER, {"attributes": PAY, "flags": 0x300}, False, 1),
        (CLIENT, {}, True, 1),
        (PRODUCER, {"name": "charge card"}, True, 1),
        (CLIENT, {"attributes": {"http.method": "GET"}, "parent": b""}, False, 1),
    ],
)
def test_shape(kind: int, change: dict[str, Any], independent: bool, calls: int) -> None:
    """What enters a service is a segment; every other span a subsegment; CLIENT and PRODUCER spans make calls."""
    document = decode(span(kind, **change))
    assert document.independent in (OF_A_SERVICE if independent else [Independent.NO])
    assert len(document.calls) == calls
    if calls:
        assert document.calls[0].id == 0xB1
    assert document.owner == SHOP


@pytest.mark.parametrize("parent", [PARENT, b""])
def test_a_part_of_a_document_calls_what_that_names(parent: bytes) -> None:
    """As X-Ray's subsegments without a namespace do, it calls nothing."""
    assert decode(span(CLIENT, {"aws.xray.document": "{}"}, parent=parent)).calls == ()


@pytest.mark.parametrize(
    ("kind", "calls"), [(SERVER, 0), (INTERNAL, 0), (CLIENT, 1), (PRODUCER, 1), (CONSUMER, 0)]
)
def test_local_root(kind: int, calls: int) -> None:
    """AWS's distribution says which span is the first of its service, and what that is called."""
    attributes = {"aws.span.kind": "LOCAL_ROOT", "aws.local.service": "till", **PAY}
    document = decode(span(kind, attributes))
    assert document.independent is Independent.NO
    assert document.parent_id == int.from_bytes(PARENT, "big")
    assert (document.node.name, len(document.calls)) == ("till", calls)
    assert render_span(document.raw)["name"] == "till"


@pytest.mark.parametrize("kind", [INTERNAL, CLIENT])
@pytest.mark.parametrize(
    ("resource", "attributes", "owner"),
    [
        ({"service.name": "shop"}, {}, "shop"),
        ({"service.name": "shop"}, {"aws.local.service": "till"}, "till"),
        ({"service.name": "unknown_service:java"}, {}, "unknown_service:java"),
        ({"service.name": "shop"}, {"aws.xray.document": "{}"}, None),
        ({"service.name": "unknown_service"}, {}, None),
        ({"service.name": "work", "cloud.provider": "unknown"}, {}, None),
        ({"service.name": "shop", "cloud.provider": "aws"}, {}, "shop"),
        (
            {
                "service.name": "work",
                "cloud.provider": "aws",
                "telemetry.sdk.name": "opentelemetry",
            },
            {},
            "work",
        ),
        ({"service.name": "work"}, {}, "work"),
        ({"service.name": ""}, {}, None),
    ],
)
def test_owner(
    kind: int, resource: dict[str, Any], attributes: dict[str, Any], owner: str | None
) -> None:
    """Work inside a service is the service's that sent it; a part of an X-Ray document, also as the
    Collector's X-Ray receiver renders one, and what names no service are their parent's."""
    given = {**resource, "cloud.account.id": "123456789012", "cloud.region": "eu-west-1"}
    document = decode(span(kind, {**PAY, **attributes}, name="work"), resource=given)
    assert document.independent is (Independent.OF_SENDER if owner else Independent.OF_PARENT)
    assert document.owner == (owner and NodeKey("123456789012", owner, "", "eu-west-1"))
    assert decode_any(document.raw, document.version) == document


def test_a_local_parent() -> None:
    """Flags of 0x100 without 0x200 say that the parent is in the same process."""
    found = [
        decode(span(CLIENT, PAY, flags=flags)).independent for flags in (0, 0x101, 0x200, 0x300)
    ]
    assert found == [
        Independent.OF_SENDER,
        Independent.OF_PROCESS,
        Independent.OF_SENDER,
        Independent.NO,
    ]


@pytest.mark.parametrize(
    ("kind", "attributes", "read"),
    [
        *((kind, {}, Kind(kind)) for kind in (INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER)),
        (0, {}, Kind.INTERNAL),
        (77, {}, Kind.INTERNAL),
        (SERVER, {"aws.xray.document": "{}"}, Kind.NONE),
    ],
)
def test_kind(kind: int, attributes: dict[str, Any], read: Kind) -> None:
    """An X-Ray document that was exported as spans has X-Ray's rules."""
    given = span(SERVER, attributes)
    given.kind = kind  # type: ignore[assignment]
    assert decode(given).kind is read


@pytest.mark.parametrize(
    ("kind", "attributes", "caller"),
    [
        (SERVER, {"peer.service": "mobile"}, "mobile"),
        (SERVER, {"service.peer.name": "mobile", "peer.service": "old"}, "mobile"),
        (SERVER, {"server.address": "shop.example.com", "client.address": "10.0.0.1"}, ""),
        (SERVER, {"peer.service": "mobile", "aws.xray.document": "{}"}, ""),
        (CLIENT, {"peer.service": "mobile"}, ""),
        (INTERNAL, {"peer.service": "mobile"}, ""),
    ],
)
def test_caller(kind: int, attributes: dict[str, Any], caller: str) -> None:
    """A SERVER span may name its peer, by the name that a call of that would have."""
    document = decode(span(kind, attributes))
    assert document.caller == (NodeKey("", caller, "remote") if caller else NO_NODE)
    assert decode_any(document.raw, document.version) == document


def test_entry_call() -> None:
    """A call that no request caused: a segment of the caller with the call in it, an edge to it."""
    document = decode(
        span(CLIENT, {"server.address": "pay.example.com"}, parent=b"", failed=True),
        resource={"host.id": "i-1"},
    )
    own = int.from_bytes(derived_id(TRACE, (0xB1).to_bytes(8, "big")), "big")
    assert (document.id, document.calls[0].id, document.instance_id) == (own, 0xB1, "i-1")
    assert document.state == document.calls[0].state == State.FAULT
    callee = decode(span(SERVER, id=0xB2, parent=(0xB1).to_bytes(8, "big")), resource={
        "service.name": "pay"})  # fmt: skip
    store = MemoryStore()
    store.put([document, callee], "x")
    graph = build_service_graph(store.get_traces([TRACE]).values())
    assert set(graph.edges) == {(SHOP, NodeKey("", "pay", ""))}


@pytest.mark.parametrize(
    ("state", "weight"),
    [("", 1), ("ot=th:e", 8), ("ot=th:0", 1), ("ot=th:x", 1), ("th:e", 1), ("ot=p:3;r:5", 8)],
)
def test_weight(state: str, weight: int) -> None:
    """What a span stands for, its call and its links too; a link's own tracestate is another's.

    So it is in whatever comes out of the journal.
    """
    trace = TRACE[:9] + b"\xff" * 7
    other = Span.Link(trace_id=TRACE[::-1], span_id=b"\1" * 8, trace_state="ot=th:f")
    common: dict[str, Any] = {"trace_id": trace, "trace_state": state, "links": [other]}
    for parent in (b"", (0xAA).to_bytes(8, "big")):  # with a segment around the call, and without
        document = decode(span(CLIENT, {"server.address": "pay"}, parent=parent, **common))
        (call,), (link,) = document.calls, document.links
        assert (document.weight, call.weight, link.weight) == (weight, weight, weight)
        assert decode_any(document.raw, document.version) == document
    if "th" in state:
        rejected = decode(
            span(SERVER, trace_state=state)
        )  # its randomness is 1: below any threshold
        assert rejected.weight == 1


def test_graph_of_three_services() -> None:
    """Server below client below local work below server: edges go from service to service."""
    store = MemoryStore()
    ids = {name: bytes([0] * 7 + [n]) for n, name in enumerate("abcd", 1)}
    front = [
        span(SERVER, id=1, parent=b""),
        span(INTERNAL, id=2, parent=ids["a"]),
        span(CLIENT, {"server.address": "pay"}, id=3, parent=ids["b"]),
    ]
    back = span(SERVER, id=4, parent=ids["c"])
    for body in (export(*front), export(back, resource={"service.name": "pay-service"})):
        store.put(results(body)[0], str(len(body)))
    graph = build_service_graph(store.get_traces([TRACE]).values())
    assert (SHOP, NodeKey("", "pay-service", "")) in graph.edges
    assert len(graph.services) == 3


@pytest.mark.parametrize("parent", [PARENT, b""])
def test_a_call_that_names_nothing(parent: bytes) -> None:
    """It is drawn if it is answered, with its own figures; no node has the name of a span."""
    front = span(SERVER, span_id=PARENT, parent=b"")
    own = span(CLIENT, {"net.host.name": "h"}, id=5, parent=parent, name="dns.lookup", failed=True)
    answer = span(SERVER, id=6, parent=(5).to_bytes(8, "big"))
    bodies = [export(front, own), export(answer, resource={"service.name": "pay"})]

    def edges(*bodies: bytes) -> dict[str, int]:
        store = MemoryStore()
        for number, body in enumerate(bodies):
            store.put(results(body)[0], str(number))
        graph = build_service_graph(store.get_traces([TRACE]).values())
        assert {node.name for node in graph.services} <= {"shop", "pay"}
        return {
            f"{source.name} {target.name}": edge.statistics.fault
            for (source, target), edge in graph.edges.items()
            if not source.is_client
        }

    assert edges(*bodies) == edges(*reversed(bodies)) == {"shop pay": 1}
    assert edges(bodies[0]) == {}
    got = export(
        span(CONSUMER, id=6, parent=(5).to_bytes(8, "big")), resource={"service.name": "pay"}
    )
    assert edges(bodies[0], got) == {"shop pay": 0}
    more = export(
        span(SERVER, id=7, parent=(5).to_bytes(8, "big")), resource={"service.name": "pay"}
    )
    assert edges(*bodies, more) == edges(more, *bodies) == {"shop pay": 0}
    assert edges(bodies[0]) == {}
    assert decode(own).state == State.FAULT


@pytest.mark.parametrize(
    ("attributes", "failed", "state"),
    [
        ({}, False, State.OK),
        ({}, True, State.FAULT),
        ({"http.response.status_code": 200}, False, State.OK),
        ({"http.response.status_code": 200}, True, State.FAULT),
        ({"http.status_code": 404}, False, State.ERROR),
        ({"http.status_code": 404}, True, State.ERROR),
        ({"http.status_code": "429"}, False, State.THROTTLE),
        ({"http.status_code": 429}, True, State.THROTTLE),
        ({"http.response.status_code": 503}, False, State.FAULT),
        ({"http.status_code": 0}, False, State.OK),
        ({"http.status_code": 12345}, True, State.FAULT),
        ({"http.status_code": [500]}, False, State.OK),
        ({"rpc.grpc.status_code": 0}, False, State.OK),
        ({"rpc.grpc.status_code": 0}, True, State.FAULT),
        ({"rpc.grpc.status_code": 1}, True, State.ERROR),
        ({"rpc.grpc.status_code": 3}, True, State.ERROR),
        ({"rpc.grpc.status_code": 5}, True, State.ERROR),
        ({"rpc.grpc.status_code": 6}, True, State.ERROR),
        ({"rpc.grpc.status_code": 7}, True, State.ERROR),
        ({"rpc.grpc.status_code": 8}, True, State.THROTTLE),
        ({"rpc.grpc.status_code": 9}, True, State.ERROR),
        ({"rpc.grpc.status_code": 10}, True, State.ERROR),
        ({"rpc.grpc.status_code": 11}, True, State.ERROR),
        ({"rpc.grpc.status_code": 16}, True, State.ERROR),
        ({"rpc.grpc.status_code": 2}, True, State.FAULT),
        ({"rpc.grpc.status_code": 4}, False, State.FAULT),
        ({"rpc.grpc.status_code": 12}, True, State.FAULT),
        ({"rpc.grpc.status_code": 13}, True, State.FAULT),
        ({"rpc.grpc.status_code": 15}, True, State.FAULT),
        ({"rpc.grpc.status_code": 14}, True, State.FAULT),
        ({"rpc.grpc.status_code": 99}, False, State.OK),
        ({"rpc.response.status_code": "NOT_FOUND"}, True, State.ERROR),
        ({"rpc.response.status_code": "RESOURCE_EXHAUSTED"}, True, State.THROTTLE),
        ({"rpc.response.status_code": "-32601"}, True, State.FAULT),
        ({"aws.xray.inprogress": True}, False, State.IN_PROGRESS),
    ],
)
def test_state(attributes: dict[str, Any], failed: bool, state: State) -> None:
    """By HTTP status, else by gRPC status, else by the span's own."""
    for kind in (SERVER, CLIENT, INTERNAL):
        document = decode(span(kind, attributes, failed=failed))
        assert document.state == state
        assert all(call.state == state for call in document.calls)


def test_unfinished() -> None:
    """Without an end a span is in progress."""
    document = decode(span(SERVER, end_time_unix_nano=0))
    assert document.in_progress
    assert document.end == document.start == START // 1000


def test_times() -> None:
    """Nanoseconds become microseconds; an end before the start is the start."""
    document = decode(span(SERVER))
    assert (document.start, document.end) == (START // 1000, START // 1000 + 10_000)
    document = decode(span(SERVER, end_time_unix_nano=START - 5 * MILLISECOND))
    assert document.end == document.start


@pytest.mark.parametrize(
    ("kind", "code", "change", "state"),
    [
        (SERVER, 0, {}, State.FAULT),
        (SERVER, 0, {"events": []}, State.OK),
        (SERVER, 0, {"events": [Span.Event(name="retried")]}, State.OK),
        (SERVER, 0, {"status": Status(code=Status.STATUS_CODE_OK)}, State.OK),
        (SERVER, None, {}, State.OK),
        (SERVER, 2, {}, State.FAULT),
        (SERVER, 5, {}, State.ERROR),
        (SERVER, 8, {}, State.THROTTLE),
        (CLIENT, 0, {}, State.OK),
        (CONSUMER, 0, {}, State.OK),
    ],
)
def test_exception_out_of_a_grpc_handler(
    kind: int, code: int | None, change: dict[str, Any], state: State
) -> None:
    """Python's gRPC server spans say OK when the handler raised and gRPC answered UNKNOWN."""
    attributes = {"rpc.system": "grpc"} | ({} if code is None else {"rpc.grpc.status_code": code})
    thrown = {"exception.type": "ValueError", "exception.escaped": "False"}
    document = decode(span(kind, attributes, exceptions=[thrown, thrown], **change))
    assert document.state == state


def test_exceptions() -> None:
    """The first exception with a type; without any, the error's type; botocore's by its code."""
    thrown = [{"exception.message": "odd"}, {"exception.type": "ValueError"}]
    assert decode(span(SERVER, exceptions=thrown)).exception == "ValueError"
    assert decode(span(SERVER, {"error.type": "timeout"}, failed=True)).exception == "timeout"
    assert decode(span(SERVER, {"error.type": "timeout"})).exception == ""
    assert decode(span(SERVER, {"error.type": "500"}, failed=True)).exception == ""
    boto = {
        "exception.type": "botocore.exceptions.ClientError",
        "exception.message": "An error occurred (ThrottlingException) when calling the Put",
    }
    attributes = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "http.status_code": 400}
    document = decode(span(CLIENT, attributes, failed=True, exceptions=[boto]))
    assert document.exception == "ThrottlingException"
    assert document.calls[0].state == State.THROTTLE


def test_annotations() -> None:
    """Scalars are searchable, those that the sender named first, and no more than fifty."""
    attributes: dict[str, Any] = {f"key{index}": index for index in range(80)}
    attributes |= {"tier": "gold", "aws.xray.annotations": ["tier", "missing"]}
    document = decode(span(SERVER, attributes))
    assert len(document.annotations) == MAX_ANNOTATIONS
    assert document.annotations[:2] == ('tier="gold"', "key0=0")
    odd = {"list": [1], "map": {"a": 1}, "none": None, "nan": float("nan"), "long": "x" * 1001}
    document = decode(span(SERVER, {**odd, "yes": True, "half": 0.5, "empty": ""}))
    assert document.annotations == ("yes=true", "half=0.5", 'empty=""')


def test_columns_of_a_server() -> None:
    """HTTP, user, and where it runs; old conventions and new ones."""
    new = {
        "http.request.method": "POST",
        "url.scheme": "https",
        "server.address": "shop.example.com",
        "server.port": 8443,
        "url.path": "/cart",
        "url.query": "a=1",
        "http.response.status_code": 201,
        "client.address": "203.0.113.9",
        "user_agent.original": "curl",
        "user.id": "u-7",
    }
    old = {
        "http.method": "POST",
        "http.scheme": "https",
        "http.host": "shop.example.com:8443",
        "http.target": "/cart?a=1",
        "http.status_code": 201,
        "net.peer.ip": "203.0.113.9",
        "http.user_agent": "curl",
        "enduser.id": "u-7",
    }
    resource = {
        "cloud.provider": "aws",
        "cloud.platform": "aws_ec2",
        "cloud.account.id": "123456789012",
        "host.id": "i-123",
        "cloud.availability_zone": "eu-west-1a",
        "cloud.resource_id": "arn:aws:ec2:x",
        "service.version": "1.3",
        "deployment.environment.name": "prod",
    }
    for attributes in (new, old):
        document = decode(span(SERVER, attributes), resource=resource)
        http = document.http
        assert (http.method, http.status, http.user_agent) == ("POST", 201, "curl")
        assert http.url == "https://shop.example.com:8443/cart?a=1"
        assert http.client_ip == "203.0.113.9"
        assert document.user == "u-7"
        assert document.node == NodeKey("123456789012", "shop", "AWS::EC2::Instance", "eu-west-1")
        assert (document.instance_id, document.availability_zone) == ("i-123", "eu-west-1a")
        assert document.resource_arn == "arn:aws:ec2:x"
        assert (document.service_version, document.environment) == ("1.3", "prod")


@pytest.mark.parametrize(
    ("resource", "type"),
    [
        ({"cloud.platform": "aws_ec2"}, "AWS::EC2::Instance"),
        ({"cloud.platform": "aws_ecs"}, "AWS::ECS::Container"),
        ({"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "EC2"}, "AWS::ECS::EC2"),
        ({"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "fargate"}, "AWS::ECS::Fargate"),
        ({"cloud.platform": "aws_elastic_beanstalk"}, "AWS::ElasticBeanstalk::Environment"),
        ({"cloud.platform": "aws_eks"}, "AWS::EKS::Container"),
        ({"cloud.platform": "aws_app_runner"}, "AWS::AppRunner::Service"),
        ({"cloud.platform": "aws_lambda"}, "AWS::Lambda::Function"),
        ({"cloud.platform": "gcp_compute_engine", "cloud.provider": "gcp"}, "GCP::ComputeEngine"),
        ({"cloud.platform": "aws_ec2", "cloud.provider": "azure"}, ""),
        ({}, ""),
    ],
)
def test_origin(resource: dict[str, Any], type: str) -> None:
    """From the resource, whose platform is of the cloud it names."""
    assert decode(span(SERVER), resource=resource).node.type == type


def test_service_without_a_name() -> None:
    """OpenTelemetry's word for it."""
    assert decode(span(SERVER), resource={"service.name": ""}).node.name == "unknown_service"
    resource = {"service.name": "unknown_service:python"}
    assert decode(span(SERVER), resource=resource).node.name == "unknown_service:python"


@pytest.mark.parametrize(
    ("change", "reason", "says"),
    [
        ({"span_id": b"\1"}, "InvalidId", "8 bytes, got 1"),
        ({"span_id": b""}, "InvalidId", "missing"),
        ({"span_id": bytes(8)}, "InvalidId", "all zero"),
        ({"trace_id": b"\1" * 8}, "InvalidTraceId", "16 bytes, got 8"),
        ({"trace_id": bytes(16)}, "InvalidTraceId", "all zero"),
        ({"parent_span_id": b"\1" * 3}, "InvalidParentId", "8 bytes, got 3"),
        ({"parent_span_id": (0xBAD).to_bytes(8, "big")}, "InvalidParentId", "itself"),
        ({"start_time_unix_nano": 0}, "MissingStartTime", "start_time_unix_nano"),
        ({"name": "x" * (1 << 20)}, "InvalidSegmentDocument", "at most"),
    ],
)
def test_refused(change: dict[str, Any], reason: str, says: str) -> None:
    """A bad span in the middle of a batch is named and its neighbours are stored."""
    bad = span(**{"id": 0xBAD, **change})
    documents, rejected = results(export(span(id=1), bad, span(id=2)))
    assert [document.id for document in documents] == [1, 2]
    (only,) = rejected
    assert only.reason == reason
    assert says in only.message


def test_text_that_is_not_utf8() -> None:
    """Protobuf gives up a whole request for one such text; here it costs one span."""
    body = export(span(id=1), span(id=2, name="spoilt"), span(id=3)).replace(
        b"spoilt", b"sp\xff\xfel!"
    )
    documents, rejected = results(body)
    assert [document.id for document in documents] == [1, 3]
    assert "not UTF-8" in rejected[0].message
    body = export(span(id=1), span(id=2), resource={"x": "spoilt"}).replace(
        b"spoilt", b"sp\xff\xfel!"
    )
    documents, rejected = results(body)
    assert documents == []
    assert len(rejected) == 2


@pytest.mark.parametrize("body", [b"\xff", b"nonsense", b"\x0a\xff"])
def test_not_protobuf(body: bytes) -> None:
    with pytest.raises(Rejected):
        list(decode_otlp(body, 1))


def test_a_large_resource() -> None:
    """Each span is stored with its resource: together they are bounded, whatever a request contains."""
    spans = [span(id=id) for id in range(1000, 2200)]
    with pytest.raises(Rejected, match="smaller resource"):
        results(export(*spans, resource={"x": "y" * 250_000, "z": "y" * 5_000}))
    documents, rejected = results(export(*spans, resource={"x": "y" * 50_000}))
    assert (len(documents), rejected) == (1200, [])


@pytest.mark.parametrize(
    "read",
    [
        lambda: decode_otlp(_tiny(b""), 1),
        lambda: decode_otlp(_tiny(b"\x0a\x01\xff"), 1),
        lambda: decode_otlp_json(
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s{}]}]}]}' % (b"{}," * MAX_SPANS), 1
        ),
        lambda: decode_zipkin(b"[%s{}]" % (b"{}," * MAX_SPANS), 1).documents,
    ],
)
def test_too_many_spans(read: Callable[[], Iterable[object]]) -> None:
    """Two bytes make a span, its rejection takes hundreds: there is a bound to them too."""
    with pytest.raises(Rejected, match=r"fewer spans|invalid spans"):
        collections.deque(read(), maxlen=0)


def _empty_spans(count: int) -> list[Callable[[], Iterable[object]]]:
    """What reads as many empty spans, in every format."""
    objects = b",".join([b"{}"] * count)
    zipkin = message_classes(
        "raymap.test_empty", {"Spans": (Field("spans", 1, "bytes", repeated=True),)}
    )["Spans"](spans=[b""] * count)
    message = request()
    message.resource_spans[0].scope_spans[0].spans.extend([Span()] * count)
    return [
        lambda: decode_otlp(message.SerializeToString(), 1),
        lambda: decode_otlp_json(
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % objects, 1
        ),
        lambda: [bad for _, bad in decode_zipkin(b"[%s]" % objects, 1).rejected],
        lambda: [bad for _, bad in decode_zipkin_protobuf(zipkin.SerializeToString(), 1).rejected],
    ]


@pytest.mark.slow
def test_invalid_spans_are_bounded_like_documents() -> None:
    for read in _empty_spans(MAX_DOCUMENTS):
        assert sum(isinstance(result, Rejected) for result in read()) == MAX_DOCUMENTS
    for read in _empty_spans(MAX_DOCUMENTS + 1):
        with pytest.raises(Rejected, match="more than 20,000 invalid spans"):
            collections.deque(read(), maxlen=0)
    message = request()
    message.resource_spans[0].scope_spans[0].spans.extend([Span()] * (MAX_DOCUMENTS + 1))
    with pytest.raises(Rejected, match="more than 20,000 invalid spans"):
        decode_otlp_columns(message.SerializeToString(), 1)


@pytest.mark.parametrize(
    "field",
    [b"\x0a\x00", b"\x0a\x02\x12\x00", b"\x0a\x04\x12\x02\x12\x00"],
    ids=["resources", "scopes", "spans"],
)
def test_empty_parts_are_counted_before_they_are_parsed(
    monkeypatch: pytest.MonkeyPatch, field: bytes
) -> None:
    """32 MB of two-byte messages would become gigabytes of objects."""
    monkeypatch.setattr(frames, "Request", None)
    with pytest.raises(Rejected, match="send fewer"):
        collections.deque(decode_otlp(field * (2 * SMALL_MESSAGE // len(field)), 1), maxlen=0)


def test_json_with_millions_of_objects_is_refused_before_it_is_parsed() -> None:
    body = b'{"resourceSpans":[%s{}]}' % (b"{}," * MAX_OBJECTS)
    with pytest.raises(Rejected, match="500,000 objects"):
        collections.deque(decode_otlp_json(body, 1), maxlen=0)


def _tiny(resource: bytes) -> bytes:
    """A request of more spans than are taken, all of them empty."""
    message = request()
    message.resource_spans[0].scope_spans[0].spans.extend([Span()] * (MAX_SPANS + 1))
    if resource:
        message.resource_spans[0].resource.attributes.add(key="spoilt")
    return message.SerializeToString().replace(b"spoilt", b"sp\xff\xfel!")


def test_nothing() -> None:
    """An empty request is a valid one."""
    assert list(decode_otlp(b"", 1)) == []


def test_stored_form() -> None:
    """The bytes a store keeps are a document again, sampled or not."""
    message = request(span(CLIENT, {"peer.service": "pay"}), resource={"host.id": "i-1"})
    message.resource_spans[0].schema_url = "https://opentelemetry.io/schemas/1.40.0"
    message.resource_spans[0].scope_spans[0].schema_url = "https://example.com/1"
    body = message.SerializeToString()
    for sampled in (True, False):
        (document,) = decode_otlp(body, 9, sampled=sampled)
        assert not isinstance(document, Rejected)
        assert document.sampled is sampled
        assert decode_any(document.raw, 9) == document
    (document,) = decode_otlp(export(span(SERVER, {"aws.trace.flag.sampled": False})), 9)
    assert not isinstance(document, Rejected)
    assert not document.sampled


@pytest.mark.parametrize(
    "raw", [b"\x01", b"\x01\xff", b"\x02{}", b"\x01" + bytes(99), b"\x03", b""]
)
def test_spoilt_stored_form(raw: bytes) -> None:
    with pytest.raises(Rejected):
        decode_any(raw, 1)


EXPORTS = {"built": checkout_export()} | {f.name: f.read_bytes() for f in files("otlp/*export.pb")}


@pytest.mark.parametrize("body", EXPORTS.values(), ids=EXPORTS)
def test_export_of_a_checkout(body: bytes) -> None:
    """Seven spans as the Python SDK exports them (docs/xray-format.md §16)."""
    documents, rejected = results(body)
    assert rejected == []
    local, dynamo, inventory, sql, queue, server, consumer = documents
    # Account and region are in the ARN of the task.
    (region,) = {match.decode() for match in re.findall(rb"arn:aws:ecs:([a-z0-9-]+):", body)}
    name = "shop/otel-checkout" if b"service.namespace" in body else "otel-checkout"
    service = NodeKey("123456789012", name, "AWS::ECS::Fargate", region)
    assert (server.node, server.state, server.user) == (service, State.FAULT, "u-7")
    assert server.http.url == "https://shop.example.com/checkout/9"
    assert (server.http.method, server.http.status) == ("GET", 500)
    assert server.exception == "ZeroDivisionError"
    assert server.annotations[0] == 'tier="gold"'
    assert "plain=1" in server.annotations
    assert local.independent in OF_A_SERVICE
    assert local.calls == ()
    assert {d.owner for d in (local, dynamo, inventory, sql, queue)} == {service}
    account = service.account
    assert dynamo.calls[0].node == NodeKey(account, "orders", "AWS::DynamoDB::Table", region)
    assert dynamo.calls[0].service == "DynamoDB"
    assert inventory.calls[0].node == NodeKey("", "inventory.example.com", "remote")
    assert inventory.calls[0].state == State.THROTTLE
    assert sql.calls[0].node == NodeKey("", "shop@db.internal", "Database::SQL")
    assert queue.calls[0].node == NodeKey(account, "orders-queue", "AWS::SQS::Queue", region)
    assert (consumer.independent, consumer.node, consumer.parent_id) == (False, service, 0)
    assert consumer.trace_id != server.trace_id


def test_links_lead_upstream() -> None:
    """A consumer's link names the producer's span; the pair becomes an edge between traces."""
    link = Span.Link(trace_id=bytes(15) + b"\x07", span_id=bytes(7) + b"\xe1")
    (document,) = decode_otlp(export(span(CONSUMER, links=[link])), 9)
    assert not isinstance(document, Rejected)
    assert document.links == (Link(link.trace_id, 0xE1),)
    assert decode_any(document.raw, 9).links == document.links
