"""JSON with some values replaced: X-Ray's documents, OTLP's and Zipkin's requests.

What identifies and times a unit is never touched, and its name only where a text matches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from collector.decode.document import check_size, decode_document
from collector.decode.item_size import ITEM
from collector.decode.limits import (
    check_element_count,
    check_json_item,
    check_object_count,
    check_value_count,
    split_array,
)
from collector.decode.rejected import Rejected
from collector.redaction.values import DROPPED, Redaction

Json = dict[str, Any]
_UNIT = frozenset(
    [
        "id",
        "trace_id",
        "parent_id",
        "start_time",
        "end_time",
        "type",
        "namespace",
        "in_progress",
        "fault",
        "error",
        "throttle",
        "inferred",
        "origin",
        "links",
        "precursor_ids",
        "resource_arn",
    ]
)
"""Properties of a segment or subsegment that are not searched."""
_OTLP = frozenset(
    [
        "traceId",
        "spanId",
        "parentSpanId",
        "trace_id",
        "span_id",
        "parent_span_id",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "timeUnixNano",
        "start_time_unix_nano",
        "end_time_unix_nano",
        "time_unix_nano",
        "traceState",
        "trace_state",
        "kind",
        "code",
        "flags",
        "schemaUrl",
        "schema_url",
    ]
)
_ZIPKIN = frozenset(
    [
        "traceId",
        "id",
        "parentId",
        "timestamp",
        "duration",
        "kind",
        "shared",
        "debug",
        "localEndpoint",
        "remoteEndpoint",
    ]
)
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_INVALID = b"null"
"""What every decoder rejects."""
_Walk = Callable[[Any, Redaction], None]


def redact_documents(raw: bytes, redaction: Redaction) -> bytes:
    """A segment document, or an array of them; the same bytes if nothing was replaced."""
    if raw.lstrip()[:1] != b"[":
        return _document(raw, redaction)
    try:
        elements = split_array(raw)
        check_element_count(len(elements), len(raw))
    except (Rejected, *_UNREADABLE):
        return raw  # rejected as a whole
    return _array(raw, elements, _document, redaction)


def redact_zipkin(raw: bytes, redaction: Redaction) -> bytes:
    """An array of Zipkin's spans; the same bytes if nothing was replaced."""
    try:
        elements = split_array(raw)
    except (Rejected, *_UNREADABLE):
        return raw
    return _array(raw, elements, _zipkin, redaction)


def _zipkin(raw: bytes, redaction: Redaction) -> bytes:
    try:
        check_json_item("", raw, ITEM.in_json)
    except Rejected:
        return raw
    return _rewrite(raw, _zipkin_span, redaction) or _INVALID


def redact_otlp(raw: bytes, redaction: Redaction) -> bytes:
    """An ExportTraceServiceRequest; the same bytes if nothing was replaced."""
    try:
        check_object_count(raw)
        check_value_count(raw)
    except Rejected:
        return raw
    return _rewrite(raw, _otlp, redaction) or raw


def _document(raw: bytes, redaction: Redaction) -> bytes:
    """One document. What is valid but cannot be searched becomes an invalid one: it may contain what
    must not be stored."""
    try:
        check_size(raw)
    except Rejected:
        return raw
    redacted = _rewrite(raw, _unit, redaction)
    if redacted is None:
        try:
            decode_document(raw, 0)
        except Rejected:
            return raw
    return redacted or _INVALID


def _array(
    raw: bytes,
    elements: Sequence[msgspec.Raw],
    redact: Callable[[bytes, Redaction], bytes],
    redaction: Redaction,
) -> bytes:
    before = redaction.counts.total()
    redacted = [redact(bytes(element), redaction) for element in elements]
    if redaction.counts.total() == before and _INVALID not in redacted:
        return raw
    return b"[" + b",".join(redacted) + b"]"


