"""Services, their operations, and calls between them, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from api.context import Context
from api.counted import counted_graph
from api.schemas.v1 import SpanKind
from store.model import Kind, NodeKey, TimeRange
from store.query import Backlog
from store.rules.invocations import FUNCTION, SERVICE
from store.rules.namespaces import short_name
from store.times import DAY, HOUR, MINUTE

RECENT = 7 * DAY
"""Services of the last week are listed."""
MOST_NAMES = 10_000
KINDS: Mapping[Kind, SpanKind] = {
    Kind.NONE: "server",
    Kind.INTERNAL: "internal",
    Kind.SERVER: "server",
    Kind.CLIENT: "client",
    Kind.PRODUCER: "producer",
    Kind.CONSUMER: "consumer",
}
"""Kinds of spans in Jaeger's words; X-Ray's segments, which have none, are shown as server spans."""


class Operation(NamedTuple):
    """What a service did, by spans of which kind, and when one was last stored (microseconds, to the hour)."""

    name: str
    kind: SpanKind
    seen: int


def recent(now: int) -> TimeRange:
    """The last week in whole hours and minutes, which rollups answer."""
    return TimeRange(max(0, now - RECENT) // HOUR * HOUR, (now // MINUTE + 1) * MINUTE)


def service_names(context: Context, since: int) -> list[str]:
    """The names of services that stored something since some time, without namespaces as in Jaeger. Further names of a node
    are those by which callers know it."""
    return context.store.services(since, limit=MOST_NAMES)


def operations(context: Context, service: str, since: int) -> list[Operation]:
    """What a service did, by name."""
    found = context.store.operations(service, since, limit=MOST_NAMES)
    seen: dict[tuple[str, SpanKind], int] = {}
    for each in found:
        key = each.name, KINDS[each.kind]
        seen[key] = max(seen.get(key, 0), each.seen)
    return [Operation(*key, at) for key, at in seen.items()]


class Calls(NamedTuple):
    """How often a service called another, and how many of these calls were faults."""

    parent: str
    child: str
    calls: int
    faults: int


def calls_between(
    context: Context, window: TimeRange, service: str = ""
) -> tuple[list[Calls], Backlog | None]:
    """How often services call each other, and receive each other's events; all, or one service's. And what is not
    counted yet. Services without namespaces, as in Jaeger."""
    _, graph, backlog = counted_graph(context, window, None)
    counts: Counter[tuple[str, str]] = Counter()
    faults: Counter[tuple[str, str]] = Counter()
    names = {key: short_name(key, stats.names) or key.name for key, stats in graph.services.items()}
    for (source, target), stats in (*graph.edges.items(), *graph.links.items()):
        if source.is_client or _is_one_function(source, target):
            continue
        ends = names[source], names[target]
        if not service or service in ends:
            counts[ends] += stats.statistics.total + stats.statistics.in_progress
            faults[ends] += stats.statistics.fault
    return [Calls(*ends, count, faults[ends]) for ends, count in sorted(counts.items())], backlog


def _is_one_function(source: NodeKey, target: NodeKey) -> bool:
    """Whether the edge joins the two nodes of a Lambda function, which have one name here: that it was invoked.
    One that invokes itself has an edge in the other direction."""
    types = source.type, target.type
    return types == (SERVICE, FUNCTION) and source[:2] == target[:2]
