"""Finds traces as Jaeger does: with a span of a service that has an operation, tags and a duration.

The store finds traces of the service, newest first; which spans match is decided on the spans that are
returned. The operation, and tags that the store has an index for, narrow a first pass; a second one looks at the newest
traces whatever they have, as some spans that match are not indexed (local work, attributes beyond the first 50).
Spans that failed need no second one: what may contain some is a condition of the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from fastapi import Response
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from api.context import Context, json_response
from api.counted import INCOMPLETE
from raymap.contrib.jaeger.params import SpanQuery
from raymap.contrib.jaeger.schemas import JaegerTrace
from raymap.contrib.jaeger.spans import (
    ReadTrace,
    duration_of,
    read_traces,
    service_of,
    tags_among,
)
from store.document_values import value_text
from store.filters.ast import (
    Bare,
    Compare,
    EdgeMatch,
    Expression,
    Field,
    MayHaveFailed,
    Selector,
    SentBy,
    ServiceMatch,
)
from store.filters.conditions import all_of, any_of
from store.model import TimeRange
from store.query import TraceQuery
from store.times import SECOND

T = TypeVar("T")

PAGE = 200
"""Traces searched for at once."""
MOST_SCANNED = 2000
MOST_SPANS = 30_000
MOST_UNINDEXED = 200
"""Traces of the second pass."""
SECONDS = 8.0
FAILED = any_of(Bare(Field(flag)) for flag in ("fault", "error", "throttle"))
NEWER_NAMES = {
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "http.url": "url.full",
}
"""Names of attributes that people still search for → those of today's conventions."""


class Found(NamedTuple, Generic[T]):
    """What was taken of traces, newest first, and why the search ended early, if it did."""

    traces: list[T]
    stopped: str | None


def search(
    context: Context,
    query: SpanQuery,
    take: Callable[[ReadTrace], T | None],
    most_spans: int | None = None,
    besides: Expression | None = None,
) -> Found[T]:
    """What is taken of the newest traces that a query, or a condition ``besides``, does not exclude, None: nothing; bounded in
    traces read, spans of those that are taken (``most_spans``), and time."""
    certain = all_of(
        SentBy(query.service) if query.service else None,
        lasting(query.shortest) if query.shortest else None,
        _failed(query) if query.tags.get("error") == "true" else None,
        besides,
    )
    narrow = all_of(
        Compare(Field("operation"), "=", query.operation) if query.operation else None,
        *(_indexed(query, key, value) for key, value in query.tags.items() if key != "error"),
    )
    return search_twice(
        context, Bounds(query.window, query.limit, most_spans), certain, narrow, take
    )


class Bounds(NamedTuple):
    """When traces are looked for, and how many traces and spans may be taken."""

    window: TimeRange
    limit: int
    most_spans: int | None = None


def search_twice(
    context: Context,
    bounds: Bounds,
    certain: Expression | None,
    narrow: Expression | None,
    take: Callable[[ReadTrace], T | None],
) -> Found[T]:
    """What is taken of the newest traces that satisfy a condition: ``certain``, which excludes nothing that is wanted, in a first
    pass also ``narrow``, which may."""
    budget = Budget(most_spans=MOST_SPANS if bounds.most_spans is None else bounds.most_spans)
    found: dict[bytes, tuple[int, T]] = {}
    seen: set[bytes] = set()
    for condition in [all_of(certain, narrow), certain] if narrow else [certain]:
        size = bounds.limit
        if narrow and condition == certain:
            budget.limit(MOST_UNINDEXED)
            size = PAGE  # few of them match
        for read in scan(context, bounds.window, size, condition, budget, seen):
            taken = take(read)
            if taken is not None:
                found[read.id] = read.start, taken
                budget.spans -= read.size
            if len(found) == bounds.limit:
                return Found(_newest_first(found), None)
            if budget.spans <= 0:
                break
    return Found(_newest_first(found), None if budget.is_complete else budget.spent())


def response_of(body: Mapping[str, object] | Sequence[object], found: Found[Any]) -> Response:
    """What was found, with a header if the search ended early."""
    answer = json_response(body)
    if found.stopped:
        answer.headers[INCOMPLETE] = found.stopped
    return answer


def lasting(shortest: float) -> Expression:
    """That a trace may have a span of so many microseconds. Half of them, as a span can outlast the documents of its trace: a
    call the answer to it, local work its segment."""
    return Compare(Field("duration"), ">=", shortest / 2 / SECOND)


