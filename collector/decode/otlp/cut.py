"""Spans cut at their bytes: parsing them and reading their fields takes more than twice as long.

That works where the fields stand as serializers write them: ids, name and kind (the *head*), times,
attributes, and what is left, the *rest*. Few spans differ in head and rest, so each distinct one is read
once; ids and times stand in bytes of one length and are read of many spans at once. Any other span is read
from its message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.span_message import SpanMessage, parse_span, parse_strictly
from collector.decode.rejected import Rejected
from store.otel.status import aws_status, first_name, model_status, recorded_exceptions
from store.otel.stored_span import ANNOTATED, CUT
from store.varint import varint

_MAX_KNOWN, _MAX_LENGTH = 4096, 128
"""Heads and rests that are remembered, each, and bytes of one: longer ones do not repeat."""
_TAG = b"\x4a"
"""Of an attribute. Where it stands inside of one, the pieces are none (`message_of`) and are mended."""
MAX_PIECES = 128
_ids_of = Struct("<2x16s2x8s2x8s").iter_unpack
_times_of = Struct("<xQxQ").iter_unpack
_ID_TAGS = {0: b"\x0a", 1: b"\x10", 18: b"\x12", 19: b"\x08"}
"""The bytes in front of a trace's id and a span's, by where they stand."""
_PARENT_AT, _PARENT_TAG, _PARENT_SIZE = 28, 0x22, 8
_TIME_TAGS = {0: b"\x39", 9: b"\x41"}
_NAME_TAG, _KIND_TAG = 0x2A, 0x30
WITH_IDS, WITH_PARENT, TIMES = 28, 38, 18
"""Where the fields behind the ids begin, without and with a parent's; bytes of the times."""
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


class Head(NamedTuple):
    """Name and kind of a span, and what is stored of them (`store.otel.stored_span.cut_head`), ``alone``
    where the attributes are not stored."""

    name: str
    kind: int
    stored: bytes = b""
    alone: bytes = b""


_NO_HEAD = Head("", 0)


class Heads(dict[bytes, Head | None]):
    """Heads by the bytes between ids and times; None for those with anything else in them."""

    def __missing__(self, raw: bytes) -> Head | None:
        found = _read_head(raw)
        if len(raw) <= _MAX_LENGTH:
            if len(self) >= _MAX_KNOWN:
                self.clear()
            self[raw] = found
        return found


def _read_head(raw: bytes) -> Head | None:
    if len(raw) < 2 or raw[0] != _NAME_TAG or raw[1] >= 0x80:
        return None
    end, kind = 2 + raw[1], 0
    if len(raw) != end:
        if len(raw) != end + 2 or raw[end] != _KIND_TAG or raw[end + 1] >= 0x80:
            return None
        kind = raw[end + 1]
    try:
        return Head(raw[2:end].decode(), kind, CUT + raw, ANNOTATED + raw)
    except UnicodeDecodeError:
        return None


class Rests(dict[bytes, Rest | None]):
    """Rests by their bytes; None for those with anything else in them."""

    def __missing__(self, tail: bytes) -> Rest | None:
        if len(tail) > _MAX_LENGTH:
            return None
        if len(self) >= _MAX_KNOWN:
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


