"""OTLP's envelopes with everything inside them left as bytes.

A field that holds a message and one that holds bytes look the same on the wire. So a request is
taken apart in one pass in C, each span keeps the bytes it came in, and one that cannot be read
costs nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from google.protobuf.message import DecodeError

from collector.decode.otlp.protobuf import Field, message_classes
from collector.decode.rejected import Reason, Rejected

MAX_REQUEST = 256 << 20
"""Bytes that the documents of one request may take in memory. Each span is stored with its resource,
so a large resource above many spans would otherwise take any amount."""
OVERHEAD = 2000
"""Bytes a document takes beside what is stored of it, roughly."""
MAX_SPANS = MAX_REQUEST // OVERHEAD
"""So many spans are more than a request may hold, however small they are."""


class ScopeFrame(Protocol):
    """A ScopeSpans. A span that could not be turned into bytes is there as its rejection."""

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


_Request = message_classes(
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
    """Why a request is turned away whole."""
    message = "too much in one request: send fewer spans at a time, or a smaller resource"
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


def read_frames(body: bytes) -> Sequence[ResourceFrame]:
    """The parts of an ExportTraceServiceRequest, or of TracesData.

    Raises Rejected when it is not protobuf at all.
    """
    try:
        parts: Sequence[ResourceFrame] = _Request.FromString(body).resource_spans
    except DecodeError as error:
        message = "the body is not an ExportTraceServiceRequest in protobuf"
        raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message) from error
    return parts
