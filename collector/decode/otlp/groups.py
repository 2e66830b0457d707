"""Spans in the groups in which a request brings them: under one resource and one scope.

The resource is read once for all of its spans, and again for no request that repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count, islice

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage

from collector.decode.limits import (
    MAX_RESOURCE,
    RESOURCE,
    SCOPE,
    SMALL_ITEM,
    MessageCount,
    fields_of,
)
from collector.decode.otlp.frames import (
    MAX_REQUEST,
    MAX_SPANS,
    OVERHEAD,
    SPAN,
    ResourceFrame,
    ScopeFrame,
    too_many_spans,
)
from collector.decode.rejected import Reason, Rejected
from store.otel.resource import Resource, read_resource
from store.otel.stored_span import frame

MAX_CACHED = 4096
"""Bytes of a resource or scope worth caching."""
_CACHED = 1024
_SPAN_ID, _FIRST = 2, 8
_numbers = count()


class KnownResource:
    """A resource that has been read. ``number`` tells it from all others of this process."""

    __slots__ = ("number", "resource")

    def __init__(self, resource: Resource) -> None:
        self.number = next(_numbers)
        self.resource = resource


class SpanGroup:
    """Spans below one scope, as bytes or, if they have none, as rejections.

    ``shared`` and ``scope`` are what `store.otel.stored_span.frame` makes of resource and scope.
    """

    __slots__ = ("known", "scope", "shared", "spans")

    def __init__(
        self, known: KnownResource, shared: bytes, scope: bytes, spans: Sequence[bytes | Rejected]
    ) -> None:
        self.known = known
        self.shared = shared
        self.scope = scope
        self.spans = spans


def read_groups(
    parts: Iterable[ResourceFrame], count: MessageCount | None = None
) -> Iterator[SpanGroup]:
    """The groups of a request that has been split. Spans that are too large, and those without a readable
    resource or scope, are rejections; none of these is parsed. Raises Rejected when the request needs more
    than `MAX_REQUEST` bytes, or ``count`` finds too many messages inside its spans."""
    room = _Room(count)
    for part in parts:
        try:
            known = _resource_of(part.resource)
            shared = frame(part.resource, part.schema_url.decode())
        except (DecodeError, UnicodeDecodeError):
            yield _refused(part.scope_spans, unreadable("the span cannot be placed: its resource"))
            continue
        except Rejected as rejected:
            yield _refused(part.scope_spans, rejected)
            continue
        for scope_part in part.scope_spans:
            try:
                _check(scope_part.scope)
                scope = frame(scope_part.scope, scope_part.schema_url.decode())
            except (DecodeError, UnicodeDecodeError):
                yield _refused([scope_part], unreadable("the span cannot be placed: its scope"))
                continue
            except Rejected as rejected:
                yield _refused([scope_part], rejected)
                continue
            spans = [
                span if isinstance(span, bytes) and len(span) <= SMALL_ITEM else _judged(span)
                for span in scope_part.spans
            ]
            room.take(len(shared) + len(scope) + OVERHEAD, spans)
            yield SpanGroup(known, shared, scope, spans)


def _judged(span: bytes | Rejected) -> bytes | Rejected:
    """The span, or why it is not parsed."""
    if isinstance(span, bytes):
        try:
            SPAN.check("the span", span)
        except Rejected as rejected:
            rejected.id = _id_of(span)
            return rejected.as_value()
    return span


def _id_of(span: bytes) -> str | None:
    """The id of a span, if it is among the first fields with a length."""
    for number, begin, end in islice(fields_of(span, 0, len(span)), _FIRST):
        if number == _SPAN_ID:
            return span[begin:end].hex() if end - begin == 8 else None
    return None


def unreadable(what: str) -> Rejected:
    """The rejection of bytes that are not OTLP."""
    message = f"{what} is not readable as OTLP (broken protobuf, or text that is not UTF-8)"
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


class _Room:
    """The bytes that the documents of a request may still take, and the messages inside its spans."""

    def __init__(self, count: MessageCount | None) -> None:
        self._left = MAX_REQUEST
        self._count = count if count is not None and count.needed else None

    def take(self, each: int, spans: Sequence[bytes | Rejected]) -> None:
        """Reserve ``each`` for every span beside its own bytes. Raises Rejected."""
        raws = [span for span in spans if isinstance(span, bytes)]
        self._left -= each * len(spans) + sum(map(len, raws))
        if self._left < 0:
            raise too_many_spans()
        if self._count is not None:
            for raw in raws:
                self._count.take(raw)


@lru_cache(_CACHED)
def _read_resource(message: bytes) -> KnownResource:
    return KnownResource(read_resource(ResourceMessage.FromString(message).attributes))


def _resource_of(message: bytes) -> KnownResource:
    """Raises DecodeError, and Rejected when it is too large to be parsed."""
    RESOURCE.check("the resource", message, MAX_RESOURCE)
    small = len(message) <= MAX_CACHED
    return _read_resource(message) if small else _read_resource.__wrapped__(message)


def _check(scope: bytes) -> None:
    """Raises DecodeError, and Rejected."""
    SCOPE.check("the scope", scope, MAX_RESOURCE)
    if len(scope) <= MAX_CACHED:
        _check_scope(scope)
    else:
        InstrumentationScope.FromString(scope)


@lru_cache(_CACHED)
def _check_scope(scope: bytes) -> None:
    InstrumentationScope.FromString(scope)


def _refused(scopes: Iterable[ScopeFrame], why: Rejected) -> SpanGroup:
    """A rejection for each span below what cannot be read."""
    spans: list[Rejected] = []
    for scope in scopes:
        for _ in scope.spans:
            if len(spans) == MAX_SPANS:
                raise too_many_spans()
            spans.append(Rejected(why.reason, why.message))
    return SpanGroup(_NO_RESOURCE, b"", b"", spans)


_NO_RESOURCE = KnownResource(read_resource(()))
