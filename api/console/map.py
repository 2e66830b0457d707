"""The service map of a window, whole or around one node."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from api.console.filtered import Selection, select_traces
from api.console.map_json import render_picture
from api.console.params import FilterExpression, GroupBy, Window
from api.context import FOLDED, WHOLE, WHOLE_MAPS, Context, run_cancellable
from api.counted import counted_groups, freshness
from api.graph.build import Graph, build_graph, node_id
from api.graph.find import require_node
from api.graph.fold import UNFOLDED, Fold, fold
from api.graph.open_ends import open_ends
from api.graph.passes import focus, name_problems, prune, state_counts
from api.schemas.common import ErrorReply
from api.schemas.map import ServiceMap, StateCounts
from store.filters.ast import Expression
from store.model import TimeRange
from store.protocol import CountedWindow
from store.query import Backlog
from store.rules.dimensions import Dimension

MAX_HOPS = 10
NODE = Query(description="id of a node of the map")
FOLD = Query(
    alias="fold", description="functions are drawn with their service, clients beside their entry"
)
HOPS = Query(ge=1, le=MAX_HOPS, description="calls from the node, up or down")


def map_router(context: Context) -> APIRouter:
    """/api/map and /api/map/focus."""
    router = APIRouter(responses={"4XX": {"model": ErrorReply}}, tags=["map"])

    @router.get("/api/map", response_class=Response, responses={200: {"model": ServiceMap}})
    async def get_map(
        request: Request,
        window: Window,
        expression: FilterExpression,
        group_by: GroupBy = None,
        fold_it: Annotated[bool, FOLD] = False,
    ) -> Response:
        """The map of a window with at most 2,000 nodes."""

        def work(window: TimeRange) -> ServiceMap:
            counted = count_window(context, window, expression, group_by)
            return map_response(context, counted, counted.graph, WHOLE, folded=fold_it)

        key = "map", expression, group_by, fold_it
        return await context.share_window(request, key, window, work)

    @router.get("/api/map/focus", response_class=Response, responses={200: {"model": ServiceMap}})
    async def get_map_focus(
        request: Request,
        window: Window,
        expression: FilterExpression,
        node: Annotated[str, NODE],
        hops: Annotated[int, HOPS] = 1,
        group_by: GroupBy = None,
        fold_it: Annotated[bool, FOLD] = False,
    ) -> Response:
        """The neighbourhood of one node, with a layout of its own."""

        def work(window: TimeRange) -> ServiceMap:
            counted = count_window(context, window, expression, group_by)
            near = focus(counted.graph, require_node(counted.graph, node), hops)
            name = f"focus {node} {hops}"
            return map_response(context, counted, near, name, folded=fold_it)

        key = "focus", expression, node, hops, group_by, fold_it
        return await context.share_window(request, key, window, work)

    @router.post("/api/map/arrange", status_code=204, response_class=Response)
    async def arrange_map(request: Request) -> Response:
        """Lay the whole map out anew, for all viewers."""

        def work() -> None:
            for name in WHOLE_MAPS:
                context.arrangements.reset(name, context.clock())

        await run_cancellable(request, work)
        return Response(status_code=204)

    return router


class CountedGraph(NamedTuple):
    """The graph of a window: of all its units, or of the traces that satisfy a filter."""

    window: TimeRange
    graph: Graph
    selection: Selection | None
    backlog: Backlog | None
    counted: CountedWindow | None
    """What was counted; None of a selection, and where nodes are split."""
    by: Dimension | None = None
    """What nodes are split by."""
    settled_before: int | None = None
    """As of `store.protocol.CountedWindow`."""


def count_window(
    context: Context,
    window: TimeRange,
    expression: Expression | None,
    by: Dimension | None = None,
) -> CountedGraph:
    """The graph to draw; the window is snapped unless the traces of an expression are counted one by one."""
    if expression is not None:
        selection = select_traces(context.store, window, expression)
        graph = build_graph(selection.service_graph(by), window)
        return CountedGraph(window, graph, selection, None, None, by)
    if by is not None:
        groups = counted_groups(context, window, by, None)
        graph = build_graph(groups.graph, groups.window)
        return CountedGraph(groups.window, graph, None, None, None, by, groups.settled_before)
    return graph_of(context.counted_window(window))


def graph_of(counted: CountedWindow) -> CountedGraph:
    """The graph to draw of what a window counts."""
    graph = build_graph(counted.graph, counted.window)
    return CountedGraph(
        counted.window,
        graph,
        None,
        counted.backlog,
        counted,
        settled_before=counted.settled_before,
    )


def map_response(
    context: Context, counted: CountedGraph, graph: Graph, name: str, *, folded: bool = False
) -> ServiceMap:
    """The body of both routes; ``name`` is that of the arrangement. ``has_traces`` tells an empty
    window from an empty store."""
    window, shown = counted.window, prune(graph)
    whole = fold(graph) if folded else UNFOLDED
    together = whole if shown is graph or not folded else fold(shown)
    if folded:
        name = f"{name}{FOLDED}"
    if counted.by is not None:
        name = f"{name} by {counted.by.value}"
    arranged = context.arrangements.arrange(
        name,
        together.contracted(shown),
        context.clock(),
        partial=counted.selection is not None,
    )
    where = together.unfolded(arranged.layout, shown)
    return {
        "from": window.start / 1_000_000,
        "to": window.end / 1_000_000,
        "generated_at": context.clock(),
        **freshness(window, counted.backlog),
        "has_traces": len(graph) > 0 or context.store.has_traces(),
        "total_nodes": len(graph),
        "left_out": len(graph) - len(shown),
        "group_by": counted.by.value if counted.by else None,
        "filtered": counted.selection.summary() if counted.selection else None,
        "state_counts": render_state_counts(graph, whole),
        "problems": name_problems(graph),
        "open_ends": [
            {"node": node_id(node), "calls": calls, "requests": requests}
            for node, calls, requests in open_ends(shown)
        ],
        "placed_later": arranged.newcomers,
        **render_picture(shown, window, where, together),
    }


def render_state_counts(graph: Graph, folded: Fold = UNFOLDED) -> StateCounts:
    """For the legend: `state_counts` by the console's names."""
    ok, error, throttle, fault, unknown = state_counts(graph, folded.into)
    return {"ok": ok, "error": error, "throttle": throttle, "fault": fault, "unknown": unknown}
