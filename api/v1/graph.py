"""The map as numbers: whole, or its services and edges in pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import networkx as nx
from fastapi import APIRouter, Query, Request, Response

from api.console.charts import status_name
from api.console.map_json import edge_numbers, node_numbers
from api.console.params import FilterExpression, GroupBy
from api.context import Context, json_response, run_cancellable
from api.counted import counted_graph, counted_with_older, freshness
from api.graph.build import (
    Graph,
    build_graph,
    calls_of,
    ratios_of,
    shown_name,
    stats_of,
    value_in,
)
from api.graph.find import require_node
from api.graph.passes import name_problems, prune
from api.graph.ratios import Ratios
from api.graph.search import match_rank, names_of
from api.graph.trust import Doubt, Older, doubts_of_edge, doubts_of_node, gravest
from api.schemas.common import Freshness
from api.schemas.trust import DoubtNumbers, Trusted
from api.schemas.v1 import EdgePage, MapNumbers, NamedEdge, RatedNode, ServicePage, Shares, Span
from api.v1.params import Page, Paged, Window
from api.v1.part import v1_part
from store.filters.ast import Expression
from store.model import NodeKey, TimeRange
from store.query import Ends
from store.rules.dimensions import Dimension
from store.times import SECOND
from store.trace_id import format_trace_id

MapFormat = Literal["json", "node-link", "graphml"]
GRAPHML = "application/graphml+xml"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot contain."""


def node_link(numbers: MapNumbers) -> dict[str, Any]:
    """What `networkx.node_link_graph` reads, with ``edges="edges"``."""
    found: dict[str, Any] = nx.node_link_data(_graph(numbers), edges="edges")
    return found


def graphml(numbers: MapNumbers) -> bytes:
    """What `networkx.read_graphml` reads."""
    return "\n".join(nx.generate_graphml(_graph(numbers))).encode()


def _graph(numbers: MapNumbers) -> nx.DiGraph:
    """Nodes by id; what is null or no scalar in JSON is no attribute, but for the figures of background work."""
    graph: nx.DiGraph = nx.DiGraph(**_scalars(numbers))
    for node in numbers["services"]:
        apart = _scalars(node["background"] or {})
        of_background = {f"background_{name}": value for name, value in apart.items()}
        graph.add_node(node["id"], **_scalars(node), **of_background)
    for edge in numbers["edges"]:
        graph.add_edge(edge["source"], edge["target"], **_scalars(edge))
    return graph


def _scalars(members: Mapping[str, Any]) -> dict[str, Any]:
    ends = ("source", "target")
    return {
        name: _NOT_XML.sub("\ufffd", value) if isinstance(value, str) else value
        for name, value in members.items()
        if isinstance(value, str | int | float | bool) and name not in ends
    }


PART = Query(max_length=200, description="part of a name or type, case-insensitive")
FORMAT = Query(description="json, or what networkx reads: node-link (JSON) and graphml (XML)")
NODE = Query(description="id of a service: only its edges")


def graph_router(context: Context) -> APIRouter:
    """/api/v1/map, /api/v1/services and /api/v1/edges."""
    router = v1_part()

    @router.get("/map", response_class=Response, responses={200: {"model": MapNumbers}})
    async def get_map_numbers(
        request: Request,
        window: Window,
        expression: FilterExpression,
        format: Annotated[MapFormat, FORMAT] = "json",
        group_by: GroupBy = None,
    ) -> Response:
        """Services and edges of a window, with a filter of the traces that satisfy it."""
        if format == "graphml":
            return await run_cancellable(
                request,
                lambda: Response(
                    graphml(map_numbers(context, window, expression, group_by)),
                    media_type=GRAPHML,
                ),
            )
        render = node_link if format == "node-link" else dict[str, Any]
        key = ("v1 map", format, window, expression, group_by)
        return await context.share_graph(
            request, key, lambda: render(map_numbers(context, window, expression, group_by))
        )

    @router.get("/services", response_class=Response, responses={200: {"model": ServicePage}})
    async def list_services(
        request: Request,
        page: Paged,
        expression: FilterExpression,
        q: Annotated[str, PART] = "",
        group_by: GroupBy = None,
    ) -> Response:
        """Services with their numbers, callers outside the traced system included (`client`)."""
        return await run_cancellable(
            request, lambda: json_response(service_page(context, page, expression, q, group_by))
        )

    @router.get("/edges", response_class=Response, responses={200: {"model": EdgePage}})
    async def list_edges(
        request: Request,
        page: Paged,
        expression: FilterExpression,
        node: Annotated[str, NODE] = "",
        group_by: GroupBy = None,
    ) -> Response:
        """Edges with their numbers, measured by the caller."""
        return await run_cancellable(
            request, lambda: json_response(edge_page(context, page, expression, node, group_by))
        )

    return router


