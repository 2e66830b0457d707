"""OTLP's JSON → the same frames as its protobuf. Common deviations of senders are accepted.

Ids are hex (base64, as in protobuf's own JSON, is recognised by its length), numbers may be
strings, enums numbers or names with or without their prefix, keys camelCase or snake_case. An invalid
value costs its span only.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from google.protobuf import json_format
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.limits import check_object_count
from collector.decode.otlp.frames import MAX_SPANS, too_many_spans
from collector.decode.rejected import Reason, Rejected

Json = dict[str, Any]

_ERRORS = (json_format.ParseError, TypeError, ValueError, AttributeError, RecursionError)
_BASE64_LENGTH = {16: 24, 8: 12}


class Scope(NamedTuple):
    """A ScopeSpans; see `collector.decode.otlp.frames.ScopeFrame`."""

    scope: bytes
    spans: list[bytes | Rejected]
    schema_url: bytes


class Part(NamedTuple):
    """A ResourceSpans."""

    resource: bytes
    scope_spans: list[Scope]
    schema_url: bytes


def read_json_frames(body: bytes) -> Iterator[Part]:
    """The parts of a request. Raises Rejected when the body is not JSON or not an object, or has too
    many parts."""
    check_object_count(body)
    try:
        request = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _bad(f"the body is not JSON: {error!s:.100}") from error
    if not isinstance(request, dict):
        raise _bad("the body is not an ExportTraceServiceRequest: expected a JSON object")
    parts = _get(request, "resourceSpans", "resource_spans")
    if not isinstance(parts, list):
        if parts is None:
            return
        raise _bad("resourceSpans: expected an array")
    count = _Count()
    for index, part in enumerate(parts):
        yield _part(part, f"resourceSpans[{index}]", count)


class _Count:
    """Spans seen in a request."""

    def __init__(self) -> None:
        self._seen = 0

    def take(self, spans: int) -> None:
        """Raises Rejected when there are too many."""
        self._seen += spans
        if self._seen > MAX_SPANS:
            raise too_many_spans()


def _part(part: object, place: str, count: _Count) -> Part:
    if not isinstance(part, dict):
        return Part(b"", [Scope(b"", [_bad(f"{place}: expected an object")], b"")], b"")
    given = _get(part, "scopeSpans", "scope_spans")
    scopes = given if isinstance(given, list) else [] if given is None else [given]
    count.take(len(scopes))
    read = [_scope(s, f"{place}.scopeSpans[{index}]", count) for index, s in enumerate(scopes)]
    try:
        resource = _message(part.get("resource"), Resource())
    except _ERRORS as error:
        spans: list[bytes | Rejected] = [
            _bad(f"{place}.resource: {error!s:.150}") for scope in read for _ in scope.spans
        ]
        return Part(b"", [Scope(b"", spans, b"")], b"")
    return Part(resource, read, _url(part))


def _scope(scope: object, place: str, count: _Count) -> Scope:
    if not isinstance(scope, dict):
        return Scope(b"", [_bad(f"{place}: expected an object")], b"")
    given = scope.get("spans")
    items = given if isinstance(given, list) else [] if given is None else [given]
    count.take(len(items))
    spans = [_span(span, f"{place}.spans[{index}]") for index, span in enumerate(items)]
    try:
        own = _message(scope.get("scope"), InstrumentationScope())
    except _ERRORS as error:
        return Scope(b"", [_bad(f"{place}.scope: {error!s:.150}") for _ in spans], b"")
    return Scope(own, spans, _url(scope))


def _span(content: object, place: str) -> bytes | Rejected:
    if not isinstance(content, dict):
        return _bad(f"{place}: expected an object")
    content = dict(content)
    span_id = None
    try:
        span_id = _id(_pop(content, "spanId", "span_id"), 8, "spanId")
        trace_id = _id(_pop(content, "traceId", "trace_id"), 16, "traceId")
        parent_id = _id(_pop(content, "parentSpanId", "parent_span_id"), 8, "parentSpanId")
        links, attributes = content.pop("links", None), content.pop("attributes", None)
        kind = content.get("kind")
        if isinstance(kind, str) and kind[:1].isalpha() and not kind.startswith("SPAN_KIND_"):
            content["kind"] = f"SPAN_KIND_{kind.upper()}"
        span: Span = json_format.ParseDict(content, Span(), ignore_unknown_fields=True)
        span.trace_id, span.span_id, span.parent_span_id = trace_id, span_id, parent_id
        if attributes is not None:
            _add_attributes(span, attributes)
        for link in links or ():
            span.links.append(_link(link))
        return span.SerializeToString()
    except _ERRORS as error:
        id = span_id.hex() if span_id else None
        return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, f"{place}: {error!s:.150}", id)


def _add_attributes(span: Span, pairs: object) -> None:
    """The attributes; the usual kinds by hand, which makes the whole three times as fast."""
    if not isinstance(pairs, list):
        raise ValueError("attributes: expected an array")
    for pair in pairs:
        given: Json | None = pair.get("value")
        written = span.attributes.add(key=pair.get("key") or "").value
        kind, value = next(iter(given.items())) if given else ("", None)
        if kind == "stringValue" and type(value) is str:
            written.string_value = value
        elif kind == "intValue" and type(value) is str:
            written.int_value = int(value)
        elif kind == "boolValue" and type(value) is bool:
            written.bool_value = value
        elif given is not None:
            json_format.ParseDict(given, written, ignore_unknown_fields=True)


def _link(content: object) -> Span.Link:
    if not isinstance(content, dict):
        raise ValueError("links: expected objects")
    content = dict(content)
    trace_id = _id(_pop(content, "traceId", "trace_id"), 16, "links.traceId")
    span_id = _id(_pop(content, "spanId", "span_id"), 8, "links.spanId")
    link: Span.Link = json_format.ParseDict(content, Span.Link(), ignore_unknown_fields=True)
    link.trace_id, link.span_id = trace_id, span_id
    return link


def _id(value: object, size: int, key: str) -> bytes:
    """The bytes of an id; none for none. Of another length they are judged later."""
    if value is None or value == "":
        return b""
    if not isinstance(value, str):
        raise ValueError(f"{key}: expected {size * 2} hex digits")
    try:
        if len(value) == _BASE64_LENGTH[size]:
            return binascii.a2b_base64(value, strict_mode=True)
        return bytes.fromhex(value)
    except ValueError as error:
        raise ValueError(f"{key}: expected {size * 2} hex digits, got {value!r:.60}") from error


def _message(content: object, message: Resource | InstrumentationScope) -> bytes:
    if content is None:
        return b""
    if not isinstance(content, dict):
        raise ValueError("expected an object")
    json_format.ParseDict(content, message, ignore_unknown_fields=True)
    return message.SerializeToString()


def _url(content: Json) -> bytes:
    url = _get(content, "schemaUrl", "schema_url")
    return url.encode() if isinstance(url, str) else b""


def _get(content: Json, camel: str, snake: str) -> Any:
    value = content.get(camel)
    return content.get(snake) if value is None else value


def _pop(content: Json, camel: str, snake: str) -> Any:
    value, other = content.pop(camel, None), content.pop(snake, None)
    return other if value is None else value


def _bad(message: str) -> Rejected:
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)
