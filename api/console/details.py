"""One node or one edge of the map: history, errors, neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Request, Response

from api.console.charts import histogram_figure, over_time_figure, status_name, step_of
from api.console.map import require_node
from api.console.map_json import before, locations, render_edge, render_node
from api.console.params import Window, previous_window
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import (
    Graph,
    build_graph,
    calls_of,
    edges_of,
    find_node,
    keys_of,
    node_id,
    stats_of,
)
from api.schemas import Detail, EdgeDetail, ErrorReply, ErrorShare, Neighbour, NodeDetail
from store.model import NodeKey, ServiceGraph, TimeRange
from store.protocol import Failure

Ends = tuple[NodeKey, NodeKey]


def details_router(context: Context) -> APIRouter:
    """/api/nodes/<id> and /api/edges/<source>/<target>."""
    router = APIRouter(responses={"4XX": {"model": ErrorReply}}, tags=["map"])

    @router.get("/api/nodes/{id}", response_class=Response, responses={200: {"model": NodeDetail}})
    async def get_node(request: Request, id: str, window: Window) -> Response:
        """One node: statistics, history, error breakdown, neighbours."""
        return await run_cancellable(
            request, lambda: json_response(node_detail(context, id, window))
        )

    @router.get(
        "/api/edges/{source}/{target}",
        response_class=Response,
        responses={200: {"model": EdgeDetail}},
    )
    async def get_edge(request: Request, source: str, target: str, window: Window) -> Response:
        """One edge, measured by its caller: statistics, history, error breakdown."""
        return await run_cancellable(
            request, lambda: json_response(edge_detail(context, source, target, window))
        )

    return router


def node_detail(context: Context, id: str, window: TimeRange) -> NodeDetail:
    """A node; a client, which measures nothing, has the figures of its edge."""
    window = context.store.snap_window(window)
    graph = _graph(context, window)
    key = require_node(graph, id)
    if key.is_client:
        target = next(iter(graph.successors(key)))
        about = _edge_parts(context, graph, (key, target), window)
    else:
        about = _node_parts(context, graph, key, window)
    located = locations(graph)
    return {
        "node": render_node(graph, key, window, location=located[key]),
        **about,
        "callers": [_neighbour(graph, (v, key), v, located) for v in graph.predecessors(key)],
        "callees": [_neighbour(graph, (key, v), v, located) for v in graph.successors(key)],
    }


def edge_detail(context: Context, source: str, target: str, window: TimeRange) -> EdgeDetail:
    """An edge; ApiError (404) when it had no traffic in the window."""
    window = context.store.snap_window(window)
    graph = _graph(context, window)
    ends = find_node(graph, source), find_node(graph, target)
    if ends[0] is None or ends[1] is None or not graph.has_edge(*ends):
        raise ApiError(
            f"edge {source[:60]}:{target[:60]} had no traffic in this window",
            code="NoSuchEdge",
            status=404,
        )
    edge: Ends = ends[0], ends[1]
    return {
        "edge": render_edge(calls_of(graph, *edge), window),
        **_edge_parts(context, graph, edge, window),
    }


def _node_parts(context: Context, graph: Graph, key: NodeKey, window: TimeRange) -> Detail:
    store, (span, step) = context.store, _steps(context, window)
    previous = _previous_graph(context, window)
    was = previous.services.get(key) if previous else None
    keys = keys_of(graph, key)
    return {
        "before": before(was.statistics) if was else None,
        "histogram": histogram_figure(stats_of(graph, key).statistics.histogram),
        "over_time": over_time_figure(store.node_series(keys, span, step), span, step),
        "errors": _errors(store.node_failures(keys, window)),
    }


def _edge_parts(context: Context, graph: Graph, edge: Ends, window: TimeRange) -> Detail:
    store, (span, step) = context.store, _steps(context, window)
    previous = _previous_graph(context, window)
    link = calls_of(graph, *edge).link
    was = (previous.links if link else previous.edges).get(edge) if previous else None
    edges, settled = edges_of(graph, *edge), context.settled_before()
    return {
        "before": before(was.statistics) if was else None,
        "histogram": histogram_figure(calls_of(graph, *edge).statistics.histogram),
        "over_time": over_time_figure(
            store.edge_series(edges, span, step, settled_before=settled), span, step
        ),
        "errors": _errors(store.edge_failures(edges, window, settled_before=settled)),
    }


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
        {"label": each.label, "status": status_name(each.state), "count": each.count}
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


def _graph(context: Context, window: TimeRange) -> Graph:
    return build_graph(context.service_graph(window))
