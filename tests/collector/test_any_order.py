"""The map is a function of the set of spans: any order, cut at random, some of it twice, gives one graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any, NamedTuple

import pytest

from collector.decode.zipkin.spans import decode_zipkin
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import Document, TimeRange
from tests.otlp_json import decode_otlp_json
from tests.tiers import cases

SEEDS = cases(25)
ALL = TimeRange(0, 1 << 60)
START = 1_795_560_000
KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}


NO_LINK = ("", "")


class Span(NamedTuple):
    """What both formats can say."""

    trace: str
    id: str
    parent: str
    kind: str
    service: str
    callee: str
    start: float
    shared: bool
    link: tuple[str, str] = NO_LINK
    """The trace and the span that caused it."""
    operation: str = ""
    """What it did with messages."""


class Forest:
    """Random traces: work of one service below another's, servers that share their client's id, sidecars with their
    applications, messages, and lost spans."""

    def __init__(self, seed: int, *, shares_ids: bool) -> None:
        self.random = Random(seed)
        self._shares_ids = shares_ids
        self._ids = iter(range(1, 1 << 20))
        self._spans: list[Span] = []
        for _ in range(self.random.randrange(1, 4)):
            self._trace = f"{START:08x}{self.random.getrandbits(90) + 1:024x}"
            self._work(self._add("", "SERVER", "a"), "a", 0)
        self.spans = [span for span in self._spans if self.random.random() > 0.1]

    def _add(
        self,
        parent: str,
        kind: str,
        service: str,
        callee: str = "",
        shared: str = "",
        operation: str = "",
    ) -> str:
        id = shared or self._new_id()
        at = START + self.random.random() * 50
        span = Span(self._trace, id, parent, kind, service, callee, at, bool(shared))
        self._spans.append(span._replace(operation=operation))
        return id

    def _new_id(self) -> str:
        return f"{next(self._ids) * 7919:016x}"

    def _work(self, parent: str, service: str, depth: int) -> None:
        """What a service does below one of its spans, or another does in its place."""
        if self.random.random() < 0.2 and self._spans[-1].kind == "SERVER" and depth < 5:
            outer = self._spans[-1]
            self._spans.append(outer._replace(id=self._new_id(), parent=outer.id, shared=False))
            self._work(self._spans[-1].id, service, depth + 1)
        for _ in range(self.random.randrange(4) if depth < 5 else 0):
            own = service if self.random.random() < 0.7 else self.random.choice("abc")
            if self.random.random() < 0.3:
                self._work(self._add(parent, "INTERNAL", own), own, depth + 1)
            elif self.random.random() < 0.3:
                self._send(parent, own, depth)
            else:
                self._call(parent, own, depth)

    def _call(self, parent: str, service: str, depth: int) -> None:
        """A call, and perhaps what answers it."""
        callee = self.random.choice(("db", "b", ""))
        id = self._add(parent, "CLIENT", service, callee)
        if self.random.random() < 0.5:
            there = self.random.choice("abc")
            if self._shares_ids and self.random.random() < 0.7:
                self._add(parent, "SERVER", there, shared=id)
                self._work(id, there, depth + 1)
            else:
                self._work(self._add(id, "SERVER", there), there, depth + 1)

    def _send(self, parent: str, service: str, depth: int) -> None:
        """A message, which some consumers get, or none."""
        id = self._add(parent, "PRODUCER", service, self.random.choice(("orders", "")))
        for _ in range(self.random.randrange(3)):
            there, above = self.random.choice("abc"), id
            if self.random.random() < 0.3:
                above = self._add(id, "CONSUMER", there, operation="receive")
            self._work(self._add(above, "CONSUMER", there), there, depth + 1)


def deliveries(spans: list[Span], random: Random) -> Iterator[list[list[Span]]]:
    """The spans last first, one by one; then cut at random, one part twice."""
    yield [[span] for span in reversed(spans)]
    for _ in range(3):
        rest, parts = random.sample(spans, len(spans)), []
        while rest:
            size = random.choice((1, 1, 2, 5, 99))
            parts.append(rest[:size])
            rest = rest[size:]
        yield parts + parts[:1]


def kafka(form: str) -> list[Span]:
    """A shop that sends messages, which workers consume: below the sending span, or each in a trace of its own with
    a link, in one form below the span that fetched it."""
    spans = []
    for number in range(1, 9):
        trace, own = (f"{START:08x}{each:024x}" for each in (number, 100 + number))
        request, sent, handled = (f"{number * 16 + each:016x}" for each in (1, 2, 3))
        at = START + 4.0 * number
        spans += [
            Span(trace, request, "", "SERVER", "shop", "", at, False),
            Span(trace, sent, request, "PRODUCER", "shop", "orders", at + 0.001, False),
        ]
        if number == 8:
            continue  # it is never consumed
        there, parent, link = (
            (trace, sent, NO_LINK) if form == "below" else (own, "", (trace, sent))
        )
        worker = partial(Span, there, kind="CONSUMER", service="worker", callee="", shared=False)
        if form == "fetched":
            parent = f"{number * 16 + 4:016x}"
            spans.append(worker(parent, "", start=at, link=link, operation="receive"))
        spans.append(worker(handled, parent, start=at + number, link=link, operation="process"))
    return spans


def zipkin(spans: list[Span], version: int) -> Iterator[Any]:
    """A request in Zipkin's JSON."""
    body = [
        {
            "traceId": span.trace,
            "id": span.id,
            **({"parentId": span.parent} if span.parent else {}),
            **({"kind": span.kind} if span.kind != "INTERNAL" else {}),
            **({"remoteEndpoint": {"serviceName": span.callee}} if span.callee else {}),
            "timestamp": int(span.start * 1_000_000),
            "duration": 5_000,
            "localEndpoint": {"serviceName": span.service},
            "shared": span.shared,
            "tags": messaging(span),
        }
        for span in spans
    ]
    found = decode_zipkin(json.dumps(body).encode(), version)
    assert found.rejected == []
    return iter(found.documents)


