"""Traces as BatchGetTraces returns them → their segment documents.

Inferred segments are left out: Raymap derives its own. Accepts one trace, a list,
``{"Traces": [..]}``, or one of these per line.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import msgspec
from msgspec import Struct

from collector.decode.limits import MAX_COMMAS, split_array, too_many_documents
from collector.decode.rejected import Reason, Rejected


class TraceDocuments(Struct):
    """The result: documents to decode, the number of inferred ones, unreadable parts."""

    raws: list[bytes] = []
    skipped_inferred: int = 0
    rejected: list[Rejected] = []

    def check_size(self) -> None:
        """Raise Rejected when the body contains too many segments."""
        if self.skipped_inferred + len(self.raws) + len(self.rejected) > MAX_SEGMENTS:
            raise too_many_documents(MAX_SEGMENTS)


MAX_SEGMENTS = 100_000
"""Segments in one body: five times the smallest that fill 32 MB in an export."""


class _Envelope(Struct):
    """Any object in a body: traces, a trace, or a bare segment."""

    Traces: list[msgspec.Raw] | None = None
    Segments: list[msgspec.Raw] | None = None
    id: msgspec.Raw = msgspec.Raw()


class _Segment(Struct):
    """``{Id, Document}``, or the document itself."""

    Document: msgspec.Raw = msgspec.Raw()
    inferred: msgspec.Raw = msgspec.Raw()


_EXPECTED = "expected traces as BatchGetTraces returns them"
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_segment_decoder = msgspec.json.Decoder(_Segment)


def read_traces(body: bytes) -> TraceDocuments:
    """The documents of the traces in a body; unreadable parts are among the rejected.

    Raises Rejected when the body has too many elements to be traces.
    """
    if body.count(b",") > MAX_COMMAS:
        raise too_many_documents(MAX_SEGMENTS)
    found = TraceDocuments([], 0, [])
    for place, text in _values(body):
        _read_value(text, place, found)
    return found


def _values(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The JSON values of a body with their places: the whole, or its lines when several."""
    if not _is_lines(body):
        yield "body", body
        return
    for number, line in enumerate(BytesIO(body), 1):  # one at a time: there may be millions
        if not line.isspace():
            yield f"line {number}", line


def _is_lines(body: bytes) -> bool:
    """Whether there are several lines and the first is a JSON value by itself, or the body is none and another
    line is: a damaged first line costs none of the others."""
    first, line_feed, rest = body.lstrip().partition(b"\n")
    if not line_feed or not rest.strip():
        return False
    if _is_json(first):
        return True
    return not _is_json(body) and any(line[:1] == b"{" and _is_json(line) for line in BytesIO(rest))


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except _UNREADABLE:
        return False
    return True


def _read_value(text: bytes, place: str, found: TraceDocuments) -> None:
    try:
        if text.lstrip()[:1] == b"[":
            for index, element in enumerate(split_array(text)):
                _read_object(bytes(element), f"{place}[{index}]", found)
        else:
            _read_object(text, place, found)
    except _UNREADABLE as error:
        found.rejected.append(_unreadable(place, error))


def _read_object(text: bytes, place: str, found: TraceDocuments, *, inside: bool = False) -> None:
    found.check_size()
    try:
        envelope = _envelope_decoder.decode(text)
    except _UNREADABLE as error:
        found.rejected.append(_unreadable(place, error))
        return
    if envelope.Traces is not None and not inside:
        for index, trace in enumerate(envelope.Traces):
            _read_object(bytes(trace), f"{place}.Traces[{index}]", found, inside=True)
    elif envelope.Segments is not None:
        for index, segment in enumerate(envelope.Segments):
            _read_segment(bytes(segment), f"{place}.Segments[{index}]", found)
    elif bytes(envelope.id) not in (b"", b"null"):
        _read_segment(text, place, found)
    else:
        found.rejected.append(_unreadable(place, None))


def _read_segment(text: bytes, place: str, found: TraceDocuments) -> None:
    found.check_size()
    try:
        segment = _segment_decoder.decode(text)
        inner = bytes(segment.Document)
        if inner:
            text = inner
            if text[:1] == b'"':
                text = msgspec.json.decode(text, type=str).encode()
            segment = _segment_decoder.decode(text)
    except _UNREADABLE as error:
        found.rejected.append(_unreadable(place, error))
        return
    if bytes(segment.inferred) == b"true":
        found.skipped_inferred += 1
    else:
        found.raws.append(text)


def _unreadable(place: str, error: Exception | None) -> Rejected:
    if isinstance(error, RecursionError):
        why = "nested too deeply"
    else:
        why = str(error) if error is not None else "neither a trace nor a segment"
    message = f"{place}: {_EXPECTED}: {why:.200}"
    return Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)
