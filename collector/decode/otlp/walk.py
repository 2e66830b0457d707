"""Spans in bytes → their cases and fields, in passes over many spans.

A span that is unusual in any way is decoded by `collector.decode.otlp.request` alone, and keeps its
place. So documents and rejections are those of `decode_otlp`, in the same order.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise
from operator import eq
from typing import Any

from collector.decode.otlp.attribute_table import MISFIT, AttributeTable
from collector.decode.otlp.cases import Case
from collector.decode.otlp.cut import Cuts, mended
from collector.decode.otlp.groups import SpanGroup
from collector.decode.otlp.memory import MAX_ATTRIBUTES, Memory
from collector.decode.otlp.request import decode_span
from collector.decode.rejected import Rejected
from store.model import Document

_MANY = [b"\x00"] * (MAX_ATTRIBUTES + 1)
"""In place of the attributes of a span that has more than a case may: it is decoded alone."""
_NO_TRACE, NO_SPAN = bytes(16), bytes(8)
_MISFIT = array("I", [MISFIT]).tobytes()
_UNKNOWN: Any = object()

Found = Case | Document | Rejected
"""What a span is found to be."""


def rejected_of(results: Sequence[Found]) -> list[tuple[int, Rejected]]:
    """Rejections with their places."""
    return [(place, found) for place, found in enumerate(results) if isinstance(found, Rejected)]


class Walked:
    """Spans by column, the attributes of all of them, and what each span is.

    ``found`` is filled by `walk`. ``firsts`` are the places of each span's first attribute, and of
    the end of the last one's; ``sorts`` what each span's attributes are like, as `Memory.patterns` has it;
    the other columns are those of `Cuts`.
    """

    _BY_SPAN = (
        "raws",
        "groups",
        "trace_ids",
        "ids",
        "parent_ids",
        "starts",
        "ends",
        "states",
        "heads",
        "rests",
        "places",
        "tails",
        "firsts",
        "sorts",
        "found",
    )

    def __init__(
        self, memory: Memory, raws: Sequence[bytes | Rejected], groups: Sequence[SpanGroup]
    ) -> None:
        self.raws: Sequence[bytes | Rejected] = raws
        self.groups: Sequence[SpanGroup] = groups
        self.found: list[Found] = []
        cuts = Cuts(raws, memory.heads, memory.rests)
        self.trace_ids, self.ids, self.parent_ids = cuts.trace_ids, cuts.ids, cuts.parent_ids
        self.starts, self.ends, self.states = cuts.starts, cuts.ends, cuts.states
        self.heads, self.rests = cuts.heads, cuts.rests
        self.places, self.tails = cuts.places, cuts.tails
        for row in _invalid_rows(cuts):
            self.rests[row] = None
        lists = [few if len(few) <= MAX_ATTRIBUTES else _MANY for few in cuts.pieces]
        if _MISFIT in self._find_attributes(lists, memory.attributes):
            whole = [
                mended(pieces) if _MISFIT in sorts else pieces
                for pieces, sorts in zip(lists, self.sorts, strict=True)
            ]
            self._find_attributes(whole, memory.attributes)

    def _find_attributes(self, lists: Sequence[Sequence[bytes]], table: AttributeTable) -> bytes:
        """The sorts of all of them."""
        self.firsts = list(accumulate(map(len, lists), initial=0))
        self.attributes = list(map(table.__getitem__, chain.from_iterable(lists)))
        sorts = array("I", [attribute.sort for attribute in self.attributes]).tobytes()
        self.sorts = [sorts[4 * first : 4 * end] for first, end in pairwise(self.firsts)]
        return sorts

    def __len__(self) -> int:
        return len(self.raws)

    def drop_rejected(self) -> list[tuple[int, Rejected]]:
        """Leave rejected spans out, and return them with their places; the attributes stay where
        they are."""
        bad = rejected_of(self.found)
        if bad:
            places = {place for place, _ in bad}
            rest = [place for place in range(len(self)) if place not in places]
            for name in self._BY_SPAN:
                column = getattr(self, name)
                setattr(self, name, [column[place] for place in rest])
        return bad


def _invalid_rows(cuts: Cuts) -> list[int]:
    """Spans without valid ids or a start, which are decoded alone, and rejected; mostly none."""
    ids, parents = cuts.ids, cuts.parent_ids
    whole = [
        row
        for row in cuts.whole
        if len(cuts.trace_ids[row]) != 16 or len(ids[row]) != 8 or len(parents[row]) not in (0, 8)
    ]
    if not (
        _NO_TRACE in cuts.trace_ids
        or NO_SPAN in ids
        or any(map(eq, ids, parents))
        or not all(cuts.starts)
    ):
        return whole
    columns = zip(cuts.trace_ids, ids, parents, cuts.starts, strict=True)
    return whole + [
        row
        for row, (trace_id, id, parent_id, start) in enumerate(columns)
        if trace_id == _NO_TRACE or id in (NO_SPAN, parent_id) or not start
    ]


def walk(
    memory: Memory,
    raws: Sequence[bytes | Rejected],
    groups: Sequence[SpanGroup],
    version: int,
    sampled: bool,
) -> Walked:
    """What some spans of a request are. One loop without calls."""
    walked = Walked(memory, raws, groups)
    attributes, patterns, append = walked.attributes, memory.patterns, walked.found.append
    group = None
    number: int | None = None
    for raw, owner, parent_id, end, head, rest, first, sort in zip(
        raws,
        groups,
        walked.parent_ids,
        walked.ends,
        walked.heads,
        walked.rests,
        walked.firsts,
        walked.sorts,
        strict=False,  # there is one more of `firsts`
    ):
        if owner is not group:
            group = owner
            number = memory.resource_number(owner.known.resource)
        pattern = patterns[sort]
        if pattern.ordinary and rest is not None and number is not None and isinstance(raw, bytes):
            fields = (
                number,
                head.kind,
                parent_id > NO_SPAN,
                rest,
                end < 1_000,  # as store.otel.span_facts, where an end of zero microseconds is none
            )
            mine = attributes[first : first + pattern.count]
            name = head.name if pattern.reads_name else ""
            key = fields, name, pattern.pick(mine)
            case = pattern.cases.get(key, _UNKNOWN)
            if case is _UNKNOWN:
                case = memory.judge(sort, pattern, raw, owner.known.resource, key, mine)
        else:
            case = None
        append(case or decode_span(raw, owner, version, sampled))
    return walked
