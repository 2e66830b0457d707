"""How many of the traces that a filter selects, or of their units of work, there are by some dimensions, and how
they ended and how long they took. One function for every store: the newest traces are read and counted, up to a bound
that the result states.

A trace counts once in each group whose values it has, with the outcome and the response time of its entry. Of units
(`store.filters.units.ServiceUnit`, what ``service(){…}`` reads) each counts by itself, with its own. Everything counts
once, however it was sampled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import ceil, prod
from typing import Literal

from msgspec import Struct

from store.cursor import decode_cursor
from store.filters.ast import (
    And,
    Compare,
    Expression,
    Field,
    Selector,
    ServiceMatch,
)
from store.filters.evaluate import TraceSubject, satisfies, selects
from store.filters.group_by import (
    NO_CLIENT,
    NONE,
    STATE,
    Cell,
    Key,
    Values,
    all_terms,
    quoted,
    reads,
    trace_term,
    trace_values,
    unit_term,
    unit_values,
)
from store.filters.parse import FilterError, parse
from store.filters.units import ServiceUnit
from store.model import NodeKey, State, TimeRange, Trace
from store.protocol import TraceReader
from store.query import TraceQuery

MOST_TRACES = 20_000
"""Traces that are counted, the newest."""
MOST_SECONDS = 12.0
"""After which no further traces are read."""
MOST_GROUPS = 10_000
MOST_ENTRIES = 1_000_000
"""How often a trace or a unit may be in a group, all in all: what memory is needed for."""
PAGE = 500
CellKey = tuple[Cell, ...]
Bound = Literal["traces", "seconds", "groups"]
"""What ended the counting before all traces were counted."""


class StatsQuery(Struct, frozen=True):
    """What is counted: traces, or of traces the units; those of some ``nodes``, or of all but clients.

    ``step``: microseconds of a step of a series, 0 for none.
    """

    window: TimeRange
    filter: Expression | None = None
    by: tuple[Key, ...] = ()
    of_units: bool = False
    nodes: tuple[NodeKey, ...] = ()
    step: int = 0

    @property
    def reads(self) -> Expression:
        """An expression that reads of a trace what counting it takes."""
        terms: list[Expression] = [Compare(Field("responsetime"), ">", 0.0), *map(reads, self.by)]
        if self.of_units:
            terms.append(ServiceMatch(Selector(name="any"), Compare(Field("region"), "=", "")))
        return And(tuple(terms))


@dataclass(slots=True)
class Figures:
    """Outcomes by state, response times of what is finished (microseconds), and in how many traces."""

    states: list[int] = field(default_factory=lambda: [0] * len(State))
    times: list[int] = field(default_factory=list)
    traces: int = 0

    def add(self, state: State, took: int | None) -> None:
        """Count one."""
        self.states[state] += 1
        if took is not None:
            self.times.append(took)

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
        self.times.sort()
        return self.times[max(0, ceil(round(share * len(self.times), 6)) - 1)]


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

    def __post_init__(self) -> None:
        self._names = [set() for _ in self.query.by]
        self._matches = [parse(_block(node, ())) for node in self.query.nodes]
        self.counted_from = self.query.window.start

    def add(self, trace: Trace, at: int) -> bool:
        """Count a trace; False if there is no room."""
        subject = TraceSubject(trace)
        found = list(self._found(subject))
        self._entries += sum(prod(len(each.cells) for each in values) for values, *_ in found)
        if self._entries > MOST_ENTRIES:
            return False
        in_groups: set[CellKey] = set()
        for values, state, took in found:
            for names, each in zip(self._names, values, strict=True):
                names |= each.names
            self.total.add(state, took)
            for key in product(*(each.cells for each in values)):
                self._count(key, at, state, took, first=key not in in_groups)
                in_groups.add(key)
        self.total.traces += bool(found)
        self.examined += 1
        return len(self.groups) <= MOST_GROUPS

    def _found(self, subject: TraceSubject) -> Iterator[tuple[list[Values], State, int | None]]:
        """What of a trace is counted: values by dimension, outcome, and microseconds unless it is in progress."""
        by = self.query.by
        if not self.query.of_units:
            entry = subject.entry
            values = [trace_values(key, subject) for key in by]
            if entry is None or entry.in_progress:
                yield values, State.IN_PROGRESS, None
            else:
                yield values, entry.state, entry.end - entry.start
            return
        for unit in subject.services:
            if self._is_counted(unit):
                yield [unit_values(key, unit) for key in by], unit.state, unit.took

    def _is_counted(self, unit: ServiceUnit) -> bool:
        """Whether it is a unit of the nodes, as the expression of a group finds them; without nodes of all but clients."""
        if not self._matches:
            return not unit.node.is_client
        return any(_finds(each, unit) for each in self._matches)

    def _count(self, key: CellKey, at: int, state: State, took: int | None, *, first: bool) -> None:
        group = self.groups.setdefault(key, Group())
        group.add(state, took)
        group.traces += first
        if self.query.step:
            start = at // self.query.step * self.query.step
            point = group.steps.setdefault(start, Figures())
            point.add(state, took)
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


def trace_stats(
    store: TraceReader,
    query: StatsQuery,
    *,
    most: int = MOST_TRACES,
    seconds: float = MOST_SECONDS,
) -> Stats:
    """The groups of the newest ``most`` traces that the filter selects."""
    stats, cursor = Stats(query), None
    deadline = time.monotonic() + seconds
    search = TraceQuery(query.window, filter=query.filter)
    while not stats.bound:
        size = min(PAGE, most - stats.examined)
        page = store.find_traces(search, limit=size, cursor=cursor)
        traces = store.get_evaluable([hit.trace_id for hit in page.found], query.reads)
        for hit in page.found:
            trace = traces.get(hit.trace_id)  # it may have expired since it was found
            if trace is not None and not stats.add(trace, hit.time):
                stats.bound, stats.counted_from = "groups", hit.time
                break
        cursor = page.cursor
        if cursor is None or stats.bound:
            break
        place = decode_cursor(cursor)
        stats.counted_from = place[0] if place else query.window.start
        if stats.examined >= most:
            stats.bound = "traces"
        elif time.monotonic() > deadline:
            stats.bound = "seconds"
    if not stats.bound:
        stats.counted_from = query.window.start
    stats.finish()
    return stats


def group_filter(query: StatsQuery, text: str, key: CellKey) -> tuple[str | None, str]:
    """What selects the traces of a group in a list of the same window and scope: an expression, and the state of the
    entry ('': any). ``text``: the expression of the query. None if no expression can say it, as of a value that is
    longer than one may be."""
    status = ""
    if query.of_units:
        of_values = [unit_term(name, cell) for name, cell in zip(query.by, key, strict=True)]
        blocks = [_block(node, of_values) for node in query.nodes or (None,)]
        terms = [blocks[0] if len(blocks) == 1 else f"({' OR '.join(blocks)})"]
    else:
        terms = [trace_term(name, cell) for name, cell in zip(query.by, key, strict=True)]
        for name, cell, term in zip(query.by, key, terms, strict=True):
            status = str(cell.value) if name.name == STATE and not term and cell != NONE else status
    own = text.strip()
    given = [f"({own})" if own and any(terms) else own, *terms]
    found = all_terms(given)
    if found != own:
        try:
            parse(found)
        except FilterError:
            return None, status
    return found, status


def _block(node: NodeKey | None, terms: Sequence[str]) -> str:
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
