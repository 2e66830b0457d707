"""Why an edge of a service is missing: the causes that its newest traces show, and what mends them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.graph.build import (
    Graph,
    build_graph,
    edges_of,
    keys_of,
    node_id,
    shown_name,
    stats_of,
)
from api.graph.find import require_node
from api.graph.open_ends import services_of
from api.schemas.common import Freshness, Instant, NodeId, TraceId, reply
from api.schemas.v1 import NamedNode, Span
from api.v1.graph import span
from api.v1.mending import MENDING, SDKS, key_of
from api.v1.missing_words import mends_caller, words
from api.v1.params import Window
from api.v1.part import v1_part
from store.missing_edges.causes import missing_edges
from store.missing_edges.evidence import Seen, read_traces
from store.missing_edges.model import Finding
from store.missing_edges.names import Services
from store.model import NodeKey, TimeRange, Trace
from store.otel.stored_document import Json, member, parse_document
from store.query import Ends, TraceQuery, UnitQuery
from store.times import SECOND
from store.trace_id import format_trace_id


class MendingLines(TypedDict):
    """What mends a cause in one SDK."""

    sdk: Annotated[str, Field(description="such as xray-python; any: of no SDK")]
    name: str
    lines: str
    source: Annotated[str, Field(description="where they are documented")]


class MissingEdge(TypedDict):
    """A cause between two services."""

    cause: Literal[
        "no_exit_span",
        "header_not_passed",
        "parent_missing",
        "not_sampled",
        "clock_skew",
        "other_account",
        "platform_record_missing",
        "still_running",
    ]
    basis: Annotated[
        Literal["ids", "name", "time"],
        Field(
            description="ids: what documents name; name: a service reports under the name that was called; time: requests "
            "lie inside of others, by far more often than by chance"
        ),
    ]
    caller: Annotated[NamedNode | None, Field(description="null: not known")]
    callee: Annotated[NamedNode | None, Field(description="null: it does not report here")]
    called: Annotated[str, Field(description="the name that was called")]
    units: Annotated[int, Field(description="calls, or requests, that show it")]
    of: Annotated[int, Field(description="of so many that were judged")]
    text: str
    skew_ms: float | None
    trace_id: Annotated[TraceId, Field(description="a trace that shows it")]
    other_trace_id: Annotated[
        TraceId | None, Field(description="the trace of the other end, where that is another")
    ]
    sdk: Annotated[str, Field(description="of the end to mend; empty: it does not say")]
    mending: Annotated[list[MendingLines], Field(description="that of `sdk` first")]


@reply
class MissingReply(Span, Freshness):
    """Why edges of a service are missing."""

    node: NodeId
    traces: Annotated[int, Field(description="that were read of it and of what it seems to call")]
    traces_since: Annotated[Instant, Field(description="all of it from here on")]
    around: Annotated[int, Field(description="traces of any service that were read")]
    around_since: Annotated[Instant, Field(description="all of them from here on")]
    causes: Annotated[list[MissingEdge], Field(description="those of most units first; none: []")]


MOST_TRACES = 300
"""Traces that are read of a service, of each that it seems to call, and of what seems to call it: the newest."""
MOST_AROUND = 1_000
"""Traces of any service that are read for callers that record no call: the newest."""
MOST_CALLED = 3
"""Services that are read because it seems to call them: those with the most such calls."""
CHUNK = 200
OTHER = Query(description="id of another service: only causes between the two")


def missing_router(context: Context) -> APIRouter:
    """/api/v1/nodes/<id>/missing."""
    router = v1_part()

    @router.get(
        "/nodes/{id}/missing", response_class=Response, responses={200: {"model": MissingReply}}
    )
    async def get_missing_edges(
        request: Request, id: str, window: Window, other: Annotated[str, OTHER] = ""
    ) -> Response:
        """Why edges of a service are missing: causes with how many calls or requests show them, an example each, and
        the lines that mend them. Counted in its newest 300 traces of the window and those of what it seems to call,
        and in the newest 1,000 of any service."""
        return await run_cancellable(
            request, lambda: json_response(missing(context, id, window, other))
        )

    return router


class _Read(NamedTuple):
    """Traces by id, and from when on all that are of a service were read (microseconds)."""

    traces: dict[bytes, Trace]
    since: int


def missing(context: Context, id: str, window: TimeRange, other: str = "") -> MissingReply:
    """The causes around a node; ApiError (404) when it had no traffic."""
    counted = context.counted_window(window)
    shown, graph = counted.window, build_graph(counted.graph, counted.window)
    node = require_node(graph, id)
    ends = keys_of(graph, require_node(graph, other)) if other else None
    services = services_of(graph)
    around = _around(context, shown)
    own = _of_service(context, graph, node, shown)
    services.add_hosts((own.traces | around.traces).values())
    means = services.meant_by(node) if not stats_of(graph, node).active else None
    nodes = set(keys_of(graph, node))
    if means is not None and means in graph:
        nodes |= keys_of(graph, means)
    traces, since = dict(own.traces), dict.fromkeys(keys_of(graph, node), own.since)
    settled = context.settled_before()
    traces.update(_along(context, _edges_meant(graph, services, nodes), shown).traces)
    called = _called(read_traces(traces.values(), services, settled), nodes, graph)
    for each in {*called, *([means] if means in graph else ())}:
        read = _of_service(context, graph, each, shown)
        traces.update(read.traces)
        since |= dict.fromkeys(keys_of(graph, each), read.since)
    seen = read_traces(traces.values(), services, settled)
    nearby = read_traces(around.traces.values(), services, settled)
    found = missing_edges(seen, nearby, nodes=nodes, since=since)
    if ends is not None:
        found = [each for each in found if each.caller in ends or each.callee in ends]
    whole = {key: each for each in graph for key in keys_of(graph, each)}
    sdks = _sdks(context, found)
    return {
        **span(shown),
        **freshness(shown, counted.backlog),
        "node": node_id(node),
        "traces": len(traces),
        "traces_since": max(own.since, shown.start) / SECOND,
        "around": len(around.traces),
        "around_since": max(around.since, shown.start) / SECOND,
        "causes": [_render(each, graph, whole, sdks) for each in found],
    }


def _edges_meant(graph: Graph, services: Services, nodes: Collection[NodeKey]) -> set[Ends]:
    """The edges that lead to inferred nodes whose names are those of a service."""
    return {
        keys
        for source, target in graph.edges
        if not stats_of(graph, target).active and services.meant_by(target) in nodes
        for keys in edges_of(graph, source, target)
    }


def _called(seen: Seen, nodes: Collection[NodeKey], graph: Graph) -> list[NodeKey]:
    """The services that they call without an answer, the most often called first."""
    counts = Counter(
        each.callee
        for each in seen.calls
        if each.answer is None and each.caller in nodes and each.callee in graph
    )
    return [node for node, _ in counts.most_common(MOST_CALLED) if node is not None]


def _of_service(context: Context, graph: Graph, node: NodeKey, window: TimeRange) -> _Read:
    background = stats_of(graph, node).is_background
    query = UnitQuery(window, nodes=keys_of(graph, node), background=background)
    return _units(context, query, window)


def _along(context: Context, edges: Collection[Ends], window: TimeRange) -> _Read:
    if not edges:
        return _Read({}, window.start)
    return _units(context, UnitQuery(window, edges=frozenset(edges), link=False), window)


def _units(context: Context, query: UnitQuery, window: TimeRange) -> _Read:
    page = context.store.find_units(query, limit=MOST_TRACES)
    since = page.found[-1].time if page.cursor and page.found else window.start
    return _Read(_read(context, [each.trace_id for each in page.found]), since)


def _around(context: Context, window: TimeRange) -> _Read:
    page = context.store.find_traces(TraceQuery(window), limit=MOST_AROUND)
    since = page.found[-1].time if page.cursor and page.found else window.start
    return _Read(_read(context, [each.trace_id for each in page.found]), since)


def _read(context: Context, ids: list[bytes], *, raw: bool = False) -> dict[bytes, Trace]:
    found: dict[bytes, Trace] = {}
    for at in range(0, len(ids), CHUNK):
        found.update(context.store.get_traces(ids[at : at + CHUNK], raw=raw))
    return found


def _sdks(context: Context, findings: Iterable[Finding]) -> dict[tuple[bytes, NodeKey], str]:
    """The SDKs of the ends of findings, by the trace of the end and its node."""
    ids = {id for each in findings for id in (each.trace_id, each.other_trace_id) if id}
    return {
        (trace.trace_id, document.node): sdk
        for trace in _read(context, sorted(ids)[:CHUNK], raw=True).values()
        for document in trace.documents.values()
        if document.raw and (sdk := key_of(_sdk_named(parse_document(document))))
    }


def _sdk_named(content: Json) -> str:
    return str(member(member(content, "aws"), "xray").get("sdk") or "")


def _render(
    finding: Finding,
    graph: Graph,
    whole: Mapping[NodeKey, NodeKey],
    sdks: Mapping[tuple[bytes, NodeKey], str],
) -> MissingEdge:
    caller, callee = (whole.get(end) if end else None for end in (finding.caller, finding.callee))
    end = finding.caller if mends_caller(finding.cause) else finding.callee
    traces = (finding.trace_id, finding.other_trace_id)
    sdk = next((sdks[id, end] for id in traces if end and (id, end) in sdks), "")
    lines = MENDING[finding.cause]
    return {
        "cause": finding.cause.value,
        "basis": finding.basis.value,
        "caller": _named(graph, caller),
        "callee": _named(graph, callee),
        "called": finding.called,
        "units": finding.units,
        "of": finding.of,
        "text": words(
            finding,
            _words_of(graph, caller, finding.caller),
            _words_of(graph, callee, finding.callee) or finding.called,
        ),
        "skew_ms": finding.skew / 1000 or None,
        "trace_id": format_trace_id(finding.trace_id),
        "other_trace_id": format_trace_id(finding.other_trace_id)
        if finding.other_trace_id
        else None,
        "sdk": sdk,
        "mending": [
            {"sdk": key, "name": SDKS[key], "lines": lines[key].text, "source": lines[key].source}
            for key in sorted(lines, key=lambda key: key != sdk)
        ],
    }


def _named(graph: Graph, node: NodeKey | None) -> NamedNode | None:
    if node is None:
        return None
    return {
        "id": node_id(node),
        "name": shown_name(graph, node),
        "type": node.type,
        "account": node.account,
    }


def _words_of(graph: Graph, node: NodeKey | None, key: NodeKey | None) -> str:
    return shown_name(graph, node) if node else key.name if key else ""
