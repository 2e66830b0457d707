"""Zipkin's spans: kinds, shared ids, endpoints and tags, in JSON and in protobuf."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from collector.decode.rejected import Rejected
from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
from collector.decode.zipkin.wire import messages
from store.columnar import ColumnarDocuments
from store.memory import MemoryStore
from store.model import (
    NO_NODE,
    Document,
    Independent,
    NodeKey,
    State,
    TimeRange,
    arrival_of,
    part_version,
)
from store.otel.derived_ids import derived_id
from store.otel.stored_span import ANNOTATED
from store.otel.to_xray import render_span
from store.service_graph import build_service_graph

TRACE = "463ac35c9f6413ad48485a3953bb6124"
START = 1_795_560_000_000_000
FRONT, BACK = {"serviceName": "frontend"}, {"serviceName": "backend"}


def zipkin(id: str = "0000000000000001", **change: Any) -> dict[str, Any]:
    """A finished span of the frontend; None takes a property away."""
    given = {
        "traceId": TRACE,
        "id": id,
        "name": "get",
        "timestamp": START,
        "duration": 10_000,
        "localEndpoint": FRONT,
        **change,
    }
    return {key: value for key, value in given.items() if value is not None}


def read(*spans: Any, version: int = 7) -> tuple[list[Document], list[Rejected]]:
    found = decode_zipkin(json.dumps(spans).encode(), version)
    return list(found.documents), [bad for _, bad in found.rejected]


def one(**change: Any) -> Document:
    (document,), rejected = read(zipkin(**change))
    assert rejected == []
    return document


@pytest.mark.parametrize(
    ("kind", "parent", "independent", "calls"),
    [
        ("SERVER", None, False, 0),
        ("SERVER", "a", False, 0),
        ("CONSUMER", "a", False, 0),
        ("CLIENT", "a", True, 1),
        ("PRODUCER", "a", True, 1),
        ("CLIENT", None, False, 1),
        (None, "a", True, 0),
        (None, None, False, 0),
        ("whatever", "a", True, 0),
    ],
)
def test_kinds(kind: str | None, parent: str | None, independent: bool, calls: int) -> None:
    document = one(kind=kind, parentId=parent, remoteEndpoint={"ipv4": "10.0.0.1"})
    assert document.independent is (Independent.OF_SENDER if independent else Independent.NO)
    assert document.owner == NodeKey("", "frontend", "")
    assert len(document.calls) == calls
    assert document.parent_id == (0xA if parent else 0)


def test_short_ids() -> None:
    """64-bit trace ids get zeros in front."""
    document = one(traceId="463ac35c9f6413ad", kind="SERVER")
    assert document.trace_id.hex() == "0000000000000000463ac35c9f6413ad"
    assert document.start == START
    assert document.end == START + 10_000


@pytest.mark.parametrize(
    ("tags", "state"),
    [
        ({}, State.OK),
        ({"error": "boom"}, State.FAULT),
        ({"error": ""}, State.FAULT),
        ({"error": "false"}, State.OK),
        ({"http.status_code": "404"}, State.ERROR),
        ({"http.status_code": "429", "error": "429"}, State.THROTTLE),
        ({"http.status_code": "500"}, State.FAULT),
        ({"http.status_code": 500}, State.FAULT),
        ({"grpc.status_code": "NOT_FOUND", "error": "NOT_FOUND"}, State.ERROR),
    ],
)
def test_state(tags: dict[str, Any], state: State) -> None:
    assert one(kind="SERVER", tags=tags).state == state


def test_one_way() -> None:
    """A span without a duration is all that its service says of a message, or a part of what it will say."""
    document = one(kind="SERVER", duration=None)
    assert (document.state, document.start, document.end) == (State.OK, START, START)
    assert one(kind="SERVER", duration=None, tags={"error": ""}).state is State.FAULT
    assert document.version == part_version(7)
    assert arrival_of(document.version) == one(kind="SERVER").version == 7


def test_rejections_have_places_of_their_own() -> None:
    """Also where some of the spans are parts, which are decoded after the others."""
    spans = [
        zipkin(f"{place:016x}", timestamp=time, duration=took)
        for place, (time, took) in enumerate([(START, 7), (None, 7), (None, None)], start=1)
    ]
    found = decode_zipkin(json.dumps(spans).encode(), 7)
    assert len(found.documents) == 1
    assert [place for place, _ in found.rejected] == [1, 2]


def test_caller() -> None:
    """A server's `remoteEndpoint` is what called it, if it has a name."""
    named = one(kind="SERVER", remoteEndpoint={"serviceName": "mobile", "ipv4": "10.0.0.1"})
    assert named.caller == NodeKey("", "mobile", "remote")
    assert one(kind="SERVER", remoteEndpoint={"ipv4": "10.0.0.1"}).caller == NO_NODE


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("complete_last", [True, False])
def test_a_part_gives_way_to_the_whole(complete_last: bool, count: int) -> None:
    """Whichever is first, in one request or in two, few of them or many."""
    given = [(f"{place + 1:016x}", f"{place + 1:032x}") for place in range(count)]
    parts = [zipkin(id, traceId=trace, kind="SERVER", duration=None) for id, trace in given]
    whole = [
        zipkin(id, traceId=trace, kind="SERVER", duration=50_000, tags={"error": ""})
        for id, trace in given
    ]
    sent = (parts, whole) if complete_last else (whole, parts)
    for requests in (sent, ([*sent[0], *sent[1]],)):
        store = MemoryStore()
        for number, spans in enumerate(requests):
            documents, rejected = read(*spans, version=START + number)
            assert (len(documents), rejected) == (len(spans), [])
            store.put(documents, str(number))
        node = NodeKey("", "frontend", "")
        found = store.service_graph(TimeRange(0, 1 << 60)).services[node].statistics
        assert (found.ok, found.fault, found.total_time) == (0, count, 50_000 * count)


