"""Services, their operations, and calls between them, by name."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from api.context import Context
from api.jaeger.spans import read_traces
from api.schemas.jaeger import JaegerDependency, JaegerSpan, SpanKind
from store.filters.ast import Selector, ServiceMatch
from store.model import TimeRange
from store.query import TraceQuery
from store.rules.other_names import OTHER_NAMES
from store.times import DAY, HOUR, MINUTE

RECENT = 7 * DAY
"""Services of the last week are listed."""
MOST_READ = 200
"""Traces whose spans are read for the operations of a service."""


class Operation(NamedTuple):
    """An operation of a service, and how many spans of it were read."""

    name: str
    kind: SpanKind
    spans: int


class Operations(NamedTuple):
    """Operations of a service, the most frequent first, of the newest ``traces``; whether these are
    all of the window."""

    found: list[Operation]
    traces: int
    complete: bool


def recent(now: int) -> TimeRange:
    """The last week in whole hours and minutes, which rollups answer."""
    return TimeRange(max(0, now - RECENT) // HOUR * HOUR, (now // MINUTE + 1) * MINUTE)


def service_names(context: Context, window: TimeRange) -> list[str]:
    """The names of nodes that sent segments. Further names of a node are those by which callers know
    it, and names that are counted together have spans under their own."""
    graph = context.store.counted_window(window).graph
    names = {node.name for node, stats in graph.services.items() if stats.active}
    return sorted(names - {OTHER_NAMES})


def operations(context: Context, service: str, window: TimeRange) -> Operations:
    """What the spans of a service are called in its newest traces."""
    query = TraceQuery(window, filter=ServiceMatch(Selector(name=service)))
    page = context.store.find_traces(query, limit=MOST_READ)
    counts: Counter[tuple[str, SpanKind]] = Counter()
    traces = 0
    for made in read_traces(context.store, [hit.trace_id for hit in page.found]):
        traces += 1
        counts.update(
            (span["operationName"], kind_of(span))
            for span in made["spans"]
            if made["processes"][span["processID"]]["serviceName"] == service
        )
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    found = [Operation(*name, spans) for name, spans in ordered]
    return Operations(found, traces, page.cursor is None)


def kind_of(span: JaegerSpan) -> SpanKind:
    """The kind of a span, of its tag."""
    kinds = (tag["value"] for tag in span["tags"] if tag["key"] == "span.kind")
    kind: SpanKind = next(kinds, "unspecified")
    return kind


def dependencies(context: Context, window: TimeRange, service: str = "") -> list[JaegerDependency]:
    """How often services call each other, and receive each other's events; all, or one service's."""
    graph = context.counted_window(window).graph
    counts: Counter[tuple[str, str]] = Counter()
    for (source, target), stats in (*graph.edges.items(), *graph.links.items()):
        if not source.is_client and (not service or service in (source.name, target.name)):
            counts[source.name, target.name] += (
                stats.statistics.total + stats.statistics.in_progress
            )
    return [
        {"parent": parent, "child": child, "callCount": count}
        for (parent, child), count in sorted(counts.items())
    ]
