"""Zipkin's v2 spans, JSON or protobuf → OpenTelemetry's → documents. Pure.

Everything behind the translation is OTLP's: meaning, stored form and rendering. A server that
shares its client's span id gets an id of its own, made from the shared one, and the client's span
for a parent; so do its children of the same batch. Children that arrive in another batch hang
below the client: what they call is their service's all the same.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator, Sequence

from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector.decode.limits import check_rejections
from collector.decode.otlp.columns import Spans, decode_frames_columns
from collector.decode.otlp.frames import MAX_SPANS, too_many_spans
from collector.decode.otlp.json import Part, Scope
from collector.decode.rejected import Reason, Rejected
from collector.decode.zipkin.attributes import attributes_of
from collector.decode.zipkin.wire import ZipkinSpan, read_json, read_protobuf
from store.columnar import ColumnarDocuments, columns_of
from store.model import Document, part_version
from store.otel.derived_ids import derived_id

_KINDS = {
    "CLIENT": Span.SPAN_KIND_CLIENT,
    "SERVER": Span.SPAN_KIND_SERVER,
    "PRODUCER": Span.SPAN_KIND_PRODUCER,
    "CONSUMER": Span.SPAN_KIND_CONSUMER,
}


def decode_zipkin(body: bytes, version: int) -> Spans:
    """The spans of a JSON array, each judged alone. Raises Rejected when it is none."""
    return _decode(read_json(body), version)


def decode_zipkin_protobuf(body: bytes, version: int) -> Spans:
    """The spans of a ``ListOfSpans``. Raises Rejected when the body is not protobuf."""
    return _decode(read_protobuf(body), version)


def _decode(read: Iterable[ZipkinSpan | Rejected], version: int) -> Spans:
    """The spans, those first that are rejected before they are translated."""
    spans: list[_Identified] = []
    rejected: list[Rejected] = []
    for count, span in enumerate(read):
        if count >= MAX_SPANS:
            raise too_many_spans()
        if isinstance(span, Rejected):
            rejected.append(span)
        else:
            try:
                spans.append(_Identified(span))
            except Rejected as bad:
                rejected.append(bad)
        check_rejections(len(rejected))
    spans = _with_start(spans)
    _part_shared(spans)
    found = _decode_spans(spans, version)
    first = len(rejected)
    check_rejections(first + len(found.rejected))
    later = [(first + place, bad) for place, bad in found.rejected]
    return Spans(found.documents, [*enumerate(rejected), *later])


def _decode_spans(spans: list[_Identified], version: int) -> Spans:
    """The spans with a duration, then the others: each of these is complete unless it comes with one, too."""
    parts = [span for span in spans if not span.span.duration]
    if not parts:
        return decode_frames_columns(_by_service(spans), version)
    whole = decode_frames_columns(_by_service([s for s in spans if s.span.duration]), version)
    found = decode_frames_columns(_by_service(parts), part_version(version))
    first = len(whole.documents) + len(whole.rejected)
    rejected = [*whole.rejected, *((first + place, bad) for place, bad in found.rejected)]
    return Spans(_joined(whole.documents, found.documents), rejected)


def _joined(*given: Sequence[Document]) -> Sequence[Document]:
    some = [few for few in given if few]
    if not any(isinstance(few, ColumnarDocuments) for few in some):
        return [document for few in some for document in few]
    columns = [
        few.columns if isinstance(few, ColumnarDocuments) else [columns_of(few)] for few in some
    ]
    return ColumnarDocuments([each for few in columns for each in few])


class _Identified:
    """A span with its ids in bytes: trace ids of 64 bits get zeros in front."""

    __slots__ = ("id", "kind", "parent_id", "service", "span", "trace_id")

    def __init__(self, span: ZipkinSpan) -> None:
        self.span = span
        self.id = _id(span.id, 8, "id", Reason.INVALID_ID)
        self.trace_id = _id(span.trace_id, 16, "traceId", Reason.INVALID_TRACE_ID, self.id)
        self.parent_id = b""
        if span.parent_id:
            self.parent_id = _id(span.parent_id, 8, "parentId", Reason.INVALID_PARENT_ID, self.id)
        self.service = span.local_service
        self.kind = _KINDS.get(span.kind.upper(), Span.SPAN_KIND_INTERNAL)
        if not span.kind and self.service and span.remote_service:
            self.kind = Span.SPAN_KIND_CLIENT  # as Zipkin's own dependency graph reads it


def _with_start(spans: list[_Identified]) -> list[_Identified]:
    """Spans whose start is known: Zipkin's senders may report one in parts.

    A part without a time is merged into the one that has it, else it gets its first annotation's.
    """
    whole = {(s.trace_id, s.id, s.service): s.span for s in spans if s.span.timestamp}
    if len(whole) == len(spans):
        return spans
    timed = []
    for span in spans:
        part = span.span
        if not part.timestamp:
            rest = whole.get((span.trace_id, span.id, span.service))
            if rest is not None:
                rest.tags = {**part.tags, **rest.tags}
                rest.notes += part.notes
                continue
            part.timestamp = min((at for at, _ in part.notes if at > 0), default=0)
        timed.append(span)
    return timed


def _part_shared(spans: list[_Identified]) -> None:
    """Give servers that share an id their own, here and as their children's parent."""
    clients = {(s.trace_id, s.id) for s in spans if s.kind == Span.SPAN_KIND_CLIENT}
    own_ids: dict[tuple[bytes, bytes, str], bytes] = {}
    for span in spans:
        shared = span.span.shared or (span.trace_id, span.id) in clients
        if span.kind == Span.SPAN_KIND_SERVER and shared:
            own = derived_id(span.trace_id, span.id, b"shared")
            own_ids[span.trace_id, span.id, span.service] = own
            span.parent_id, span.id = span.id, own
    if own_ids:
        for span in spans:
            own_id = own_ids.get((span.trace_id, span.parent_id, span.service))
            if own_id is not None and own_id != span.id:
                span.parent_id = own_id