@pytest.mark.parametrize(
    ("change", "name", "type"),
    [
        ({"remoteEndpoint": {"serviceName": "pay", "ipv4": "10.0.0.1"}}, "pay", "remote"),
        ({"remoteEndpoint": {"ipv4": "10.0.0.1", "port": 80}}, "10.0.0.1", "remote"),
        ({"remoteEndpoint": {"ipv6": "2001:db8::1"}}, "2001:db8::1", "remote"),
        ({"tags": {"http.url": "http://pay.example.com/x"}}, "pay.example.com", "remote"),
        ({"remoteEndpoint": {"serviceName": "mysql-shop"}, "tags": {"sql.query": "select 1"}},
         "mysql-shop", "Database::SQL"),
        ({"remoteEndpoint": {"serviceName": "kafka"}, "tags": {"kafka.topic": "orders"}}, "orders",
         "Messaging::Kafka"),
        ({"kind": None, "remoteEndpoint": {"serviceName": "pay"}}, "pay", "remote"),
        ({"remoteEndpoint": {"ipv4": "127.0.0.1", "port": 8001}}, "localhost:8001 (frontend)", "remote"),
    ],
)  # fmt: skip
def test_callee(change: dict[str, Any], name: str, type: str) -> None:
    document = one(**{"kind": "CLIENT", "parentId": "a", **change})
    assert document.calls[0].node == NodeKey("", name, type)


@pytest.mark.parametrize(
    ("change", "name", "type"),
    [
        ({"tags": {"kafka.topic": "orders"}}, "orders", "Messaging::Kafka"),
        ({"remoteEndpoint": {"serviceName": "kafka"}}, "kafka", "Messaging::Other"),
    ],
)
def test_broker(change: dict[str, Any], name: str, type: str) -> None:
    """One node for what a producer and a consumer name."""
    broker = NodeKey("", name, type)
    assert one(kind="PRODUCER", parentId="a", **change).calls[0].node == broker
    assert one(kind="CONSUMER", parentId="a", **change).queue == broker


@pytest.mark.parametrize("kind", ["CLIENT", "PRODUCER"])
def test_no_callee(kind: str) -> None:
    """Without a remote endpoint there is no node ``unknown`` that all services would share."""
    document = one(kind=kind, parentId="a", tags={"http.path": "/x", "error": "refused"})
    assert [each.node for each in document.calls] == [NO_NODE]
    assert document.state == State.FAULT


