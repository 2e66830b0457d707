"""Stored documents → OTLP (docs/xray-format.md §11.2).

A stored span is exported as it was received. An X-Ray document becomes a SERVER span, and one span
for each subsegment, with attributes that `span_facts` reads back to the same nodes and states. What
OpenTelemetry has no attribute for is written as ``aws.xray.…`` (`store.otel.merge_patch`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status, TracesData

from store.model import COMPLETE, Document
from store.otel.derived_ids import derived_id
from store.otel.from_xray_attributes import call_attributes, events_of, resource_of, unit_attributes
from store.otel.merge_patch import DOCUMENT, patch_between
from store.otel.span_facts import CLIENT, SERVER
from store.otel.stored_document import Json, parse_document, subsegments_of
from store.otel.stored_span import frame, is_span, read_span, write_span
from store.otel.to_xray import render_span
from store.rules.aws_errors import exception_name
from store.trace_id import parse_trace_id

INTERNAL = Span.SPAN_KIND_INTERNAL
SCOPE = "raymap"
_DEEPEST = 400
_LATEST = 1e10


class _Unit(NamedTuple):
    """A segment or subsegment to export: ``document`` is the one it came in, ``precedence``
    decides between copies (as `store.model.precedence`)."""

    id: bytes
    parent: bytes
    content: Json
    document: Json
    trace_id: bytes
    precedence: int


def export_trace(documents: Iterable[Document], *, lossless: bool = True) -> TracesData:
    """One trace as TracesData, on the wire identical to an ExportTraceServiceRequest.

    ``lossless`` adds to each span of an X-Ray document what OpenTelemetry has no attribute for.

    `Document.raw` must be filled. Documents without it (spans that are only counted) are omitted,
    as are inferred segments, which readers of the spans infer anew. Of a subsegment that came
    embedded and independent, the copy with the greater precedence is exported, under the resource
    of its segment.
    """
    data = TracesData()
    units: dict[bytes, _Unit] = {}
    for document in documents:
        if is_span(document.raw):
            data.resource_spans.append(read_span(document.raw))
        elif document.raw:
            for unit in _units(document):
                other = units.get(unit.id)
                if other is None or unit.precedence > other.precedence:
                    units[unit.id] = unit
    groups: dict[int, list[_Unit]] = {}
    owners: dict[int, Json] = {}
    for unit in units.values():
        owner = _owner(unit, units)
        owners[id(owner)] = owner
        groups.setdefault(id(owner), []).append(unit)
    for key, group in groups.items():
        data.resource_spans.append(_resource_spans(owners[key], group, lossless))
    return data


def to_json(data: TracesData) -> Json:
    """OTLP's JSON form: ids in hex, enums as numbers."""
    written: Json = MessageToDict(data, use_integers_for_enums=True)
    for part, source in zip(written.get("resourceSpans", ()), data.resource_spans, strict=True):
        scopes = zip(part.get("scopeSpans", ()), source.scope_spans, strict=True)
        for scope, scope_source in scopes:
            for span, span_source in zip(scope.get("spans", ()), scope_source.spans, strict=True):
                _spell_ids(span, span_source)
    return written


def _spell_ids(span: Json, source: Span) -> None:
    span |= {"traceId": source.trace_id.hex(), "spanId": source.span_id.hex()}
    if source.parent_span_id:
        span["parentSpanId"] = source.parent_span_id.hex()
    for link, link_source in zip(span.get("links", ()), source.links, strict=True):
        link |= {"traceId": link_source.trace_id.hex(), "spanId": link_source.span_id.hex()}


def _units(document: Document) -> Iterator[_Unit]:
    """An X-Ray document and every subsegment in it; none of an inferred one."""
    if document.inferred:
        return
    content = parse_document(document)
    parent = document.parent_id.to_bytes(8, "big") if document.parent_id else b""
    stack: list[tuple[Json, bytes, bytes, int]] = [
        (content, document.id.to_bytes(8, "big"), parent, 0)
    ]
    while stack:
        unit, id, parent, depth = stack.pop()
        in_progress = unit.get("in_progress") is True
        precedence = document.version + (0 if in_progress else COMPLETE)
        yield _Unit(id, parent, unit, content, document.trace_id, precedence)
        below = unit.get("subsegments")
        if isinstance(below, list) and depth < _DEEPEST:
            for number, inner in reversed(list(enumerate(below))):
                if isinstance(inner, dict):
                    made = _id(inner.get("id")) or derived_id(
                        document.trace_id, id + number.to_bytes(4, "big"), b"nameless"
                    )
                    stack.append((inner, made, id, depth + 1))


def _owner(unit: _Unit, units: Mapping[bytes, _Unit]) -> Json:
    """The segment a unit belongs to; its own document if that segment is not stored."""
    seen = {unit.id}
    above: _Unit | None = unit
    while above is not None and above.document.get("type") == "subsegment":
        above = units.get(above.parent)
        if above is None or above.id in seen:
            return unit.document
        seen.add(above.id)
    return above.document if above is not None else unit.document