def _by_service(spans: list[_Identified]) -> Iterator[Part]:
    """One resource for each service."""
    groups: dict[str, list[bytes | Rejected]] = {}
    for span in spans:
        groups.setdefault(span.service, []).append(_translated(span))
    for service, group in groups.items():
        resource = Resource()
        if service:
            resource.attributes.add(key="service.name").value.string_value = service
        yield Part(resource.SerializeToString(), [Scope(b"", group, b"")], b"")


def _translated(identified: _Identified) -> bytes | Rejected:
    """The span in OpenTelemetry's form."""
    given = identified.span
    start, duration = given.timestamp, given.duration
    limit = 1 << 53
    if not (0 <= start < limit and 0 <= duration < limit):
        message = "timestamp or duration: expected microseconds"
        return Rejected(Reason.INVALID_TIME, message, identified.id.hex())
    span = Span(
        trace_id=identified.trace_id,
        span_id=identified.id,
        parent_span_id=identified.parent_id,
        name=given.name,
        kind=identified.kind,
        start_time_unix_nano=start * 1000,
        end_time_unix_nano=(start + duration) * 1000,
    )
    for key, value in attributes_of(given, identified.kind).items():
        span.attributes.add(key=key).value.string_value = value
    error = given.tags.get("error")
    if error is not None and error.lower() != "false":
        message = "" if error.lower() == "true" else error
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=message))
    for at, value in given.notes:
        if 0 <= at < limit:
            span.events.add(time_unix_nano=at * 1000, name=value)
    return span.SerializeToString()


def _id(text: str, size: int, key: str, reason: Reason, id: bytes | None = None) -> bytes:
    digits = size * 2
    try:
        value = binascii.unhexlify(text.rjust(digits, "0"))
        if text and len(value) == size:
            return value
    except ValueError:
        pass
    message = f"{key}: expected up to {digits} hex digits, got {text[:60]!r}"
    raise Rejected(reason, message, id.hex() if id else None)
