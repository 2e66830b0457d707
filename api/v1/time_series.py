"""Numbers of a service, an edge, or all requests that enter, over time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.charts import step_of
from api.console.details import require_edge
from api.console.map_json import counts, times
from api.console.params import FilterExpression
from api.context import Context, json_response, run_cancellable
from api.counted import counted_series, freshness
from api.errors import ApiError
from api.graph.build import build_graph
from api.graph.find import require_node
from api.schemas.v1 import TimePoint, TimeSeries
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from api.xray.entity_selector import client_edges, of_pairs
from store.filters.ast import Expression
from store.graph import ServiceGraph, Statistics
from store.model import NodeKey, TimeRange
from store.query import Entities
from store.times import SECOND, parse_duration

MOST_POINTS = 1500
NODE = Query(description="id of a service; of a `client`, the calls it makes")
EDGE = Query(description="<source>:<target>; without node and edge, all requests that enter")
STEP = Query(description="length of a step, such as 30s, 5m, 1d; by default at most 60 steps")
EMPTY = Statistics()


def time_series_router(context: Context) -> APIRouter:
    """/api/v1/timeseries."""
    router = v1_part()

    @router.get("/timeseries", response_class=Response, responses={200: {"model": TimeSeries}})
    async def get_time_series(
        request: Request,
        window: Window,
        expression: FilterExpression,
        node: Annotated[str, NODE] = "",
        edge: Annotated[str, EDGE] = "",
        step: Annotated[str, STEP] = "",
    ) -> Response:
        """Requests by status and response times per step, of the units that started in it."""
        if node and edge:
            raise ApiError("node and edge exclude each other, got both")
        return await run_cancellable(
            request,
            lambda: json_response(time_series(context, window, expression, node or edge, step)),
        )

    return router


def time_series(
    context: Context,
    window: TimeRange,
    expression: Expression | None = None,
    place: str = "",
    step: str = "",
) -> TimeSeries:
    """Numbers of a node or edge, by id, or of all requests that enter; ApiError (404) for a place
    without traffic."""
    length = choose_step(context, window, step)
    whole = TimeRange(window.start // length * length, -(-window.end // length) * length)
    counted = context.counted_window(whole)
    series = counted_series(context, entities_of(counted.graph, place), whole, length, expression)
    starts = range(whole.start, whole.end, length)
    return {
        **span(whole),
        **freshness(whole, None if expression else counted.backlog),
        "step": length // SECOND,
        "points": [_point(start, series.get(start, EMPTY)) for start in starts],
    }


def choose_step(context: Context, window: TimeRange, text: str) -> int:
    """Microseconds of a step: the requested one, or a round one of which at most sixty cover the window.

    ApiError (400) for one that the store cannot answer within an interactive request.
    """
    grain = context.store.min_step(window)
    if not text:
        step = step_of(window)
        return step if step % grain == 0 else grain
    try:
        step = parse_duration(text, default_unit="s") * SECOND
    except ValueError as error:
        raise ApiError(f"step: {error}") from None
    if not step or step % grain:
        least = max(1, grain // SECOND)
        raise ApiError(f"step must be a multiple of {least} s in this window, got {text[:20]!r}")
    if (window.end - window.start) // step > MOST_POINTS:
        raise ApiError(f"step must be longer: this window has more than {MOST_POINTS} of {text}")
    return step


def entities_of(graph: ServiceGraph, place: str) -> Entities:
    """What a series counts; ApiError (400, 404) for an id that is none or has no traffic."""
    if not place:
        return client_edges(graph)
    ids = place.split(":")
    if len(ids) > 2:
        raise ApiError(f"edge must be <source>:<target>, got {place[:60]!r}")
    built = build_graph(graph)
    if len(ids) == 2:
        return of_pairs(graph, frozenset(), {require_edge(built, *ids)})
    node = require_node(built, ids[0])
    if node.is_client:
        calls: set[tuple[NodeKey, NodeKey]] = {(node, target) for target in built.successors(node)}
        return of_pairs(graph, frozenset(), calls)
    return of_pairs(graph, frozenset({node}), set())


def _point(start: int, statistics: Statistics) -> TimePoint:
    return {
        "start": start / SECOND,
        **counts(statistics),
        "in_progress": statistics.in_progress,
        **times(statistics),
    }
