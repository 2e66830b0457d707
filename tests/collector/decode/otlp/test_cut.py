"""A span that is cut is what its message says."""

from __future__ import annotations

from random import Random

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.shop import Shop
from collector.decode.otlp.cut import MAX_PIECES, Cuts, Heads, Rest, Rests, mended, message_of
from collector.decode.otlp.frames import read_frames
from collector.decode.otlp.span_message import parse_span
from collector.decode.rejected import Reason, Rejected
from store.varint import varint
from tests.collector.otlp_samples import CLIENT, span

SPAN = span(CLIENT, {"a": "b", "peer.service": "cart"}).SerializeToString()


def pieces_of(pieces: list[bytes]) -> list[bytes] | None:
    """The attributes; None where they are to be read from the message."""
    for few in (pieces, mended(pieces)):
        if all(message_of(piece) is not None for piece in few):
            return few
    return None


def fields_of(cuts: Cuts, row: int = 0) -> tuple[object, ...]:
    """Everything of a span but its attributes and where they stand."""
    ids = cuts.trace_ids[row], cuts.ids[row], cuts.parent_ids[row]
    times = cuts.starts[row], cuts.ends[row]
    return (*ids, *times, cuts.heads[row][:2], cuts.states[row], cuts.rests[row])


def cuts(body: bytes, heads: Heads | None = None, rests: Rests | None = None) -> bool:
    """Whether a span is cut; then it is the same as its message."""
    few = Cuts([body], Heads() if heads is None else heads, Rests() if rests is None else rests)
    pieces, message = pieces_of(few.pieces[0]), parse_span(body)
    if few.whole or pieces is None:
        return False
    ids = message.trace_id, message.span_id, message.parent_span_id
    head = message.name, message.kind
    rest = Rest(message.flags, message.status.code, message.status.message)
    times = message.start, message.end
    assert fields_of(few) == (*ids, *times, head, message.trace_state, rest)
    assert pieces[: MAX_PIECES + 1] == [varint(len(each)) + each for each in message.attributes]
    assert body[few.places[0] :] == b"".join(b"\x4a" + each for each in pieces) + few.tails[0]
    return True


@pytest.mark.parametrize(
    "message",
    [
        span(CLIENT, {"a": "b"}),
        span(CLIENT),
        span(CLIENT, {"a": "b"}, parent=b""),
        span(CLIENT, {"a": "b"}, failed="no"),
        span(CLIENT, {"long": "x" * 500, "none": "", "n": 1}, flags=0x301),
        span(CLIENT, {"db.query.text": "SELECT 1 FROM a JOIN b JOIN J", "z": "z"}),
        span(CLIENT, {"a": "x" * 67, "b": "y"}),  # its length is the tag of an attribute
        span(CLIENT, {"a": "b"}, name="ключ"),
        span(0, {"a": "b"}, name="JJ"),
    ],
)
def test_ordinary_spans(message: Span) -> None:
    assert cuts(message.SerializeToString())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SPAN[:40],
        span(CLIENT, {"a": "b"}, trace_state="x=y").SerializeToString(),
        span(CLIENT, {"a": "b"}, links=[Span.Link()]).SerializeToString(),
        span(CLIENT, {"a": "b"}, failed="Join").SerializeToString(),
        span(CLIENT, {"a": "b"}, exceptions=[{"exception.type": "E"}]).SerializeToString(),
        span(CLIENT, {f"a{n}": n for n in range(200)}).SerializeToString(),
        SPAN + b"\x12\x00",  # a second id, which is empty
        SPAN + b"\x12\x08" + b"i" * 8,
        SPAN + b"\x41" + bytes(8),
        SPAN + b"\x30\x00",
        SPAN.replace(b"\x2a\x03GET", b"\x2a\x03G\xffT"),
        SPAN[:28] + b"\x32\x00" + SPAN[28:],
    ],
)
def test_others(body: bytes) -> None:
    """Where a field stands elsewhere, or twice, the message decides."""
    assert not cuts(body)


@pytest.mark.parametrize("body", [SPAN, SPAN.replace(b"\x4a\x08", b"\x4a\x88\x00")])
def test_a_length_in_a_longer_form(body: bytes) -> None:
    assert cuts(body) == (body == SPAN)


def test_changed_bytes() -> None:
    """Whatever is changed in spans, they are not cut, or are what their message says."""
    random, heads, rests = Random(5), Heads(), Rests()
    spans = [
        bytes(one)
        for body in Shop(20, 800).bodies
        for part in read_frames(body)
        for scope in part.scope_spans
        for one in scope.spans
        if isinstance(one, bytes)
    ]
    whole = sum(cuts(body, heads, rests) for body in spans)
    assert whole == len(spans)
    changed: list[bytes] = []
    for _ in range(4000):
        body = bytearray(random.choice(spans))
        for _ in range(random.choice((1, 1, 2, 4))):
            place = random.randrange(len(body))
            other = random.choice(
                (0, 0x12, 0x39, 0x4A, 0x80, body[place] + 1 & 255, random.randrange(256))
            )
            match random.randrange(3):
                case 0:
                    body[place] = other
                case 1:
                    body.insert(place, other)
                case _:
                    del body[place]
        changed.append(bytes(body))
    assert 500 < sum(cuts(body, heads, rests) for body in changed) < 3500
    mixed: list[bytes | Rejected] = [each for pair in zip(changed, spans * 20) for each in pair]  # noqa: B905
    mixed[7] = Rejected(Reason.INVALID_SEGMENT_DOCUMENT, "")
    together = Cuts(mixed, Heads(), Rests())
    assert 1000 < len(together.whole) < len(mixed) // 2
    for row, raw in enumerate(mixed):
        alone = Cuts([raw], heads, rests)
        assert fields_of(together, row) == fields_of(alone)
        assert together.pieces[row] == alone.pieces[0]
        assert (together.places[row], together.tails[row]) == (alone.places[0], alone.tails[0])
        assert (row in together.whole) == bool(alone.whole)
