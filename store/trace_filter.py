"""Whether a trace matches a query, its window aside: pure functions for every store."""

from __future__ import annotations

from store.filters import evaluate
from store.model import Trace, client_of, confirmed
from store.parents import ParentIndex
from store.protocol import TraceQuery
from store.summary import entry_of, touched_nodes
from store.units import EdgeUnit, trace_units


def matches(trace: Trace, query: TraceQuery) -> bool:
    """Whether a trace meets all conditions but the window."""
    if not _annotated(trace, query):
        return False
    if query.states:
        entry = entry_of(trace)
        if entry is None or entry.state not in query.states:
            return False
    if query.node is not None and query.node not in touched_nodes(trace):
        return False
    if query.filter is not None and not evaluate.matches(trace, query.filter):
        return False
    return query.edge is None or any(
        isinstance(unit, EdgeUnit) and (confirmed(unit.source), unit.target) == query.edge
        for unit in trace_units(trace)
    )


def matches_without_calls(trace: Trace, query: TraceQuery) -> bool | None:
    """The result of `matches` if the documents alone decide it, else None.

    ``trace.calls`` may be empty: a store reads calls only if they are needed. They are when a
    parent id is in no document, as it may be a call, or when a node has no segments, as it may be
    inferred. A filter expression may read anything.
    """
    if not _annotated(trace, query):
        return False
    parents = ParentIndex(trace)
    segments = [d for d in trace.documents.values() if not d.independent]
    if query.states:
        # Whichever of these are roots, the first of all is the entry when it surely is one.
        roots = (
            d
            for d in segments
            if not d.parent_id or parents.containing_document(d.parent_id) is None
        )
        entry = min(roots, key=lambda d: (d.start, d.id), default=None)
        if entry is not None and entry.parent_id:
            return None
        if entry is None or entry.state not in query.states:
            return False
    if query.node is not None:
        touched = {d.node for d in segments}
        touched |= {client_of(d.node, d.http.user_agent) for d in segments if not d.parent_id}
        if query.node not in touched:
            return None
    return True if query.edge is None and query.filter is None else None


def _annotated(trace: Trace, query: TraceQuery) -> bool:
    if not query.annotations:
        return True
    items = {item for document in trace.documents.values() for item in document.annotations}
    return items.issuperset(query.annotations)
