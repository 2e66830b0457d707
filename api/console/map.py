"""The map of a window, whole or around one node."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.map_json import render_picture
from api.console.windows import Window
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import Graph, build_graph, find_node
from api.graph.passes import focus, prune
from api.schemas import ErrorReply, ServiceMap
from store.model import NodeKey, TimeRange

MOST_HOPS = 10


def maps_router(context: Context) -> APIRouter:
    """/api/map and /api/map/focus."""
    router = APIRouter(responses={"4XX": {"model": ErrorReply}})

    @router.get("/api/map", response_class=Response, responses={200: {"model": ServiceMap}})
    async def whole(request: Request, window: Window) -> Response:
        """The map of a window; of very many nodes the busiest."""

        def work() -> Response:
            shown = context.store.snap_window(window)
            return json_response(map_response(context, shown, graph_of(shown)))

        return await run_cancellable(request, work)

    @router.get("/api/map/focus", response_class=Response, responses={200: {"model": ServiceMap}})
    async def around(
        request: Request,
        window: Window,
        node: str,
        hops: Annotated[int, Query(ge=1, le=MOST_HOPS)] = 1,
    ) -> Response:
        """The neighbourhood of one node, laid out afresh."""

        def work() -> Response:
            shown = context.store.snap_window(window)
            graph = graph_of(shown)
            return json_response(
                map_response(context, shown, focus(graph, require_node(graph, node), hops))
            )

        return await run_cancellable(request, work)

    def graph_of(window: TimeRange) -> Graph:
        return build_graph(context.store.service_graph(window))

    return router


def map_response(context: Context, window: TimeRange, graph: Graph) -> ServiceMap:
    """The answer both give. ``ever`` tells an empty window from a store that is new."""
    shown = prune(graph)
    return {
        "from": window.start / 1_000_000,
        "to": window.end / 1_000_000,
        "generated_at": context.clock(),
        "ever": len(graph) > 0 or context.store.has_traces(),
        "total_nodes": len(graph),
        "left_out": len(graph) - len(shown),
        **render_picture(shown, window),
    }


def require_node(graph: Graph, id: str) -> NodeKey:
    """The node with this id; without traffic in the window there is none."""
    node = find_node(graph, id)
    if node is None:
        raise ApiError(
            f"node {id[:60]!r} had no traffic in this window", code="NoSuchNode", status=404
        )
    return node
