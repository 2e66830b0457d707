"""Finds traces as Jaeger does: with a span of a service that has an operation, tags and a duration.

The store finds traces of the service, newest first; which spans match is decided on the spans that are
returned. The operation, and tags that the store has an index for, narrow a first pass; a second one looks at all traces, as
some spans that match are not indexed (local work that failed, attributes beyond the first 50).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from api.context import Context
from api.jaeger.params import SpanQuery
from api.jaeger.spans import read_traces
from api.schemas.jaeger import JaegerSpan, JaegerTag, JaegerTrace
from store.document_values import value_text
from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    Expression,
    Field,
    Selector,
    ServiceMatch,
)
from store.filters.conditions import all_of, any_of
from store.query import TraceQuery

PAGE = 100
"""Traces searched for at once."""
MOST_SCANNED = 2000
MOST_SPANS = 30_000
SECONDS = 8.0
FAILED = any_of(Bare(Field(flag)) for flag in ("fault", "error", "throttle"))
NEWER_NAMES = {
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "http.url": "url.full",
}
"""Names of attributes that people still search for → those of today's conventions."""


class Found(NamedTuple):
    """Matching traces, newest first, and why the search ended early, if it did."""

    traces: list[JaegerTrace]
    stopped: str | None


def search(context: Context, query: SpanQuery) -> Found:
    """The newest matching traces; bounded in traces read, spans returned and time."""
    of_service = ServiceMatch(Selector(name=query.service))
    narrow = all_of(
        *([Compare(Field("operation"), "=", query.operation)] if query.operation else []),
        *(c for key, value in query.tags.items() if (c := _indexed(query, key, value))),
    )
    budget = _Budget()
    found: dict[str, JaegerTrace] = {}
    passes: list[Expression] = [And((of_service, narrow))] if narrow is not None else []
    for condition in [*passes, of_service]:
        for trace in _traces(context, query, condition, budget):
            if trace["traceID"] not in found and matches(trace, query):
                found[trace["traceID"]] = trace
                budget.spans -= len(trace["spans"])
            if len(found) == query.limit:
                return Found(_newest_first(found.values()), None)
            if budget.spans <= 0:
                break
    return Found(_newest_first(found.values()), budget.spent())


class _Budget:
    """What is left of a search's limits."""

    def __init__(self) -> None:
        self.traces, self.spans = MOST_SCANNED, MOST_SPANS
        self._until = time.monotonic() + SECONDS

    def spent(self) -> str | None:
        """Which limit has been reached; None while none is."""
        if self.traces <= 0:
            return f"the search ended after {MOST_SCANNED} traces of the service; narrow the window"
        if self.spans <= 0:
            return f"the search ended after {MOST_SPANS} spans; lower the limit"
        if time.monotonic() > self._until:
            return f"the search ended after {SECONDS:.0f} s; narrow the window"
        return None


def _traces(
    context: Context, query: SpanQuery, condition: Expression, budget: _Budget
) -> Iterator[JaegerTrace]:
    """The traces that satisfy a condition, newest first, as long as the budget lasts."""
    cursor: str | None = None
    size = query.limit
    while not budget.spent():
        size = min(size, PAGE, budget.traces)
        page = context.store.find_traces(
            TraceQuery(query.window, filter=condition), limit=size, cursor=cursor
        )
        budget.traces -= len(page.found)
        yield from read_traces(context.store, [hit.trace_id for hit in page.found])
        cursor, size = page.cursor, PAGE
        if cursor is None:
            return


def _newest_first(traces: Iterable[JaegerTrace]) -> list[JaegerTrace]:
    def start(trace: JaegerTrace) -> tuple[int, str]:
        return trace["spans"][0]["startTime"], trace["traceID"]

    return sorted(traces, key=start, reverse=True)


def matches(trace: JaegerTrace, query: SpanQuery) -> bool:
    """Whether one span of the service has everything that is wanted."""
    return any(
        trace["processes"][span["processID"]]["serviceName"] == query.service
        and (not query.operation or span["operationName"] == query.operation)
        and (query.shortest is None or span["duration"] >= query.shortest)
        and (not query.longest or span["duration"] <= query.longest)
        and all(_has(trace, span, key, value) for key, value in query.tags.items())
        for span in trace["spans"]
    )


def _has(trace: JaegerTrace, span: JaegerSpan, key: str, value: str) -> bool:
    """Whether the span, its process or one of its logs has a tag, whatever the type of its value."""
    keys = (key, NEWER_NAMES.get(key, key))
    process = trace["processes"][span["processID"]]
    lists: list[list[JaegerTag]] = [span["tags"], process["tags"]]
    lists += [log["fields"] for log in span["logs"]]
    return any(
        tag["key"] in keys and value_text(tag["value"]) == value for tags in lists for tag in tags
    )


def _indexed(query: SpanQuery, key: str, value: str) -> Expression | None:
    """A condition that most traces with such a tag satisfy, and that an index answers."""
    service = Selector(name=query.service)
    if key == "error":
        return _at(service, FAILED) if value == "true" else None
    if NEWER_NAMES.get(key, key) == NEWER_NAMES["http.status_code"]:
        return _at(service, Compare(Field("http.status"), "=", int(value))) if value.isdecimal() else None  # fmt: skip
    if key in ("span.kind", "otel.status_code", *NEWER_NAMES, *NEWER_NAMES.values()):
        return None
    return any_of(Compare(Field("annotation", key), "=", each) for each in _values(value))


def _at(service: Selector, condition: Expression) -> Expression:
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
