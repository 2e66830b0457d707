"""OTLP's and Zipkin's requests in protobuf with some values replaced.

A request is split into spans in bytes; only those in which something may match are parsed. A span that
cannot be parsed stays as it is: its decoder rejects it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.item_size import SizeLimit
from collector.decode.limits import (
    MAX_RESOURCE,
    RESOURCE,
    SCOPE,
    Shape,
    TooManyMessages,
    check_field_count,
)
from collector.decode.otlp.frames import MAX_SPANS, SPAN, SPANS_BELOW, Request, count_messages
from collector.decode.rejected import Rejected
from collector.decode.zipkin.wire import SPAN as ZIPKIN_SPAN
from collector.decode.zipkin.wire import messages
from collector.redaction.values import DROPPED, Redaction

MayMatch = Callable[[bytes], bool]


def redact_otlp(body: bytes, redaction: Redaction, may_match: MayMatch) -> bytes:
    """An ExportTraceServiceRequest; the same bytes if nothing was replaced."""
    request = _parse(Request, body, nested=SPANS_BELOW)
    if request is None:
        return body
    before, count = redaction.counts.total(), count_messages(body)
    try:
        for part in request.resource_spans:
            if may_match(part.resource):
                part.resource = _rewrite(part.resource, _RESOURCE, redaction)
            for scope in part.scope_spans:
                if may_match(scope.scope):
                    scope.scope = _rewrite(scope.scope, _SCOPE, redaction)
                for place, span in enumerate(scope.spans):
                    if may_match(span):
                        count.take(span)
                        scope.spans[place] = _rewrite(span, _SPAN, redaction)
    except TooManyMessages:
        return body
    return request.SerializeToString() if redaction.counts.total() > before else body


def redact_zipkin(body: bytes, redaction: Redaction, may_match: MayMatch) -> bytes:
    """A ListOfSpans; the same bytes if nothing was replaced."""
    spans = _parse(messages["ListOfSpans"], body)
    if spans is None:
        return body
    before = redaction.counts.total()
    for place, span in enumerate(spans.spans):
        if may_match(span):
            spans.spans[place] = _rewrite(span, _ZIPKIN, redaction)
    return spans.SerializeToString() if redaction.counts.total() > before else body


def _parse(kind: Any, raw: bytes, nested: tuple[int, ...] = ()) -> Any:
    """The message; None for what decoders reject."""
    try:
        check_field_count(raw, MAX_SPANS, nested)
        return kind.FromString(raw)
    except (DecodeError, Rejected):
        return None


class _Kind(NamedTuple):
    """How messages of a kind are searched, and what is too large for it, which its decoder rejects."""

    message: Any
    walk: Callable[[Any, Redaction], None]
    shape: Shape
    most: SizeLimit | None = None
    """Of an item if there is none."""


def _rewrite(raw: bytes, kind: _Kind, redaction: Redaction) -> bytes:
    try:
        kind.shape.check("", raw, kind.most)
    except Rejected:
        return raw
    message = _parse(kind.message, raw)
    if message is None:
        return raw
    before = redaction.counts.total()
    kind.walk(message, redaction)
    return message.SerializeToString() if redaction.counts.total() > before else raw


def _resource(message: Any, redaction: Redaction) -> None:
    _attributes(message.attributes, redaction)


def _span(span: Any, redaction: Redaction) -> None:
    _name(span, redaction)
    _attributes(span.attributes, redaction)
    for event in span.events:
        _name(event, redaction)
        _attributes(event.attributes, redaction)
    for link in span.links:
        _attributes(link.attributes, redaction)
    if span.HasField("status"):
        _text(span.status, "message", redaction)


def _attributes(pairs: Any, redaction: Redaction) -> None:
    dropped = []
    for place, pair in enumerate(pairs):
        if _pair(pair, redaction) is DROPPED:
            dropped.append(place)
    for place in reversed(dropped):
        del pairs[place]


def _pair(pair: Any, redaction: Redaction) -> Any:
    rule = redaction.rule_of(pair.key)
    if rule is None:
        return _any_value(pair.key, pair.value, redaction)
    kind = pair.value.WhichOneof("value")
    replaced = redaction.whole(rule, getattr(pair.value, kind) if kind else None)
    if kind and replaced is not DROPPED:
        _set(pair.value, kind, replaced)
    return replaced


def _any_value(key: str, value: Any, redaction: Redaction) -> Any:
    kind = value.WhichOneof("value")
    if kind in ("string_value", "int_value"):
        replaced = redaction.keyed(key, getattr(value, kind))
        if replaced is not DROPPED:
            _set(value, kind, replaced)
        return replaced
    if kind == "array_value":
        values = value.array_value.values
        dropped = [
            place
            for place, each in enumerate(values)
            if _any_value(key, each, redaction) is DROPPED
        ]
        for place in reversed(dropped):
            del values[place]
    elif kind == "kvlist_value":
        _attributes(value.kvlist_value.values, redaction)
    return value


def _set(value: Any, kind: str, replaced: Any) -> None:
    """Write a replacement where it differs."""
    if isinstance(replaced, str) and (kind != "string_value" or value.string_value != replaced):
        value.string_value = replaced


def _zipkin_span(span: Any, redaction: Redaction) -> None:
    _name(span, redaction)
    for note in span.annotations:
        _text(note, "value", redaction)
    dropped = []
    for place, tag in enumerate(span.tags):
        replaced = redaction.keyed(tag.key, tag.value)
        if replaced is DROPPED:
            dropped.append(place)
        elif replaced is not tag.value:
            tag.value = replaced
    for place in reversed(dropped):
        del span.tags[place]


def _name(message: Any, redaction: Redaction) -> None:
    given = message.name
    replaced = redaction.name(given)
    if replaced is not given:
        message.name = replaced


def _text(message: Any, field: str, redaction: Redaction) -> None:
    text = getattr(message, field)
    replaced = redaction.text(text)
    if replaced is not text:
        setattr(message, field, replaced)


_RESOURCE = _Kind(Resource, _resource, RESOURCE, MAX_RESOURCE)
_SCOPE = _Kind(InstrumentationScope, _resource, SCOPE, MAX_RESOURCE)
_SPAN = _Kind(Span, _span, SPAN)
_ZIPKIN = _Kind(messages["Span"], _zipkin_span, ZIPKIN_SPAN)
