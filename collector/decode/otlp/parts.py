"""Walked spans → the parts in which they are stored (`store.columnar.BodyParts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.decode.otlp.walk import Walked
from store.column_types import PackedTexts
from store.otel.stored_span import WITHOUT_IDS, ids_of

Parts = tuple[list[bytes], list[int], PackedTexts, list[bytes]]
"""What stands before the attributes, how many these are, they, and what stands behind them."""
_WITH_IDS = len(ids_of(bytes(16), bytes(8)))


def parts_of(walked: Walked, own_ids: Sequence[bool], whole: Mapping[int, bytes]) -> Parts:
    """The parts of each span; one where its attributes do not stand together.

    ``own_ids``: whether the row's id is the span's. ``whole``: bodies by the row of spans that are not
    taken apart.
    """
    spans: Sequence[Any] = walked.raws  # bytes: none is rejected
    counts = [len(sorts) // 4 for sorts in walked.sorts]
    fields = [attribute.field for attribute in walked.attributes]
    firsts = walked.firsts
    texts = [
        b"".join(fields[first : first + count])
        for first, count in zip(firsts, counts, strict=False)
    ]
    places = [
        _place(span, fields[first], text) if text else len(span)
        for span, first, text in zip(spans, firsts, texts, strict=False)
    ]
    heads = _heads(walked, spans, places, own_ids)
    tails = [span[at + len(text) :] for span, at, text in zip(spans, places, texts, strict=True)]
    apart = [row for row, at in enumerate(places) if at < 0]
    for row, body in ({row: spans[row] for row in apart} | dict(whole)).items():
        heads[row], tails[row], counts[row] = body, b"", 0
    return heads, counts, _attributes(walked, counts), tails


def _place(span: bytes, first: bytes, text: bytes) -> int:
    """Where the attributes stand in a span. Their first one is found in a quarter of the time."""
    at = span.find(first)
    return at if span.startswith(text, at) else span.find(text)


def _heads(
    walked: Walked, spans: Sequence[bytes], places: Sequence[int], own_ids: Sequence[bool]
) -> list[bytes]:
    """What stands before the attributes, without ids that are the row's."""
    begins = list(map(ids_of, walked.trace_ids, walked.ids))
    return [
        WITHOUT_IDS + span[_WITH_IDS:at]
        if own and at >= _WITH_IDS and span.startswith(begin)
        else span[:at]
        for span, at, begin, own in zip(spans, places, begins, own_ids, strict=True)
    ]


def _attributes(walked: Walked, counts: Sequence[int]) -> PackedTexts:
    """The attributes of all spans, so many of each."""
    packed = [attribute.packed_field for attribute in walked.attributes]
    if sum(counts) == len(packed):
        return PackedTexts(packed)
    return PackedTexts(
        [
            each
            for first, count in zip(walked.firsts, counts, strict=False)
            for each in packed[first : first + count]
        ]
    )
