"""A trace as TraceQL sees it: the spans of its OTLP export, with what they know of each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from raymap.contrib.jaeger.spans import CONTROL, ReadTrace
from raymap.contrib.tempo.traceql.ast import Attribute, Duration, Scope, SpanKind, Status
from store.otel.attributes import read_value
from store.otel.resource import read_resource

KINDS: Mapping[int, SpanKind] = {
    Span.SPAN_KIND_INTERNAL: SpanKind.INTERNAL,
    Span.SPAN_KIND_SERVER: SpanKind.SERVER,
    Span.SPAN_KIND_CLIENT: SpanKind.CLIENT,
    Span.SPAN_KIND_PRODUCER: SpanKind.PRODUCER,
    Span.SPAN_KIND_CONSUMER: SpanKind.CONSUMER,
}
STATUSES: Mapping[int, Status] = {
    SpanStatus.STATUS_CODE_OK: Status.OK,
    SpanStatus.STATUS_CODE_ERROR: Status.ERROR,
}
NO_PARENT = -1
"""`nestedSetParent` of a root."""


class SpanView:
    """A span of a trace: every attribute by its name, None where it has none."""

    def __init__(
        self, trace: TraceView, resource: Mapping[str, Any], scope: InstrumentationScope, span: Span
    ) -> None:
        self.trace = trace
        self.resource = resource
        self.scope = scope
        self.id: bytes = span.span_id
        self.parent: bytes = b"" if span.parent_span_id == span.span_id else span.parent_span_id
        self.name: str = span.name
        self.start: int = span.start_time_unix_nano
        self.end: int = span.end_time_unix_nano
        self.status = STATUSES.get(span.status.code, Status.UNSET)
        self._span = span

    @property
    def service(self) -> str:
        """Its service, by the name that Jaeger's lists have of it."""
        return str(self.resource["service.name"])

    @property
    def duration(self) -> Duration | None:
        """None in progress."""
        return Duration(max(0, self.end - self.start)) if self.end else None

    @cached_property
    def attributes(self) -> Mapping[str, Any]:
        """Its own attributes."""
        return values_of(self._span.attributes)

    @cached_property
    def events(self) -> list[Mapping[str, Any]]:
        """The attributes of its events, which with their names and times are intrinsic fields."""
        return [
            {
                **values_of(event.attributes),
                "event:name": event.name,
                "event:timeSinceStart": Duration(event.time_unix_nano - self.start),
            }
            for event in self._span.events
        ]

    @cached_property
    def links(self) -> list[Mapping[str, Any]]:
        """The same of its links."""
        return [
            {
                **values_of(link.attributes),
                "link:traceID": link.trace_id.hex(),
                "link:spanID": link.span_id.hex(),
            }
            for link in self._span.links
        ]

    def value(self, attribute: Attribute) -> Any:
        """The value of an attribute; of events and links, which may be several, a list."""
        name = attribute.name
        match attribute.scope:
            case Scope.ANY:
                return self.attributes[name] if name in self.attributes else self.resource.get(name)
            case Scope.SPAN:
                return self.attributes.get(name)
            case Scope.RESOURCE:
                return self.resource.get(name)
            case Scope.EVENT:
                return _each(self.events, name)
            case Scope.LINK:
                return _each(self.links, name)
            case Scope.INSTRUMENTATION:
                return values_of(self.scope.attributes).get(name)
        return self._intrinsic(name)

    def _intrinsic(self, name: str) -> Any:
        match name:
            case "duration":
                return self.duration
            case "name":
                return self.name
            case "status":
                return self.status
            case "statusMessage":
                return self._span.status.message
            case "kind":
                return KINDS.get(self._span.kind, SpanKind.UNSPECIFIED)
            case "span:id":
                return self.id.hex()
            case "span:parentID":
                return self.parent.hex()
            case "span:childCount":
                return len(self.trace.children.get(self.id, ()))
            case "event:name" | "event:timeSinceStart":
                return _each(self.events, name)
            case "link:traceID" | "link:spanID":
                return _each(self.links, name)
            case "instrumentation:name":
                return self.scope.name
            case "instrumentation:version":
                return self.scope.version
            case "nestedSetLeft" | "nestedSetRight" | "nestedSetParent":
                place = self.trace.nesting.get(id(self))
                return (
                    place
                    and place[("Left", "Right", "Parent").index(name.removeprefix("nestedSet"))]
                )
        return self.trace.intrinsic(name)


class TraceView:
    """The spans of a trace, by start."""

    def __init__(self, read: ReadTrace) -> None:
        self.id = read.id
        self.spans = sorted(_spans(self, read), key=lambda span: (span.start, span.id))

    @cached_property
    def root(self) -> SpanView | None:
        """The earliest span without a parent."""
        return next((span for span in self.spans if not span.parent), None)

    @property
    def start(self) -> int:
        return self.spans[0].start

    @cached_property
    def duration(self) -> Duration:
        """From the first start to the last end."""
        return Duration(max(max(span.start, span.end) for span in self.spans) - self.start)

    @cached_property
    def children(self) -> Mapping[bytes, list[SpanView]]:
        """The spans by the ids of their parents."""
        found: dict[bytes, list[SpanView]] = {}
        for span in self.spans:
            found.setdefault(span.parent, []).append(span)
        return found

    @cached_property
    def nesting(self) -> Mapping[int, tuple[int, int, int]]:
        """By the identity of a span its place in the nested set of the tree, and its parent's: of those that a root
        leads to."""
        found: dict[int, tuple[int, int, int]] = {}
        number = 0
        seen: set[bytes] = set()
        for root in self.children.get(b"", ()):
            stack: list[tuple[SpanView, int, bool]] = [(root, NO_PARENT, False)]
            while stack:
                span, parent, left = stack.pop()
                number += 1
                if left:
                    found[id(span)] = found[id(span)][0], number, parent
                    continue
                found[id(span)] = number, 0, parent
                stack.append((span, parent, True))
                if span.id not in seen:
                    seen.add(span.id)
                    below = self.children.get(span.id, ())
                    stack += [(each, number, False) for each in reversed(below)]
        return found

    def intrinsic(self, name: str) -> Any:
        """An intrinsic field of the trace; None where it has no root."""
        match name:
            case "trace:id":
                return self.id.hex()
            case "traceDuration":
                return self.duration
            case "rootName":
                return self.root and self.root.name
        return self.root and self.root.service


def _spans(trace: TraceView, read: ReadTrace) -> Iterator[SpanView]:
    for part in read.exported.resource_spans:
        resource = values_of(part.resource.attributes)
        resource["service.name"] = read_resource(part.resource.attributes).service
        for scope in part.scope_spans:
            yield from (SpanView(trace, resource, scope.scope, span) for span in scope.spans)


def values_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes by name, maps as JSON."""
    found = {}
    for pair in pairs:
        if pair.key not in CONTROL:
            value = read_value(pair.value)
            is_map = isinstance(value, dict)
            found[pair.key] = msgspec.json.encode(value).decode() if is_map else value
    return found


def _each(parts: Iterable[Mapping[str, Any]], name: str) -> list[Any] | None:
    return [part[name] for part in parts if part.get(name) is not None] or None
