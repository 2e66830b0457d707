"""A trace as Zipkin's spans: its OTLP export by OpenTelemetry's mapping to Zipkin.

https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from raymap.contrib.jaeger.spans import CONTROL
from raymap.contrib.zipkin.schemas import ZipkinSpan
from store.document_values import value_text
from store.otel.attributes import read_attributes, read_value
from store.otel.callee import CALL, callee_of
from store.otel.from_xray import SCOPE
from store.otel.messages import broker_of
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
    called = called_name(span, resource)
    made: ZipkinSpan = {
        "traceId": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "name": span.name,
        "timestamp": span.start_time_unix_nano // NANOSECONDS,
        "localEndpoint": {"serviceName": resource.service},
        "annotations": [
            {"timestamp": event.time_unix_nano // NANOSECONDS, "value": annotation_of(event)}
            for event in span.events
        ],
        "tags": tags,
    }
    if span.parent_span_id:
        made["parentId"] = span.parent_span_id.hex()
    if span.kind in KINDS:
        made["kind"] = KINDS[span.kind]
    if span.end_time_unix_nano:
        made["duration"] = duration_of(span)
    if called:
        made["remoteEndpoint"] = {"serviceName": called}
    return made


def duration_of(span: Span) -> int:
    """Microseconds, at least one; 0 of a span in progress."""
    length = (span.end_time_unix_nano - span.start_time_unix_nano) // NANOSECONDS
    return max(1, length) if span.end_time_unix_nano else 0


def called_name(span: Span, resource: Resource) -> str:
    """What a span calls, as the map names it; '' if nothing."""
    if span.kind not in (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER):
        return ""
    attributes = read_attributes(span.attributes)
    called = callee_of(attributes, resource)
    if span.kind == Span.SPAN_KIND_PRODUCER and CALL not in attributes:
        called = broker_of(attributes, called)
    return called.target.node.name if called else ""


def tags_among(
    keys: Collection[str],
    span: Span,
    scope: InstrumentationScope,
    common: Iterable[KeyValue],
) -> dict[str, str]:
    """The tags with certain keys of a span, given the attributes of its resource; no other tag is made."""
    own = ((key, value) for key, value in _own_tags(span, scope) if key in keys)
    resource = (pair for pair in common if pair.key in keys and pair.key != "service.name")
    attributes = (pair for pair in span.attributes if pair.key in keys)
    return {**dict(_tags(resource)), **dict(_tags(attributes)), **dict(own)}


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


def annotation_of(event: Span.Event) -> str:
    """An event's name, with its attributes."""
    attributes = {pair.key: read_value(pair.value) for pair in event.attributes}
    if not attributes:
        return event.name
    return f'"{event.name}": {msgspec.json.encode(attributes).decode()}'
