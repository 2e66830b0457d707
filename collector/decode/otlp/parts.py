"""Walked spans → the parts in which they are stored (`store.columnar.BodyParts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from collector.decode.otlp.cut import TIMES, WITH_IDS, WITH_PARENT
from collector.decode.otlp.walk import NO_SPAN, Walked
from store.column_types import PackedTexts
from store.otel.stored_span import CUT, begin_of, cut_head, times_of


class Parts(NamedTuple):
    """What is left before the attributes of spans, how many these are, they, what stands behind them,
    and the nanoseconds that the rows' times lack."""

    heads: list[bytes]
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
    heads = [
        CUT + span[WITH_PARENT if parent else WITH_IDS : at - TIMES] if known else span[:at]
        for span, parent, at, known in zip(
            spans, walked.parent_ids, walked.places, columns, strict=True
        )
    ]
    tails = list(walked.tails)
    apart = dict(whole)
    for row in [row for row, at in enumerate(walked.places) if at < 0]:
        found = _around(walked, row, counts[row], columns[row])
        if found is None:
            apart.setdefault(row, spans[row])
        else:
            heads[row], tails[row] = found
    for row, body in apart.items():
        heads[row], tails[row], counts[row] = body, b"", 0
    nanos = [
        start % 1000 * 1000 + end % 1000
        for start, end in zip(walked.starts, walked.ends, strict=True)
    ]
    return Parts(heads, counts, _attributes(walked, counts), tails, nanos)


def _around(walked: Walked, row: int, count: int, known: bool) -> tuple[bytes, bytes] | None:
    """What stands around the attributes of a span that was not cut; None if these do not stand together."""
    span: Any = walked.raws[row]
    first = walked.firsts[row]
    text = b"".join([each.field for each in walked.attributes[first : first + count]])
    at = span.find(text) if text else len(span)
    if at < 0:
        return None
    head, tail = span[:at], span[at + len(text) :]
    if known:
        begin = begin_of(walked.trace_ids[row], walked.ids[row], walked.parent_ids[row])
        head = cut_head(head, begin, times_of(walked.starts[row], walked.ends[row]))
    return head, tail


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
