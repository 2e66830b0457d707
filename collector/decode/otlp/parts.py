"""Walked spans → the parts in which they are stored (`store.columnar.BodyParts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from collector.decode.otlp.cases import Case
from collector.decode.otlp.walk import NO_SPAN, Walked
from store.column_types import PackedTexts
from store.otel.stored_span import ANNOTATED, begin_of, cut_head, times_of


class Parts(NamedTuple):
    """The parts of spans, as `store.columnar.BodyParts` has them."""

    heads: list[bytes]
    rests: list[bytes]
    counts: list[int]
    attributes: PackedTexts
    tails: list[bytes]
    nanos: list[int]


def parts_of(
    walked: Walked, own_ids: Sequence[bool], ends: Sequence[int], whole: Mapping[int, bytes]
) -> Parts:
    """The parts of each span; one where its attributes do not stand together.

    ``own_ids``: whether the row's id is the span's. ``ends``: the rows', microseconds. ``whole``: bodies
    by the row of spans that are not taken apart.
    """
    spans: Sequence[Any] = walked.raws  # bytes: none is rejected
    counts = [len(sorts) // 4 for sorts in walked.sorts]
    columns = [  # whether the row has the span's ids and times
        own and parent != NO_SPAN and time // 1000 == end
        for own, parent, time, end in zip(
            own_ids, walked.parent_ids, walked.ends, ends, strict=True
        )
    ]
    # Whether the attributes follow from the annotations.
    follow = [isinstance(found, Case) and found.follows for found in walked.found]
    heads = [
        head.alone if alone else head.stored
        for head, alone in zip(walked.heads, follow, strict=True)
    ]
    rests, tails = [b""] * len(spans), list(walked.tails)
    apart = dict(whole)
    for row in [row for row, at in enumerate(walked.places) if at < 0 or not columns[row]]:
        found = _around(walked, row, counts[row], columns[row])
        if found is None:
            apart.setdefault(row, spans[row])
            continue
        head, rests[row], tails[row] = found
        follow[row] = bool(head) and follow[row]
        heads[row] = ANNOTATED + head[1:] if follow[row] else head
    for row, body in apart.items():
        heads[row], rests[row], tails[row], counts[row] = b"", body, b"", 0
    counts = [0 if alone else count for alone, count in zip(follow, counts, strict=True)]
    nanos = [
        start % 1000 * 1000 + end % 1000
        for start, end in zip(walked.starts, walked.ends, strict=True)
    ]
    return Parts(heads, rests, counts, _attributes(walked, counts), tails, nanos)


def _around(
    walked: Walked, row: int, count: int, columns: bool
) -> tuple[bytes, bytes, bytes] | None:
    """The head of a span, what else stands before its attributes, and what stands behind; None if
    these do not stand together."""
    span: Any = walked.raws[row]
    first = walked.firsts[row]
    text = b"".join([each.field for each in walked.attributes[first : first + count]])
    at = span.find(text) if text else len(span)
    if at < 0:
        return None
    before, tail = span[:at], span[at + len(text) :]
    begin = begin_of(walked.trace_ids[row], walked.ids[row], walked.parent_ids[row])
    times = times_of(walked.starts[row], walked.ends[row])
    head = cut_head(before, begin, times) if columns else b""
    return head, b"" if head else before, tail


def _attributes(walked: Walked, counts: Sequence[int]) -> PackedTexts:
    """The attributes of all spans, so many of each."""
    if not any(counts):
        return PackedTexts([])
    packed = [attribute.packed_field for attribute in walked.attributes]
    return PackedTexts(
        [
            each
            for first, count in zip(walked.firsts, counts, strict=False)
            for each in packed[first : first + count]
        ]
    )
