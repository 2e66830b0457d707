"""The map of the traces that satisfy a filter expression, counted from the traces themselves.

Every unit of these traces counts once, whenever it started: the map shows exactly the traces of the
filtered list, which are selected by the time in their ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from api.schemas.common import Filtered
from store.facts import links_among
from store.filters.ast import Expression
from store.graph import ServiceGraph
from store.grouped_graph import graph_of_grouped
from store.grouped_units import GroupedUnit, all_grouped
from store.model import TimeRange, Trace
from store.protocol import Store
from store.query import MOST_SELECTED_TRACES, TraceQuery, UnitQuery
from store.rules.dimensions import Dimension
from store.service_graph import build_service_graph
from store.unit_filter import matching_units
from store.units import Unit

CHUNK = 500


class Selection(NamedTuple):
    """The newest traces of a window that satisfy an expression; whether these are all."""

    traces: Mapping[bytes, Trace]
    complete: bool
    around: Mapping[bytes, Trace]
    """These and the traces that they link to: where a message came from is known."""

    def service_graph(self, by: Dimension | None = None) -> ServiceGraph:
        """The graph of the traces; ``by``: with its nodes split."""
        if by is not None:
            return graph_of_grouped(self._grouped(by))
        return build_service_graph(self.traces.values(), None, self.around.get, weighted=False)

    def _grouped(self, by: Dimension) -> Iterator[tuple[bytes, GroupedUnit]]:
        linked_ids = links_among(self.traces.values())
        for trace in self.traces.values():
            for each in all_grouped(trace, by, self.around.get, linked_ids):
                yield trace.trace_id, each._replace(unit=each.unit._replace(weight=1))

    def units(self, query: UnitQuery) -> list[Unit]:
        """Their units at a node or edge, each counted once."""
        found = (matching_units(trace, query, self.around.get) for trace in self.traces.values())
        return [unit._replace(weight=1) for units in found for unit in units]

    def summary(self) -> Filtered:
        """What a response says of the selection."""
        return {"traces": len(self.traces), "complete": self.complete}


def select_traces(store: Store, window: TimeRange, expression: Expression) -> Selection:
    """The traces of a filtered map."""
    ids, complete = select_ids(store, window, expression)
    traces: dict[bytes, Trace] = {}
    for at in range(0, len(ids), CHUNK):
        traces.update(store.get_traces(ids[at : at + CHUNK]))
    return Selection(traces, complete, with_linked(store, traces))


def select_ids(store: Store, window: TimeRange, expression: Expression) -> tuple[list[bytes], bool]:
    """Ids of the newest traces of a window that satisfy an expression; whether these are all."""
    query = TraceQuery(window, filter=expression)
    ids: list[bytes] = []
    cursor: str | None = None
    while len(ids) < MOST_SELECTED_TRACES:
        limit = min(CHUNK, MOST_SELECTED_TRACES - len(ids))
        page = store.find_traces(query, limit=limit, cursor=cursor)
        ids += [hit.trace_id for hit in page.found]
        cursor = page.cursor
        if cursor is None:
            break
    return ids, cursor is None


def with_linked(store: Store, traces: Mapping[bytes, Trace]) -> Mapping[bytes, Trace]:
    """Traces, and those that their links lead to."""
    others = {key[1] for trace in traces.values() for key in trace.links} - traces.keys()
    if not others:
        return traces
    ids = sorted(others)
    linked = [store.get_traces(ids[at : at + CHUNK]) for at in range(0, len(ids), CHUNK)]
    return {**traces, **{id: trace for found in linked for id, trace in found.items()}}
