"""A trace as Jaeger's spans: its OTLP export by OpenTelemetry's mapping to Jaeger.

https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import (
    ResourceSpans,
    ScopeSpans,
    Span,
    Status,
    TracesData,
)

from api.schemas.v1 import SpanKind
from raymap.contrib.jaeger.schemas import (
    JaegerLog,
    JaegerProcess,
    JaegerReference,
    JaegerSpan,
    JaegerTag,
    JaegerTrace,
)
from store.model import Trace
from store.otel.attributes import read_value
from store.otel.callee import CALL
from store.otel.from_xray import SCOPE, export_trace
from store.otel.resource import read_resource
from store.otel.stored_span import is_span
from store.protocol import Store

SAFE_INTEGER = (1 << 53) - 1
"""Greater ones are not exact in JavaScript: Jaeger writes them as text."""
MOST_SPANS = 20_000
"""Spans of one trace, some 60 MB in memory."""
CHUNK = 20
"""Traces read first, whatever they contain."""
GROWTH = 10
"""Ratio between the traces read next and those before, at most."""
KINDS: Mapping[int, SpanKind] = {
    Span.SPAN_KIND_INTERNAL: "internal",
    Span.SPAN_KIND_SERVER: "server",
    Span.SPAN_KIND_CLIENT: "client",
    Span.SPAN_KIND_PRODUCER: "producer",
    Span.SPAN_KIND_CONSUMER: "consumer",
}
CONTROL = frozenset((CALL, "aws.xray.annotations"))
"""Attributes of the export that only repeat others."""


class ReadTrace:
    """A trace as OpenTelemetry's spans, called as Jaeger calls them; as Jaeger's when these are wanted."""

    def __init__(self, id: bytes, exported: TracesData) -> None:
        self.id = id
        self.exported = exported
        starts = [
            span.start_time_unix_nano
            for part in exported.resource_spans
            for scope in part.scope_spans
            for span in scope.spans
        ]
        self.size = len(starts)
        self.start = min(starts, default=0)

    @cached_property
    def trace(self) -> JaegerTrace:
        """The same as Jaeger's spans."""
        return jaeger_trace(self.id, self.exported)


