"""How far the figures of a map are to be trusted: by its counts, by the clocks that its newest traces show, and by what
X-Ray's SDKs report of their sampling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.console.details import require_edge
from api.console.params import FilterExpression
from api.context import Context, json_response, run_cancellable
from api.counted import counted_with_older, freshness
from api.errors import ApiError
from api.graph.build import (
    Graph,
    build_graph,
    edge_id,
    edges_of,
    keys_of,
    node_id,
    shown_name,
    stats_of,
)
from api.graph.clocks import Clocks, read_clocks
from api.graph.find import require_node
from api.graph.open_ends import services_of
from api.graph.passes import prune
from api.graph.trust import Doubt, Older, Trust, counted, doubts_of_edge, doubts_of_node
from api.sampling import INTERVAL
from api.schemas.common import Freshness, Instant, reply
from api.schemas.trust import Trusted
from api.schemas.v1 import Span
from api.v1.graph import span, trusted
from api.v1.missing_words import time_words
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import Expression
from store.missing_edges.evidence import read_traces
from store.model import NodeKey, TimeRange, Trace
from store.otel.stored_document import Json, member, parse_document
from store.query import Ends, TraceQuery, UnitQuery
from store.times import SECOND


class PlaceTrust(Trusted):
    """Of one node or edge."""

    id: str
    name: Annotated[str, Field(description="of an edge both ends")]


@reply
class TrustReply(Span, Freshness):
    """How far the figures of a map are to be trusted."""

    traces: Annotated[int, Field(description="that were read for clocks and sampling")]
    traces_since: Annotated[Instant, Field(description="all from here on")]
    nodes: Annotated[
        list[PlaceTrust], Field(description="those that are not exact; of one that is given also")
    ]
    edges: Annotated[list[PlaceTrust], Field(description="likewise")]


MOST_TRACES = 200
"""Traces that are read for clocks and sampling, of a map and of a place: the newest."""
RULE_NAMES = ("rule_name", "sampling_rule_name")
"""What SDKs call the member of a segment's `aws.xray` that names its sampling rule."""
NODE = Query(description="id of a node: only it, judged by its own newest traces, too")
EDGE = Query(description="<source>:<target> of an edge: only it, likewise")


def trust_router(context: Context) -> APIRouter:
    """/api/v1/trust."""
    router = v1_part()

    @router.get("/trust", response_class=Response, responses={200: {"model": TrustReply}})
    async def get_trust(
        request: Request,
        window: Window,
        expression: FilterExpression,
        node: Annotated[str, NODE] = "",
        edge: Annotated[str, EDGE] = "",
    ) -> Response:
        """Nodes and edges whose figures are not exact, and why: counted over the window; clocks and rules of sampling as
        its newest 200 traces show them, and the newest 200 of the node or edge."""
        if node and edge:
            raise ApiError("node and edge exclude each other, got both")
        return await run_cancellable(
            request, lambda: json_response(trust(context, window, expression, node, edge))
        )

    return router


class _Read(NamedTuple):
    traces: dict[bytes, Trace]
    since: int


def trust(
    context: Context,
    window: TimeRange,
    expression: Expression | None = None,
    node: str = "",
    edge: str = "",
) -> TrustReply:
    """Of a map, or of one node or edge; ApiError (404) when that had no traffic."""
    found, before = counted_with_older(context, window, expression)
    shown, graph = found.window, build_graph(found.graph, found.window)
    visible = prune(graph)
    nodes, edges = list(visible), list(visible.edges)
    if node:
        nodes, edges = [require_node(graph, node)], []
    elif edge:
        nodes, edges = [], [require_edge(graph, *_ends(edge))]
    reports = {each.rule: each for each in recorded(context, shown)}
    read = _read(context, graph, shown, nodes if node else (), edges if edge else (), bool(reports))
    services = services_of(graph)
    services.add_hosts(read.traces.values())
    seen = read_traces(read.traces.values(), services, context.settled_before())
    judge = Judge(
        graph, Older(before), read_clocks(seen.calls), _rules(read.traces.values(), reports)
    )
    every = bool(node or edge)
    return {
        **span(shown),
        **freshness(shown, found.backlog),
        "traces": len(read.traces),
        "traces_since": max(read.since, shown.start) / SECOND,
        "nodes": [each for key in nodes if (each := judge.node(key))["trust"] != "exact" or every],
        "edges": [
            each for ends in edges if (each := judge.edge(ends))["trust"] != "exact" or every
        ],
    }


def recorded(context: Context, window: TimeRange) -> list[Recorded]:
    """The rules of which not all was sampled in a window; reports of more than an hour ago are gone."""
    sums: dict[str, tuple[int, int]] = {}
    for each in context.store.sampling_sums(window, INTERVAL * SECOND):
        requests, sampled = sums.get(each.rule, (0, 0))
        sums[each.rule] = requests + each.requests, sampled + each.sampled
    return [Recorded(rule, *pair) for rule, pair in sums.items() if pair[1] < pair[0]]


def _ends(edge: str) -> tuple[str, str]:
    source, colon, target = edge.partition(":")
    if not colon:
        raise ApiError(f"edge must be <source>:<target>, got {edge[:60]!r}")
    return source, target


