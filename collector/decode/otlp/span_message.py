"""Spans as protobuf reads them when their attributes, events and links are left as bytes."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from collector.decode.otlp.protobuf import Field, message_classes
from collector.decode.rejected import Rejected

SpanMessage = Any
"""``trace_id``, ``span_id``, ``trace_state``, ``parent_span_id``, ``name``, ``kind``, ``start``, ``end``,
``attributes``, ``events``, ``links``, ``status``, ``flags``."""

_Span = message_classes(
    "raymap.spans",
    {
        "Span": (
            Field("trace_id", 1),
            Field("span_id", 2),
            Field("trace_state", 3, "string"),
            Field("parent_span_id", 4),
            Field("name", 5, "string"),
            Field("kind", 6, "int32"),
            Field("start", 7, "fixed64"),
            Field("end", 8, "fixed64"),
            Field("attributes", 9, repeated=True),
            Field("events", 11, repeated=True),
            Field("links", 13, repeated=True),
            Field("status", 15, "Status"),
            Field("flags", 16, "fixed32"),
        ),
        "Status": (Field("message", 2, "string"), Field("code", 3, "int32")),
    },
)["Span"]
_UNREADABLE = _Span()


def parse_strictly(raw: bytes) -> SpanMessage:
    """A span. Raises DecodeError."""
    return _Span.FromString(raw)


def parse_span(raw: bytes | Rejected) -> SpanMessage:
    """A span; one without ids, which is invalid, where the bytes are no span."""
    try:
        return _UNREADABLE if isinstance(raw, Rejected) else _Span.FromString(raw)
    except DecodeError:
        return _UNREADABLE
