"""Parameters of the console's routes: windows, trace filters, trace ids."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query

from api.console.charts import STATUS_NAMES
from api.errors import ApiError
from api.graph.build import build_graph, calls_of, find_node
from api.request import instant, window_of
from store.filters.ast import (
    And,
    Bare,
    EdgeMatch,
    Expression,
    Field,
    Not,
    Or,
    Selector,
    ServiceMatch,
)
from store.model import NodeKey, State, TimeRange, Trace
from store.protocol import Store, TraceQuery
from store.trace_id import format_trace_id, parse_trace_id

From = Annotated[
    str, Query(alias="from", description="start, inclusive: epoch seconds or ISO 8601")
]
To = Annotated[str, Query(alias="to", description="end, exclusive: epoch seconds or ISO 8601")]
_STATES: dict[str, State] = {name: state for state, name in STATUS_NAMES.items()}


def _window(start: From, end: To) -> TimeRange:
    return window_of(instant(start, "from"), instant(end, "to"), "from", "to")


Window = Annotated[TimeRange, Depends(_window)]


def previous_window(window: TimeRange) -> TimeRange:
    """The preceding period of equal length, cut off at the epoch."""
    return TimeRange(max(0, 2 * window.start - window.end), window.start)


class TraceFilter(NamedTuple):
    """Which traces of a window to select; empty members select all."""

    node: str
    edge: str
    states: frozenset[State]


def _trace_filter(
    node: Annotated[str, Query(description="id of a node that the traces touched")] = "",
    edge: Annotated[str, Query(description="<source>:<target> of a call that they made")] = "",
    status: Annotated[
        str, Query(description="of the entry segment; several separated by commas")
    ] = "",
) -> TraceFilter:
    names = [name for name in status.split(",") if name]
    for name in names:
        if name not in _STATES:
            raise ApiError(f"status must be among {', '.join(_STATES)}, got {name[:60]!r}")
    if edge and edge.count(":") != 1:
        raise ApiError(f"edge must be <source>:<target>, got {edge[:60]!r}")
    return TraceFilter(node, edge, frozenset(_STATES[name] for name in names))


Filters = Annotated[TraceFilter, Depends(_trace_filter)]


def to_trace_query(store: Store, window: TimeRange, filters: TraceFilter) -> TraceQuery | None:
    """The store's query; None when the node or edge had no traffic, so that no trace can match.

    With a node or an edge, the states are those of its units in the trace, else of the entry.
    """
    if not filters.node and not filters.edge:
        return TraceQuery(window, states=filters.states)
    graph = build_graph(store.service_graph(store.snap_window(window)))
    node = find_node(graph, filters.node) if filters.node else None
    if filters.node and node is None:
        return None
    if not filters.edge:
        return TraceQuery(window, node=node, filter=_states_of_node(node, filters.states))
    source, target = (find_node(graph, end) for end in filters.edge.split(":"))
    if source is None or target is None:
        return None
    if graph.has_edge(source, target) and calls_of(graph, source, target).link:
        # A link joins two traces; the receiver's are listed.
        receiver = node or target
        return TraceQuery(window, node=receiver, filter=_states_of_node(receiver, filters.states))
    condition = _any_state(filters.states)
    states = condition and EdgeMatch(_selector(source), _selector(target), condition)
    return TraceQuery(window, node=node, edge=(source, target), filter=states)


def _states_of_node(node: NodeKey | None, states: frozenset[State]) -> Expression | None:
    condition = _any_state(states)
    return condition and node and ServiceMatch(_selector(node), condition)


def _selector(node: NodeKey) -> Selector:
    return Selector(node.name, node.type, node.account)


_STATE_CONDITIONS: dict[State, Expression] = {
    State.IN_PROGRESS: Not(Or(tuple(Bare(Field(flag)) for flag in ("ok", "error", "fault")))),
    State.OK: Bare(Field("ok")),
    # X-Ray's error includes throttles; the states of the map do not overlap.
    State.ERROR: And((Bare(Field("error")), Not(Bare(Field("throttle"))))),
    State.THROTTLE: Bare(Field("throttle")),
    State.FAULT: Bare(Field("fault")),
}


def _any_state(states: frozenset[State]) -> Expression | None:
    """The condition that a unit ended in one of the states; None for any state."""
    if not states:
        return None
    return Or(tuple(_STATE_CONDITIONS[state] for state in sorted(states)))


def require_trace_id(text: str) -> bytes:
    """The trace id in a path, in X-Ray or W3C form; ApiError (400) for anything else."""
    try:
        return parse_trace_id(text)
    except ValueError as error:
        raise ApiError(f"trace id: {error}") from error


def require_trace(store: Store, text: str) -> Trace:
    """The trace with this id, raw documents included; ApiError (404) when it is not stored."""
    id = require_trace_id(text)
    trace = store.get_traces([id], raw=True).get(id)
    if trace is None:
        raise ApiError(
            f"there is no trace {format_trace_id(id)} here", code="NoSuchTrace", status=404
        )
    return trace
