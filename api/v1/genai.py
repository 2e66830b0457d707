"""What models, agents and tools were called for, and the tokens that took."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from api.console.counted_graph import CountedGraph, count_window
from api.console.details import require_edge
from api.console.params import FilterExpression
from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.graph.build import Graph, edges_of, keys_of, node_id, shown_name
from api.graph.find import require_node
from api.schemas.v1 import GenAIOperation, GenAIUsage
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import Expression
from store.genai_usage import GENAI, Operation, Usage, condition_of, usage_of
from store.model import NodeKey, TimeRange
from store.query import Ends, UnitQuery

MOST_TRACES = 1000
"""Newest traces that are read, since tokens are in no count of the map: these cost a second."""
CHUNK = 250
NODE = Query(description="id of a service, or of what it called: only its edges")
EDGE = Query(description="ids of its ends, as `source:target`: only this edge")


class _Read(NamedTuple):
    """The usage in some traces, how many these are, and whether they are all."""

    usage: dict[Operation, Usage]
    traces: int
    complete: bool


def genai_router(context: Context) -> APIRouter:
    """/api/v1/genai."""
    router = v1_part()

    @router.get("/genai", response_class=Response, responses={200: {"model": GenAIUsage}})
    async def list_genai(
        request: Request,
        window: Window,
        expression: FilterExpression,
        node: Annotated[str, NODE] = "",
        edge: Annotated[str, EDGE] = "",
    ) -> Response:
        """Calls of models, agents and tools by edge and operation, with tokens and cost where spans tell; in the
        newest 1,000 traces of a window that have some, with a filter of those that satisfy it."""
        return await run_cancellable(
            request,
            lambda: json_response(genai_usage(context, window, expression, node, edge)),
        )

    return router


def genai_usage(
    context: Context,
    window: TimeRange,
    expression: Expression | None = None,
    node: str = "",
    edge: str = "",
) -> GenAIUsage:
    """The usage of a window; ApiError (404) for a node or an edge without traffic."""
    counted = count_window(context, window, expression)
    edges = _edges(counted.graph, node, edge)
    read = _read(context, counted, edges) if edges else _Read({}, 0, complete=True)
    nodes = {key: node for node in counted.graph for key in keys_of(counted.graph, node)}
    rows = sorted(read.usage.items(), key=lambda each: (-each[1].calls, each[0]))
    return {
        **span(counted.window),
        **freshness(counted.window, counted.backlog),
        "traces": read.traces,
        "complete": read.complete,
        "operations": [_row(counted.graph, nodes, operation, usage) for operation, usage in rows],
    }


def _edges(graph: Graph, node: str, edge: str) -> Collection[Ends]:
    """The keys of the edges to models, agents and tools that are meant."""
    if edge:
        source, _, target = edge.partition(":")
        found = [require_edge(graph, source, target)]
    elif node:
        of = require_node(graph, node)
        found = [ends for ends in graph.edges if of in ends]
    else:
        found = list(graph.edges)
    return {
        ends
        for source, target in found
        if target.type.startswith(GENAI)
        for ends in edges_of(graph, source, target)
    }


def _read(context: Context, counted: CountedGraph, edges: Collection[Ends]) -> _Read:
    query = UnitQuery(counted.window, edges=frozenset(edges), link=False)
    if counted.selection is not None:
        selected = counted.selection.traces
        anywhere = UnitQuery(edges=query.edges, link=False)
        usage = usage_of(selected.values(), anywhere, weighted=False)
        return _Read(usage, len(selected), counted.selection.complete)
    page = context.store.find_units(query, limit=MOST_TRACES)
    ids = [each.trace_id for each in page.found]
    traces = (
        trace
        for first in range(0, len(ids), CHUNK)
        for trace in context.store.get_traces(ids[first : first + CHUNK]).values()
    )
    return _Read(usage_of(traces, query), len(ids), page.cursor is None)


def _row(
    graph: Graph, nodes: Mapping[NodeKey, NodeKey], operation: Operation, usage: Usage
) -> GenAIOperation:
    """``nodes``: of the graph, by the keys of their units."""
    source, target = (nodes[end] for end in (operation.source, operation.target))
    _, _, name, model, tool = operation
    return {
        "source": node_id(source),
        "target": node_id(target),
        "source_name": shown_name(graph, source),
        "target_name": shown_name(graph, target),
        "type": target.type,
        "operation": name,
        "model": model,
        "tool": tool,
        "calls": usage.calls,
        "calls_with_tokens": usage.reported,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": usage.cost,
        "condition": condition_of(operation, usage),
    }