def read_graph(
    context: Context, window: TimeRange, expression: Expression | None, by: Dimension | None
) -> tuple[TimeRange, Graph, Freshness]:
    """The window that was counted, its graph, and whether it is complete."""
    counted = counted_graph(context, window, expression, by)
    fresh = freshness(counted.window, counted.backlog)
    return counted.window, build_graph(counted.graph, counted.window), fresh


class _Read(NamedTuple):
    """The window that was counted, its graph, what of it should have ended, and whether it is complete."""

    window: TimeRange
    graph: Graph
    older: Older
    fresh: Freshness


def _read(
    context: Context, window: TimeRange, expression: Expression | None, by: Dimension | None
) -> _Read:
    counted, before = counted_with_older(context, window, expression, by)
    fresh = freshness(counted.window, counted.backlog)
    graph = build_graph(counted.graph, counted.window)
    return _Read(counted.window, graph, Older(before), fresh)


def span(window: TimeRange) -> Span:
    """The window of an answer."""
    return {"from": window.start / SECOND, "to": window.end / SECOND}


def map_numbers(
    context: Context,
    window: TimeRange,
    expression: Expression | None = None,
    by: Dimension | None = None,
) -> MapNumbers:
    """The map of a window."""
    shown, graph, older, fresh = _read(context, window, expression, by)
    drawn = prune(graph)
    return {
        **span(shown),
        **fresh,
        "group_by": by.value if by else None,
        "services": [_service(drawn, node, shown, older) for node in drawn],
        "edges": [_edge(drawn, ends, shown, older) for ends in drawn.edges],
        "left_out": len(graph) - len(drawn),
        "problems": name_problems(graph),
    }


def service_page(
    context: Context,
    page: Page,
    expression: Expression | None = None,
    part: str = "",
    by: Dimension | None = None,
) -> ServicePage:
    """The services after a cursor whose name or type contains ``part``."""
    shown, graph, older, fresh = _read(context, page.window, expression, by)
    text = part.strip().casefold()
    found = [
        node
        for node in graph
        if not text or match_rank(names_of(node, stats_of(graph, node).names), text)
    ]
    nodes, cursor = page.cut(found, _position)
    return {
        **span(shown),
        **fresh,
        "services": [_service(graph, node, shown, older) for node in nodes],
        "next": cursor,
    }


def edge_page(
    context: Context,
    page: Page,
    expression: Expression | None = None,
    node: str = "",
    by: Dimension | None = None,
) -> EdgePage:
    """The edges after a cursor, all or those of one node."""
    shown, graph, older, fresh = _read(context, page.window, expression, by)
    of = require_node(graph, node) if node else None
    found = [ends for ends in graph.edges if of is None or of in ends]
    edges, cursor = page.cut(found, lambda ends: _position(ends[0] + ends[1]))
    return {
        **span(shown),
        **fresh,
        "edges": [_edge(graph, ends, shown, older) for ends in edges],
        "next": cursor,
    }


def _service(graph: Graph, node: NodeKey, window: TimeRange, older: Older) -> RatedNode:
    return {
        **node_numbers(graph, node, window),
        **_shares(ratios_of(graph.nodes[node])),
        **trusted(doubts_of_node(graph, node, older)),
    }


def _edge(graph: Graph, ends: Ends, window: TimeRange, older: Older) -> NamedEdge:
    source, target = ends
    ratios = ratios_of(graph.edges[ends])
    return {
        **edge_numbers(calls_of(graph, *ends), window),
        **_shares(ratios),
        **trusted(doubts_of_edge(graph, ends, older)),
        "traces_per_min": ratios.traces_per_min,
        "source_name": shown_name(graph, source),
        "source_value": value_in(source),
        "target_name": shown_name(graph, target),
        "target_value": value_in(target),
    }


def _shares(ratios: Ratios) -> Shares:
    return {
        "ok_ratio": ratios.ok_ratio,
        "error_ratio": ratios.error_ratio,
        "throttle_ratio": ratios.throttle_ratio,
        "fault_ratio": ratios.fault_ratio,
        "average_ms": ratios.average_ms,
    }


def trusted(doubts: list[Doubt]) -> Trusted:
    """How far figures with these doubts are to be trusted."""
    return {"trust": gravest(doubts).value, "doubts": [_doubt(each) for each in doubts]}


def _doubt(doubt: Doubt) -> DoubtNumbers:
    return {
        "trust": doubt.trust.value,
        "text": doubt.text,
        "units": doubt.units,
        "of": doubt.of,
        "status": None if doubt.state is None else status_name(doubt.state),
        "error": doubt.error or None,
        "skew_ms": doubt.skew / 1000 or None,
        "trace_id": format_trace_id(doubt.trace) if doubt.trace else None,
    }


def _position(key: tuple[str, ...]) -> str:
    """The position of an element in its list."""
    return "\0".join(key)
