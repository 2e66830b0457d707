"""Zipkin's v2 spans, in JSON and in protobuf: one struct for both.

No maintained Python package ships zipkin.proto, so its messages are built here from a table. Each
span is read alone; a value of the wrong type costs its span only.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from msgspec import Struct

from collector.decode.item_size import ITEM
from collector.decode.limits import (
    Shape,
    check_field_count,
    check_json_item,
    split_array,
)
from collector.decode.otlp.frames import MAX_SPANS
from collector.decode.otlp.protobuf import Field, message_classes
from collector.decode.rejected import Reason, Rejected


class ZipkinSpan(Struct):
    """A span, ids as text. Times in microseconds, 0 when unknown; ``notes`` are its annotations."""

    id: str
    trace_id: str
    parent_id: str
    kind: str
    name: str
    timestamp: int
    duration: int
    local_service: str
    remote_service: str
    remote_ip: str
    remote_port: int
    tags: dict[str, str]
    notes: list[tuple[int, str]]
    shared: bool


class _Endpoint(Struct, rename="camel"):
    service_name: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None
    port: int | None = None


class _Note(Struct):
    timestamp: float | None = None
    value: str | None = None


class _JsonSpan(Struct, rename="camel"):
    id: str | None = None
    trace_id: str | None = None
    parent_id: str | None = None
    kind: str | None = None
    name: str | None = None
    timestamp: float | None = None
    duration: float | None = None
    local_endpoint: _Endpoint | None = None
    remote_endpoint: _Endpoint | None = None
    annotations: list[_Note] | None = None
    tags: dict[str, Any] | None = None
    shared: bool | None = None


_span = msgspec.json.Decoder(_JsonSpan)
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def read_json(body: bytes) -> Iterator[ZipkinSpan | Rejected]:
    """The spans of a JSON array. Raises Rejected when the body is none, or far too many."""
    try:
        elements = split_array(body)
    except _UNREADABLE as error:
        message = f"the body is not a JSON array of spans: {error!s:.100}"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message) from error
    for index, element in enumerate(elements):
        try:
            check_json_item("the span", element, ITEM.in_json)
            yield _from_json(_span.decode(element))
        except Rejected as rejected:
            rejected.message = f"[{index}]: {rejected.message}"
            yield rejected.as_value()
        except _UNREADABLE as error:
            yield Rejected(Reason.INVALID_SEGMENT_DOCUMENT, f"[{index}]: {error!s:.150}")


def _from_json(span: _JsonSpan) -> ZipkinSpan:
    remote = span.remote_endpoint or _Endpoint()
    return ZipkinSpan(
        span.id or "",
        span.trace_id or "",
        span.parent_id or "",
        span.kind or "",
        span.name or "",
        int(span.timestamp or 0),
        int(span.duration or 0),
        (span.local_endpoint.service_name if span.local_endpoint else None) or "",
        remote.service_name or "",
        remote.ipv4 or remote.ipv6 or "",
        remote.port or 0,
        {key: _text(value) for key, value in (span.tags or {}).items() if value is not None},
        [(int(note.timestamp or 0), note.value or "") for note in span.annotations or ()],
        span.shared or False,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


messages = message_classes(
    "raymap.zipkin",
    {
        "ListOfSpans": (Field("spans", 1, "bytes", repeated=True),),
        "Span": (
            Field("trace_id", 1),
            Field("parent_id", 2),
            Field("id", 3),
            Field("kind", 4, "int32"),
            Field("name", 5, "string"),
            Field("timestamp", 6, "fixed64"),
            Field("duration", 7, "uint64"),
            Field("local_endpoint", 8, "Endpoint"),
            Field("remote_endpoint", 9, "Endpoint"),
            Field("annotations", 10, "Annotation", repeated=True),
            Field("tags", 11, "Tag", repeated=True),
            Field("shared", 13, "bool"),
        ),
        "Endpoint": (
            Field("service_name", 1, "string"),
            Field("ipv4", 2),
            Field("ipv6", 3),
            Field("port", 4, "int32"),
        ),
        "Annotation": (Field("timestamp", 1, "fixed64"), Field("value", 2, "string")),
        "Tag": (Field("key", 1, "string"), Field("value", 2, "string")),
    },
)
SPAN = Shape({10: Shape({}), 11: Shape({})})
"""A span's annotations and tags."""
_PROTOBUF_KINDS = {1: "CLIENT", 2: "SERVER", 3: "PRODUCER", 4: "CONSUMER"}


def read_protobuf(body: bytes) -> Iterator[ZipkinSpan | Rejected]:
    """The spans of a ``ListOfSpans``. Raises Rejected when the body is not protobuf."""
    check_field_count(body, MAX_SPANS)
    try:
        elements = messages["ListOfSpans"].FromString(body).spans
    except DecodeError as error:
        message = "the body is not a ListOfSpans in protobuf"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message) from error
    for index, element in enumerate(elements):
        try:
            SPAN.check(f"[{index}]: the span", element)
            yield _from_protobuf(messages["Span"].FromString(element))
        except Rejected as rejected:
            yield rejected.as_value()
        except DecodeError:
            message = f"[{index}]: not a span in protobuf"
            yield Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


def _from_protobuf(span: Any) -> ZipkinSpan:
    remote = span.remote_endpoint
    return ZipkinSpan(
        span.id.hex(),
        span.trace_id.hex(),
        span.parent_id.hex(),
        _PROTOBUF_KINDS.get(span.kind, ""),
        span.name,
        span.timestamp,
        span.duration,
        span.local_endpoint.service_name,
        remote.service_name,
        _address(remote.ipv4 or remote.ipv6),
        remote.port,
        {tag.key: tag.value for tag in span.tags},
        [(note.timestamp, note.value) for note in span.annotations],
        span.shared,
    )


def _address(encoded: bytes) -> str:
    return str(ip_address(encoded)) if len(encoded) in (4, 16) else ""
