"""BatchGetTraces in pages: one trace may have more segments than fit into a response."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from store.errors import InvalidCursor
from store.model import Trace
from store.summary import trace_duration
from store.trace_documents import processed_documents
from store.trace_id import format_trace_id

PAGE_SEGMENTS = 10_000
PAGE_BYTES = 8 << 20
"""Bytes of documents after which no further segment is added to a page."""

Json = dict[str, Any]


class Position(NamedTuple):
    """The last segment of a page. Order is stable while documents are added, so the next page starts
    behind it."""

    trace_id: bytes
    segment: str


def encode_position(position: Position) -> str:
    """The NextToken for a position."""
    return base64.urlsafe_b64encode(position.trace_id + position.segment.encode()).decode()


def decode_position(token: str) -> Position | None:
    """The position in a NextToken, None for an empty one. Raises InvalidCursor."""
    if not token:
        return None
    try:
        given = base64.b64decode(token, altchars=b"-_", validate=True)
        position = Position(given[:16], given[16:].decode())
    except ValueError:
        position = Position(b"", "")
    if len(position.trace_id) != 16 or not position.segment:
        raise InvalidCursor("this NextToken was not given by this server")
    return position


def page_of(traces: Iterable[Trace], after: Position | None) -> tuple[list[Json], Position | None]:
    """Traces with their segments behind a position, and the end of the page; None on the last page.

    A trace that continues on the next page is in both, each time with other segments.
    """
    page: list[Json] = []
    count = size = 0
    last: Position | None = None
    for trace in traces:
        continued: list[Json] | None = None
        for document in _behind(after, trace):
            if count >= PAGE_SEGMENTS or size >= PAGE_BYTES:
                return page, last
            if continued is None:
                page.append(_trace(trace, continued := []))
            text = msgspec.json.encode(document).decode()
            continued.append({"Id": document["id"], "Document": text})
            last = Position(trace.trace_id, document["id"])
            count, size = count + 1, size + len(text)
    return page, None


def _trace(trace: Trace, segments: list[Json]) -> Json:
    return {
        "Id": format_trace_id(trace.trace_id),
        "Duration": round(trace_duration(trace) / 1_000_000, 3),
        "LimitExceeded": False,
        "Segments": segments,
    }


def _behind(after: Position | None, trace: Trace) -> list[Json]:
    documents = processed_documents(trace)
    if after is None or after.trace_id != trace.trace_id:
        return documents
    for number, document in enumerate(documents, 1):
        if document["id"] == after.segment:
            return documents[number:]
    raise InvalidCursor("the trace has changed since this NextToken was given: start again")