class Cuts:
    """Spans by column, and what their attributes are if all of it are pieces (`message_of`).

    The rest is None for a span with links, which has no case, and for what is no span. ``places`` are
    where the attributes begin, -1 where the span was read from its message, as those of ``whole`` were;
    ``tails`` what stands behind them.
    """

    __slots__ = (
        "ends",
        "heads",
        "ids",
        "parent_ids",
        "pieces",
        "places",
        "rests",
        "starts",
        "states",
        "tails",
        "trace_ids",
        "whole",
    )

    def __init__(self, raws: Sequence[bytes | Rejected], heads: Heads, rests: Rests) -> None:
        spans = [raw if isinstance(raw, bytes) else b"" for raw in raws]
        self.heads: list[Head] = []
        self.rests: list[Rest | None] = []
        self.pieces: list[list[bytes]] = []
        self.places: list[int] = []
        self.tails: list[bytes] = []
        self.states = [""] * len(raws)
        self.whole = self._cut(spans, heads, rests)
        self._read_ids([span[:WITH_PARENT] for span in spans])
        self._read_times([raw[at - TIMES : at] for raw, at in zip(spans, self.places, strict=True)])
        for row in self.whole:
            self._read_whole(row, raws[row])

    def _cut(self, spans: Sequence[bytes], heads: Heads, rests: Rests) -> set[int]:
        """Fill what stands at no fixed place; the rows that have to be read whole. One loop without calls."""
        add_head, add_rest, add_pieces = self.heads.append, self.rests.append, self.pieces.append
        add_place, add_tail = self.places.append, self.tails.append
        whole: set[int] = set()
        for row, raw in enumerate(spans):
            head: Head | None
            rest: Rest | None
            pieces: list[bytes]
            try:
                begin = WITH_PARENT if raw[_PARENT_AT] == _PARENT_TAG else WITH_IDS
                at = begin + 2 + raw[begin + 1]
                if raw[at] == _KIND_TAG:
                    at += 2
                head = heads[raw[begin:at]]
                at += TIMES
                if raw[at : at + 1] == _TAG:
                    pieces, tail = raw[at + 1 :].split(_TAG, MAX_PIECES), b""
                    last = pieces[-1]
                    stop = last[0]
                    stop = 1 + stop if stop < 0x80 else 2 + (stop & 0x7F | last[1] << 7)
                    if stop != len(last):
                        pieces[-1], tail = last[:stop], last[stop:]
                        head = head if stop < len(last) else None
                else:
                    pieces, tail = [], raw[at:]
                rest = rests[tail]
            except IndexError:  # it is too short
                head, rest, pieces, at, tail = None, None, [], 0, b""
            if head is None or rest is None:
                whole.add(row)
                head = _NO_HEAD
            add_head(head)
            add_rest(rest)
            add_pieces(pieces)
            add_place(at)
            add_tail(tail)
        return whole

    def _read_ids(self, beginnings: list[bytes]) -> None:
        begun = self._aligned(beginnings, WITH_PARENT, _ID_TAGS)
        columns: list[tuple[bytes, ...]] = list(zip(*_ids_of(begun), strict=True)) or [()] * 3
        self.trace_ids, self.ids, self.parent_ids = map(list, columns)
        tags, sizes = begun[_PARENT_AT::WITH_PARENT], begun[_PARENT_AT + 1 :: WITH_PARENT]
        if tags.count(_PARENT_TAG) == sizes.count(_PARENT_SIZE) == len(beginnings):
            return
        for row, (tag, size) in enumerate(zip(tags, sizes, strict=True)):
            if tag != _PARENT_TAG:
                self.parent_ids[row] = b""
            elif size != _PARENT_SIZE:
                self.whole.add(row)

    def _read_times(self, times: list[bytes]) -> None:
        columns = zip(*_times_of(self._aligned(times, TIMES, _TIME_TAGS)), strict=True)
        self.starts, self.ends = map(list, list(columns) or [(), ()])

    def _aligned(self, parts: list[bytes], size: int, tags: Mapping[int, bytes]) -> bytes:
        """Parts of one size in a row; zeros for those that lack a tag, whose spans are to be read whole."""
        joined = b"".join(parts)
        if len(joined) == size * len(parts) and all(
            joined[at::size] == tag * len(parts) for at, tag in tags.items()
        ):
            return joined
        for row, part in enumerate(parts):
            if len(part) != size or any(part[at : at + 1] != tag for at, tag in tags.items()):
                self.whole.add(row)
                parts[row] = bytes(size)
        return b"".join(parts)

    def _read_whole(self, row: int, raw: bytes | Rejected) -> None:
        """Read a span from its message; without ids, which is invalid, if the bytes are none."""
        span, rest = parse_span(raw), None
        if isinstance(raw, bytes) and not span.links:
            status, thrown = span.status, _thrown(raw) if span.events else None
            rest = Rest(span.flags, status.code, status.message, thrown)
        self.trace_ids[row], self.ids[row] = span.trace_id, span.span_id
        self.parent_ids[row], self.states[row] = span.parent_span_id, span.trace_state
        self.starts[row], self.ends[row] = span.start, span.end
        self.heads[row], self.rests[row] = Head(span.name, span.kind), rest
        self.places[row], self.tails[row] = -1, b""
        self.pieces[row] = [varint(len(each)) + each for each in span.attributes[: MAX_PIECES + 1]]


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


def _thrown(raw: bytes) -> Thrown:
    try:
        thrown = recorded_exceptions(Span.FromString(raw))
    except DecodeError:
        return _UNREADABLE_EVENTS
    return bool(thrown), first_name(thrown), aws_status(thrown), model_status(thrown)
