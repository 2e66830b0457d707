"""What is to be counted by dimensions (`store.trace_stats`), and what a store that reads less than traces counted of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from store.filters.ast import And, Compare, Expression, Field, Selector, ServiceMatch
from store.filters.group_by import Key, StoredValues, reads
from store.model import NodeKey, State, TimeRange
from store.query import TraceHit


class StatsQuery(Struct, frozen=True):
    """What is counted: traces, or of traces the units; those of some ``nodes``, or of all but clients, that ended in one
    of some ``states``, if any are named.

    ``step``: microseconds of a step of a series, 0 for none.
    """

    window: TimeRange
    filter: Expression | None = None
    by: tuple[Key, ...] = ()
    of_units: bool = False
    nodes: tuple[NodeKey, ...] = ()
    states: frozenset[State] = frozenset()
    step: int = 0

    @property
    def reads(self) -> Expression:
        """An expression that reads of a trace what counting it takes."""
        terms: list[Expression] = [Compare(Field("responsetime"), ">", 0.0), *map(reads, self.by)]
        if self.of_units:
            terms.append(ServiceMatch(Selector(name="any"), Compare(Field("region"), "=", "")))
        return And(tuple(terms))


class AlikeUnit(NamedTuple):
    """What is counted of a trace: a unit, or its entry. ``values``: by dimension, as they are stored."""

    values: tuple[StoredValues, ...]
    state: State


class AlikeTraces(NamedTuple):
    """Traces of one step with the same units. ``times``: of each unit the response times (microseconds) in these traces;
    of one in progress they mean nothing."""

    step: int
    units: Sequence[AlikeUnit]
    traces: int
    times: Sequence[Sequence[int]]


class AlikePart(NamedTuple):
    """The newest part of a window. ``others``: traces that have to be read to be counted, or to know whether they satisfy
    the filter. ``cursor``: where the rest of the window begins; None if this was all."""

    alike: list[AlikeTraces]
    others: list[TraceHit]
    cursor: str | None