def _read(
    context: Context,
    graph: Graph,
    window: TimeRange,
    nodes: Iterable[NodeKey],
    edges: Iterable[Ends],
    raw: bool,
) -> _Read:
    """The newest traces of a window, as it takes several services to know whose clock is off, and those of a node or an
    edge. ``since`` is that of the latter."""
    query = None
    for node in nodes:
        background = stats_of(graph, node).is_background
        query = UnitQuery(window, nodes=keys_of(graph, node), background=background)
    for ends in edges:
        query = UnitQuery(window, edges=edges_of(graph, *ends))
    found = {
        each.trace_id: each.time
        for each in context.store.find_traces(TraceQuery(window), limit=MOST_TRACES).found
    }
    since = min(found.values()) if len(found) == MOST_TRACES else window.start
    if query is not None:
        units = context.store.find_units(query, limit=MOST_TRACES).found
        since = units[-1].time if len(units) == MOST_TRACES else window.start
        found |= {each.trace_id: each.time for each in units}
    return _Read(context.store.get_traces(list(found), raw=raw), since)


def _rules(traces: Iterable[Trace], reports: dict[str, Recorded]) -> dict[NodeKey, set[Recorded]]:
    """Of each node that reports, the rules by which its traces were sampled, as their segments name them."""
    found: dict[NodeKey, set[Recorded]] = {}
    if not reports:
        return found
    for trace in traces:
        named = {
            report
            for document in trace.documents.values()
            if not document.parent_id and document.raw
            if (report := reports.get(_rule_of(parse_document(document))))
        }
        for document in trace.documents.values():
            found.setdefault(document.node, set()).update(named)
    return found


def _rule_of(content: Json) -> str:
    xray = member(member(content, "aws"), "xray")
    return next((str(xray[name]) for name in RULE_NAMES if xray.get(name)), "")


class Recorded(NamedTuple):
    """How many of the requests that a sampling rule matched were sampled, as SDKs report."""

    rule: str
    requests: int
    sampled: int


class Judge:
    """Renders nodes and edges with their doubts."""

    def __init__(
        self, graph: Graph, older: Older, clocks: Clocks, rules: dict[NodeKey, set[Recorded]]
    ) -> None:
        self._graph, self._older, self._clocks, self._rules = graph, older, clocks, rules

    def node(self, node: NodeKey) -> PlaceTrust:
        """A node, judged."""
        doubts = doubts_of_node(self._graph, node, self._older)
        if not node.is_client:
            doubts += [*self._sampled(node), *self._off(node)]
        return {"id": node_id(node), "name": shown_name(self._graph, node), **trusted(doubts)}

    def edge(self, ends: Ends) -> PlaceTrust:
        """An edge, judged."""
        source, target = ends
        doubts = doubts_of_edge(self._graph, ends, self._older)
        doubts += self._sampled(target if source.is_client else source)
        doubts += self._differing(ends)
        names = " → ".join(shown_name(self._graph, each) for each in ends)
        return {"id": edge_id(*ends), "name": names, **trusted(doubts)}

    def _sampled(self, node: NodeKey) -> list[Doubt]:
        rules = {each for key in keys_of(self._graph, node) for each in self._rules.get(key, ())}
        return [
            Doubt(
                Trust.SAMPLED,
                f"{each.sampled:,} of {counted(each.requests, 'request')} of the sampling rule {each.rule} were recorded, as "
                "SDKs report; only those are counted",
                each.sampled,
                each.requests,
            )
            for each in sorted(rules)
        ]

    def _off(self, node: NodeKey) -> list[Doubt]:
        """The clock of a service that differs from most others; where none is that of most, from one."""
        keys = keys_of(self._graph, node)
        every = [(ends, skew) for ends, skew in self._clocks.edges.items() if keys & {*ends}]
        if not every:
            return []
        ahead = next((self._clocks.nodes[key] for key in keys if key in self._clocks.nodes), 0)
        ends, skew = max(every, key=lambda each: each[1].units)
        shown = f"in {skew.units:,} of {counted(skew.of, 'call')} with an answer"
        if ahead:
            words = f"its clock is {time_words(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}, {shown}"
        elif self._clocks.nodes:
            return []
        else:
            other = next((end for end in ends if end not in keys), node)
            words = f"its clock and that of {other.name} differ by {time_words(abs(skew.ahead))}, {shown}"
        return [Doubt(Trust.SKEWED, words, skew.units, skew.of, skew=ahead, trace=skew.trace)]

    def _differing(self, ends: Ends) -> list[Doubt]:
        keys = edges_of(self._graph, *ends)
        skews = [self._clocks.edges[each] for each in keys if each in self._clocks.edges]
        return [
            Doubt(
                Trust.SKEWED,
                f"the clock of {shown_name(self._graph, ends[1])} is {time_words(abs(each.ahead))} "
                f"{'ahead of' if each.ahead > 0 else 'behind'} that of {shown_name(self._graph, ends[0])}, in {each.units:,} of "
                f"{counted(each.of, 'call')} with an answer",
                each.units,
                each.of,
                skew=each.ahead,
                trace=each.trace,
            )
            for each in skews
        ]
