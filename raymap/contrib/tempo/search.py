"""Finds traces by TraceQL, newest first: the store excludes what it can, each other trace is judged by its spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from api.context import Context
from api.errors import ApiError
from raymap.contrib.jaeger.params import require_id
from raymap.contrib.jaeger.search import Bounds, Found, search_twice
from raymap.contrib.jaeger.spans import ReadTrace, read_traces
from raymap.contrib.tempo.schemas import (
    FoundTrace,
    SearchMetrics,
    ServiceStats,
    TempoSpan,
    TempoSpanSet,
)
from raymap.contrib.tempo.traceql.ast import Attribute, Pipeline, Scope, Status, attributes_of
from raymap.contrib.tempo.traceql.evaluate import SpanSet, evaluate
from raymap.contrib.tempo.traceql.narrow import narrowed, trace_id
from raymap.contrib.tempo.traceql.spans import SpanView, TraceView
from raymap.contrib.tempo.values import attribute

T = TypeVar("T")

NO_ROOT = "<root span not yet received>"
"""As in Tempo, of a trace without a root."""
_SHOWN = frozenset(
    ("name", "duration", "traceDuration", "rootName", "rootServiceName", "trace:id", "span:id")
)
"""Intrinsic fields for which a search's answer has a place of its own."""


class Inspected:
    """How much a search has read."""

    def __init__(self) -> None:
        self.traces = self.spans = 0

    def add(self, read: ReadTrace) -> None:
        """Count a trace."""
        self.traces += 1
        self.spans += read.size

    @property
    def metrics(self) -> SearchMetrics:
        """The same in Tempo's words."""
        return {
            "inspectedTraces": self.traces,
            "inspectedSpans": str(self.spans),
            "completedJobs": 1,
            "totalJobs": 1,
        }


def find(
    context: Context,
    pipeline: Pipeline,
    bounds: Bounds,
    take: Callable[[TraceView, Sequence[SpanSet]], T],
    inspected: Inspected,
) -> Found[T]:
    """What is taken of the newest traces that a query finds, and of the sets of spans that it finds there."""

    def judge(read: ReadTrace) -> T | None:
        inspected.add(read)
        trace = TraceView(read)
        sets = evaluate(pipeline, trace)
        return take(trace, sets) if sets else None

    if id := trace_id(pipeline):
        found = map(judge, read_traces(context.store, _ids(id)))
        return Found([each for each in found if each is not None], None)
    likely = narrowed(pipeline, likely=True)
    certain = narrowed(pipeline)
    return search_twice(context, bounds, certain, likely if likely != certain else None, judge)


def _ids(text: str) -> list[bytes]:
    try:
        return [require_id(text)]
    except ApiError:
        return []


def found_trace(
    named: Sequence[Attribute], most: int, trace: TraceView, sets: Sequence[SpanSet]
) -> FoundTrace:
    """A trace with at most so many spans of each set, with the ``named`` attributes."""
    made = [_span_set(each, named, most) for each in sets]
    services: dict[str, ServiceStats] = {}
    for span in trace.spans:
        stats = services.setdefault(span.service, {"spanCount": 0, "errorCount": 0})
        stats["spanCount"] += 1
        stats["errorCount"] += span.status is Status.ERROR
    return {
        "traceID": trace.id.hex(),
        "rootServiceName": trace.root.service if trace.root else NO_ROOT,
        "rootTraceName": trace.root.name if trace.root else NO_ROOT,
        "startTimeUnixNano": str(trace.start),
        "durationMs": trace.duration // 10**6,
        "spanSet": made[0],
        "spanSets": made,
        "serviceStats": services,
    }


def named_attributes(pipeline: Pipeline) -> list[Attribute]:
    """What a query names of spans, and its answers have no place of their own for."""
    found = dict.fromkeys(attributes_of(pipeline))
    return [each for each in found if each.scope is not Scope.INTRINSIC or each.name not in _SHOWN]


def _span_set(one: SpanSet, named: Iterable[Attribute], most: int) -> TempoSpanSet:
    made: TempoSpanSet = {
        "spans": [_span(span, named) for span in one.spans[:most]],
        "matched": len(one.spans),
    }
    if one.attributes:
        made["attributes"] = [attribute(key, value) for key, value in one.attributes.items()]
    return made


def _span(span: SpanView, named: Iterable[Attribute]) -> TempoSpan:
    values: dict[str, Any] = {}
    for each in named:
        value = span.value(each)
        if value is not None:
            values.setdefault(each.name, value)
    return {
        "spanID": span.id.hex(),
        "name": span.name,
        "startTimeUnixNano": str(span.start),
        "durationNanos": str(span.duration or 0),
        "attributes": [attribute(key, value) for key, value in values.items()],
    }
