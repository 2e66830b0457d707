"""A stored document as JSON, whether it was received as X-Ray's JSON or as a span. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from store.model import Document, is_derived
from store.otel.stored_span import is_span
from store.otel.to_xray import render_span
from store.rules.invocations import NAMESPACE
from store.times import SECOND
from store.trace_id import format_trace_id

Json = dict[str, Any]


def parse_document(document: Document) -> Json:
    """The received document, with ids in canonical form; the essentials if it cannot be parsed."""
    try:
        raw = document.raw
        parsed = render_span(raw) if is_span(raw) else msgspec.json.decode(raw)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        parsed = {}
    content: Json = parsed if isinstance(parsed, dict) else {}
    content["id"] = f"{document.id:016x}"
    content["trace_id"] = format_trace_id(document.trace_id)
    content.setdefault("name", document.service)
    content.setdefault("start_time", document.start / SECOND)
    if document.parent_id:
        content["parent_id"] = f"{document.parent_id:016x}"
    if document.independent:
        content["type"] = "subsegment"
    if document.in_progress:
        content["in_progress"] = True
    else:
        content.setdefault("end_time", document.end / SECOND)
    return content


def member(content: Json, name: str) -> Json:
    """The object that is a member of another; empty if there is none."""
    value = content.get(name)
    return value if isinstance(value, dict) else {}


def derived_record(document: Document, name: str) -> Any:
    """What a derived document keeps under a name of the record that it was made of; None of any other."""
    if not is_derived(document.version):
        return None
    metadata = member(parse_document(document), "metadata")
    return member(metadata, NAMESPACE).get(name)


def subsegments_of(content: Json) -> Iterator[Json]:
    """Embedded subsegments at any depth, in document order. The caller may modify them."""
    stack = [content]
    while stack:
        current = stack.pop()
        if current is not content:
            yield current
        children = current.get("subsegments")
        if isinstance(children, list):
            stack += [child for child in reversed(children) if isinstance(child, dict)]
