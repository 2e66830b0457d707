"""What would stop if a service did: whose requests need it, what only it leads to, and circles of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from api.console.params import FilterExpression
from api.context import Context, json_response, run_cancellable
from api.counted import complete_until, counted_graph, freshness
from api.errors import ApiError
from api.graph.build import Graph, build_graph, keys_of, node_id, shown_name, stats_of
from api.graph.dependence import (
    callees_below,
    callers_above,
    circle_of,
    circles,
    only_through,
    receivers_below,
    senders_above,
)
from api.graph.find import require_node
from api.graph.fold import fold
from api.graph.passes import traffic
from api.schemas.v1 import DependentNode, ImpactReply, NamedNode, SinglePoint, StructureReply
from api.v1.graph import read_graph, span
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import And, Expression, ServiceMatch
from store.model import NodeKey, TimeRange
from store.rules.other_names import OTHER_NAMES
from store.times import BUCKET, MINUTE

MOST_TRACES = 2_000
"""Traces of a service that are read to count whose requests need it: of more those of the newest minutes."""
MOST_ROWS = 200


class _Counted(NamedTuple):
    """A window, its map, and the map of those of its traces that a service is in."""

    window: TimeRange
    graph: Graph
    touching: Graph


def impact_router(context: Context) -> APIRouter:
    """/api/v1/nodes/<id>/impact and /api/v1/structure."""
    router = v1_part()

    @router.get(
        "/nodes/{id}/impact", response_class=Response, responses={200: {"model": ImpactReply}}
    )
    async def get_impact(
        request: Request, id: str, window: Window, expression: FilterExpression
    ) -> Response:
        """What would stop if a service did. The requests of what is above and below it are counted in the newest minutes
        of the window that have at most 2,000 of its traces."""
        return await run_cancellable(
            request, lambda: json_response(impact(context, id, window, expression))
        )

    @router.get("/structure", response_class=Response, responses={200: {"model": StructureReply}})
    async def get_structure(
        request: Request, window: Window, expression: FilterExpression
    ) -> Response:
        """Circles of calls, and services that others are reached through alone."""
        return await run_cancellable(
            request, lambda: json_response(structure(context, window, expression))
        )

    return router


def impact(
    context: Context, id: str, window: TimeRange, expression: Expression | None = None
) -> ImpactReply:
    """What depends on a node; ApiError (404) when it had no traffic."""
    counted = counted_graph(context, window, expression)
    shown, graph = counted.window, build_graph(counted.graph, counted.window)
    node = require_node(graph, id)
    if node.name == OTHER_NAMES:
        raise ApiError(
            f"{OTHER_NAMES} stands for many services: no trace says which are meant",
            code="NamesCountedTogether",
        )
    above, below = callers_above(graph, node), callees_below(graph, node)
    complete = TimeRange(shown.start, complete_until(shown, counted.backlog) // BUCKET * BUCKET)
    compared = _count(context, node, complete, graph, expression) if above or below else None
    callers = _rows(graph, senders_above(graph, node), above, compared)
    callees = _rows(graph, receivers_below(graph, node), below, compared)
    only = only_through(graph).get(node, frozenset())
    return {
        **span(shown),
        **freshness(shown, counted.backlog),
        "node": node_id(node),
        "callers": callers[:MOST_ROWS],
        "callers_left_out": max(0, len(callers) - MOST_ROWS),
        "callees": callees[:MOST_ROWS],
        "callees_left_out": max(0, len(callees) - MOST_ROWS),
        "counted": span(compared.window) if compared else None,
        "only_through": [_named(graph, each) for each in graph if each in only][:MOST_ROWS],
        "only_through_left_out": max(0, len(only) - MOST_ROWS),
        "circle": [_named(graph, each) for each in circle_of(graph, node)],
    }


def structure(
    context: Context, window: TimeRange, expression: Expression | None = None
) -> StructureReply:
    """How a map hangs together. Services that others are reached through alone come by the requests of those; the two nodes
    of a function are one service."""
    shown, graph, fresh = read_graph(context, window, expression, None)
    into = fold(graph).into
    points: list[SinglePoint] = []
    for node, behind in only_through(graph).items():
        lost = {into.get(each, each) for each in behind} - {node}
        if lost and not node.is_client and node not in into:
            requests = sum(traffic(graph, each) for each in lost)
            named = _named(graph, node)
            points.append({**named, "only_through": len(lost), "requests_lost": requests})
    points.sort(key=lambda point: (-point["requests_lost"], -point["only_through"], point["name"]))
    return {
        **span(shown),
        **fresh,
        "circles": [
            [_named(graph, each) for each in dict.fromkeys(into.get(node, node) for node in circle)]
            for circle in circles(graph)
        ],
        "single_points": points[:MOST_ROWS],
        "single_points_left_out": max(0, len(points) - MOST_ROWS),
    }


def _count(
    context: Context, node: NodeKey, window: TimeRange, graph: Graph, filter: Expression | None
) -> _Counted | None:
    """The maps to compare, of a window that is complete; None of one that has nothing complete.

    Those traces are read first: what arrives meanwhile is in the greater number alone.
    """
    newest = _newest_minutes(window, stats_of(graph, node).trace_minutes)
    if newest.end <= newest.start:
        return None
    touched: Expression = ServiceMatch(node)
    both = And((touched, filter)) if filter else touched
    touching = counted_graph(context, newest, both)
    whole = counted_graph(context, newest, filter)
    if whole.window != newest:
        newest = whole.window
        touching = counted_graph(context, newest, both)
    return _Counted(newest, build_graph(whole.graph, newest), build_graph(touching.graph, newest))


def _newest_minutes(window: TimeRange, traces: int) -> TimeRange:
    """The part of a window with about `MOST_TRACES` of ``traces``, of whole minutes and at least one."""
    if traces <= MOST_TRACES:
        return window
    length = max(MINUTE, (window.end - window.start) * MOST_TRACES // traces // MINUTE * MINUTE)
    end = window.end // MINUTE * MINUTE
    if end - length < window.start:
        return window
    return TimeRange(end - length, end)


def _rows(
    graph: Graph,
    every: Mapping[NodeKey, int],
    calls: Mapping[NodeKey, int],
    compared: _Counted | None,
) -> list[DependentNode]:
    """Nodes above or below another by their distance, those with the largest share first."""
    rows = [_row(graph, each, hops, each in calls, compared) for each, hops in every.items()]
    return sorted(
        rows, key=lambda row: (-(row["share"] or 0), -(row["requests"] or 0), row["hops"])
    )


def _row(
    graph: Graph, other: NodeKey, hops: int, by_calls: bool, compared: _Counted | None
) -> DependentNode:
    row: DependentNode = {
        **_named(graph, other),
        "hops": hops,
        "by": "calls" if by_calls else "messages",
        "requests": None,
        "through": None,
        "share": None,
    }
    if compared and by_calls and other.name != OTHER_NAMES and other in compared.graph:
        keys = keys_of(compared.graph, other)
        background = stats_of(compared.graph, other).is_background
        alike = [each for each in compared.touching if keys & keys_of(compared.touching, each)]
        requests = _requests(compared.graph, other, background)
        through = sum(_requests(compared.touching, each, background) for each in alike)
        through = min(through, requests)  # unless rows arrived late, between the two reads
        row["requests"], row["through"] = requests, through
        row["share"] = round(through / requests, 6) if requests else None
    return row


def _requests(graph: Graph, node: NodeKey, background: bool) -> int:
    """What the ring of a node counts, of a client the calls it makes."""
    if node.is_client:
        return traffic(graph, node)
    stats = stats_of(graph, node)
    figures = (stats.background if background else stats.requests).statistics
    return figures.total + figures.in_progress


def _named(graph: Graph, node: NodeKey) -> NamedNode:
    return {
        "id": node_id(node),
        "name": shown_name(graph, node),
        "type": node.type,
        "account": node.account,
    }
