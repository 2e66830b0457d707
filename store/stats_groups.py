"""Groups of traces or units by their values, and how they ended and how long they took (`store.trace_stats`)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import ceil, prod
from typing import Literal

import numpy as np

from store.filters.ast import Expression, ServiceMatch
from store.filters.evaluate import TraceSubject, satisfies, selects
from store.filters.group_by import (
    NO_CLIENT,
    Cell,
    Values,
    all_terms,
    quoted,
    stored_values,
    trace_values,
    unit_values,
)
from store.filters.parse import parse
from store.filters.units import ServiceUnit
from store.model import NodeKey, State, Trace
from store.stats_query import AlikeTraces, AlikeUnit, StatsQuery

MOST_GROUPS = 10_000
MOST_ENTRIES = 2_000_000
"""How often a trace or a unit may be in a group, all in all: what memory is needed for."""
CellKey = tuple[Cell, ...]
Times = Sequence[int]
Found = tuple[Sequence[Values], State, Times]
"""What is counted of a trace, once or of several that are alike: values by dimension, outcome, and microseconds."""
Bound = Literal["traces", "seconds", "groups"]
"""What ended the counting before all traces were counted."""


@dataclass(slots=True)
class Figures:
    """Outcomes by state, response times of what is finished (microseconds), and in how many traces."""

    states: list[int] = field(default_factory=lambda: [0] * len(State))
    times: array[int] = field(default_factory=partial(array, "q"))
    traces: int = 0

    def add(self, state: State, number: int, times: Times) -> None:
        """Count some that ended alike, in progress without times."""
        self.states[state] += number
        self.times.extend(times)

    @property
    def count(self) -> int:
        """All."""
        return sum(self.states)

    def share(self, state: State) -> float | None:
        """Of what is finished; None if nothing is."""
        finished = self.count - self.states[State.IN_PROGRESS]
        return self.states[state] / finished if finished else None

    def quantile(self, share: float) -> int | None:
        """The least response time that so large a share does not exceed."""
        if not self.times:
            return None
        place = max(0, ceil(round(share * len(self.times), 6)) - 1)
        times = np.frombuffer(self.times, np.int64)
        times.partition(place)  # in place: the next one has less to do
        return int(times[place])

    @property
    def mean(self) -> float | None:
        """The average response time."""
        if not self.times:
            return None
        return int(np.frombuffer(self.times, np.int64).sum()) / len(self.times)


@dataclass(slots=True)
class Group(Figures):
    """The figures of a group, whole and by the start of the step."""

    steps: dict[int, Figures] = field(default_factory=dict)


@dataclass
class Stats:
    """Groups by their values. ``examined``: traces that were counted, the newest that the filter selects;
    ``counted_from``: the time (microseconds) since which they all are; ``bound``: what ended it before the window did."""

    query: StatsQuery
    groups: dict[CellKey, Group] = field(default_factory=dict)
    total: Figures = field(default_factory=Figures)
    examined: int = 0
    counted_from: int = 0
    bound: Bound | None = None
    _names: list[set[Cell]] = field(default_factory=list)
    _matches: list[Expression] = field(default_factory=list)
    """What finds the units of the nodes."""
    _entries: int = 0
    _known: dict[AlikeUnit, Sequence[Values]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = [set() for _ in self.query.by]
        self._matches = [parse(block_of(node, ())) for node in self.query.nodes]
        self.counted_from = self.query.window.start

    def add(self, trace: Trace, at: int) -> bool:
        """Count a trace; False if there is no room."""
        subject = TraceSubject(trace)
        step = self.query.step
        start = at // step * step if step else 0
        return self._add(start, list(self._found(subject)), 1)

    def add_alike(self, alike: AlikeTraces) -> None:
        """Count traces that are alike, for which there is room."""
        self._add(alike.step, self._found_alike(alike), alike.traces)

    def has_room(self, traces: Sequence[AlikeTraces]) -> bool:
        """Whether all of these can be counted."""
        entries, groups = self._entries, set(self.groups)
        for alike in traces:
            for values, *_ in self._found_alike(alike):
                cells = [each.cells for each in values]
                entries += alike.traces * prod(map(len, cells))
                groups.update(product(*cells))
            if entries > MOST_ENTRIES or len(groups) > MOST_GROUPS:
                return False
        return True

    def _found_alike(self, alike: AlikeTraces) -> list[Found]:
        found: list[Found] = []
        for unit, times in zip(alike.units, alike.times, strict=True):
            if self._is_wanted(unit.state):
                found.append((self._values_of(unit), unit.state, times if unit.state else ()))
        return found

    def _values_of(self, unit: AlikeUnit) -> Sequence[Values]:
        """The values of a unit, as many are the same."""
        known = self._known.get(unit)
        if known is None:
            stored = zip(self.query.by, unit.values, strict=True)
            known = [stored_values(key, unit.state, each) for key, each in stored]
            if len(self._known) < MOST_GROUPS:
                self._known[unit] = known
        return known

    def _add(self, start: int, found: Sequence[Found], traces: int) -> bool:
        """Count as many traces of a step in which the same was found; False if there is no room."""
        self._entries += traces * sum(prod(len(each.cells) for each in v) for v, *_ in found)
        if self._entries > MOST_ENTRIES:
            return False
        in_groups: set[CellKey] = set()
        for values, state, times in found:
            for names, each in zip(self._names, values, strict=True):
                names |= each.names
            self.total.add(state, traces, times)
            for key in product(*(each.cells for each in values)):
                first = 0 if key in in_groups else traces
                self._count(key, start, state, traces, times, first)
                in_groups.add(key)
        self.total.traces += traces if found else 0
        self.examined += traces
        return len(self.groups) <= MOST_GROUPS

    def _found(self, subject: TraceSubject) -> Iterator[Found]:
        """What of a trace is counted."""
        by = self.query.by
        if not self.query.of_units:
            entry = subject.entry
            values = [trace_values(key, subject) for key in by]
            if entry is None or entry.in_progress:
                yield values, State.IN_PROGRESS, ()
            else:
                yield values, entry.state, (entry.end - entry.start,)
            return
        for unit in subject.services:
            if self._is_wanted(unit.state) and self._is_counted(unit):
                times = () if unit.took is None else (unit.took,)
                yield [unit_values(key, unit) for key in by], unit.state, times

    def _is_wanted(self, state: State) -> bool:
        return not self.query.states or state in self.query.states

    def _is_counted(self, unit: ServiceUnit) -> bool:
        """Whether it is a unit of the nodes, as the expression of a group finds them; without nodes of all but clients."""
        if not self._matches:
            return not unit.node.is_client
        return any(_finds(each, unit) for each in self._matches)

    def _count(
        self, key: CellKey, start: int, state: State, number: int, times: Times, first: int
    ) -> None:
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group()
        group.add(state, number, times)
        group.traces += first
        if self.query.step:
            point = group.steps.setdefault(start, Figures())
            point.add(state, number, times)
            point.traces += first

    def finish(self) -> None:
        """Leave out the groups of names that are no node's own."""
        self.groups = {
            key: group
            for key, group in self.groups.items()
            if all(cell in names for cell, names in zip(key, self._names, strict=True))
        }


def _finds(match: Expression, unit: ServiceUnit) -> bool:
    assert isinstance(match, ServiceMatch)
    if not selects(match.selector, unit.node, unit.names):
        return False
    return match.condition is None or satisfies(match.condition, unit)


def block_of(node: NodeKey | None, terms: Sequence[str]) -> str:
    """What finds units of a node that meet some terms."""
    if node is None:
        return f"service() {{ {all_terms([NO_CLIENT, *terms])} }}"
    parts = [f"name: {quoted(node.name)}"]
    parts += [f"type: {quoted(node.type)}"] if node.type else []
    parts += [f"account.id: {quoted(node.account)}"] if node.account else []
    own = [
        "" if node.type else "NOT type EXISTS",
        "" if node.account else "NOT account.id EXISTS",
        f"region = {quoted(node.region)}" if node.region else "NOT region EXISTS",
    ]
    return f"service(id({', '.join(parts)})) {{ {all_terms([*own, *terms])} }}"
