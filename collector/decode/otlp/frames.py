"""OTLP's envelopes, with their contents left as bytes: those of spans, log records and metrics have one form.

Message fields and bytes fields look the same on the wire. So a request is split in one pass in C,
each span remains in its original bytes, and an unreadable one costs none of its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from collector.decode.limits import PAIR, MessageCount, Shape, check_field_count, request_of
from collector.decode.otlp.protobuf import Field, message_classes
from collector.decode.rejected import Reason, Rejected

MAX_REQUEST = 256 << 20
"""Bytes that the documents of one request may take in memory. Each span is stored with its resource,
so a large resource above many spans would otherwise take any amount."""
OVERHEAD = 2000
"""Bytes a document takes beside what is stored of it, roughly."""
MAX_SPANS = MAX_REQUEST // OVERHEAD
"""Spans in one request, however small they are; also resources, scopes and spans together."""
SPANS_BELOW = (1, 2)
"""Field numbers: resource_spans, scope_spans."""


SPAN = Shape({9: PAIR, 11: Shape({3: PAIR}), 13: Shape({4: PAIR})})
"""The messages of a span."""
_TRACES = request_of(SPAN)


def count_messages(body: bytes = b"") -> MessageCount:
    """Counts the messages inside the spans of a request."""
    return MessageCount(SPAN, _TRACES, body)


class ScopeFrame(Protocol):
    """A ScopeSpans. A span that could not be converted to bytes is represented by its rejection."""

    @property
    def scope(self) -> bytes: ...
    @property
    def spans(self) -> Iterable[bytes | Rejected]: ...
    @property
    def schema_url(self) -> bytes: ...


class ResourceFrame(Protocol):
    """A ResourceSpans."""

    @property
    def resource(self) -> bytes: ...
    @property
    def scope_spans(self) -> Sequence[ScopeFrame]: ...
    @property
    def schema_url(self) -> bytes: ...


Request: Any = message_classes(
    "raymap.frames",
    {
        "Request": (Field("resource_spans", 1, "ResourceSpans", repeated=True),),
        "ResourceSpans": (
            Field("resource", 1),
            Field("scope_spans", 2, "ScopeSpans", repeated=True),
            Field("schema_url", 3),
        ),
        "ScopeSpans": (Field("scope", 1), Field("spans", 2, repeated=True), Field("schema_url", 3)),
    },
)["Request"]


def too_many_spans() -> Rejected:
    """The rejection of a whole request."""
    message = "too much in one request: send fewer spans at a time, or a smaller resource"
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


def read_frames(
    body: bytes, limit: int = MAX_SPANS, what: str = "ExportTraceServiceRequest"
) -> Sequence[ResourceFrame]:
    """The parts of a request.

    Raises Rejected when it is not protobuf at all, or has more than ``limit`` parts.
    """
    check_field_count(body, limit, SPANS_BELOW)
    try:
        parts: Sequence[ResourceFrame] = Request.FromString(body).resource_spans
    except DecodeError as error:
        message = f"the body is not an {what} in protobuf"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message) from error
    return parts
