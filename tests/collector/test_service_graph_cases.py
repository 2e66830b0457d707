"""The cases of the OpenTelemetry Collector's service graph connector, written anew from what its tests say
(open-telemetry/opentelemetry-collector-contrib, connector/servicegraphconnector, Apache-2.0).

Left out: what its tests say of dimensions, histograms, caches and its own telemetry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decode.otlp.request import decode_otlp
from store.clickhouse.store import ClickHouseStore
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import Document, TimeRange
from store.times import MINUTE
from tests.builders import T0
from tests.collector.otlp_samples import CLIENT, SERVER, START, request, span
from tests.collector.zipkin_dependencies.notation import (
    DELIVERIES,
    Links,
    in_one,
    read_links,
    reversed_one_by_one,
)

ALL = TimeRange(START // 1_000 - MINUTE, START // 1_000 + MINUTE)
CLIENT_OF = "client"
"""In place of the name of a node that stands for anyone outside."""


class Sent(NamedTuple):
    """A span with its service."""

    service: str
    kind: int
    id: int
    parent: int = 0
    attributes: Mapping[str, Any] = {}
    failed: bool = False


class Case(NamedTuple):
    """``theirs``: the edges that the connector counts; ``ours`` where they differ, and ``why``. (Notation: Zipkin's
    cases.)"""

    name: str
    spans: Sequence[Sent]
    theirs: str
    ours: str | None = None
    why: str = ""

    @property
    def expected(self) -> Links:
        return read_links(self.theirs if self.ours is None else self.ours)


CALLS_OF_BAR = [
    sent
    for id in (1, 3, 5)
    for sent in (
        Sent("foo", CLIENT, id, failed=id == 5),
        Sent("bar", SERVER, id + 1, id, failed=id == 5),
    )
]
CASES = (
    Case(
        "common case",
        [Sent("some-service", CLIENT, 1), Sent("some-service", SERVER, 2, 1)],
        "some-service->some-service 1",
    ),
    Case("failed label", CALLS_OF_BAR, "foo->bar 3/1"),
    Case(
        "messaging system",
        [Sent("foo-server", CLIENT, 1), Sent("bar-requester", SERVER, 2, 1)],
        "foo-server->bar-requester 1",
    ),
    Case(
        "extra dimensions of queue and database",
        [
            Sent("foo-server", CLIENT, 1, attributes={"messaging.system": "kafka"}),
            Sent("bar-requester", SERVER, 2, 1, {"db.system": "postgresql"}),
        ],
        "foo-server->bar-requester 1",
    ),
    Case(
        "virtual node, server",
        [Sent("foo-server", CLIENT, 1)],
        "foo-server->unknown 1",
        "",
        "a call that names nothing is drawn only if it is answered",
    ),
    Case(
        "virtual node, client",
        [Sent("bar-requester", SERVER, 1, attributes={"peer.service.name": "external-platform"})],
        "user->bar-requester 1",
        f"{CLIENT_OF}->bar-requester 1",
        "the caller is a client, whatever its name; this attribute is no convention",
    ),
    Case(
        "virtual nodes",
        [
            Sent("foo-server", CLIENT, 1),
            Sent("bar-requester", SERVER, 2, attributes={"peer.service": "external-platform"}),
        ],
        "foo-server->unknown 1, user->bar-requester 1",
        "external-platform->bar-requester 1",
        "a server span that names its caller is called by that; as above",
    ),
)
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def requests_of(case: Case, deliver: Callable[[Sequence[Any]], list[list[Any]]]) -> list[bytes]:
    """The bodies in which a case is sent; spans of one service need not be in one."""
    bodies = []
    for spans in deliver(case.spans):
        message = ExportTraceServiceRequest()
        for each in spans:
            parent = each.parent.to_bytes(8, "big") if each.parent else b""
            written = span(
                each.kind, each.attributes, id=each.id, parent=parent, failed=each.failed
            )
            message.MergeFrom(request(written, resource={"service.name": each.service}))
        bodies.append(message.SerializeToString())
    return bodies


def documents_of(body: bytes) -> list[Document]:
    """What a request is stored as."""
    documents = list(decode_otlp(body, T0))
    assert all(isinstance(each, Document) for each in documents)
    return cast("list[Document]", documents)


def graph_of(case: Case, deliver: Callable[[Sequence[Any]], list[list[Any]]]) -> ServiceGraph:
    store = MemoryStore()
    for number, body in enumerate(requests_of(case, deliver)):
        store.put(documents_of(body), str(number))
    return store.service_graph(ALL)


def links_of(graph: ServiceGraph) -> Links:
    """Calls and failures by the names of both ends."""
    return {
        (CLIENT_OF if edge.source.is_client else edge.source.name, edge.target.name): (
            edge.statistics.total,
            edge.statistics.total - edge.statistics.ok,
        )
        for edge in graph.edges.values()
    }


@pytest.mark.parametrize("deliver", DELIVERIES)
@cases
def test_edges(case: Case, deliver: Callable[[Sequence[Any]], list[list[Any]]]) -> None:
    graph = graph_of(case, deliver)
    assert links_of(graph) == case.expected
    assert graph == graph_of(case, in_one)


def test_each_difference_says_why() -> None:
    for case in CASES:
        assert bool(case.why) == (case.ours is not None), case.name
        assert case.ours is None or case.expected != read_links(case.theirs), case.name


def test_clickhouse_draws_the_same(clickhouse_store: ClickHouseStore) -> None:
    """All cases in one map, in traces of their own."""
    memory = MemoryStore()
    batches: dict[int, list[Document]] = {}
    for number, case in enumerate(CASES):
        for turn, body in enumerate(requests_of(case, reversed_one_by_one)):
            trace = (T0 // 1_000_000).to_bytes(4, "big") + number.to_bytes(12, "big")
            found = [replace(each, trace_id=trace) for each in documents_of(body)]
            batches.setdefault(turn, []).extend(found)
    for store in (memory, clickhouse_store):
        for turn, documents in batches.items():
            store.put(documents, str(turn))
    expected = memory.service_graph(ALL)
    assert len(expected.edges) == 5
    assert clickhouse_store.service_graph(ALL) == expected