def test_server_columns() -> None:
    tags = {"http.method": "GET", "http.path": "/a", "http.status_code": "200"}
    document = one(kind="SERVER", remoteEndpoint={"ipv4": "203.0.113.9"}, tags=tags)
    assert (document.http.method, document.http.url, document.http.status) == ("GET", "/a", 200)
    assert document.http.client_ip == "203.0.113.9"
    note = {"timestamp": START, "value": "cache miss"}
    document = one(kind="SERVER", annotations=[note])
    (event,) = render_span(document.raw)["metadata"]["otel"]["events"]
    assert event["name"] == "cache miss"


@pytest.mark.parametrize("flag", [True, None])
def test_shared_ids(flag: bool | None) -> None:
    """Client and server of one id are two documents, parent and child; so are their children."""
    client = zipkin("1", kind="CLIENT", parentId="f", remoteEndpoint=BACK)
    server = zipkin("1", kind="SERVER", parentId="f", localEndpoint=BACK, shared=flag)
    child = zipkin(
        "2", kind="CLIENT", parentId="1", localEndpoint=BACK, remoteEndpoint={"serviceName": "db"}
    )
    root = zipkin("f", kind="SERVER")
    documents, rejected = read(child, server, client, root)
    assert rejected == []
    own = int.from_bytes(derived_id(bytes.fromhex(TRACE), b"\0" * 7 + b"\1", b"shared"), "big")
    assert {d.id for d in documents} == {0xF, 1, 2, own}
    store = MemoryStore()
    store.put(documents, "x")
    graph = build_service_graph(store.get_traces([bytes.fromhex(TRACE)]).values())
    front, back = NodeKey("", "frontend", ""), NodeKey("", "backend", "")
    assert (front, back) in graph.edges
    assert (back, NodeKey("", "db", "remote")) in graph.edges
    assert len(graph.edges) == 3


def test_shared_ids_one_by_one() -> None:
    """The server's own calls are its own in whatever request and order it arrives: here each span by itself."""
    db = {"serviceName": "db"}
    spans = [
        zipkin("f", kind="SERVER"),
        zipkin("1", kind="CLIENT", parentId="f", remoteEndpoint=BACK),
        zipkin("1", kind="SERVER", parentId="f", localEndpoint=BACK, shared=True),
        zipkin("2", parentId="1", localEndpoint=BACK),
        zipkin("3", kind="CLIENT", parentId="2", localEndpoint=BACK, remoteEndpoint=db),
        zipkin("4", kind="CLIENT", parentId="1", localEndpoint=BACK, remoteEndpoint=db),
    ]
    front, back = NodeKey("", "frontend", ""), NodeKey("", "backend", "")
    for order in permutations(spans):
        store = MemoryStore()
        for number, each in enumerate(order):
            store.put(read(each)[0], str(number))
        edges = build_service_graph(store.get_traces([bytes.fromhex(TRACE)]).values()).edges
        assert edges[front, back].statistics.total == 1
        assert edges[back, NodeKey("", "db", "remote")].statistics.total == 2
        assert len(edges) == 3


@pytest.mark.parametrize(
    "bad",
    [
        zipkin("xyz"),
        zipkin(""),
        zipkin("0" * 16),
        zipkin("1" * 17),
        zipkin(traceId="0"),
        zipkin(traceId=None),
        zipkin(parentId="zz"),
        zipkin(parentId="0000000000000001"),
        zipkin(timestamp=None),
        zipkin(timestamp=-5),
        zipkin(timestamp=1e300),
        zipkin(duration=-1),
        zipkin(name=5),
        zipkin(tags=[]),
        zipkin(annotations=[5]),
        zipkin(localEndpoint="x"),
        5,
        None,
    ],
)
def test_bad_span(bad: Any) -> None:
    """It is named, and its neighbours are stored."""
    documents, rejected = read(zipkin("a1", kind="SERVER"), bad, zipkin("a2", kind="SERVER"))
    assert [document.id for document in documents] == [0xA1, 0xA2]
    (only,) = rejected
    assert only.message


