"""One node or one edge of the map: history, errors, neighbours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from fastapi import APIRouter, Request, Response

from api.console.charts import histogram_figure, over_time_figure, status_name, step_of
from api.console.counted_graph import CountedGraph, count_window, graph_of
from api.console.map_json import before, locations, render_edge, render_node
from api.console.marks import deployments_of, with_marks
from api.console.params import FilterExpression, GroupBy, Window, previous_window
from api.console.part import console_part
from api.console.place import (
    Place,
    Scope,
    edge_place,
    node_place,
    place_entities,
)
from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.errors import ApiError
from api.graph.build import (
    Graph,
    build_graph,
    calls_of,
    node_id,
    shown_name,
    stats_of,
    value_in,
)
from api.graph.find import find_node, require_node
from api.schemas.common import WorkName
from api.schemas.details import Before, Detail, EdgeDetail, ErrorShare, Neighbour, NodeDetail
from store.filters.ast import Expression
from store.model import NodeKey, State, TimeRange
from store.query import Failure, TimeBucket
from store.rules.dimensions import Dimension
from store.unit_filter import matching_grouped, unit_series

Ends = tuple[NodeKey, NodeKey]


def details_router(context: Context) -> APIRouter:
    """/api/nodes/<id> and /api/edges/<source>/<target>."""
    router = console_part("map")

    @router.get("/api/nodes/{id}", response_class=Response, responses={200: {"model": NodeDetail}})
    async def get_node(
        request: Request,
        id: str,
        window: Window,
        expression: FilterExpression,
        group_by: GroupBy = None,
    ) -> Response:
        """One node: statistics, history, error breakdown, neighbours."""
        return await run_cancellable(
            request, lambda: json_response(node_detail(context, id, window, expression, group_by))
        )

    @router.get(
        "/api/edges/{source}/{target}",
        response_class=Response,
        responses={200: {"model": EdgeDetail}},
    )
    async def get_edge(
        request: Request,
        source: str,
        target: str,
        window: Window,
        expression: FilterExpression,
        group_by: GroupBy = None,
    ) -> Response:
        """One edge, measured by its caller: statistics, history, error breakdown."""
        return await run_cancellable(
            request,
            lambda: json_response(
                edge_detail(context, source, target, window, expression, group_by)
            ),
        )

    return router


def node_detail(
    context: Context,
    id: str,
    window: TimeRange,
    expression: Expression | None,
    by: Dimension | None = None,
) -> NodeDetail:
    """A node; a client, which measures nothing, has the figures of its edge."""
    counted, previous = _count(context, window, expression, by)
    graph = counted.graph
    key = require_node(graph, id)
    _require_known_units(graph, key)
    located = locations(graph)
    place = node_place(graph, key, _scope(counted))
    return {
        "node": render_node(graph, key, counted.window, location=located[key]),
        **_parts(context, counted, place, [key]),
        "before": _node_before(previous, key, place.work),
        "callers": [_neighbour(graph, (v, key), v, located) for v in graph.predecessors(key)],
        "callees": [_neighbour(graph, (key, v), v, located) for v in graph.successors(key)],
    }


def edge_detail(
    context: Context,
    source: str,
    target: str,
    window: TimeRange,
    expression: Expression | None,
    by: Dimension | None = None,
) -> EdgeDetail:
    """An edge; ApiError (404) when it had no traffic in the window."""
    counted, previous = _count(context, window, expression, by)
    graph = counted.graph
    edge = require_edge(graph, source, target)
    _require_known_units(graph, *edge)
    place = edge_place(graph, edge, _scope(counted))
    return {
        "edge": render_edge(calls_of(graph, *edge), counted.window),
        **_parts(context, counted, place, edge),
        "before": _edge_before(previous, edge),
    }


def _count(
    context: Context, window: TimeRange, expression: Expression | None, by: Dimension | None
) -> tuple[CountedGraph, Graph | None]:
    """The graph of a window, and that of the preceding period; None of traces that are counted one by one."""
    if expression is not None or by is not None:
        return count_window(context, window, expression, by), None
    span = previous_window(window)
    counted, previous = context.counted_windows([window, span])
    if counted.window != window:
        span = previous_window(counted.window)
        previous = context.counted_window(span)
    # Figures of periods of different lengths cannot be compared.
    return graph_of(counted), build_graph(previous.graph, span) if previous.window == span else None


def _node_before(graph: Graph | None, node: NodeKey, work: WorkName) -> Before | None:
    if graph is None or node not in graph:
        return None
    return before(node_place(graph, node, Scope(None), work).statistics)


def _edge_before(graph: Graph | None, edge: Ends) -> Before | None:
    if graph is None or not graph.has_edge(*edge):
        return None
    return before(calls_of(graph, *edge).statistics)


def _require_known_units(graph: Graph, *nodes: NodeKey) -> None:
    """ApiError (400) for names in excess over the window: their units have too many keys to query."""
    for node in nodes:
        if folded := stats_of(graph, node).folded:
            raise ApiError(
                f"{shown_name(graph, node)} stands for {folded:,} nodes of this window, too many to show their "
                "history; choose a shorter window, or a service by name",
                code="NamesCountedTogether",
            )


def _scope(counted: CountedGraph) -> Scope:
    """Of selected traces every unit counts."""
    if counted.selection is not None:
        return Scope(None, by=counted.by)
    return Scope(counted.window, counted.settled_before, counted.by)


def require_edge(graph: Graph, source: str, target: str) -> Ends:
    """The edge between two nodes; ApiError (404) when it had no traffic in the window."""
    ends = find_node(graph, source), find_node(graph, target)
    if ends[0] is None or ends[1] is None or not graph.has_edge(*ends):
        raise ApiError(
            f"edge {source[:60]}:{target[:60]} had no traffic in this window",
            code="NoSuchEdge",
            status=404,
        )
    return ends[0], ends[1]


def _parts(
    context: Context, counted: CountedGraph, place: Place, nodes: Collection[NodeKey]
) -> Detail:
    """What the panels of nodes and edges have in common."""
    services = {node: stats_of(counted.graph, node).names for node in nodes}
    of_series = partial(_series, context, counted, place)
    series, deployed = context.both(
        of_series, lambda: deployments_of(context, counted.window, services)
    )
    return {
        "before": None,
        "histogram": histogram_figure(place.statistics.histogram, place.work),
        "over_time": with_marks(
            over_time_figure(*series, context.now(), unknown=_is_unknown(counted.graph, nodes)),
            deployed,
        ),
        "errors": _errors(place.failures),
        "filtered": counted.selection.summary() if counted.selection else None,
        **freshness(counted.window, counted.backlog),
    }


def _is_unknown(graph: Graph, nodes: Collection[NodeKey]) -> bool:
    """Whether of none of a node's ok units anything says that it was one; a part of them is not known by time."""
    of = [stats_of(graph, node) for node in nodes]
    return len(of) == 1 and of[0].unknown > 0 and of[0].unknown == of[0].statistics.ok