def read_traces(store: Store, ids: Sequence[bytes]) -> Iterator[ReadTrace]:
    """The stored traces with these ids that have spans, in this order. In memory at once: a few, then as many as have about
    `MOST_SPANS` if none is larger than those before."""
    at, size, largest = 0, CHUNK, 1
    while some := ids[at : at + size]:
        found = store.get_traces(some, raw=True)
        for id in some:
            if id in found:
                read = ReadTrace(id, export_named(found[id]))
                largest = max(largest, read.size)
                if read.size:
                    yield read
        at, size = at + size, max(CHUNK, min(GROWTH * size, MOST_SPANS // largest))


def export_named(trace: Trace) -> TracesData:
    """A trace's export, its raw documents filled, with X-Ray's segments called by their operations. Documents without
    one (only counted) and inferred segments are no spans."""
    data = export_trace(trace.documents.values(), lossless=False)
    operations = _operations(trace)
    for part in data.resource_spans if operations else ():
        for scope in part.scope_spans:
            for span in scope.spans:
                span.name = operations.get(span.span_id, span.name)
    return data


def grouped(exported: TracesData) -> TracesData:
    """An export whose spans lie together by resource and scope; at most `MOST_SPANS` of them."""
    data, room = TracesData(), MOST_SPANS
    scopes: dict[tuple[bytes, bytes], ScopeSpans] = {}
    parts: dict[bytes, ResourceSpans] = {}
    for part in exported.resource_spans:
        resource = part.resource.SerializeToString(deterministic=True)
        for scope in part.scope_spans if room > 0 else ():
            key = resource, scope.scope.SerializeToString(deterministic=True)
            if resource not in parts:
                parts[resource] = data.resource_spans.add(resource=part.resource)
            if key not in scopes:
                scopes[key] = parts[resource].scope_spans.add(scope=scope.scope)
            scopes[key].spans.extend(scope.spans[:room])
            room = max(0, room - len(scope.spans))
    return data


def jaeger_trace(id: bytes, data: TracesData) -> JaegerTrace:
    """A trace as Jaeger's spans; of more than `MOST_SPANS`, a warning says how many are left out."""
    processes: dict[str, JaegerProcess] = {}
    ids: dict[bytes, str] = {}
    spans: list[JaegerSpan] = []
    total = 0
    for part in data.resource_spans:
        key = part.resource.SerializeToString(deterministic=True)
        if key not in ids:
            ids[key] = f"p{len(ids) + 1}"
            processes[ids[key]] = {
                "serviceName": service_of(part.resource),
                "tags": _process_tags(part.resource.attributes),
            }
        for scope in part.scope_spans:
            total += len(scope.spans)
            shown = scope.spans[: max(0, MOST_SPANS - len(spans))]
            spans += [_span(span, scope.scope, ids[key]) for span in shown]
    spans.sort(key=lambda span: (span["startTime"], span["spanID"]))
    left_out = f"{total - len(spans)} spans beyond {MOST_SPANS} are left out"
    return {
        "traceID": id.hex(),
        "spans": spans,
        "processes": processes,
        "warnings": [left_out] if total > len(spans) else None,
    }


def _operations(trace: Trace) -> dict[bytes, str]:
    """What X-Ray's segments did, which as spans are called like their services."""
    return {
        document.id.to_bytes(8, "big"): document.operation
        for document in trace.documents.values()
        if document.operation and not document.independent and not is_span(document.raw)
    }


def service_of(resource: Resource) -> str:
    """The name of a resource's service."""
    return read_resource(resource.attributes).service


def duration_of(span: Span) -> int:
    """Microseconds; 0 of a span in progress, or that ends before it starts."""
    return max(0, span.end_time_unix_nano - span.start_time_unix_nano) // 1000


def tags_among(
    keys: Collection[str], span: Span, scope: InstrumentationScope, resource: Resource
) -> Iterator[JaegerTag]:
    """The tags with certain keys that a span, its process and its logs have as Jaeger's; no other tag is made."""
    yield from tags_of(pair for pair in span.attributes if pair.key in keys)
    others = [
        *_own_tags(span, scope),
        *(tag for event in span.events for tag in _log(event)["fields"]),
    ]
    yield from (tag for tag in others if tag["key"] in keys)
    yield from _process_tags(pair for pair in resource.attributes if pair.key in keys)


def _process_tags(attributes: Iterable[KeyValue]) -> list[JaegerTag]:
    """What a process has beside its service."""
    return tags_of(pair for pair in attributes if pair.key != "service.name")


def _span(span: Span, scope: InstrumentationScope, process: str) -> JaegerSpan:
    return {
        "traceID": span.trace_id.hex(),
        "spanID": span.span_id.hex(),
        "operationName": span.name,
        "references": list(_references(span)),
        "startTime": span.start_time_unix_nano // 1000,
        "duration": duration_of(span),
        "tags": [*tags_of(span.attributes), *_own_tags(span, scope)],
        "logs": [_log(event) for event in span.events],
        "processID": process,
        "warnings": _warnings(span),
    }


def _references(span: Span) -> Iterator[JaegerReference]:
    if span.parent_span_id:
        parent = span.parent_span_id.hex()
        yield {"refType": "CHILD_OF", "traceID": span.trace_id.hex(), "spanID": parent}
    for link in span.links:
        other = link.trace_id.hex()
        yield {"refType": "FOLLOWS_FROM", "traceID": other, "spanID": link.span_id.hex()}


def _warnings(span: Span) -> list[str] | None:
    if not span.end_time_unix_nano:
        return ["in progress: the span has no end yet"]
    ends_before = span.end_time_unix_nano < span.start_time_unix_nano
    return ["the span ends before it starts"] if ends_before else None


def _own_tags(span: Span, scope: InstrumentationScope) -> Iterator[JaegerTag]:
    """What Jaeger has no field for."""
    if span.kind in KINDS:
        yield text_tag("span.kind", KINDS[span.kind])
    if scope.name and scope.name != SCOPE:
        yield text_tag("otel.scope.name", scope.name)
    if scope.version:
        yield text_tag("otel.scope.version", scope.version)
    if span.trace_state:
        yield text_tag("w3c.tracestate", span.trace_state)
    if span.status.code == Status.STATUS_CODE_OK:
        yield text_tag("otel.status_code", "OK")
    if span.status.code == Status.STATUS_CODE_ERROR:
        yield text_tag("otel.status_code", "ERROR")
        yield {"key": "error", "type": "bool", "value": True}
    if span.status.message:
        yield text_tag("otel.status_description", span.status.message)


def _log(event: Span.Event) -> JaegerLog:
    """An event of a span."""
    fields = tags_of(event.attributes)
    if event.name and all(field["key"] != "event" for field in fields):
        fields.insert(0, text_tag("event", event.name))
    return {"timestamp": event.time_unix_nano // 1000, "fields": fields}


def text_tag(key: str, value: str) -> JaegerTag:
    """A tag with text."""
    return {"key": key, "type": "string", "value": value}


def tags_of(pairs: Iterable[KeyValue]) -> list[JaegerTag]:
    """Attributes as tags; lists and maps as JSON text."""
    return [_tag(pair.key, pair.value) for pair in pairs if pair.key not in CONTROL]


def _tag(key: str, value: AnyValue) -> JaegerTag:
    kind = value.WhichOneof("value")
    found: Any = read_value(value)
    if kind == "bool_value":
        return {"key": key, "type": "bool", "value": found}
    if kind == "int_value":
        exact = found if abs(found) <= SAFE_INTEGER else str(found)
        return {"key": key, "type": "int64", "value": exact}
    if kind == "double_value" and math.isfinite(found):
        return {"key": key, "type": "float64", "value": found}
    if kind == "bytes_value":
        return {"key": key, "type": "binary", "value": found}
    if kind in ("array_value", "kvlist_value"):
        return text_tag(key, msgspec.json.encode(found).decode())
    return text_tag(key, "" if found is None else str(found))
