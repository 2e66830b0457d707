"""The traces of a list or a chart, a page at a time.

Without a filter expression, the traces of a node or edge are those with a unit there that started in
the window: the units that the map counts. With one, they are those of the window that satisfy it
and have a unit there, as on the filtered map.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import NamedTuple

from msgspec.structs import replace

from api.console.filtered import with_linked
from api.console.params import TraceFilter
from api.console.place import Place, Scope, find_place, units_counted
from api.context import Context
from api.graph.build import build_graph
from store.filters.ast import And, Expression
from store.filters.conditions import all_of, any_of, calls_along, entered_with, touches
from store.model import TimeRange, Trace
from store.query import TraceQuery, UnitQuery, UnitTrace
from store.unit_filter import matching_units, unit_trace

PAGE, LONG_PAGE = 1000, 5000


class FoundTrace(NamedTuple):
    """A trace, and its units at the node or edge of the search."""

    trace_id: bytes
    there: UnitTrace | None


class FoundPage(NamedTuple):
    """Traces, newest first, and the cursor of the next page; those that were read, without their links."""

    found: list[FoundTrace]
    cursor: str | None
    traces: Mapping[bytes, Trace] = {}


class TraceSearch:
    """A search for traces in a window, snapped as the map's is."""

    def __init__(self, context: Context, window: TimeRange, filters: TraceFilter) -> None:
        self._context = context
        self._store = context.store
        self._filters = filters
        self._has_place = bool(filters.node or filters.edge)
        self.window = window
        self.place = self._find_place() if self._has_place else None
        self._units = _narrowed(self.place, filters)

    def widened(self, filters: TraceFilter) -> TraceSearch:
        """A search of the same window with other conditions, at the same place or anywhere."""
        other = copy(self)
        other._filters = filters
        other._has_place = bool(filters.node or filters.edge)
        other.place = self.place if other._has_place else None
        other._units = _narrowed(other.place, filters)
        return other

    def within(self, part: TimeRange) -> TraceSearch:
        """The same search in a part of its window."""
        other = copy(self)
        other.window = part
        other._units = None if self._units is None else replace(self._units, window=part)
        return other

    @property
    def long_page(self) -> int:
        """How many traces to ask for when many are wanted: pages of all traces, or of those at a node, are a statement
        or two of any length; of others, each trace is examined."""
        if self._filters.expression is not None:
            return PAGE
        if self._has_place:
            units = self._units
            return LONG_PAGE if units is not None and units.nodes and units.by is None else PAGE
        return PAGE if self._filters.states else LONG_PAGE

    def page(self, limit: int, cursor: str | None) -> FoundPage:
        """The traces after a cursor; a page with a cursor may be short."""
        if not self._has_place:
            states = self._filters.states
            entry = entered_with(states) if states else None
            query = TraceQuery(self.window, filter=all_of(entry, self._filters.expression))
            page = self._store.find_traces(query, limit=limit, cursor=cursor)
            found = [FoundTrace(hit.trace_id, None) for hit in page.found]
            return FoundPage(found, page.cursor, page.traces)
        if self._units is None:
            return FoundPage([], None)
        if self._filters.expression is not None:
            return self._filtered_page(self._filters.expression, self._units, limit, cursor)
        units = self._store.find_units(self._units, limit=limit, cursor=cursor)
        there = [FoundTrace(each.trace_id, each) for each in units.found]
        return FoundPage(there, units.cursor, units.traces)

    @property
    def is_whole(self) -> bool:
        """Whether it finds every trace of the window."""
        filters = self._filters
        return not (self._has_place or filters.states or filters.expression)

    def count(self, cursor: str, max_seconds: float) -> int | None:
        """How many traces of the window are behind a cursor; None if counting takes longer."""
        return self._store.count_traces(
            TraceQuery(self.window), cursor=cursor, max_seconds=max_seconds
        )

    def units_counted(self) -> int | None:
        """How many units the map counts there; None without a node or edge, of a part of one, or when an
        expression decides which."""
        if not self._has_place or self._filters.expression is not None:
            return None
        if self._units is not None and self._units.by is not None:
            return None
        if self.place is None:
            return 0
        return units_counted(self.place, self._filters.states, self._filters.error)

    def _find_place(self) -> Place | None:
        counted = self._context.counted_window(self.window)
        self.window = counted.window
        scope = Scope(self.window, counted.settled_before, self._filters.by)
        return find_place(build_graph(counted.graph, self.window), self._filters, scope)

    def _filtered_page(
        self, expression: Expression, units: UnitQuery, limit: int, cursor: str | None
    ) -> FoundPage:
        query = TraceQuery(self.window, filter=And((expression, _touches(units))))
        page = self._store.find_traces(query, limit=limit, cursor=cursor)
        known = {} if page.linked else page.traces
        ids = [hit.trace_id for hit in page.found]
        read = self._store.get_traces([id for id in ids if id not in known])
        traces = {id: trace for id in ids if (trace := known.get(id) or read.get(id))}
        around = with_linked(self._store, traces)
        anywhen = replace(units, window=None, settled_before=None)
        found = (
            unit_trace(
                trace, (u._replace(weight=1) for u in matching_units(trace, anywhen, around.get))
            )
            for trace in traces.values()
        )
        return FoundPage(
            [FoundTrace(each.trace_id, each) for each in found if each is not None],
            page.cursor,
            traces,
        )


def _narrowed(place: Place | None, filters: TraceFilter) -> UnitQuery | None:
    """The units of a place that ended as the filter says."""
    if place is None:
        return None
    units = replace(place.units, states=filters.states)
    if filters.error is not None:
        label = filters.error.label
        units = replace(units, states=frozenset((filters.error.state,)), label=label)
    return units


def _touches(units: UnitQuery) -> Expression:
    """A condition that every trace with such units satisfies."""
    if units.nodes:
        return any_of(map(touches, sorted(units.nodes)))
    if units.link or any(source.is_client for source, _ in units.edges):
        return any_of(map(touches, sorted({target for _, target in units.edges})))
    return any_of(calls_along(*pair) for pair in sorted(units.edges))
