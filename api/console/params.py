"""Parameters of the console's routes: windows, trace filters, trace ids."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from api.console.charts import STATUS_NAMES
from api.console.scope import Scoped, within
from api.errors import ApiError
from api.graph.build import VALUE
from api.request import instant, window_of
from api.schemas.common import WorkName
from api.xray.groups import read_filter
from store.filters.ast import Expression
from store.filters.errors import FilterError
from store.model import State, TimeRange, Trace
from store.protocol import Store
from store.rules.dimensions import Dimension
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


class Failing(NamedTuple):
    """A row of an error breakdown: how units ended, and their label."""

    state: State
    label: str


class TraceFilter(NamedTuple):
    """Which traces of a window to select; empty members select all.

    ``states`` and ``error`` are those of the units of the ``node`` or ``edge``, without one
    ``states`` are those of the entry segment. ``by``: what node and edge are parts by. ``work``: which of the node's units, None: those that its figures count.
    """

    node: str
    edge: str
    states: frozenset[State]
    error: Failing | None
    expression: Expression | None
    work: WorkName | None = None
    by: Dimension | None = None


GROUP_BY = Query(
    description="split nodes by what their units reported; ids of nodes of a map that is split need it, too"
)
GroupBy = Annotated[Dimension | None, GROUP_BY]
WORK = Query(
    description="of the node only its requests, or only its background work; by default what its figures count"
)
FILTER = Query(alias="filter", description="filter expression that the traces satisfy")


def read_expression(
    request: Request, scope: Scoped, text: Annotated[str, FILTER] = ""
) -> Expression | None:
    """The filter expression and the scope, None if neither selects; ApiError (400) with the position of
    an error."""
    try:
        expression = read_filter(text, request.app.state.read_configuration)
    except FilterError as error:
        raise ApiError(f"filter: {error}", code="InvalidFilter", position=error.position) from None
    return within(scope, expression, request)


FilterExpression = Annotated[Expression | None, Depends(read_expression)]


def _trace_filter(
    expression: FilterExpression,
    node: Annotated[str, Query(description="id of a node that the traces touched")] = "",
    edge: Annotated[str, Query(description="<source>:<target> of a call that they made")] = "",
    status: Annotated[
        str,
        Query(description="of the entry, or of the units at the node or edge; comma-separated"),
    ] = "",
    error: Annotated[
        str, Query(description="<status>:<label> of a row of the node's or edge's error breakdown")
    ] = "",
    work: Annotated[WorkName | None, WORK] = None,
    group_by: GroupBy = None,
) -> TraceFilter:
    states = read_states(status)
    if edge and edge.count(":") != 1:
        raise ApiError(f"edge must be <source>:<target>, got {edge[:60]!r}")
    if node and edge:
        raise ApiError("node and edge exclude each other, got both")
    if work and not node:
        raise ApiError("work needs the node whose requests or background work is meant")
    if error and not (node or edge):
        raise ApiError("error needs the node or edge whose breakdown it is a row of")
    if VALUE in node + edge and group_by is None:
        raise ApiError(
            f"{'node' if node else 'edge'} is of a map that is split, got {(node or edge)[:60]!r}; expected group_by, too"
        )
    return TraceFilter(node, edge, states, _failing(error), expression, work, group_by)


def read_states(text: str) -> frozenset[State]:
    """States by their names, comma-separated; ApiError (400) for another."""
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in _STATES:
            raise ApiError(f"status must be among {', '.join(_STATES)}, got {name[:60]!r}")
    return frozenset(_STATES[name] for name in names)


def _failing(text: str) -> Failing | None:
    if not text:
        return None
    name, _, label = text.partition(":")
    if name not in _STATES or not label:
        raise ApiError(f"error must be <status>:<label>, such as fault:HTTP 503, got {text[:60]!r}")
    return Failing(_STATES[name], label)


Filters = Annotated[TraceFilter, Depends(_trace_filter)]


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