def messaging(span: Span) -> dict[str, str]:
    """What a span says that it did with messages."""
    operation = {"messaging.system": "kafka", "messaging.operation.type": span.operation}
    return operation if span.operation else {}


def otlp(spans: list[Span], version: int) -> Iterator[Any]:
    """A request in OTLP's JSON."""
    groups = [
        {
            "resource": {"attributes": [_text("service.name", span.service)]},
            "scopeSpans": [{"spans": [_otlp(span)]}],
        }
        for span in spans
    ]
    return decode_otlp_json(json.dumps({"resourceSpans": groups}).encode(), version)


def _otlp(span: Span) -> Any:
    start = int(span.start * 1_000_000) * 1_000
    return {
        "traceId": span.trace,
        "spanId": span.id,
        "parentSpanId": span.parent,
        "kind": KINDS[span.kind],
        "name": "x",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 5_000_000),
        "attributes": [
            *([_text("peer.service", span.callee)] if span.callee else []),
            *(_text(key, value) for key, value in messaging(span).items()),
        ],
        "links": [{"traceId": span.link[0], "spanId": span.link[1]}] if span.link[0] else [],
    }


def _text(key: str, value: str) -> Any:
    return {"key": key, "value": {"stringValue": value}}


def graph_of(parts: list[list[Span]], decode: Any) -> ServiceGraph:
    store = MemoryStore()
    for number, part in enumerate(parts):
        found = list(decode(part, START * 1_000_000 + number))
        assert all(isinstance(each, Document) for each in found)
        store.put(found, str(number))
    return store.service_graph(ALL)


@pytest.mark.parametrize("decode", [zipkin, otlp])
def test_one_graph(decode: Any) -> None:
    edges = 0
    for seed in range(SEEDS):
        forest = Forest(seed, shares_ids=decode is zipkin)
        if not forest.spans:
            continue
        expected = graph_of([forest.spans], decode)
        edges += len(expected.edges)
        for parts in deliveries(forest.spans, forest.random):
            assert graph_of(parts, decode) == expected, seed
    assert edges > SEEDS


@pytest.mark.parametrize("form", ["below", "linked", "fetched"])
def test_kafka_by_parent_and_by_link(form: str) -> None:
    """One graph, the broker between the two services, in any order."""
    expected = graph_of([kafka("below")], otlp)
    names = {(a.name, b.name): each.statistics.total for (a, b), each in expected.edges.items()}
    assert names == {("shop", "shop"): 8, ("shop", "orders"): 8}
    ((ends, link),) = expected.links.items()
    assert ([end.name for end in ends], link.statistics.total) == (["orders", "worker"], 7)
    assert len(link.statistics.histogram) > 3
    spans = kafka(form)
    for seed in range(SEEDS):
        for parts in deliveries(spans, Random(seed)):
            assert graph_of(parts, otlp) == expected, seed
