"""Which traces a console question is about: ``node``, ``edge`` and ``status`` in its query."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query

from api.console.charts import STATUS_NAMES
from api.errors import ApiError
from api.graph.build import build_graph, calls_of, find_node
from store.model import State, TimeRange
from store.protocol import Store, TraceQuery

_STATES: dict[str, State] = {name: state for state, name in STATUS_NAMES.items()}


class _Filters(NamedTuple):
    node: str
    edge: str
    states: frozenset[State]


def _filters(
    node: Annotated[str, Query(description="id of a node the traces touched")] = "",
    edge: Annotated[str, Query(description="<source>:<target> of a call they made")] = "",
    status: Annotated[str, Query(description="of the entry's answer, several by comma")] = "",
) -> _Filters:
    names = [name for name in status.split(",") if name]
    for name in names:
        if name not in _STATES:
            raise ApiError(f"status must be among {', '.join(_STATES)}, got {name[:60]!r}")
    if edge and edge.count(":") != 1:
        raise ApiError(f"edge must be <source>:<target>, got {edge[:60]!r}")
    return _Filters(node, edge, frozenset(_STATES[name] for name in names))


Filters = Annotated[_Filters, Depends(_filters)]


def query_of(store: Store, window: TimeRange, filters: _Filters) -> TraceQuery | None:
    """The store's question; None when the node or edge had no traffic, so no trace can match."""
    if not filters.node and not filters.edge:
        return TraceQuery(window, states=filters.states)
    graph = build_graph(store.service_graph(store.snap_window(window)))
    node = find_node(graph, filters.node) if filters.node else None
    if filters.node and node is None:
        return None
    if not filters.edge:
        return TraceQuery(window, node=node, states=filters.states)
    source, target = (find_node(graph, end) for end in filters.edge.split(":"))
    if source is None or target is None:
        return None
    if graph.has_edge(source, target) and calls_of(graph, source, target).link:
        # Events join two traces; those of the receiver are shown.
        return TraceQuery(window, node=node or target, states=filters.states)
    return TraceQuery(window, node=node, edge=(source, target), states=filters.states)