def test_many_are_what_each_is_alone() -> None:
    """By column, and stored without what annotations say."""
    spans = [
        zipkin(
            traceId=f"{number + 1:032x}",
            parentId="a",
            kind=("CLIENT", "SERVER", "PRODUCER", None)[number % 4],
            localEndpoint={"serviceName": f"shop-{number % 3}"},
            remoteEndpoint={"serviceName": "orders"},
            tags={"http.status_code": str(200 + number % 2 * 303), "order": f"o-{number}"},
        )
        for number in range(60)
    ]
    found = decode_zipkin(json.dumps([*spans, 5]).encode(), 7)
    assert isinstance(found.documents, ColumnarDocuments)
    alone = [
        document
        for span in spans
        for document in decode_zipkin(json.dumps([span]).encode(), 7).documents
    ]
    assert sorted(found.documents, key=by_trace) == alone
    assert [place for place, _ in found.rejected] == [0]
    heads = [head for few in found.documents.columns if few.parts for head in few.parts.heads]
    assert sum(head.startswith(ANNOTATED) for head in heads) >= 30


def by_trace(document: Document) -> bytes:
    return document.trace_id


@pytest.mark.parametrize("body", [b"", b"{}", b"5", b"[", b"\xff", b"[" * 9999])
def test_bad_list(body: bytes) -> None:
    with pytest.raises(Rejected):
        decode_zipkin(body, 1)


def test_protobuf() -> None:
    """The same span in both encodings is the same document."""
    message = messages["Span"](
        trace_id=bytes.fromhex(TRACE),
        parent_id=(0xA).to_bytes(8, "big"),
        id=(1).to_bytes(8, "big"),
        kind=1,
        name="get",
        timestamp=START,
        duration=10_000,
    )
    message.local_endpoint.service_name = "frontend"
    message.remote_endpoint.ipv4 = bytes([10, 0, 0, 1])
    message.remote_endpoint.port = 80
    message.tags.add(key="http.method", value="GET")
    message.annotations.add(timestamp=START, value="x")
    body = messages["ListOfSpans"](spans=[message.SerializeToString(), b"\xff"])
    found = decode_zipkin_protobuf(body.SerializeToString(), 7)
    (document,), ((_, rejected),) = found.documents, found.rejected
    expected = one(
        kind="CLIENT",
        parentId="a",
        remoteEndpoint={"ipv4": "10.0.0.1", "port": 80},
        tags={"http.method": "GET"},
        annotations=[{"timestamp": START, "value": "x"}],
    )
    assert document == expected
    assert isinstance(rejected, Rejected)
    with pytest.raises(Rejected):
        decode_zipkin_protobuf(b"\xff", 1)


def test_in_parts() -> None:
    """What has no time belongs to the part that has one, whichever comes first."""
    early = zipkin(
        timestamp=None, duration=None, kind=None, tags={"a": "early", "http.method": "GET"}
    )
    whole = zipkin(kind="SERVER", tags={"a": "whole"})
    late = zipkin(timestamp=None, annotations=[{"timestamp": START + 1, "value": "flushed"}])
    other = zipkin(kind="CLIENT", localEndpoint=BACK, remoteEndpoint=FRONT)
    (server, client), rejected = read(early, whole, late, other)
    assert rejected == []
    assert server.annotations == ('a="whole"', 'http.method="GET"')
    assert [e["name"] for e in render_span(server.raw)["metadata"]["otel"]["events"]] == ["flushed"]
    assert client.calls


def test_a_part_alone() -> None:
    """It begins with its first annotation; without any it is nowhere in time."""
    notes = [{"timestamp": START + 9, "value": "b"}, {"timestamp": START + 5, "value": "a"}]
    (document,), rejected = read(zipkin(timestamp=None, annotations=notes))
    assert (document.start, rejected) == (START + 5, [])
    documents, (refusal,) = read(zipkin(timestamp=None))
    assert (documents, refusal.reason) == ([], "MissingStartTime")
