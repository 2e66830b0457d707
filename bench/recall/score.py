"""How near a map comes to the truth: precision, recall, and the error of its counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bench.recall.truth import STATES, Counts, EdgeKey, Graph, Key
from store.graph import ServiceGraph, Statistics

SHOWN = 5
"""Differences that are described in words."""


@dataclass(slots=True)
class Score:
    """Of nodes, or of edges, over any number of maps. All sums are over the maps.

    ``wrong`` is Σ |found − true| over every state of every key, ``true`` Σ true; ``time_wrong`` is
    the same of response times, microseconds.
    """

    both: int = 0
    found: int = 0
    expected: int = 0
    wrong: int = 0
    true: int = 0
    time_wrong: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.both / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.both / self.expected if self.expected else 1.0

    @property
    def error(self) -> float:
        return self.wrong / self.true if self.true else float(self.wrong > 0)

    @property
    def perfect(self) -> bool:
        """Exactly 1, 1, 0, and not of nothing."""
        exact = self.both == self.found == self.expected and not self.wrong and not self.time_wrong
        return exact and self.expected > 0

    def add(self, found: Mapping[Key, Counts], expected: Mapping[Key, Counts]) -> None:
        """One map."""
        self.both += len(found.keys() & expected.keys())
        self.found += len(found)
        self.expected += len(expected)
        for key in found.keys() | expected.keys():
            self._compare(key, found.get(key), expected.get(key))

    def _compare(self, key: object, found: Counts | None, expected: Counts | None) -> None:
        ours, theirs = found or Counts(), expected or Counts()
        pairs = zip(ours.by_state, theirs.by_state, strict=True)
        wrong = sum(abs(left - right) for left, right in pairs)
        time_wrong = abs(ours.time - theirs.time)
        self.wrong += wrong
        self.time_wrong += time_wrong
        self.true += sum(theirs.by_state)
        if (wrong or time_wrong or found is None or expected is None) and (
            len(self.differences) < SHOWN
        ):
            values = [None if c is None else (*c.by_state, c.time) for c in (found, expected)]
            self.differences.append(f"{key}: found {values[0]}, true {values[1]}")

    def merge(self, other: Score) -> None:
        """Add what another has seen."""
        for name in ("both", "found", "expected", "wrong", "true", "time_wrong"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.differences = [*self.differences, *other.differences][:SHOWN]


@dataclass(slots=True)
class Scores:
    """Of nodes and of edges."""

    nodes: Score = field(default_factory=Score)
    edges: Score = field(default_factory=Score)

    def add(self, found: Graph, expected: Graph) -> None:
        self.nodes.add(found.nodes, expected.nodes)
        self.edges.add(found.edges, expected.edges)

    def merge(self, other: Scores) -> None:
        self.nodes.merge(other.nodes)
        self.edges.merge(other.edges)

    @property
    def perfect(self) -> bool:
        return self.nodes.perfect and self.edges.perfect


def read(graph: ServiceGraph) -> Graph:
    """A store's answer as counts. A link's times are ages, which the truth leaves out."""
    edges: dict[EdgeKey, Counts] = {}
    for pair, edge in graph.edges.items():
        edges[(*pair, False)] = _counts(edge.statistics)
    for pair, edge in graph.links.items():
        edges[(*pair, True)] = _counts(edge.statistics)
        edges[(*pair, True)].time = 0
    return Graph({key: _counts(node.statistics) for key, node in graph.services.items()}, edges)


def sum_of(graphs: Iterable[Graph]) -> Graph:
    """What the maps of adjoining windows say together."""
    whole = Graph({}, {})
    for graph in graphs:
        _add_all(whole.nodes, graph.nodes)
        _add_all(whole.edges, graph.edges)
    return whole


def in_any_account(graph: Graph) -> Graph:
    """The graph without accounts: which nodes without one are which others, the window decides."""
    whole = Graph({}, {})
    for node, counts in graph.nodes.items():
        _add_all(whole.nodes, {node._replace(account=""): counts})
    for (source, target, link), counts in graph.edges.items():
        ends = source._replace(account=""), target._replace(account=""), link
        _add_all(whole.edges, {ends: counts})
    return whole


def _add_all(into: dict[Key, Counts], counts: Mapping[Key, Counts]) -> None:
    for key, more in counts.items():
        mine = into.setdefault(key, Counts())
        mine.time += more.time
        mine.by_state = [mine.by_state[s] + more.by_state[s] for s in range(STATES)]


def _counts(statistics: Statistics) -> Counts:
    counts = Counts()
    counts.by_state = [
        statistics.in_progress,
        statistics.ok,
        statistics.error,
        statistics.throttle,
        statistics.fault,
    ]
    counts.time = statistics.total_time
    return counts