class Budget:
    """What is left of a search's limits.

    ``reached``: the time (microseconds) of the last trace of the pages that were read whole, None before the first.
    ``is_complete``: the last scan has read all that there is."""

    def __init__(self, most_spans: int, most_traces: int | None = None) -> None:
        self.traces = MOST_SCANNED if most_traces is None else most_traces
        self.spans = most_spans
        self.reached: int | None = None
        self.is_complete = False
        self._most = self.traces, most_spans
        self._until = time.monotonic() + SECONDS

    def limit(self, traces: int) -> None:
        """Read so many further traces at most."""
        if traces < self.traces:
            self._most = self._most[0] - self.traces + traces, self._most[1]
            self.traces = traces

    def is_late(self) -> bool:
        """Whether the time is up, looked at after each trace: clients give up soon after it."""
        return time.monotonic() > self._until

    def spent(self) -> str | None:
        """Which limit has been reached; None while none is."""
        if self.traces <= 0:
            return f"the search ended after {self._most[0]} traces; narrow the window"
        if self.spans <= 0:
            return f"the search ended after {self._most[1]} spans; lower the limit"
        if self.is_late():
            return f"the search ended after {SECONDS:.0f} s; narrow the window"
        return None


def scan(
    context: Context,
    window: TimeRange,
    size: int,
    condition: Expression | None,
    budget: Budget,
    seen: set[bytes],
) -> Iterator[ReadTrace]:
    """The traces that satisfy a condition and were not ``seen`` yet, newest first, as long as the budget lasts; ``size``: of
    the first page."""
    cursor: str | None = None
    budget.is_complete = False
    while not budget.spent():
        size = min(size, PAGE, budget.traces)
        page = context.store.find_traces(
            TraceQuery(window, filter=condition), limit=size, cursor=cursor
        )
        budget.traces -= len(page.found)
        new = [hit.trace_id for hit in page.found if hit.trace_id not in seen]
        seen.update(new)
        for read in read_traces(context.store, new):
            yield read
            if budget.is_late():
                return
        if page.found:
            budget.reached = page.found[-1].time
        cursor, size = page.cursor, PAGE
        if cursor is None:
            budget.is_complete = True
            return


def _newest_first(found: Mapping[bytes, tuple[int, T]]) -> list[T]:
    """What was taken of traces, given with the start of each by id."""
    order = sorted(found.items(), key=lambda each: (each[1][0], each[0]), reverse=True)
    return [taken for _, (_, taken) in order]


def matching(query: SpanQuery, read: ReadTrace) -> JaegerTrace | None:
    """A trace, if it matches."""
    return read.trace if matches(read.exported, query) else None


def matches(exported: TracesData, query: SpanQuery) -> bool:
    """Whether one span, of the service if one is given, has everything that is wanted. Of a trace that
    does not match only the tags that are wanted are made Jaeger's, of spans that have the rest."""
    wanted = [({key, NEWER_NAMES.get(key, key)}, value) for key, value in query.tags.items()]
    return any(
        _has_tags(span, scope, part.resource, wanted)
        for part in exported.resource_spans
        for spans in [_wanted(part, query)]
        if spans and (not query.service or service_of(part.resource) == query.service)
        for span, scope in spans
    )


def _wanted(part: ResourceSpans, query: SpanQuery) -> list[tuple[Span, InstrumentationScope]]:
    """The spans that have the operation and the duration."""
    return [
        (span, scope.scope)
        for scope in part.scope_spans
        for span in scope.spans
        if (not query.operation or span.name == query.operation)
        and (query.shortest is None or duration_of(span) >= query.shortest)
        and (not query.longest or duration_of(span) <= query.longest)
    ]


def _has_tags(
    span: Span,
    scope: InstrumentationScope,
    resource: Resource,
    wanted: Iterable[tuple[Collection[str], str]],
) -> bool:
    """Whether the span, its process or one of its logs has each tag, by its names, whatever the type of its value."""
    return all(
        any(value_text(tag["value"]) == value for tag in tags_among(keys, span, scope, resource))
        for keys, value in wanted
    )


def _indexed(query: SpanQuery, key: str, value: str) -> Expression | None:
    """A condition that most traces with such a tag satisfy, and that an index answers."""
    service = Selector(name=query.service) if query.service else Selector()
    if NEWER_NAMES.get(key, key) == NEWER_NAMES["http.status_code"]:
        return at(service, Compare(Field("http.status"), "=", int(value))) if value.isdecimal() else None  # fmt: skip
    if key in ("span.kind", "otel.status_code", *NEWER_NAMES, *NEWER_NAMES.values()):
        return None
    return any_of(Compare(Field("annotation", key), "=", each) for each in _values(value))


def _failed(query: SpanQuery) -> Expression | None:
    """What every trace with such a span satisfies that failed, or that has an attribute which says so."""
    says = (Compare(Field("annotation", "error"), "=", each) for each in _values("true"))
    return any_of((MayHaveFailed(query.service), *says))


def at(service: Selector, condition: Expression) -> Expression:
    """A unit of the service, or a call of it, satisfies a condition."""
    calls = EdgeMatch(service, Selector(), condition)
    return any_of((ServiceMatch(service, condition), calls))


def _values(text: str) -> list[str | float | bool]:
    """What an annotation may be that is written so."""
    values: list[str | float | bool] = [text]
    if text in ("true", "false"):
        values.append(text == "true")
    try:
        number = float(text)
    except ValueError:
        return values
    return [*values, number] if value_text(number) == text else values
