"""What OpenTelemetry's semantic conventions let senders say, case by case, and the map of it.

The cases are in `convention_cases`; each says what a person who knows the application would draw.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from store.graph import ServiceGraph, Statistics
from store.memory import MemoryStore
from store.model import Document, TimeRange
from store.times import SECOND
from tests.otlp_json import decode_otlp_json

START = 1_795_560_000
ALL = TimeRange((START - 60) * SECOND, (START + 60) * SECOND)
KINDS = {"I": 1, "S": 2, "C": 3, "P": 4, "Q": 5}

Attributes = Mapping[str, Any]
NOTHING: Attributes = MappingProxyType({})
GET = {"http.request.method": "GET", "url.path": "/", "http.response.status_code": 200}
SQL = {"db.system.name": "postgresql", "db.namespace": "o", "server.address": "pg"}
KAFKA = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
TABLE = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "aws.dynamodb.table_names": ["tab"], "http.status_code": 200}  # fmt: skip
AWS = {"cloud.provider": "aws", "cloud.account.id": "111111111111", "cloud.region": "eu-west-1"}


def http(host: str, status: int = 200, /, **more: Any) -> dict[str, Any]:
    """Of an HTTP client's span."""
    return {
        "http.request.method": "GET",
        "server.address": host,
        "http.response.status_code": status,
        **more,
    }


class Span(NamedTuple):
    """``above``: the place of its parent in the case, 0 for none, less for one that is never sent. ``links``: places.
    ``at``, ``takes``: in milliseconds; without, it lies within its parent."""

    service: str
    kind: str
    above: int = 0
    attributes: Attributes = NOTHING
    resource: Attributes = NOTHING
    links: Sequence[int] = ()
    trace: int = 1
    flags: int = 0
    failed: bool = False
    at: int = 0
    takes: int = 0
    state: str = ""
    name: str = "x"


class Case(NamedTuple):
    """``before``: whether an earlier map had it ("right", "wrong", "half")."""

    name: str
    before: str
    spans: Sequence[Span]
    map: str


def groups_of(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """Each span in a group of its own, so that they can be sent in any order."""
    return [
        {
            "resource": {
                "attributes": _attributes({"service.name": span.service, **span.resource})
            },
            "scopeSpans": [{"spans": [_span(place, span, spans)]}],
        }
        for place, span in enumerate(spans, 1)
    ]


def _span(place: int, span: Span, spans: Sequence[Span]) -> dict[str, Any]:
    depth = _depth(span, spans)
    start = span.at or 20 * depth
    end = start + (span.takes or 800 - 40 * depth)
    return {
        "traceId": _trace(span.trace),
        "spanId": _id(place),
        "parentSpanId": _id(span.above) if span.above else "",
        "kind": KINDS[span.kind],
        "name": span.name,
        "flags": span.flags,
        "traceState": span.state,
        "startTimeUnixNano": str(START * 10**9 + start * 10**6),
        "endTimeUnixNano": str(START * 10**9 + end * 10**6),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2 if span.failed else 0},
        "links": [
            {"traceId": _trace(spans[each - 1].trace), "spanId": _id(each)} for each in span.links
        ],
    }


def _depth(span: Span, spans: Sequence[Span]) -> int:
    return 1 + _depth(spans[span.above - 1], spans) if span.above > 0 else 0


def _trace(number: int) -> str:
    return f"{START:08x}{'f' * 20}{number:04x}"


def _id(place: int) -> str:
    return f"{place % (1 << 63):016x}"


def _attributes(given: Attributes) -> list[Any]:
    return [{"key": key, "value": _value(value)} for key, value in given.items()]


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return {"arrayValue": {"values": list(map(_value, value))}}
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}


def documents_of(groups: Sequence[Any], version: int) -> list[Document]:
    """What a request is stored as."""
    body = json.dumps({"resourceSpans": list(groups)}).encode()
    return [each for each in decode_otlp_json(body, version) if isinstance(each, Document)]


def map_of(batches: Sequence[Sequence[Any]]) -> str:
    """What groups draw that arrive in some batches."""
    store = MemoryStore()
    for version, groups in enumerate(batches, 1):
        store.put(documents_of(groups, version), f"{version}")
    return drawn(store.service_graph(ALL))


def drawn(graph: ServiceGraph) -> str:
    """Nodes with their requests (or, in brackets, background work), edges ``->``, links ``=>``. A type stands after
    a colon, an account after ``@``."""
    names = {
        key: "client" if key.is_client else key.name + (f":{key.type}" if key.type else "")
        for key in graph.services
    }
    nodes = [
        names[key]
        + (f"@{key.account}" if key.account else "")
        + _counts(stats.requests.statistics, " {}")
        + _counts(stats.background.statistics, " ({})")
        for key, stats in graph.services.items()
        if not key.is_client
    ]
    edges = [
        f"{names[a]}{sign}{names[b]}{_counts(edge.statistics, ' {}')}"
        for found, sign in ((graph.edges, "->"), (graph.links, "=>"))
        for (a, b), edge in found.items()
    ]
    return " | ".join(", ".join(sorted(each)) for each in (nodes, edges))


def _counts(each: Statistics, form: str) -> str:
    found = {"": each.ok, "error": each.error, "throttle": each.throttle, "fault": each.fault}
    found["open"] = each.in_progress
    text = " ".join(f"{count}{state and ' ' + state}" for state, count in found.items() if count)
    return form.format(text) if text else ""
