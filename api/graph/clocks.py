"""Whose clocks are off, by calls and their answers: no answer begins before its call, and none after its end.

Services that agree are taken to share a clock, and the one that most of them share to be right. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_low
from typing import NamedTuple

import networkx as nx

from store.missing_edges.evidence import CallSeen, answered_calls
from store.model import NodeKey, Trace
from store.query import Ends

LEAST = 2
LEAST_SHARE = 0.1
"""Of the answered calls of a pair that show it: a time-out, or one answer of a proxy, is no clock."""


class Skew(NamedTuple):
    """Two clocks that differ: by how much that of the callee is ahead, at least (microseconds, a median), which ``units``
    of ``of`` answered calls show, one of them in ``trace``."""

    ahead: int
    units: int
    of: int
    trace: bytes


class Clocks(NamedTuple):
    """The edges whose ends disagree, and of services that are known to be off by how much they are ahead."""

    edges: dict[Ends, Skew]
    nodes: dict[NodeKey, int]


def clocks_of(trace: Trace) -> list[CallSeen]:
    """Of each service whose clock is not its caller's, as a trace shows it, the call that shows most; the furthest first."""
    found = sorted(answered_calls(trace), key=lambda each: -each.skew)
    worst: dict[NodeKey | None, CallSeen] = {}
    for each in found:
        if each.skew and each.callee != each.caller:
            worst.setdefault(each.callee, each)
    return list(worst.values())


def read_clocks(calls: Iterable[CallSeen]) -> Clocks:
    """What the calls of some traces say of clocks."""
    answered: dict[Ends, list[CallSeen]] = {}
    for each in calls:
        if each.answer is not None and each.callee is not None and each.callee != each.caller:
            answered.setdefault((each.caller, each.callee), []).append(each)
    skews = {ends: found for ends, own in answered.items() if (found := _skew(own))}
    return Clocks(skews, _offsets(answered, skews))


def _skew(calls: list[CallSeen]) -> Skew | None:
    found = [(each.ahead, each) for each in calls if each.skew]
    if len(found) < max(LEAST, LEAST_SHARE * len(calls)):
        return None
    middle = median_low(ahead for ahead, _ in found)
    trace = next(each.trace_id for ahead, each in found if ahead == middle)
    return Skew(middle, len(found), len(calls), trace)


def _offsets(answered: Iterable[Ends], skews: dict[Ends, Skew]) -> dict[NodeKey, int]:
    """By how much each service is ahead of those that most agree with; empty where no clock is that of most."""
    agreeing: nx.Graph = nx.Graph()
    differing: nx.Graph = nx.Graph()
    for ends in answered:
        agreeing.add_nodes_from(ends)
        if ends not in skews:
            agreeing.add_edge(*ends)
    together = sorted(nx.connected_components(agreeing), key=len, reverse=True)
    if not skews or len(together[0]) == len(together[1]):
        return {}
    clock = {node: number for number, group in enumerate(together) for node in group}
    for (caller, callee), skew in skews.items():
        differing.add_edge(clock[caller], clock[callee], ahead={clock[callee]: skew.ahead})
    if 0 not in differing:
        return {}
    offsets = {0: 0}
    for known, found in nx.bfs_edges(differing, 0):
        ahead = differing[known][found]["ahead"]
        offsets[found] = offsets[known] + ahead.get(found, -ahead.get(known, 0))
    return {node: offsets[number] for node, number in clock.items() if offsets.get(number)}
