"""How far the figures of a node or an edge are to be trusted, as far as its graph knows: how many units they rest on, and
what they lack. `api.v1.trust` knows more, from traces and what SDKs report. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import product
from typing import NamedTuple

from api.graph.build import Graph, calls_of, stats_of
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics
from store.model import NodeKey, State
from store.query import Ends
from store.rules.classify import UNKNOWN_OUTCOME
from store.rules.invocations import SERVICE


class Trust(StrEnum):
    """What figures are; of several doubts the last one here names it."""

    EXACT = "exact"
    """Every unit was received, and has ended."""
    SKEWED = "skewed"
    """A clock is off: counts and response times are right, times of day and ages of messages are not."""
    SCALED = "scaled"
    """Units stand for others, which were not sampled."""
    SAMPLED = "sampled"
    """What was not sampled is not counted."""
    PARTIAL = "partial"
    """Something is known to lack."""


_ORDER = list(Trust)


class Doubt(NamedTuple):
    """A reason why figures are not exact: ``units`` of ``of``, in words.

    ``state`` and ``error``: with which a list of the node or edge finds the traces of these units.
    ``skew``: by how much a clock is ahead, microseconds. ``trace``: one that shows it.
    """

    trust: Trust
    text: str
    units: int
    of: int
    state: State | None = None
    error: str = ""
    skew: int = 0
    trace: bytes = b""


class Older:
    """The units that began so long ago that they should have ended, and their parents have come (`api.counted`)."""

    def __init__(self, graph: ServiceGraph) -> None:
        self._graph = graph

    def running(self, stats: ServiceStats) -> int:
        """How many of the units that a node shows have not ended."""
        found = (self._graph.services.get(key) for key in _keys(stats))
        works = (
            (each.background if stats.is_background else each.requests) for each in found if each
        )
        return sum(each.statistics.in_progress for each in works)

    def edges(self, source: ServiceStats, target: ServiceStats, *, link: bool) -> list[EdgeStats]:
        """Those of an edge."""
        edges = self._graph.links if link else self._graph.edges
        return [edges[pair] for pair in product(_keys(source), _keys(target)) if pair in edges]


def _keys(stats: ServiceStats) -> frozenset[NodeKey]:
    return stats.joined | {stats.key}


def gravest(doubts: Iterable[Doubt]) -> Trust:
    """What figures with these doubts are."""
    return max((each.trust for each in doubts), key=_ORDER.index, default=Trust.EXACT)


def doubts_of_node(graph: Graph, node: NodeKey, older: Older) -> list[Doubt]:
    """Of a node; a client has no figures, and so no doubts."""
    if node.is_client:
        return []
    stats = stats_of(graph, node)
    unit = "unit" if stats.is_background else "request"
    found = _in_progress(stats.statistics, unit, older.running(stats))
    if stats.unknown:
        words = f"nothing says how {_part(stats.unknown, stats.statistics.total, unit)} ended"
        row = UNKNOWN_OUTCOME if stats.active else ""
        doubt = Doubt(Trust.PARTIAL, words, stats.unknown, stats.statistics.total, State.OK, row)
        found.append(doubt)
    if node.type != SERVICE:
        callers = list(graph.predecessors(node))
        awaiting = sum(calls_of(graph, caller, node).awaiting for caller in callers)
        overdue = sum(_overdue(graph, (caller, node), older) for caller in callers)
        found += _awaiting(awaiting, stats.statistics, overdue)
    if stats.folded:
        words = f"it stands for {stats.folded:,} nodes: names in excess are counted together"
        found.append(Doubt(Trust.PARTIAL, words, stats.folded, stats.folded))
    return [*found, *_scaled(stats.statistics, unit)]


def doubts_of_edge(graph: Graph, ends: Ends, older: Older) -> list[Doubt]:
    """Of the calls, or messages, along an edge."""
    edge = calls_of(graph, *ends)
    unit = "message" if edge.link else "call"
    running = sum(each.statistics.in_progress for each in _older_edges(graph, ends, older))
    found = _in_progress(edge.statistics, unit, running)
    if edge.target.type != SERVICE:
        found += _awaiting(edge.awaiting, edge.statistics, _overdue(graph, ends, older))
    return [*found, *_scaled(edge.statistics, unit)]


def _older_edges(graph: Graph, ends: Ends, older: Older) -> list[EdgeStats]:
    source, target = (stats_of(graph, each) for each in ends)
    return older.edges(source, target, link=calls_of(graph, *ends).link)


def _overdue(graph: Graph, ends: Ends, older: Older) -> int:
    return sum(each.awaiting for each in _older_edges(graph, ends, older))


def _in_progress(figures: Statistics, unit: str, overdue: int) -> list[Doubt]:
    """Also counts of those whose end was lost, which nothing tells apart."""
    units, of = figures.in_progress, _counted(figures)
    if not units:
        return []
    words = f"{_part(units, of, unit)} {'has' if units == 1 else 'have'} not ended"
    return [Doubt(_late(overdue), words + _since(units, overdue), units, of, State.IN_PROGRESS)]


def _awaiting(units: int, figures: Statistics, overdue: int) -> list[Doubt]:
    if not units:
        return []
    words = f"{_part(units, _counted(figures), 'request')} {'names' if units == 1 else 'name'} a parent that has not come"
    return [Doubt(_late(overdue), words + _since(units, overdue), units, _counted(figures))]


def _late(overdue: int) -> Trust:
    """What runs at any moment is no doubt: a map of the present would never be exact."""
    return Trust.PARTIAL if overdue else Trust.EXACT


def _since(units: int, overdue: int) -> str:
    if overdue >= units:
        return ""
    return f", {overdue:,} of them for 2 minutes" if overdue else " yet, and began within 2 minutes"


def _scaled(figures: Statistics, unit: str) -> list[Doubt]:
    received, of = figures.observed, _counted(figures)
    if received >= of:
        return []
    words = f"{counted(received, unit)} received {'stands' if received == 1 else 'stand'} for {of:,}, by how they were sampled"
    return [Doubt(Trust.SCALED, words, received, of)]


def _counted(figures: Statistics) -> int:
    return figures.total + figures.in_progress


def _part(number: int, of: int, unit: str) -> str:
    return f"{number:,} of {counted(of, unit)}"


def counted(number: int, unit: str) -> str:
    """A number of units in words."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