def _series(
    context: Context, counted: CountedGraph, place: Place
) -> tuple[list[TimeBucket], TimeRange, int]:
    """Statistics over time, over which time, and per which step."""
    window = counted.window
    if counted.selection is None and counted.by is not None:
        grouped = context.store.grouped_units(window, counted.by)
        step = step_of(window)
        return (
            unit_series(matching_grouped((g for _, g in grouped), place.units), step),
            window,
            step,
        )
    if counted.counted is not None:
        step = max(step_of(window), counted.counted.quick_step)
        return counted.counted.series(place_entities(place), step), window, step
    assert counted.selection is not None
    # Of selected traces, some units may have started outside of the window.
    units = counted.selection.units(place.units)
    starts = [unit.start for unit in units]
    span = TimeRange(min([window.start, *starts]), max([window.end, *(at + 1 for at in starts)]))
    step = step_of(span)
    return unit_series(units, step), span, step


def _errors(failures: Iterable[Failure]) -> list[ErrorShare]:
    return [
        {
            "label": each.label,
            "status": status_name(each.state),
            "count": each.count,
            "filter": f"{status_name(each.state)}:{each.label}",
        }
        for each in failures
        if each.state is not State.OK  # of an unknown outcome
    ]


def _neighbour(
    graph: Graph, edge: Ends, other: NodeKey, located: Mapping[NodeKey, str]
) -> Neighbour:
    return {
        "id": node_id(other),
        "name": shown_name(graph, other),
        "value": value_in(other),
        "type": other.type,
        "location": located[other],
        "requests": calls_of(graph, *edge).statistics.total,
    }
