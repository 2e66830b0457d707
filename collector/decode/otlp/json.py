"""OTLP's JSON → the same frames as its protobuf. Common deviations of senders are accepted.

Ids are hex (base64, as in protobuf's own JSON, is recognised by its length), numbers may be
strings, enums numbers or names with or without their prefix, keys camelCase or snake_case. An invalid
value costs its span only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.item_size import ITEM
from collector.decode.limits import (
    MAX_JSON_RESOURCE,
    check_json_item,
    check_object_count,
    check_value_count,
)
from collector.decode.otlp.frames import MAX_SPANS, too_many_spans
from collector.decode.otlp.json_values import (
    Json,
    add_attributes,
    objects_of,
    pop,
    read_id,
    read_ids,
)
from collector.decode.rejected import Reason, Rejected

_ERRORS = (json_format.ParseError, TypeError, ValueError, AttributeError, RecursionError)


class Form(NamedTuple):
    """What is different for spans, log records and metrics: the keys, and how an element is read."""

    request: str
    resources: str
    scopes: str
    items: str
    one: str
    encode: Callable[[Json], Message]
    """An element in protobuf. Raises any of `_ERRORS`."""


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


def read_json_frames(body: bytes, form: Form, limit: int = MAX_SPANS) -> Iterator[Part]:
    """The parts of a request, read one element at a time. Raises Rejected when the body is not JSON or not
    an object, or has more than ``limit`` parts."""
    check_object_count(body)
    check_value_count(body)
    try:
        request = _members(body, form.resources)
    except _ERRORS as error:
        if isinstance(error, msgspec.ValidationError):
            raise _bad(f"the body is not an {form.request}: expected a JSON object") from error
        raise _bad(f"the body is not JSON: {error!s:.100}") from error
    parts = request[form.resources]
    if parts is None:
        return
    if not _is_array(parts):
        raise _bad(f"{form.resources}: expected an array")
    reader = _Reader(form, limit)
    for index, part in enumerate(_elements(parts)):
        yield reader.part(part, f"{form.resources}[{index}]")


class _Reader:
    """Reads the parts of a request, and counts them."""

    def __init__(self, form: Form, limit: int) -> None:
        self._form, self._left = form, limit

    def part(self, raw: msgspec.Raw, place: str) -> Part:
        form = self._form
        try:
            part = _members(raw, "resource", form.scopes, "schemaUrl")
            scopes = self._take(part[form.scopes])
        except _ERRORS:
            return Part(b"", [Scope(b"", [_bad(f"{place}: expected an object")], b"")], b"")
        read = [
            self._scope(scope, f"{place}.{form.scopes}[{index}]")
            for index, scope in enumerate(scopes)
        ]
        try:
            resource = _message(part["resource"], Resource())
        except (Rejected, *_ERRORS) as error:
            why = _bad(f"{place}.resource: {_text(error)}")
            spans: list[bytes | Rejected] = [why for scope in read for _ in scope.spans]
            return Part(b"", [Scope(b"", spans, b"")], b"")
        return Part(resource, read, _url(part["schemaUrl"]))

    def _scope(self, raw: msgspec.Raw, place: str) -> Scope:
        items = self._form.items
        try:
            scope = _members(raw, "scope", items, "schemaUrl")
            given = self._take(scope[items])
        except _ERRORS:
            return Scope(b"", [_bad(f"{place}: expected an object")], b"")
        spans = [self._item(item, f"{place}.{items}[{index}]") for index, item in enumerate(given)]
        try:
            own = _message(scope["scope"], InstrumentationScope())
        except (Rejected, *_ERRORS) as error:
            why = _bad(f"{place}.scope: {_text(error)}")
            return Scope(b"", [why for _ in spans], b"")
        return Scope(own, spans, _url(scope["schemaUrl"]))

    def _take(self, raw: msgspec.Raw | None) -> list[msgspec.Raw]:
        """The elements of an array, or what stands in its place. Raises Rejected when there are too many."""
        if raw is None:
            return []
        found = _elements(raw) if _is_array(raw) else [raw]
        self._left -= len(found)
        if self._left < 0:
            raise too_many_spans()
        return found

    def _item(self, raw: msgspec.Raw, place: str) -> bytes | Rejected:
        content: Any = None
        try:
            check_json_item(self._form.one, raw, ITEM.in_json)
            content = msgspec.json.decode(raw)
            if not isinstance(content, dict):
                return _bad(f"{place}: expected an object")
            return self._form.encode(content).SerializeToString()
        except Rejected as rejected:
            return _bad(f"{place}: {rejected.message}")
        except _ERRORS as error:
            return Rejected(
                Reason.INVALID_SEGMENT_DOCUMENT, f"{place}: {_text(error)}", _own_id(content)
            )


def _span(content: Json) -> Span:
    trace_id, span_id = read_ids(content)
    parent_id = read_id(pop(content, "parentSpanId", "parent_span_id"), 8, "parentSpanId")
    links, events = content.pop("links", None), content.pop("events", None)
    attributes = content.pop("attributes", None)
    kind = content.get("kind")
    if isinstance(kind, str) and kind[:1].isalpha() and not kind.startswith("SPAN_KIND_"):
        content["kind"] = f"SPAN_KIND_{kind.upper()}"
    span: Span = json_format.ParseDict(content, Span(), ignore_unknown_fields=True)
    span.trace_id, span.span_id, span.parent_span_id = trace_id, span_id, parent_id
    add_attributes(span.attributes, attributes)
    for event in objects_of(events, "events"):
        pairs, name = event.pop("attributes", None), event.pop("name", None)
        added = span.events.add(name=name or "")
        if event:
            json_format.ParseDict(event, added, ignore_unknown_fields=True)
        add_attributes(added.attributes, pairs)
    for link in objects_of(links, "links"):
        _add_link(span.links.add(), link)
    return span


SPANS = Form("ExportTraceServiceRequest", "resourceSpans", "scopeSpans", "spans", "the span", _span)


def _add_link(link: Span.Link, content: Json) -> None:
    ids, attributes = read_ids(content, "links."), content.pop("attributes", None)
    if content:
        json_format.ParseDict(content, link, ignore_unknown_fields=True)
    add_attributes(link.attributes, attributes)
    link.trace_id, link.span_id = ids


def _message(raw: msgspec.Raw | None, message: Resource | InstrumentationScope) -> bytes:
    if raw is None:
        return b""
    check_json_item("it", raw, MAX_JSON_RESOURCE)
    content = msgspec.json.decode(raw)
    if not isinstance(content, dict):
        raise ValueError("expected an object")
    attributes = content.pop("attributes", None)
    json_format.ParseDict(content, message, ignore_unknown_fields=True)
    add_attributes(message.attributes, attributes)
    return message.SerializeToString()


def _url(raw: msgspec.Raw | None) -> bytes:
    url = None if raw is None else msgspec.json.decode(raw)
    return url.encode() if isinstance(url, str) else b""


def _members(raw: bytes | msgspec.Raw, *names: str) -> dict[str, msgspec.Raw | None]:
    """Some members of an object, as they are, by their name in camel case; None for those without a value.
    Raises any of `_ERRORS`."""
    found = msgspec.json.decode(raw, type=_envelope(names))
    return {
        name: _given(getattr(found, name)) or _given(getattr(found, _snake(name))) for name in names
    }


def _given(raw: msgspec.Raw) -> msgspec.Raw | None:
    """The value; None for none, and for null."""
    return raw if bytes(memoryview(raw)[:4]) not in (b"", b"null") else None


def _is_array(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b"["


_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


@cache
def _envelope(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """A struct with these members, and by their names in snake case: all others are skipped."""
    both = dict.fromkeys((*names, *map(_snake, names)))
    return msgspec.defstruct("Envelope", [(name, msgspec.Raw, msgspec.Raw()) for name in both])


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def _own_id(content: object) -> str | None:
    """The id of a span that could not be read otherwise."""
    id = content.get("spanId") if isinstance(content, dict) else None
    return id if isinstance(id, str) and len(id) == 16 else None


def _text(error: Exception) -> str:
    return error.message if isinstance(error, Rejected) else f"{error!s:.150}"


def _bad(message: str) -> Rejected:
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)