def _rewrite(raw: bytes, walk: _Walk, redaction: Redaction) -> bytes | None:
    """The same bytes if nothing was replaced; None for what cannot be read."""
    before = redaction.counts.total()
    try:
        found: Any = msgspec.json.decode(raw)
    except _UNREADABLE:
        return None
    try:
        if isinstance(found, dict):
            walk(found, redaction)
        return msgspec.json.encode(found) if redaction.counts.total() > before else raw
    except RecursionError:
        return _INVALID


def _each(found: Any, walk: _Walk, redaction: Redaction) -> None:
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            walk(one, redaction)


def _unit(unit: Json, redaction: Redaction) -> None:
    """A segment or subsegment, and those inside, without recursion over them."""
    units = [unit]
    while units:
        unit = units.pop()
        inside = unit.get("subsegments")
        if isinstance(inside, list):
            units += [each for each in inside if isinstance(each, dict)]
        _name(unit, redaction)
        cause = unit.get("cause")
        if isinstance(cause, dict):
            _members(cause, redaction, skipped=frozenset({"exceptions"}))
            _each(cause.get("exceptions"), _exception, redaction)
        _members(unit, redaction, skipped=_UNIT | {"name", "subsegments", "cause"})


def _exception(found: Json, redaction: Redaction) -> None:
    _members(found, redaction, skipped=frozenset({"id", "cause"}))


def _zipkin_span(span: Json, redaction: Redaction) -> None:
    _name(span, redaction)
    _members(span, redaction, skipped=_ZIPKIN | {"name"})


def _name(unit: Json, redaction: Redaction) -> None:
    name = unit.get("name")
    if isinstance(name, str):
        unit["name"] = redaction.name(name)


def _otlp(found: Any, redaction: Redaction) -> None:
    if isinstance(found, list):
        for one in found:
            _otlp(one, redaction)
        found[:] = [one for one in found if one is not DROPPED and not _is_dropped(one)]
    elif isinstance(found, dict):
        if isinstance(found.get("key"), str) and isinstance(found.get("value"), dict):
            found["value"] = _any_value(found["key"], found["value"], redaction)
        else:
            for key, value in found.items():
                if key in _OTLP:
                    continue
                if isinstance(value, str):
                    found[key] = redaction.name(value) if key == "name" else redaction.text(value)
                else:
                    _otlp(value, redaction)


def _is_dropped(one: Any) -> bool:
    return isinstance(one, dict) and one.get("value") is DROPPED


def _any_value(key: str, value: Json, redaction: Redaction) -> Any:
    """An attribute's value; whatever is replaced becomes a string."""
    rule = redaction.rule_of(key)
    for kind, given in value.items():
        if rule is not None:
            replaced = redaction.whole(rule, given)
        elif isinstance(given, (dict, list)):
            _otlp(given, redaction)
            continue
        elif kind in ("doubleValue", "double_value", "bytesValue", "bytes_value"):
            continue
        else:
            replaced = redaction.keyed(key, given)
        if replaced is not given:
            return DROPPED if replaced is DROPPED else {"stringValue": replaced}
    return value


def _members(found: Json, redaction: Redaction, skipped: frozenset[str] = frozenset()) -> None:
    """Everything in an object, at any depth."""
    stack: list[tuple[str, Any]] = [("", found)]
    while stack:
        owner, container = stack.pop()
        if isinstance(container, list):
            container[:] = [
                new
                for each in container
                if (new := _value(owner, each, redaction, stack)) is not DROPPED
            ]
            continue
        for key in [key for key in container if container is not found or key not in skipped]:
            new = container[key] = _value(key, container[key], redaction, stack)
            if new is DROPPED:
                del container[key]


def _value(key: str, value: Any, redaction: Redaction, stack: list[tuple[str, Any]]) -> Any:
    """What replaces a value; containers that no rule replaces are left for later."""
    if not isinstance(value, (dict, list)):
        return redaction.keyed(key, value)
    rule = redaction.rule_of(key)
    if rule is not None and value:
        return redaction.whole(rule, value)
    stack.append((key, value))
    return value
