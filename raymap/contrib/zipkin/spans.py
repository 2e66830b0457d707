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
from store.model import NodeKey
from store.otel.attributes import read_attributes, read_value
from store.otel.callee import CALL, callee_of
from store.otel.from_xray import SCOPE
from store.otel.messages import broker_of
from store.otel.resource import Resource, read_resource
from store.rules.brokers import sends_messages
from store.rules.invocations import FUNCTION, SERVICE

KINDS: Mapping[int, Literal["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]] = {
    Span.SPAN_KIND_CLIENT: "CLIENT",
    Span.SPAN_KIND_SERVER: "SERVER",
    Span.SPAN_KIND_PRODUCER: "PRODUCER",
    Span.SPAN_KIND_CONSUMER: "CONSUMER",
}
NANOSECONDS = 1000
FUNCTIONS = frozenset((FUNCTION, SERVICE))
"""The origins of the two segments of a Lambda function."""


def zipkin_spans(data: TracesData, most: int) -> list[ZipkinSpan]:
    """The spans of an export, by start; at most so many."""
    answered = answers(data)
    spans = [
        _span(span, scope.scope, resource, common, answered)
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
    span: Span,
    scope: InstrumentationScope,
    resource: Resource,
    common: Mapping[str, str],
    answered: Mapping[bytes, Resource],
) -> ZipkinSpan:
    tags = {**common, **dict(_tags(span.attributes)), **dict(_own_tags(span, scope))}
    called = remote_name(span, resource, answered)
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


def answers(data: TracesData) -> Mapping[bytes, Resource]:
    """What answered calls, by the call's span id."""
    return {
        span.parent_span_id: resource
        for part in data.resource_spans
        for resource in [read_resource(part.resource.attributes)]
        for scope in part.scope_spans
        for span in scope.spans
        if span.kind == Span.SPAN_KIND_SERVER and span.parent_span_id
    }


def remote_name(span: Span, resource: Resource, answered: Mapping[bytes, Resource]) -> str:
    """The other side of a span, as the map names it: the service that answered, else what is called; '' if nothing. A
    function that a bus or a bucket invokes answers no call."""
    called = _called(span, resource)
    answer = answered.get(span.span_id) if span.kind == Span.SPAN_KIND_CLIENT else None
    if answer and not (called and sends_messages(called) and answer.origin in FUNCTIONS):
        return answer.service
    return called.name if called else ""


def _called(span: Span, resource: Resource) -> NodeKey | None:
    """What a span says that it calls."""
    if span.kind not in (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER):
        return None
    attributes = read_attributes(span.attributes)
    called = callee_of(attributes, resource)
    if span.kind == Span.SPAN_KIND_PRODUCER and CALL not in attributes:
        called = broker_of(attributes, called)
    return called.target.node if called else None


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
