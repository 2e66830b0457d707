"""Services, their operations, and calls between them, by name."""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple

from api.context import Context
from api.counted import counted_graph
from api.jaeger.spans import CHUNK, span_names
from api.schemas.jaeger import JaegerDependency, SpanKind
from store.model import NodeKey, TimeRange
from store.query import Backlog
from store.rules.invocations import FUNCTION, SERVICE
from store.rules.namespaces import short_name
from store.times import DAY, HOUR, MINUTE

RECENT = 7 * DAY
"""Services of the last week are listed."""
MOST_NAMES = 10_000
MOST_READ = 200
"""Traces whose spans are read for the operations of a service."""
SECONDS = 1.0
"""After which a list of names ends with what is there."""


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
    """The names of services that sent segments, without namespaces as in Jaeger. Further names of a node are those by which callers know it."""
    return context.store.service_names(window, limit=MOST_NAMES, max_seconds=SECONDS)


def operations(context: Context, service: str, window: TimeRange) -> Operations:
    """What the spans of a service are called in its newest traces."""
    ids = context.store.service_traces(service, window, limit=MOST_READ)
    until = time.monotonic() + SECONDS
    counts: Counter[tuple[str, SpanKind]] = Counter()
    read = 0
    while read < len(ids) and (not read or time.monotonic() < until):
        some = ids[read : read + CHUNK]
        for trace in context.store.get_traces(some, raw=True, links=False).values():
            counts.update(span_names(trace, service))
        read += len(some)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    found = [Operation(*name, spans) for name, spans in ordered]
    return Operations(found, read, read == len(ids) < MOST_READ)


def dependencies(
    context: Context, window: TimeRange, service: str = ""
) -> tuple[list[JaegerDependency], Backlog | None]:
    """How often services call each other, and receive each other's events; all, or one service's. And what is not
    counted yet. Services without namespaces, as in Jaeger."""
    _, graph, backlog = counted_graph(context, window, None)
    counts: Counter[tuple[str, str]] = Counter()
    names = {key: short_name(key, stats.names) or key.name for key, stats in graph.services.items()}
    for (source, target), stats in (*graph.edges.items(), *graph.links.items()):
        if source.is_client or _is_one_function(source, target):
            continue
        ends = names[source], names[target]
        if not service or service in ends:
            counts[ends] += stats.statistics.total + stats.statistics.in_progress
    found: list[JaegerDependency] = [
        {"parent": parent, "child": child, "callCount": count}
        for (parent, child), count in sorted(counts.items())
    ]
    return found, backlog


def _is_one_function(source: NodeKey, target: NodeKey) -> bool:
    """Whether the edge joins the two nodes of a Lambda function, which have one name here: that it was invoked.
    One that invokes itself has an edge in the other direction."""
    types = source.type, target.type
    return types == (SERVICE, FUNCTION) and source[:2] == target[:2]
