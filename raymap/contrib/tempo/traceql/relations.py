"""Relations between the spans of a trace: which of some are below, above or beside others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from raymap.contrib.tempo.traceql.spans import SpanView, TraceView

Spans = Sequence[SpanView]
_OPPOSITE = {">>": "<<", "<<": ">>", ">": "<", "<": ">", "~": "~"}


def related(operator: str, trace: TraceView, left: Spans, right: Spans) -> list[SpanView]:
    """The spans of ``right`` that have the relation to one of ``left``; with ! those that have it to none, with & also
    those of ``left`` that take part."""
    relation = operator[1:] if operator[0] in "!&" else operator
    found = _RELATIONS[relation](trace, left, right)
    if operator[0] == "!":
        return without(right, found)
    if operator[0] == "&":
        return united(found, _RELATIONS[_OPPOSITE[relation]](trace, right, left))
    return found


def united(one: Spans, other: Spans) -> list[SpanView]:
    """The spans of both, by start; each once."""
    spans = {id(span): span for span in (*one, *other)}
    return sorted(spans.values(), key=lambda span: (span.start, span.id))


def without(spans: Spans, others: Spans) -> list[SpanView]:
    """The spans that are not among others."""
    excluded = {id(span) for span in others}
    return [span for span in spans if id(span) not in excluded]


def _descendants(trace: TraceView, above: Spans, spans: Spans) -> list[SpanView]:
    reached = _reach(
        (span.id for span in above), lambda id: (each.id for each in trace.children.get(id, ()))
    )
    return [span for span in spans if span.parent in reached]


def _ancestors(trace: TraceView, below: Spans, spans: Spans) -> list[SpanView]:
    parents: dict[bytes, set[bytes]] = {}
    for span in trace.spans:
        if span.parent:
            parents.setdefault(span.id, set()).add(span.parent)
    reached = _reach((span.parent for span in below if span.parent), lambda id: parents.get(id, ()))
    return [span for span in spans if span.id in reached]


def _reach(start: Iterable[bytes], further: Callable[[bytes], Iterable[bytes]]) -> set[bytes]:
    """The ids that are reached from some, and these; a circle is walked once."""
    reached = set(start)
    waiting = list(reached)
    while waiting:
        for id in further(waiting.pop()):
            if id not in reached:
                reached.add(id)
                waiting.append(id)
    return reached


def _children(trace: TraceView, above: Spans, spans: Spans) -> list[SpanView]:
    ids = {span.id for span in above}
    return [span for span in spans if span.parent in ids]


def _parents(trace: TraceView, below: Spans, spans: Spans) -> list[SpanView]:
    ids = {span.parent for span in below}
    return [span for span in spans if span.id in ids]


def _siblings(trace: TraceView, beside: Spans, spans: Spans) -> list[SpanView]:
    by_parent: dict[bytes, set[int]] = {}
    for span in beside:
        by_parent.setdefault(span.parent, set()).add(id(span))
    return [
        span for span in spans if span.parent and by_parent.get(span.parent, set()) - {id(span)}
    ]


_RELATIONS: Mapping[str, Callable[[TraceView, Spans, Spans], list[SpanView]]] = {
    ">>": _descendants,
    "<<": _ancestors,
    ">": _children,
    "<": _parents,
    "~": _siblings,
}