def _exceptions(document: Json) -> dict[str, Json]:
    """The exceptions of a document by id: a cause may be the id of an exception elsewhere in it.

    Of several with one id the first that has a name, as decoding the document has it.
    """
    found: dict[str, Json] = {}
    for unit in (document, *subsegments_of(document)):
        cause = unit.get("cause")
        entries = cause.get("exceptions") if isinstance(cause, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            id = entry.get("id") if isinstance(entry, dict) else None
            if isinstance(id, str) and (id not in found or not _has_name(found[id])):
                found[id] = entry
    return found


def _has_name(entry: Json) -> bool:
    kind, message = entry.get("type"), entry.get("message")
    named = exception_name(
        kind if isinstance(kind, str) else "", message if isinstance(message, str) else ""
    )
    return bool(named)


def _resource_spans(owner: Json, units: Iterable[_Unit], lossless: bool) -> ResourceSpans:
    part = ResourceSpans()
    _write_all(part.resource.attributes, resource_of(owner))
    scope = part.scope_spans.add()
    scope.scope.name = SCOPE
    resource = frame(part.resource.SerializeToString(), "")
    shared = frame(scope.scope.SerializeToString(), "")
    known: dict[int, dict[str, Json]] = {}
    for unit in units:
        if id(unit.document) not in known:
            known[id(unit.document)] = _exceptions(unit.document)
        span = _span(unit, known[id(unit.document)])
        if not lossless:
            scope.spans.append(span)
            continue
        note = span.attributes.add(key=DOCUMENT)
        note.value.string_value = "{}"
        made = render_span(write_span(resource, shared, span.SerializeToString()))
        note.value.string_value = patch_between(made, unit.content)
        scope.spans.append(span)
    return part


def _span(unit: _Unit, exceptions: Mapping[str, Json]) -> Span:
    content, document = unit.content, unit.document
    segment = content is document and content.get("type") != "subsegment"
    attributes = unit_attributes(content)
    kind = SERVER if segment else INTERNAL
    if content.get("namespace") in ("aws", "remote") and not segment:
        kind = CLIENT
        attributes |= call_attributes(content)
    start = _nanoseconds(content.get("start_time"), document.get("start_time"))
    end = 0 if content.get("in_progress") is True else _nanoseconds(content.get("end_time"), None)
    span = Span(
        trace_id=unit.trace_id,
        span_id=unit.id,
        parent_span_id=unit.parent,
        name=str(content.get("name") or "unknown"),
        kind=kind,
        start_time_unix_nano=start,
        end_time_unix_nano=end,
    )
    _write_all(span.attributes, attributes)
    for event in events_of(content, exceptions):
        written = span.events.add(name="exception", time_unix_nano=end or start)
        _write_all(written.attributes, event)
    links = content.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict):
            _write_link(span, link)
    if any(content.get(flag) is True for flag in ("error", "throttle", "fault")):
        span.status.code = Status.STATUS_CODE_ERROR
    return span


def _write_link(span: Span, link: Json) -> None:
    try:
        trace_id = parse_trace_id(link.get("trace_id") or "")
    except (TypeError, ValueError):
        return  # it joins nothing; the patch still has it
    written = span.links.add(trace_id=trace_id, span_id=_id(link.get("id")))
    attributes = link.get("attributes")
    if isinstance(attributes, dict):
        _write_all(written.attributes, attributes)


def _write_all(pairs: Any, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        _write(pairs.add(key=key).value, value, 0)


def _write(into: AnyValue, value: Any, depth: int) -> None:
    if isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int) and -(2**63) <= value < 2**63:
        into.int_value = value
    elif isinstance(value, (int, float)):
        into.double_value = float(value) if abs(value) < 1e308 else 0.0
    elif isinstance(value, str):
        into.string_value = value
    elif depth < 20 and isinstance(value, list):
        into.array_value.SetInParent()
        for item in value:
            _write(into.array_value.values.add(), item, depth + 1)
    elif depth < 20 and isinstance(value, dict):
        into.kvlist_value.SetInParent()
        for key, item in value.items():
            _write(into.kvlist_value.values.add(key=key).value, item, depth + 1)


def _nanoseconds(seconds: object, otherwise: object) -> int:
    """Rounded to microseconds, the store's resolution."""
    for value in (seconds, otherwise):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _LATEST:
            return round(value * 1e6) * 1000
    return 0


def _id(value: object) -> bytes:
    """The 8 bytes that 16 hex digits spell, or none."""
    if isinstance(value, str) and len(value) == 16:
        try:
            return bytes.fromhex(value)
        except ValueError:
            return b""
    return b""
