"""Alarms on the shape of the map: a new edge, a vanished one, a new caller of a node. Pure.

A window is compared with the one before it, so what is known needs no table of its own. Nodes are compared by
all the keys that they go by: a called node that starts to report itself is the same one (`store.rules.joins`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from api.xray.entity_selector import meant, parse_selector
from store.alarms import Alarm, AlarmKind, Edge, Verdict
from store.graph import EdgeStats, ServiceGraph
from store.model import TimeRange
from store.rules.alarm_state import AlarmState
from store.rules.other_names import OTHER_NAMES
from store.times import BUCKET, MINUTE

LEAST_LIFE = 5
"""Times its own window that an edge must have had calls for, to be missed."""
MOST_WORDS = 5
"""Edges that a reason names."""


def windows_of(alarm: Alarm, settled: int) -> tuple[TimeRange, TimeRange]:
    """The baseline and the recent window. The baseline ends on a minute, so that it is read once a minute."""
    end = settled // BUCKET * BUCKET
    start = end - alarm.periods * MINUTE
    known = start // MINUTE * MINUTE
    recent = TimeRange(start if alarm.kind is AlarmKind.VANISHED_EDGE else known, end)
    return TimeRange(known - alarm.baseline * MINUTE, known), recent


def judge_edges(
    alarm: Alarm, before: ServiceGraph, now: ServiceGraph, window: TimeRange
) -> Verdict:
    """The state that two graphs make; ``window``: of the second."""
    if alarm.kind is AlarmKind.VANISHED_EDGE:
        return _vanished(alarm, before, now, window)
    if not before.edges and not before.links:
        return Verdict(AlarmState.INSUFFICIENT_DATA, "nothing was seen before", window)
    known = set(_key_pairs(before, _all_edges(before)))
    found = [
        edge
        for edge in sorted(_edges(now, alarm))
        if not edge[0].is_client and known.isdisjoint(_key_pairs(now, [edge]))
    ]
    if not found:
        return Verdict(AlarmState.OK, "every edge was seen before", window)
    what = "new caller" if alarm.kind is AlarmKind.NEW_CALLER else "new edge"
    reason = f"{what}: {_named(found)}"
    return Verdict(AlarmState.ALARM, reason, window, edges=tuple(found))


def _vanished(alarm: Alarm, before: ServiceGraph, now: ServiceGraph, window: TimeRange) -> Verdict:
    """Edges with enough calls before, and none now. Where nothing at all is seen, nothing is known."""
    if not now.edges and not now.links:
        return Verdict(AlarmState.INSUFFICIENT_DATA, "no traffic at all is seen", window)
    there = set(_key_pairs(now, _all_edges(now)))
    found = [
        edge
        for edge in sorted(_edges(before, alarm))
        if _expected(alarm, _stats(before, edge)) >= alarm.minimum
        and there.isdisjoint(_key_pairs(before, [edge]))
    ]
    if not found:
        return Verdict(AlarmState.OK, "every edge has calls", window)
    reason = f"no call for {alarm.periods} min: {_named(found)}"
    return Verdict(AlarmState.ALARM, reason, window, edges=tuple(found))


def _expected(alarm: Alarm, stats: EdgeStats) -> float:
    """Calls that its own rate lets one expect in the window; 0.0 of an edge too young to have a rate."""
    life = (stats.end - stats.start) / MINUTE
    if life < LEAST_LIFE * alarm.periods:
        return 0.0
    return stats.statistics.total / life * alarm.periods


def _edges(graph: ServiceGraph, alarm: Alarm) -> set[Edge]:
    """Those that the alarm is about; of names in excess none."""
    if not alarm.selector:
        edges = _all_edges(graph)
    else:
        nodes, pairs = meant(graph, parse_selector(alarm.selector))
        if alarm.kind is AlarmKind.NEW_CALLER:
            pairs = {edge for edge in _all_edges(graph) if edge[1] in nodes}
        edges = pairs
    return {edge for edge in edges if all(node.name != OTHER_NAMES for node in edge)}


def _all_edges(graph: ServiceGraph) -> set[Edge]:
    return {*graph.edges, *graph.links}


def _stats(graph: ServiceGraph, edge: Edge) -> EdgeStats:
    return graph.edges.get(edge) or graph.links[edge]


def _key_pairs(graph: ServiceGraph, edges: Iterable[Edge]) -> Iterator[Edge]:
    services = graph.services
    for source, target in edges:
        yield from product(services[source].keys, services[target].keys)


def _named(edges: list[Edge]) -> str:
    names = [f"{source.name} → {target.name}" for source, target in edges[:MOST_WORDS]]
    more = len(edges) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
