"""Whether a trace has what a query asks, beyond its window: one pure function for every store."""

from __future__ import annotations

from store.edges import EdgeUnit, trace_units
from store.interface import TraceQuery
from store.model import Trace
from store.summary import entry_of, touched_nodes


def matches(trace: Trace, query: TraceQuery) -> bool:
    """Whether a trace has what a query asks beyond its window."""
    if query.states:
        entry = entry_of(trace)
        if entry is None or entry.state not in query.states:
            return False
    if query.node is not None and query.node not in touched_nodes(trace):
        return False
    return query.edge is None or any(
        isinstance(unit, EdgeUnit) and (unit.source, unit.target) == query.edge
        for unit in trace_units(trace)
    )
