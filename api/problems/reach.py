"""Whom a problem reaches, how it has gone, and what changed before it, from the counts of its map."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from api.problems.answered import with_host
from api.problems.record import BEFORE, MOST_POINTS, Changed, Points, Requests
from api.problems.symptom import Measure, Symptom
from api.problems.tracker import Problem
from store.deployments import Deployment
from store.graph import Statistics, add_statistics
from store.minutes import Series, SeriesKind
from store.model import NodeKey, TimeRange
from store.protocol import Store
from store.query import Entities
from store.rules.histogram import percentiles
from store.times import MINUTE

CHANGED_BEFORE, CHANGED_AFTER = 30, 2
"""Minutes about the beginning in which a change may be its reason."""
MOST_CHANGES = 5
MOST_TOP = 5
MOST_DEPLOYMENTS = 200
PERCENTILES = {Measure.P50: 0.5, Measure.P90: 0.9, Measure.P99: 0.99}


def entering(problem: Problem, edges: Iterable[Series]) -> dict[NodeKey, set[NodeKey]]:
    """The clients of each node that a problem reaches, its origin among them."""
    reached = {problem.origin, *problem.affected}
    found: dict[NodeKey, set[NodeKey]] = {}
    for each in edges:
        if each.source.is_client and each.node in reached:
            found.setdefault(each.node, set()).add(each.source)
    return found


def client_requests(
    store: Store, clients: dict[NodeKey, set[NodeKey]], window: TimeRange
) -> Requests:
    """What clients have sent to the nodes that they call."""
    edges = frozenset((client, node) for node, of in clients.items() for client in of)
    if not edges or window.end <= window.start:
        return Requests()
    steps = store.entity_series(Entities(edges=edges), window, window.end - window.start)
    return _requests(each.statistics for each in steps)


def node_requests(store: Store, node: NodeKey, window: TimeRange) -> Requests:
    """The requests of a node."""
    if window.end <= window.start:
        return Requests()
    steps = store.entity_series(Entities(nodes=with_host(node)), window, window.end - window.start)
    return _requests(each.statistics for each in steps)


def _requests(every: Iterable[Statistics]) -> Requests:
    whole = Statistics(histogram={})
    for each in every:
        add_statistics(whole, each)
    return Requests(whole.ok, whole.fault, whole.total)


def points(store: Store, problem: Problem, end: int) -> Points:
    """The main measure from ten minutes before the beginning to ``end`` (a minute, exclusive)."""
    first = problem.since - BEFORE
    step = -(-(end - first) // MOST_POINTS)
    window = TimeRange(first * MINUTE, end * MINUTE)
    start = first // step * step
    entities = _entities(problem.main.series)
    found = {
        each.start // MINUTE: each.statistics
        for each in store.entity_series(entities, window, step * MINUTE)
    }
    values = tuple(_value(problem.main, found.get(at), step) for at in range(start, end, step))
    return Points(start * MINUTE, step, values)


def _entities(series: Series) -> Entities:
    nodes = with_host(series.node)
    edge = frozenset((series.source, node) for node in nodes)
    if series.kind is SeriesKind.CALLS:
        return Entities(edges=edge)
    if series.kind is SeriesKind.LINKS:
        return Entities(links=edge)
    return Entities(nodes=nodes) if series.kind is SeriesKind.NODE else Entities(background=nodes)


def _value(main: Symptom, statistics: Statistics | None, step: int) -> float | None:
    measure = main.measure
    if measure.is_calls:
        return statistics.total / step if statistics else 0.0
    if statistics is None or not statistics.total:
        return None
    if measure.is_slow:
        (time,) = percentiles(statistics.histogram, [PERCENTILES[measure]])
        return time
    bad = {
        Measure.FAULT: statistics.fault,
        Measure.ERROR: statistics.error,
        Measure.THROTTLE: statistics.throttle,
    }[measure]
    return round(bad / statistics.total, 6)


def changes(store: Store, problem: Problem, new: Collection[tuple[Series, int]]) -> list[Changed]:
    """What changed just before: deployments of what it reaches and of any service, and calls that are ``new`` (in which
    minute) at its origin; the nearest first."""
    first, last = problem.since - CHANGED_BEFORE, problem.since + CHANGED_AFTER
    reached = {"", problem.origin.name, *(each.name for each in problem.affected)}
    window = TimeRange(first * MINUTE, last * MINUTE)
    found = [
        Changed("deployment", each.at, each.service, _deployed(each))
        for each in store.deployments(window, limit=MOST_DEPLOYMENTS)
        if each.service in reached
    ]
    found += [
        Changed(
            "edge", at * MINUTE, series.node.name, f"{series.source.name} calls {series.node.name}"
        )
        for series, at in new
        if first <= at <= last and problem.origin in (series.source, series.node)
    ]
    origin, since = problem.origin.name, problem.since * MINUTE
    found.sort(key=lambda each: (each.node != origin, abs(each.at - since), each.what))
    return found[:MOST_CHANGES]


def _deployed(each: Deployment) -> str:
    words = (each.service or each.note, each.version, each.state)
    return f"deployment of {' '.join(filter(None, words))}".strip()


def top_of(problem: Problem) -> tuple[NodeKey, ...]:
    """The origin, then the nodes with the most requests affected."""
    worst: dict[NodeKey, float] = {}
    for each in problem.symptoms:
        node = each.series.node
        worst[node] = max(worst.get(node, 0.0), each.excess * each.requests)
    worst.pop(problem.origin, None)
    ranked = sorted(worst, key=lambda node: (-worst[node], node))
    return (problem.origin, *ranked[: MOST_TOP - 1])
