"""Walked spans → the parts in which they are stored (`store.columnar.BodyParts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.decode.otlp.cut import WITH_IDS
from collector.decode.otlp.walk import Walked
from store.column_types import PackedTexts
from store.otel.stored_span import WITHOUT_IDS, ids_of

Parts = tuple[list[bytes], list[int], PackedTexts, list[bytes]]
"""What stands before the attributes, how many these are, they, and what stands behind them."""


def parts_of(walked: Walked, own_ids: Sequence[bool], whole: Mapping[int, bytes]) -> Parts:
    """The parts of each span; one where its attributes do not stand together.

    ``own_ids``: whether the row's id is the span's. ``whole``: bodies by the row of spans that are not
    taken apart.
    """
    spans: Sequence[Any] = walked.raws  # bytes: none is rejected
    counts = [len(sorts) // 4 for sorts in walked.sorts]
    heads = [
        WITHOUT_IDS + span[WITH_IDS:at] if own else span[:at]
        for span, at, own in zip(spans, walked.places, own_ids, strict=True)
    ]
    tails = list(walked.tails)
    apart = dict(whole)
    for row in [row for row, at in enumerate(walked.places) if at < 0]:
        found = _around(walked, row, counts[row], own_ids[row])
        if found is None:
            apart.setdefault(row, spans[row])
        else:
            heads[row], tails[row] = found
    for row, body in apart.items():
        heads[row], tails[row], counts[row] = body, b"", 0
    return heads, counts, _attributes(walked, counts), tails


def _around(walked: Walked, row: int, count: int, own: bool) -> tuple[bytes, bytes] | None:
    """What stands around the attributes of a span that was not cut; None if these do not stand together."""
    span: Any = walked.raws[row]
    first = walked.firsts[row]
    text = b"".join([each.field for each in walked.attributes[first : first + count]])
    at = span.find(text) if text else len(span)
    if at < 0:
        return None
    begin = ids_of(walked.trace_ids[row], walked.ids[row])
    known = own and at >= WITH_IDS and span.startswith(begin)
    head = WITHOUT_IDS + span[WITH_IDS:at] if known else span[:at]
    return head, span[at + len(text) :]


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
