"""A trace as Zipkin's spans: its OTLP export by OpenTelemetry's mapping to Zipkin.

https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from raymap.contrib.jaeger.spans import CONTROL
from raymap.contrib.zipkin.schemas import Annotation, ZipkinSpan
from store.document_values import value_text
from store.otel.attributes import read_attributes, read_value
from store.otel.callee import callee_of
from store.otel.from_xray import SCOPE
from store.otel.resource import Resource, read_resource

KINDS: Mapping[int, Literal["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]] = {
    Span.SPAN_KIND_CLIENT: "CLIENT",
    Span.SPAN_KIND_SERVER: "SERVER",
    Span.SPAN_KIND_PRODUCER: "PRODUCER",
    Span.SPAN_KIND_CONSUMER: "CONSUMER",
}
NANOSECONDS = 1000


def zipkin_spans(data: TracesData, most: int) -> list[ZipkinSpan]:
    """The spans of an export, by start; at most so many."""
    spans = [
        _span(span, scope.scope, resource, common)
        for part in data.resource_spans
        for resource, common in [_resource(part.resource.attributes)]
        for scope in part.scope_spans
        for span in scope.spans
    ]
    spans.sort(key=lambda span: (span["timestamp"], span["id"]))
    return spans[:most]


def _resource(attributes: Iterable[KeyValue]) -> tuple[Resource, dict[str, str]]:
    """A service, and what its spans have in common."""
    pairs = list(attributes)
    others = (pair for pair in pairs if pair.key != "service.name")
    return read_resource(pairs), dict(_tags(others))


def _span(
    span: Span, scope: InstrumentationScope, resource: Resource, common: Mapping[str, str]
) -> ZipkinSpan:
    tags = {**common, **dict(_tags(span.attributes)), **dict(_own_tags(span, scope))}
    made: ZipkinSpan = {
        "traceId": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "name": span.name,
        "timestamp": span.start_time_unix_nano // NANOSECONDS,
        "localEndpoint": {"serviceName": resource.service},
        "annotations": [_annotation(event) for event in span.events],
        "tags": tags,
    }
    if span.parent_span_id:
        made["parentId"] = span.parent_span_id.hex()
    if span.kind in KINDS:
        made["kind"] = KINDS[span.kind]
    if span.end_time_unix_nano:
        length = (span.end_time_unix_nano - span.start_time_unix_nano) // NANOSECONDS
        made["duration"] = max(1, length)
    if span.kind in (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER):
        called = callee_of(read_attributes(span.attributes), resource)
        if called:
            made["remoteEndpoint"] = {"serviceName": called.target.node.name}
    return made


def _own_tags(span: Span, scope: InstrumentationScope) -> Iterator[tuple[str, str]]:
    """What Zipkin has no field for."""
    if scope.name and scope.name != SCOPE:
        yield "otel.scope.name", scope.name
    if span.status.code == Status.STATUS_CODE_OK:
        yield "otel.status_code", "OK"
    if span.status.code == Status.STATUS_CODE_ERROR:
        yield "otel.status_code", "ERROR"
        yield "error", span.status.message or "true"


def _tags(pairs: Iterable[KeyValue]) -> Iterator[tuple[str, str]]:
    """Attributes as text; lists and maps as JSON."""
    for pair in pairs:
        if pair.key not in CONTROL:
            found = read_value(pair.value)
            is_json = isinstance(found, list | dict)
            text = msgspec.json.encode(found).decode() if is_json else value_text(found)
            yield pair.key, "" if found is None else text


def _annotation(event: Span.Event) -> Annotation:
    attributes = {pair.key: read_value(pair.value) for pair in event.attributes}
    name = event.name
    if attributes:
        name = f'"{name}": {msgspec.json.encode(attributes).decode()}'
    return {"timestamp": event.time_unix_nano // NANOSECONDS, "value": name}
