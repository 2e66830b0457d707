"""Stored documents → OTLP's JSON (XRAY.md §11.2): a trace as OpenTelemetry's tools read it.

What came as a span leaves as the same span. An X-Ray document becomes a SERVER span and one for
each subsegment, in attributes that `span_facts` reads back to the same nodes and states; what
OpenTelemetry has no name for is written as ``aws.xray.…``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from google.protobuf.json_format import MessageToDict

from store.rules.span_export_unit import call_attributes, events_of, resource_of, unit_attributes
from store.rules.span_facts import CLIENT, SERVER, derived_id
from store.rules.span_outcome import STATUS_ERROR
from store.rules.span_raw import is_span, read_span
from store.trace_id import parse_trace_id

Json = dict[str, Any]

_INTERNAL = 1
_SCOPE = {"name": "raymap"}
_DEEPEST = 400


def export_trace(raws: Iterable[bytes]) -> Json:
    """An ExportTraceServiceRequest, or TracesData, of a trace's documents (`Document.raw`).

    Inferred segments are left out; whoever reads the spans infers them anew.
    """
    return {"resourceSpans": [part for raw in raws for part in _export(raw)]}


def _export(raw: bytes) -> Iterator[Json]:
    if is_span(raw):
        yield _as_it_came(raw)
        return
    document = msgspec.json.decode(raw)
    if document.get("inferred") is not True:
        yield export_document(document)


def export_document(document: Json) -> Json:
    """One X-Ray document as a ResourceSpans."""
    trace_id = parse_trace_id(document["trace_id"])
    units = list(_units(document, trace_id))
    types = {
        entry.get("id"): entry
        for unit, _ in units
        if isinstance(cause := unit.get("cause"), dict)
        for entry in cause.get("exceptions") or ()
        if isinstance(entry, dict)
    }
    spans = [_span(unit, parent, document, trace_id, types) for unit, parent in units]
    scope_spans = [{"scope": _SCOPE, "spans": spans}]
    return {"resource": {"attributes": write_all(resource_of(document))}, "scopeSpans": scope_spans}


def _units(document: Json, trace_id: bytes) -> Iterator[tuple[Json, str]]:
    """The document and every subsegment in it, each with its parent's id."""
    stack: list[tuple[Json, str, int]] = [(document, _id(document.get("parent_id")), 0)]
    while stack:
        unit, parent, depth = stack.pop()
        id = _id(unit.get("id"))
        if not id:
            id = derived_id(trace_id, f"{parent}{len(stack)}".encode(), b"nameless").hex()
            unit = {**unit, "id": id}
        yield unit, parent
        below = unit.get("subsegments")
        if isinstance(below, list) and depth < _DEEPEST:
            stack += [(u, id, depth + 1) for u in reversed(below) if isinstance(u, dict)]


def _span(
    unit: Json, parent: str, document: Json, trace_id: bytes, types: Mapping[Any, Json]
) -> Json:
    segment = unit.get("type") != "subsegment" and unit is document
    attributes = unit_attributes(unit)
    kind = SERVER if segment else _INTERNAL
    if unit.get("namespace") in ("aws", "remote") and not segment:
        kind = CLIENT
        attributes |= call_attributes(unit)
    start = _nanoseconds(unit.get("start_time"), document.get("start_time"))
    end = "0" if unit.get("in_progress") is True else _nanoseconds(unit.get("end_time"), 0)
    span: Json = {
        "traceId": trace_id.hex(),
        "spanId": unit["id"].lower(),
        "name": str(unit.get("name") or "unknown"),
        "kind": kind,
        "startTimeUnixNano": start,
        "endTimeUnixNano": end,
        "attributes": write_all(attributes),
    }
    if parent:
        span["parentSpanId"] = parent
    events = events_of(unit, types)
    if events:
        at = start if end == "0" else end
        span["events"] = [
            {"name": "exception", "timeUnixNano": at, "attributes": write_all(event)}
            for event in events
        ]
    links = [_link(link) for link in unit.get("links") or () if isinstance(link, dict)]
    if links:
        span["links"] = links
    failed = any(unit.get(flag) is True for flag in ("error", "throttle", "fault"))
    return {**span, "status": {"code": STATUS_ERROR} if failed else {}}


def _link(link: Json) -> Json:
    try:
        trace_id = parse_trace_id(link.get("trace_id") or "").hex()
    except (TypeError, ValueError):
        trace_id = ""
    attributes = link.get("attributes")
    written = write_all(attributes) if isinstance(attributes, dict) else []
    return {"traceId": trace_id, "spanId": _id(link.get("id")), "attributes": written}


def write_all(attributes: Mapping[str, Any]) -> list[Json]:
    """Attributes as OTLP's JSON has them."""
    return [{"key": key, "value": write_value(value)} for key, value in attributes.items()]


def write_value(value: Any) -> Json:
    """An AnyValue."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)} if -(2**63) <= value < 2**63 else {"doubleValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [write_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": write_all(value)}}
    return {}


def _nanoseconds(seconds: object, otherwise: object) -> str:
    for value in (seconds, otherwise):
        if isinstance(value, (int, float)) and 0 <= value < 1e10:
            return str(round(value * 1e6) * 1000)
    return "0"


def _id(value: object) -> str:
    """16 hex digits, or nothing."""
    if isinstance(value, str) and len(value) == 16:
        try:
            return bytes.fromhex(value).hex()
        except ValueError:
            return ""
    return ""


def _as_it_came(raw: bytes) -> Json:
    """A stored span; OTLP's JSON has ids in hex and enums as numbers."""
    message = read_span(raw)
    written: Json = MessageToDict(message, use_integers_for_enums=True)
    span, source = written["scopeSpans"][0]["spans"][0], message.scope_spans[0].spans[0]
    span |= {"traceId": source.trace_id.hex(), "spanId": source.span_id.hex()}
    if source.parent_span_id:
        span["parentSpanId"] = source.parent_span_id.hex()
    for link, link_source in zip(span.get("links", ()), source.links, strict=True):
        link |= {"traceId": link_source.trace_id.hex(), "spanId": link_source.span_id.hex()}
    return written
