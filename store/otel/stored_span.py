"""The stored form of a span: a marker byte, then a ``ResourceSpans`` message with this one span.

No JSON document and no protobuf message begins with the marker, so one column takes both kinds of
document. The span's bytes are stored as received.
"""

from __future__ import annotations

from struct import pack

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from store.varint import varint

SAMPLED = b"\x01"
UNSAMPLED = b"\x02"
"""The sender counts this span without sampling it (X-Ray's ``T1U`` datagrams)."""
_MARKERS = (SAMPLED, UNSAMPLED)

CUT, ANNOTATED = b"\x01", b"\x02"
"""What a head begins with that lacks what columns have, and one whose attributes are not stored either:
they follow from the annotations (`store.otel.attribute_field`). No field of a message begins so."""
_FIRST = b"\x0a"
"""Tag of field 1: a ResourceSpans' resource, a ScopeSpans' scope."""
_SECOND = b"\x12"
"""Tag of field 2: a ResourceSpans' scope_spans, a ScopeSpans' spans."""
_THIRD = b"\x1a"
"""Tag of field 3: either's schema_url."""


def is_span(raw: bytes) -> bool:
    """Whether a stored document is a span rather than X-Ray's JSON."""
    return raw[:1] in _MARKERS


def is_unsampled(raw: bytes) -> bool:
    """Whether a stored document is a span that its sender did not sample."""
    return raw[:1] == UNSAMPLED


def frame(message: bytes, schema_url: str) -> bytes:
    """The bytes that spans share: their resource, or their scope, with its schema URL."""
    part = _FIRST + varint(len(message)) + message
    if schema_url:
        url = schema_url.encode()
        part += _THIRD + varint(len(url)) + url
    return part


def write_span(resource: bytes, scope: bytes, span: bytes, *, sampled: bool = True) -> bytes:
    """The stored form of a span, from what `frame` made of its resource and scope."""
    return join_span(mark(resource, sampled=sampled), scope, span)


def mark(resource: bytes, *, sampled: bool = True) -> bytes:
    """A resource behind the marker of its span."""
    return (SAMPLED if sampled else UNSAMPLED) + resource


def join_span(marked: bytes, scope: bytes, span: bytes) -> bytes:
    """The stored form of a span, from its marked resource."""
    inner = scope + _SECOND + varint(len(span))
    return b"".join((marked, _SECOND, varint(len(inner) + len(span)), inner, span))


def cut_head(head: bytes, begin: bytes, times: bytes) -> bytes:
    """What stands before the attributes of a span, without what columns have (`begin_of`, `times_of`);
    nothing if it does not begin and end as serializers write it. queries/search/body.sql is the inverse."""
    if len(head) < len(begin) + len(times) or not (head.startswith(begin) and head.endswith(times)):
        return b""
    return CUT + head[len(begin) : len(head) - len(times)]


def begin_of(trace_id: bytes, id: bytes, parent_id: bytes) -> bytes:
    """How serializers begin a span: with its ids; an empty parent's is none."""
    parent = b"\x22\x08" + parent_id if parent_id else b""
    return b"\x0a\x10" + trace_id + b"\x12\x08" + id + parent


def times_of(start: int, end: int) -> bytes:
    """What serializers write before the attributes of a span: when it began and ended, nanoseconds."""
    return pack("<BQBQ", 0x39, start, 0x41, end)


def read_span(raw: bytes) -> ResourceSpans:
    """The inverse of `write_span`. Raises ValueError for other bytes."""
    if not is_span(raw):
        raise ValueError("not a stored span")
    try:
        message: ResourceSpans = ResourceSpans.FromString(raw[1:])
        (scope,) = message.scope_spans
        (_,) = scope.spans
    except Exception as error:  # protobuf's DecodeError has no common base with ValueError
        raise ValueError(f"not a stored span: {error}") from error
    return message
