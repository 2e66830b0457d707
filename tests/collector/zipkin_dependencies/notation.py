"""Cases as text: a span in a line, a link in a word; and the bodies that a case is delivered in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple

from collector.decode.zipkin.wire import messages
from store.graph import ServiceGraph, Statistics
from tests.builders import T0

Links = dict[tuple[str, str], tuple[int, int]]
"""Calls and errors by caller and callee: what Zipkin calls ``DependencyLink``."""
MILLISECOND = 1_000
KINDS = {"CLIENT": 1, "SERVER": 2, "PRODUCER": 3, "CONSUMER": 4}


class Case(NamedTuple):
    """A trace and what is drawn of it.

    ``spans`` in the order in which Zipkin's test has them, one in a line: its kind or ``-``, its ids
    (``parent>id``), its services (``local|remote``), and flags: ``shared``, ``error`` (the tag),
    ``note`` (an annotation of that name), ``half`` (the lower half of the trace's id), ``oneway`` (no
    duration), ``trace=2`` (another trace), ``at=`` and ``takes=`` (milliseconds).
    ``zipkin``: the links that Zipkin makes: ``parent->child calls/errors``. ``ours``: those of the map where it
    differs, and ``why``.
    """

    name: str
    spans: str
    zipkin: str
    ours: str | None = None
    why: str = ""
    addresses: Mapping[str, Mapping[str, Any]] = {}

    @property
    def expected(self) -> Links:
        """The links of the map."""
        return read_links(self.zipkin if self.ours is None else self.ours)


class Span(NamedTuple):
    """A line of a case. Times in milliseconds."""

    kind: str
    parent: str
    id: str
    local: str
    remote: str
    flags: frozenset[str]
    trace: int
    at: int
    takes: int

    def json(self, case: Case, trace_id: int, prefix: str) -> dict[str, Any]:
        """Zipkin's v2 JSON."""
        digits = f"{trace_id + self.trace:032x}"
        found: dict[str, Any] = {
            "traceId": digits[16:] if "half" in self.flags else digits,
            "id": self.id,
            "timestamp": T0 + self.at * MILLISECOND,
            "localEndpoint": _endpoint(self.local, case, prefix),
            "remoteEndpoint": _endpoint(self.remote, case, prefix),
        }
        if self.kind != "-":
            found["kind"] = self.kind
        if self.parent:
            found["parentId"] = self.parent
        if "oneway" not in self.flags:
            found["duration"] = self.takes * MILLISECOND
        if "shared" in self.flags:
            found["shared"] = True
        if "error" in self.flags:
            found["tags"] = {"error": ""}
        if "note" in self.flags:
            found["annotations"] = [{"timestamp": found["timestamp"] + 1, "value": "error"}]
        return {key: value for key, value in found.items() if value != {}}


def _endpoint(service: str, case: Case, prefix: str) -> dict[str, Any]:
    name = {"serviceName": prefix + service} if service else {}
    return {**name, **case.addresses.get(service, {})}


def read_links(text: str) -> Links:
    """``a->b 2, b->c 1/1`` → links."""
    links = {}
    for each in text.split(", ") if text else ():
        ends, _, counts = each.rpartition(" ")
        caller, _, callee = ends.partition("->")
        calls, _, errors = counts.partition("/")
        links[caller, callee] = int(calls), int(errors or 0)
    return links


def read_spans(case: Case) -> list[Span]:
    """The spans of a case, in its order. Without times of their own each lies within its parent."""
    lines = [line.split() for line in case.spans.splitlines() if line.strip()]
    parents: dict[str, str] = {}
    for _, ids, *_ in lines:
        parent, _, id = ids.rpartition(">")
        parents[id] = parents.get(id) or parent
    return [_span(line, parents) for line in lines]


def _span(words: list[str], parents: Mapping[str, str]) -> Span:
    kind, ids, services, *flags = words
    parent, _, id = ids.rpartition(">")
    local, _, remote = services.partition("|")
    given = dict(flag.split("=") for flag in flags if "=" in flag)
    at = 20 * _depth(id, parents) + 10 * ("shared" in flags)
    return Span(
        kind,
        parent,
        id,
        local,
        remote,
        frozenset(flags),
        int(given.get("trace", 1)),
        int(given.get("at", at)),
        int(given.get("takes", 400 - 2 * at)),
    )


def _depth(id: str, parents: Mapping[str, str]) -> int:
    return 1 + _depth(parents[id], parents) if parents.get(id) else 0


def spans_of(case: Case, number: int = 0, prefix: str = "") -> list[dict[str, Any]]:
    """The spans of a case as JSON, in traces that its number tells from others', of services whose names
    begin with a prefix."""
    trace_id = (number + 1) * 0x1_0000_0001_0000_0100
    return [span.json(case, trace_id, prefix) for span in read_spans(case)]


def in_one(spans: Sequence[Any]) -> list[list[Any]]:
    return [list(spans)]


def reversed_in_one(spans: Sequence[Any]) -> list[list[Any]]:
    return [list(spans[::-1])]


def one_by_one(spans: Sequence[Any]) -> list[list[Any]]:
    return [[span] for span in spans]


def reversed_one_by_one(spans: Sequence[Any]) -> list[list[Any]]:
    return [[span] for span in reversed(spans)]


def twice(spans: Sequence[Any]) -> list[list[Any]]:
    return [[*spans, *spans], list(spans)]


DELIVERIES = (in_one, reversed_in_one, one_by_one, reversed_one_by_one, twice)
"""The requests in which spans are sent."""


def json_body(spans: Sequence[dict[str, Any]]) -> bytes:
    """A request in JSON."""
    return json.dumps(spans).encode()


def protobuf_body(spans: Sequence[dict[str, Any]]) -> bytes:
    """The same request in protobuf."""
    encoded = [_message(span).SerializeToString() for span in spans]
    body: bytes = messages["ListOfSpans"](spans=encoded).SerializeToString()
    return body


def _message(span: dict[str, Any]) -> Any:
    ids = {"traceId": "trace_id", "parentId": "parent_id", "id": "id"}
    message = messages["Span"](
        kind=KINDS.get(span.get("kind", ""), 0),
        timestamp=span["timestamp"],
        duration=span.get("duration", 0),
        shared=span.get("shared", False),
        **{field: _bytes(span[key]) for key, field in ids.items() if key in span},
    )
    for key, endpoint in (
        ("localEndpoint", "local_endpoint"),
        ("remoteEndpoint", "remote_endpoint"),
    ):
        for name, value in span.get(key, {}).items():
            field = "service_name" if name == "serviceName" else name
            packed = ip_address(value).packed if name in ("ipv4", "ipv6") else value
            setattr(getattr(message, endpoint), field, packed)
    for key, value in span.get("tags", {}).items():
        message.tags.add(key=key, value=value)
    for note in span.get("annotations", ()):
        message.annotations.add(**note)
    return message


def _bytes(digits: str) -> bytes:
    return bytes.fromhex(digits.rjust(16, "0"))


def links_of(graph: ServiceGraph) -> Links:
    """The links that Zipkin would call the edges of a map: those by calls and those by messages alike, by
    the names of their ends. A client that no one named is none of its services."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for edge in (*graph.edges.values(), *graph.links.values()):
        if not edge.source.is_client:
            ends = edge.source.name, edge.target.name
            calls, errors = found.get(ends, (0, 0))
            more = edge.statistics
            found[ends] = calls + more.total, errors + _errors(more)
    return found


def _errors(statistics: Statistics) -> int:
    return statistics.total - statistics.ok
