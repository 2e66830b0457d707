"""The service map of a window, whole or around one node."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.boxes import (
    WHOLE_BOXES,
    Level,
    boxes_name,
    boxes_of,
    describe_level,
    graph_of_boxes,
    level_of,
    render_boxes,
)
from api.console.counted_graph import CountedGraph, count_window, keep_recent, recent_window
from api.console.map_json import render_picture
from api.console.params import FilterExpression, GroupBy, Window
from api.console.part import console_part
from api.context import FOLDED, WHOLE, WHOLE_MAPS, Context, run_cancellable
from api.counted import freshness
from api.errors import ApiError
from api.graph.box_layout import lay_out_boxes
from api.graph.build import Graph, build_graph, node_id
from api.graph.find import require_node
from api.graph.fold import UNFOLDED, Fold, fold
from api.graph.groups import MOST_APART
from api.graph.open_ends import open_ends
from api.graph.passes import (
    MOST_NODES,
    count_states_apart,
    focus,
    name_problems,
    prune,
    state_counts,
)
from api.graph.passes import StateCounts as CountsOfStates
from api.schemas.boxes import BoxesBy, BoxesOfMap
from api.schemas.map import MapHead, ServiceMap, StateCounts
from store import graph_names
from store.model import NodeKey, TimeRange

MAX_HOPS = 10
NODE = Query(description="id of a node of the map")
FOLD = Query(
    alias="fold", description="functions are drawn with their service, clients beside their entry"
)
BOXES = Query(
    description="draw more than 150 nodes as boxes, one for each group by this; `auto`: as the server is set"
)
INSIDE = Query(
    max_length=400, description="ids of boxes, comma-separated: the map inside of the last one"
)
BOX = Query(description="id of a box of the map")
NODE_IN_BOX = Query(
    description="id of a node, which is among them; without box, of the one that contains it"
)
MOST_LEVELS = 8
HOPS = Query(ge=1, le=MAX_HOPS, description="calls from the node, up or down")


def map_router(context: Context) -> APIRouter:
    """/api/map and /api/map/focus."""
    router = console_part("map")

    @router.get("/api/map", response_class=Response, responses={200: {"model": ServiceMap}})
    async def get_map(
        request: Request,
        window: Window,
        expression: FilterExpression,
        group_by: GroupBy = None,
        fold_it: Annotated[bool, FOLD] = False,
        boxes: Annotated[BoxesBy, BOXES] = "none",
        inside: Annotated[str, INSIDE] = "",
    ) -> Response:
        """The map of a window with at most 2,000 nodes, or 60 boxes."""
        path = path_of(inside)

        def work(window: TimeRange) -> ServiceMap:
            if group_by is not None or (boxes == "none" and not path):
                counted = count_window(context, window, expression, group_by)
                return map_response(context, counted, counted.graph, WHOLE, folded=fold_it)
            counted = keep_recent(context, window, expression)
            level = level_of(context, counted, boxes, path)
            return level_response(context, counted, level, folded=fold_it)

        key = "map", expression, group_by, fold_it, boxes, path
        return await context.share_window(request, key, window, work)

    @router.get("/api/map/box", response_class=Response, responses={200: {"model": ServiceMap}})
    async def get_map_box(
        request: Request,
        window: Window,
        expression: FilterExpression,
        box: Annotated[str, BOX] = "",
        node: Annotated[str, NODE_IN_BOX] = "",
        boxes: Annotated[BoxesBy, BOXES] = "auto",
        inside: Annotated[str, INSIDE] = "",
        fold_it: Annotated[bool, FOLD] = False,
    ) -> Response:
        """The nodes of one box, at most 150: what is drawn where it is opened."""
        if not (box or node):
            raise ApiError("expected box or node")

        def work(window: TimeRange) -> ServiceMap:
            counted = recent_window(context, window, expression)
            level = level_of(context, counted, boxes, path_of(inside))
            wanted = level.find(node) if node else None
            id = box or (wanted and level.box_of(wanted))
            if not id:
                raise ApiError(
                    f"node {node[:60]!r} is in no box of this map", code="NoSuchNode", status=404
                )
            found = level.inside(id)
            return members_response(context, counted, found, folded=fold_it, wanted=wanted)

        key = "box", expression, box, node, boxes, inside, fold_it
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
            for name in (*WHOLE_MAPS, *WHOLE_BOXES):
                context.arrangements.reset(name, context.clock())

        await run_cancellable(request, work)
        return Response(status_code=204)

    return router


def map_response(
    context: Context,
    counted: CountedGraph,
    graph: Graph,
    name: str,
    *,
    folded: bool = False,
    most: int = MOST_NODES,
    wanted: NodeKey | None = None,
    boxes: BoxesOfMap | None = None,
) -> ServiceMap:
    """The body of a map of nodes, ``most`` of them, ``wanted`` among them; ``name`` is that of the arrangement."""
    window, shown = counted.window, prune(graph, most, wanted)
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
        **_head(context, counted, len(graph)),
        "left_out": len(graph) - len(shown),
        "boxes": boxes,
        "state_counts": render_state_counts(graph, whole),
        "problems": name_problems(graph),
        "open_ends": [
            {"node": node_id(node), "calls": calls, "requests": requests}
            for node, calls, requests in open_ends(shown)
        ],
        "placed_later": arranged.newcomers,
        **render_picture(shown, window, where, together),
    }


def level_response(
    context: Context, counted: CountedGraph, level: Level, *, folded: bool
) -> ServiceMap:
    """The body of a map in boxes, or of what is inside of one; of few nodes these."""
    boxes = boxes_of(level, context.unhealthy)
    described = describe_level(level, boxes)
    if boxes is None and not level.trail:
        return map_response(context, counted, counted.graph, WHOLE, folded=folded, boxes=described)
    if boxes is None:
        return members_response(context, counted, level, folded=folded, most=MOST_NODES)
    services, partial = level.services, counted.selection is not None
    arranged = context.arrangements.arrange(
        boxes_name(level),
        graph_of_boxes(boxes),
        context.clock(),
        partial=partial,
        lay_out=lay_out_boxes,
    )
    stats = services.services
    states = count_states_apart(each for key, each in stats.items() if not key.is_client)
    nodes, edges = render_boxes(boxes, counted.window, arranged.layout)
    return {
        **_head(context, counted, len(stats)),
        "left_out": len(stats),
        "boxes": described,
        "state_counts": _named_states(states),
        "problems": graph_names.name_problems(
            stats.values(), [*services.edges.values(), *services.links.values()]
        ),
        "open_ends": [],
        "placed_later": arranged.newcomers,
        "nodes": nodes,
        "edges": edges,
    }


def members_response(
    context: Context,
    counted: CountedGraph,
    level: Level,
    *,
    folded: bool,
    most: int = MOST_APART,
    wanted: NodeKey | None = None,
) -> ServiceMap:
    """The body of a map of the nodes inside a box."""
    graph = build_graph(level.services, counted.window)
    return map_response(
        context,
        counted,
        graph,
        f"members of {level.trail[-1]['id']}",
        folded=folded,
        most=most,
        wanted=wanted,
        boxes=describe_level(level),
    )


def _head(context: Context, counted: CountedGraph, total: int) -> MapHead:
    """What every map has. ``has_traces`` tells an empty window from an empty store."""
    window = counted.window
    return {
        "from": window.start / 1_000_000,
        "to": window.end / 1_000_000,
        "generated_at": context.clock(),
        **freshness(window, counted.backlog),
        "has_traces": total > 0 or context.store.has_traces(),
        "total_nodes": total,
        "group_by": counted.by.value if counted.by else None,
        "filtered": counted.selection.summary() if counted.selection else None,
    }


def path_of(inside: str) -> tuple[str, ...]:
    """The ids of boxes to go into. ApiError if they are too many."""
    path = tuple(filter(None, inside.split(",")))
    if len(path) > MOST_LEVELS:
        raise ApiError(f"inside may name {MOST_LEVELS} boxes at most, got {len(path)}")
    return path


def render_state_counts(graph: Graph, folded: Fold = UNFOLDED) -> StateCounts:
    """For the legend: `state_counts` by the console's names."""
    return _named_states(state_counts(graph, folded.into))


def _named_states(counts: CountsOfStates) -> StateCounts:
    ok, error, throttle, fault, unknown = counts
    return {"ok": ok, "error": error, "throttle": throttle, "fault": fault, "unknown": unknown}
