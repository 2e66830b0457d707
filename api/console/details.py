"""One node or one edge of the map: history, errors, neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Request, Response

from api.console.charts import histogram_figure, over_time_figure, status_name, step_of
from api.console.filtered import Selection
from api.console.map import CountedGraph, count_window, require_node
from api.console.map_json import before, locations, render_edge, render_node
from api.console.marks import with_deployments
from api.console.params import FilterExpression, Window, previous_window
from api.console.place import (
    Place,
    Scope,
    edge_place,
    node_place,
    place_failures,
    place_series,
)
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import Graph, build_graph, calls_of, find_node, node_id, stats_of
from api.schemas.common import ErrorReply
from api.schemas.details import Before, Detail, EdgeDetail, ErrorShare, Neighbour, NodeDetail
from store.filters.ast import Expression
from store.graph import ServiceGraph
from store.model import NodeKey, TimeRange
from store.query import Failure
from store.unit_filter import unit_failures, unit_series

Ends = tuple[NodeKey, NodeKey]


def details_router(context: Context) -> APIRouter:
    """/api/nodes/<id> and /api/edges/<source>/<target>."""
    router = APIRouter(responses={"4XX": {"model": ErrorReply}}, tags=["map"])

    @router.get("/api/nodes/{id}", response_class=Response, responses={200: {"model": NodeDetail}})
    async def get_node(
        request: Request, id: str, window: Window, expression: FilterExpression
    ) -> Response:
        """One node: statistics, history, error breakdown, neighbours."""
        return await run_cancellable(
            request, lambda: json_response(node_detail(context, id, window, expression))
        )

    @router.get(
        "/api/edges/{source}/{target}",
        response_class=Response,
        responses={200: {"model": EdgeDetail}},
    )
    async def get_edge(
        request: Request, source: str, target: str, window: Window, expression: FilterExpression
    ) -> Response:
        """One edge, measured by its caller: statistics, history, error breakdown."""
        return await run_cancellable(
            request, lambda: json_response(edge_detail(context, source, target, window, expression))
        )

    return router


def node_detail(
    context: Context, id: str, window: TimeRange, expression: Expression | None
) -> NodeDetail:
    """A node; a client, which measures nothing, has the figures of its edge."""
    counted = count_window(context, window, expression)
    graph, shown = counted.graph, counted.window
    key = require_node(graph, id)
    _require_known_units(graph, key)
    located = locations(graph)
    return {
        "node": render_node(graph, key, shown, location=located[key]),
        **_marked(
            context,
            _parts(context, counted, node_place(graph, key, _scope(context, counted)), key),
            shown,
            key,
        ),
        "callers": [_neighbour(graph, (v, key), v, located) for v in graph.predecessors(key)],
        "callees": [_neighbour(graph, (key, v), v, located) for v in graph.successors(key)],
    }


def edge_detail(
    context: Context, source: str, target: str, window: TimeRange, expression: Expression | None
) -> EdgeDetail:
    """An edge; ApiError (404) when it had no traffic in the window."""
    counted = count_window(context, window, expression)
    graph, shown = counted.graph, counted.window
    edge = require_edge(graph, source, target)
    _require_known_units(graph, *edge)
    return {
        "edge": render_edge(calls_of(graph, *edge), shown),
        **_marked(
            context,
            _parts(context, counted, edge_place(graph, edge, _scope(context, counted)), edge),
            shown,
            *edge,
        ),
    }


def _marked(context: Context, detail: Detail, window: TimeRange, *nodes: NodeKey) -> Detail:
    """With the deployments of the nodes in the chart over time."""
    services = {node.name for node in nodes}
    figure = with_deployments(context, detail["over_time"], window, services)
    return {**detail, "over_time": figure}


def _require_known_units(graph: Graph, *nodes: NodeKey) -> None:
    """ApiError (400) for names in excess over the window: their units have too many keys to query."""
    for node in nodes:
        if folded := stats_of(graph, node).folded:
            raise ApiError(
                f"{node.name} stands for {folded:,} nodes of this window, too many to show their "
                "history; choose a shorter window, or a service by name",
                code="NamesCountedTogether",
            )


def _scope(context: Context, counted: CountedGraph) -> Scope:
    """Of selected traces every unit counts."""
    if counted.selection is not None:
        return Scope(None)
    return Scope(counted.window, context.settled_before())


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


def _parts(context: Context, counted: CountedGraph, place: Place, of: NodeKey | Ends) -> Detail:
    if counted.selection is not None:
        return _filtered_parts(counted.selection, place, counted.window)
    window = counted.window
    span, step = _steps(context, window)
    return {
        "before": _before(context, of, window),
        "histogram": histogram_figure(place.statistics.histogram),
        "over_time": over_time_figure(place_series(context.store, place, span, step), span, step),
        "errors": _errors(place_failures(context.store, place)),
        "filtered": None,
    }


def _filtered_parts(selection: Selection, place: Place, window: TimeRange) -> Detail:
    """The same of the units of the selected traces, which may have started outside of the window."""
    units = selection.units(place.units)
    starts = [unit.start for unit in units]
    span = TimeRange(min([window.start, *starts]), max([window.end, *(at + 1 for at in starts)]))
    step = step_of(span)
    return {
        "before": None,
        "histogram": histogram_figure(place.statistics.histogram),
        "over_time": over_time_figure(unit_series(units, span, step), span, step),
        "errors": _errors(unit_failures(units)),
        "filtered": selection.summary(),
    }


def _before(context: Context, of: NodeKey | Ends, window: TimeRange) -> Before | None:
    previous = _previous_graph(context, window)
    if previous is None:
        return None
    graph = build_graph(previous)
    if isinstance(of, NodeKey):
        return before(node_place(graph, of, Scope(window)).statistics) if of in graph else None
    return before(calls_of(graph, *of).statistics) if graph.has_edge(*of) else None


def _previous_graph(context: Context, window: TimeRange) -> ServiceGraph | None:
    """The graph of the preceding period of equal length; None when the store would snap that window:
    figures of periods of different lengths cannot be compared."""
    span = previous_window(window)
    return context.store.service_graph(span) if context.store.snap_window(span) == span else None


def _steps(context: Context, window: TimeRange) -> tuple[TimeRange, int]:
    """Window and step of a series, both aligned to the smallest step that the store answers soon."""
    grain = context.store.min_step(window)
    span = TimeRange(window.start // grain * grain, window.end)
    step = step_of(span)
    return span, step if step % grain == 0 else grain


def _errors(failures: Iterable[Failure]) -> list[ErrorShare]:
    return [
        {
            "label": each.label,
            "status": status_name(each.state),
            "count": each.count,
            "filter": f"{status_name(each.state)}:{each.label}",
        }
        for each in failures
    ]


def _neighbour(
    graph: Graph, edge: Ends, other: NodeKey, located: Mapping[NodeKey, str]
) -> Neighbour:
    return {
        "id": node_id(other),
        "name": other.name,
        "type": other.type,
        "location": located[other],
        "requests": calls_of(graph, *edge).statistics.total,
    }
