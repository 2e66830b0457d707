"""Spans cut at their bytes: parsing them and reading their fields takes more than twice as long.

That works where the fields stand as serializers write them: ids, name, kind, times, attributes, and
what is left, the *rest*, which few spans differ in. Any other span is read from its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.span_message import SpanMessage, parse_span, parse_strictly
from collector.decode.rejected import Rejected
from store.otel.status import aws_status, first_name, model_status, recorded_exceptions
from store.varint import varint

_MAX_RESTS, _MAX_REST = 4096, 128
"""Rests that are remembered, and bytes of one: longer ones do not repeat."""
_TAG = b"\x4a"
"""Of an attribute. Where it stands inside of one, the pieces are none (`message_of`) and are mended."""
MAX_PIECES = 128
_read_ids = Struct("<2s16s2s8s2s8s").unpack_from
_read_times = Struct("<BQBQ").unpack_from
_TRACE_TAG, _ID_TAG, _PARENT_TAG = b"\x0a\x10", b"\x12\x08", b"\x22\x08"
_NAME_TAG, _KIND_TAG, _START_TAG, _END_TAG = 0x2A, 0x30, 0x39, 0x41
WITH_IDS, WITH_PARENT, TIMES = 28, 38, 18
"""Where the fields behind the ids begin, without and with a parent's; bytes of the times."""
_LEAST = WITH_PARENT + 2 + TIMES
_OTHERS = "trace_id", "span_id", "trace_state", "parent_span_id", "name", "kind", "start", "end"
_PROBE = b"\x0a\x01x\x12\x01x\x1a\x01x\x22\x01x\x2a\x01x\x30\x01\x39xxxxxxxx\x41xxxxxxxx"
"""A span with a value in each of `_OTHERS`: it shows whether further fields replace one."""

Thrown = tuple[bool, str, int, int]
_UNREADABLE_EVENTS: Thrown = (False, "", -1, 0)
"""Part of no valid span's case: spans with such events are decoded alone, and rejected."""


class Rest(NamedTuple):
    """Flags, status code and message, and what the rules read of exceptions: whether there is one, the
    name, the statuses; None without events."""

    flags: int
    code: int
    message: str
    thrown: Thrown | None = None


Fields = tuple[bytes, bytes, bytes, int, int, str, int, str, Rest | None, int, bytes]
"""Trace id, id, parent's id, start, end, name, kind and trace state of a span, its rest, and where its
attributes begin and what stands behind them. The rest is None for a span with links, which has no case; the
place is -1 where the span was not cut. No named tuple: that takes five times as long to make."""

CutSpan = tuple[Fields, list[bytes]]
"""With its attributes as pieces (`message_of`)."""


class Rests(dict[bytes, Rest | None]):
    """Rests by their bytes; None for those with anything else in them."""

    def __missing__(self, tail: bytes) -> Rest | None:
        if len(tail) > _MAX_REST:
            return None
        if len(self) >= _MAX_RESTS:
            self.clear()
        found = self[tail] = _read_rest(tail)
        return found


def _read_rest(tail: bytes) -> Rest | None:
    try:
        span, probe = parse_strictly(tail), parse_strictly(_PROBE + tail)
    except DecodeError:
        return None
    if {field.name for field, _ in span.ListFields()} - {"flags", "status"}:
        return None
    if _others(probe) != _others(parse_strictly(_PROBE)):
        return None
    return Rest(span.flags, span.status.code, span.status.message)


def _others(span: SpanMessage) -> list[object]:
    return [getattr(span, name) for name in _OTHERS]


def cut_span(raw: bytes, rests: Rests) -> CutSpan | None:
    """The fields of a span, and what are its attributes if all of it are pieces (`message_of`); None if it
    has to be read from its message."""
    if len(raw) < _LEAST:
        return None
    trace_tag, trace_id, id_tag, id, parent_tag, parent_id = _read_ids(raw)
    begin = WITH_PARENT
    if parent_tag != _PARENT_TAG:
        begin, parent_id = WITH_IDS, b""
    size = raw[begin + 1]
    times = begin + 2 + size
    if trace_tag != _TRACE_TAG or id_tag != _ID_TAG or raw[begin] != _NAME_TAG or size >= 0x80:
        return None
    if len(raw) < times + 2 + TIMES:
        return None
    kind = 0
    if raw[times] == _KIND_TAG:
        kind = raw[times + 1]
        times += 2
    start_tag, start, end_tag, end = _read_times(raw, times)
    at = times + TIMES
    if start_tag != _START_TAG or end_tag != _END_TAG or kind >= 0x80:
        return None
    tail = raw[at:]
    pieces: list[bytes] = []
    if tail[:1] == _TAG:
        pieces = tail.split(_TAG, MAX_PIECES + 1)
        del pieces[0]
        last = pieces[-1]
        stop = _end_of(last)
        if stop > len(last):
            return None
        pieces[-1], tail = last[:stop], last[stop:]
    rest = rests[tail]
    if rest is None:
        return None
    try:
        name = raw[begin + 2 : begin + 2 + size].decode()
    except UnicodeDecodeError:
        return None
    return (trace_id, id, parent_id, start, end, name, kind, "", rest, at, tail), pieces


def _end_of(piece: bytes) -> int:
    """Where an attribute of up to 16 kB ends in bytes that begin with its length."""
    if len(piece) < 2:
        return 1 + piece[0] if piece and piece[0] < 0x80 else 1 + len(piece)
    first = piece[0]
    return 1 + first if first < 0x80 else 2 + (first & 0x7F | piece[1] << 7)


def mended(pieces: Sequence[bytes]) -> list[bytes]:
    """Pieces that were split too often, as far as they can be joined again."""
    whole: list[bytes] = []
    size = 0
    for piece in pieces:
        if whole and len(whole[-1]) < size:
            whole[-1] += _TAG + piece
        else:
            whole.append(piece)
        size = _end_of(whole[-1])
    return whole


def message_of(piece: bytes) -> bytes | None:
    """The attribute in a piece, which is that behind its length as serializers write it; None if it is
    none."""
    if piece and piece[0] < 0x80:
        return piece[1:] if len(piece) == 1 + piece[0] else None
    size = shift = at = 0
    while at < len(piece) and at < 5:
        size |= (piece[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if piece[at - 1] < 0x80:
            break
    message = piece[at:]
    return message if piece == varint(size) + message and size == len(message) else None


def read_whole(raw: bytes | Rejected) -> CutSpan:
    """The same of any span, from its message; without ids, which is invalid, if the bytes are none."""
    span, rest = parse_span(raw), None
    if isinstance(raw, bytes) and not span.links:
        status = span.status
        rest = Rest(span.flags, status.code, status.message, _thrown(raw) if span.events else None)
    pieces = [varint(len(each)) + each for each in span.attributes[: MAX_PIECES + 1]]
    ids = span.trace_id, span.span_id, span.parent_span_id
    times = span.start, span.end
    return (*ids, *times, span.name, span.kind, span.trace_state, rest, -1, b""), pieces


def _thrown(raw: bytes) -> Thrown:
    try:
        thrown = recorded_exceptions(Span.FromString(raw))
    except DecodeError:
        return _UNREADABLE_EVENTS
    return bool(thrown), first_name(thrown), aws_status(thrown), model_status(thrown)
