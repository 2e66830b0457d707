"""Spans in bytes → their cases and fields, in passes over many spans.

A span that is unusual in any way is decoded by `collector.decode.otlp.request` alone, and keeps its
place. So documents and rejections are those of `decode_otlp`, in the same order.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.cases import Case
from collector.decode.otlp.groups import SpanGroup
from collector.decode.otlp.memory import MAX_ATTRIBUTES, Memory
from collector.decode.otlp.request import decode_span
from collector.decode.otlp.span_message import SpanMessage, parse_span
from collector.decode.rejected import Rejected
from store.model import Document
from store.otel.status import aws_status, first_name, model_status, recorded_exceptions

_MANY = [b""] * (MAX_ATTRIBUTES + 1)
"""In place of the attributes of a span that has more than a case may: it is decoded alone."""
_NO_TRACE, NO_SPAN = bytes(16), bytes(8)
_UNKNOWN: Any = object()
_Thrown = tuple[bool, str, int, int]
_UNREADABLE_EVENTS: _Thrown = (False, "", -1, 0)
"""Part of no valid span's case: spans with such events are decoded alone, and rejected."""

Found = Case | Document | Rejected
"""What a span is found to be."""


def rejected_of(results: Sequence[Found]) -> list[tuple[int, Rejected]]:
    """Rejections with their places."""
    return [(place, found) for place, found in enumerate(results) if isinstance(found, Rejected)]


class Walked:
    """Spans by column, the attributes of all of them, and what each span is.

    ``found`` is filled by `walk`. ``firsts`` are the places of each span's first attribute, and of
    the end of the last one's; ``sorts`` what each span's attributes are like, as `Memory.patterns` has it.
    """

    _BY_SPAN = (
        "raws",
        "groups",
        "spans",
        "trace_ids",
        "ids",
        "parent_ids",
        "starts",
        "ends",
        "firsts",
        "sorts",
        "found",
    )

    def __init__(
        self,
        memory: Memory,
        raws: Sequence[bytes | Rejected],
        groups: Sequence[SpanGroup],
        messages: Sequence[SpanMessage] | None,
    ) -> None:
        self.raws: Sequence[bytes | Rejected] = raws
        self.groups: Sequence[SpanGroup] = groups
        self.spans = spans = list(map(parse_span, raws)) if messages is None else messages
        self.trace_ids: list[bytes] = [span.trace_id for span in spans]
        self.ids: list[bytes] = [span.span_id for span in spans]
        self.parent_ids: list[bytes] = [span.parent_span_id for span in spans]
        self.starts: list[int] = [span.start for span in spans]
        self.ends: list[int] = [span.end for span in spans]
        lists = [
            # A slice is the fastest way to a list.
            found
            if len(found := span.attributes[: MAX_ATTRIBUTES + 1]) <= MAX_ATTRIBUTES
            else _MANY
            for span in spans
        ]
        self.firsts = list(accumulate(map(len, lists), initial=0))
        table = memory.attributes
        self.attributes = list(map(table.__getitem__, chain.from_iterable(lists)))
        sorts = array("I", [attribute.sort for attribute in self.attributes]).tobytes()
        self.sorts = [sorts[4 * first : 4 * end] for first, end in pairwise(self.firsts)]
        self.found: list[Found] = []

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


def walk(
    memory: Memory,
    raws: Sequence[bytes | Rejected],
    groups: Sequence[SpanGroup],
    messages: Sequence[SpanMessage] | None,
    version: int,
    sampled: bool,
) -> Walked:
    """What some spans of a request are. One loop without calls: it is most of the work.

    ``messages`` are the same spans, if they have been parsed together.
    """
    walked = Walked(memory, raws, groups, messages)
    attributes, patterns, append = walked.attributes, memory.patterns, walked.found.append
    group = None
    number: int | None = None
    for span, raw, owner, trace_id, id, parent_id, start, end, first, sort in zip(
        walked.spans,
        raws,
        groups,
        walked.trace_ids,
        walked.ids,
        walked.parent_ids,
        walked.starts,
        walked.ends,
        walked.firsts,
        walked.sorts,
        strict=False,  # there is one more of `firsts`
    ):
        if owner is not group:
            group = owner
            number = memory.resource_number(owner.known.resource)
        pattern = patterns[sort]
        pattern.seen += 1
        if (
            pattern.ordinary
            and number is not None
            and len(trace_id) == 16
            and len(id) == 8
            and start
            and trace_id != _NO_TRACE
            and id != NO_SPAN
            and (not parent_id or (len(parent_id) == 8 and parent_id != id))
            and isinstance(raw, bytes)
            and not span.links
            and not (pattern.pause and pattern.skips())
        ):
            if span.HasField("status"):
                status = span.status
                code, message = status.code, status.message
            else:
                code, message = 0, ""
            fields = (
                number,
                span.kind,
                bool(parent_id) and parent_id != NO_SPAN,
                span.flags,
                code,
                message,
                end < 1_000,  # as store.otel.span_facts, where an end of zero microseconds is none
                _thrown(raw) if span.events else None,
            )
            mine = attributes[first : first + pattern.count]
            name = span.name if pattern.reads_name else ""
            case = pattern.cases.get((fields, name, pattern.pick(mine)), _UNKNOWN)
            if case is _UNKNOWN:
                case = memory.judge(sort, pattern, raw, owner.known.resource, fields, mine)
        else:
            case = None
        append(case or decode_span(raw, owner, version, sampled))
    return walked


def _thrown(raw: bytes) -> _Thrown:
    """What the rules read of a span's exceptions: whether there is one, the name, the statuses."""
    try:
        thrown = recorded_exceptions(Span.FromString(raw))
    except DecodeError:
        return _UNREADABLE_EVENTS
    return bool(thrown), first_name(thrown), aws_status(thrown), model_status(thrown)
