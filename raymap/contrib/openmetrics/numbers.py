"""The edges of a graph as numbers per pair of labels, which can be added and compared."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from api.console.node_kinds import kind_of
from store.graph import EdgeStats, ServiceGraph, Statistics
from store.model import NodeKey
from store.times import SECOND

USER = "user"
"""The client label of requests that enter, as in Tempo and OpenTelemetry's service graph connector."""
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of histograms, seconds; times are rounded to 2.5 % (`store.rules.histogram`)."""
STATES = ("ok", "error", "throttle", "fault")
_LIMITS = tuple(round(bound * SECOND) for bound in BOUNDS)


class Pair(NamedTuple):
    """The labels of an edge: one name may be a node of several accounts, regions and types."""

    client: str
    server: str
    connection_type: str
    client_account: str = ""
    client_region: str = ""
    client_type: str = ""
    server_account: str = ""
    server_region: str = ""
    server_type: str = ""


class Numbers(NamedTuple):
    """Finished units of an edge. ``times``: of those in each histogram bucket, not cumulated; ``spent``
    in microseconds, of the same units."""

    requests: int
    failed: int
    states: tuple[int, ...]
    spent: int
    times: tuple[int, ...]


ZERO = Numbers(0, 0, (0,) * len(STATES), 0, (0,) * (len(BOUNDS) + 1))


class Edges(NamedTuple):
    """Numbers by pair: of calls as their caller measured them, of requests that enter as the server
    did, of received events, whose times are ages."""

    calls: dict[Pair, Numbers]
    entries: dict[Pair, Numbers]
    events: dict[Pair, Numbers]


def edges_of(graph: ServiceGraph) -> Edges:
    """The edges of a graph."""
    found = Edges({}, {}, {})
    for (source, target), stats in graph.edges.items():
        into = found.entries if source.is_client else found.calls
        _add(into, pair_of(graph, source, target, stats), stats.statistics)
    for (source, target), stats in graph.links.items():
        _add(found.events, pair_of(graph, source, target, stats), stats.statistics)
    return found


def _add(into: dict[Pair, Numbers], pair: Pair, statistics: Statistics) -> None:
    into[pair] = plus(into.get(pair, ZERO), numbers_of(statistics))


def numbers_of(statistics: Statistics) -> Numbers:
    """The finished units of an edge."""
    times = [0] * (len(BOUNDS) + 1)
    for time, count in statistics.histogram.items():
        times[bisect_left(_LIMITS, time)] += count
    states = tuple(int(getattr(statistics, state)) for state in STATES)
    total = statistics.total
    return Numbers(total, total - statistics.ok, states, statistics.total_time, tuple(times))


def pair_of(graph: ServiceGraph, source: NodeKey, target: NodeKey, stats: EdgeStats) -> Pair:
    """The labels of an edge of a graph."""
    connection = _connection(graph, source, target, link=stats.link)
    if source.is_client:  # a person, whatever was called
        return Pair(USER, target.name, connection, "", "", "", *_identity(target))
    return Pair(source.name, target.name, connection, *_identity(source), *_identity(target))


def _identity(node: NodeKey) -> tuple[str, str, str]:
    return node.account, node.region, node.type


def _connection(graph: ServiceGraph, source: NodeKey, target: NodeKey, *, link: bool) -> str:
    """The label as Tempo has it; `virtual_node`: one end sends no segments of its own."""
    kind = kind_of(target.type)
    if kind in ("database", "table"):
        return "database"
    if link or kind in ("queue", "topic", "stream"):
        return "messaging_system"
    return "virtual_node" if source.is_client or not graph.services[target].active else ""


def plus(a: Numbers, b: Numbers) -> Numbers:
    """The sum."""
    return Numbers(
        a.requests + b.requests,
        a.failed + b.failed,
        _sum(a.states, b.states),
        a.spent + b.spent,
        _sum(a.times, b.times),
    )


def greatest(a: Numbers, b: Numbers) -> Numbers:
    """The greater of each figure."""
    return Numbers(
        max(a.requests, b.requests),
        max(a.failed, b.failed),
        tuple(map(max, a.states, b.states)),
        max(a.spent, b.spent),
        tuple(map(max, a.times, b.times)),
    )


def less(a: Numbers, b: Numbers) -> Numbers:
    """What is to be added to ``b`` for ``a``, none of whose figures is smaller."""
    return Numbers(
        a.requests - b.requests,
        a.failed - b.failed,
        tuple(x - y for x, y in zip(a.states, b.states, strict=True)),
        a.spent - b.spent,
        tuple(x - y for x, y in zip(a.times, b.times, strict=True)),
    )


def _sum(a: Iterable[int], b: Iterable[int]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip(a, b, strict=True))
