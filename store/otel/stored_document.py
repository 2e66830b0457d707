"""A stored document as JSON, whether it was received as X-Ray's JSON or as a span. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from store.model import Document
from store.otel.stored_span import is_span
from store.otel.to_xray import render_span
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
