"""StartTraceRetrieval, ListRetrievedTraces, GetRetrievedTracesGraph, CancelTraceRetrieval
(docs/xray-format.md §9.5).

Traces are at hand, so a retrieval is complete at once; they are read when they are listed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from api.context import Context
from api.errors import ApiError
from api.graph.build import Graph, build_graph, keys_of
from api.request import JsonBody
from api.xray.changes import not_found, throttled
from api.xray.paging import paged
from api.xray.service_graph_json import render_services
from store.config.protocol import Retrieval
from store.model import NodeKey, TimeRange, Trace
from store.otel.from_xray import export_trace, to_json
from store.service_graph import build_service_graph
from store.summary import trace_duration
from store.trace_documents import processed_documents
from store.trace_id import format_trace_id, parse_trace_id, trace_time

Json = dict[str, Any]

MAX_IDS = 100
MAX_TOKEN = 1020
MAX_RETRIEVALS = 1_000
"""Retrievals whose tokens are valid."""
PAGE_TRACES, MAX_SPANS = 5, 100
PAGE_SERVICES, MAX_LINKS = 1_000, 100
FORMATS = ("XRAY", "OTEL")


def start_trace_retrieval(context: Context, body: JsonBody) -> Json:
    """StartTraceRetrieval; the window includes both its ends."""
    texts = body.texts("TraceIds")
    if len(texts) > MAX_IDS:
        raise ApiError(f"TraceIds may have {MAX_IDS} elements, got {len(texts)}")
    ids = tuple(dict.fromkeys(_trace_id(at, text) for at, text in enumerate(texts)))
    start, end = body.instant("StartTime"), body.instant("EndTime")
    if start > end:
        raise ApiError(f"StartTime must not be after EndTime, got {start / 1e6} and {end / 1e6}")
    now = round(context.clock() * 1_000_000)
    if context.store.count_retrievals(now) >= MAX_RETRIEVALS:
        raise throttled(f"{MAX_RETRIEVALS} retrievals are open, which is the limit: cancel some")
    token = secrets.token_urlsafe(24)
    context.store.put_retrieval(Retrieval(token, ids, TimeRange(start, end + 1), now))
    return {"RetrievalToken": token}


def cancel_trace_retrieval(context: Context, body: JsonBody) -> Json:
    """CancelTraceRetrieval: nothing can be listed afterwards."""
    context.store.put_retrieval(replace(_retrieval(context, body), cancelled=True))
    return {}


def list_retrieved_traces(context: Context, body: JsonBody) -> Json:
    """ListRetrievedTraces, five traces a page. A trace of more than a hundred spans is several
    elements of the list with one id."""
    format = body.choice("TraceFormat", FORMATS)
    retrieval = _retrieval(context, body)
    answer: Json = {"RetrievalStatus": _status(retrieval), "TraceFormat": format, "Traces": []}
    if retrieval.cancelled:
        return answer
    pieces = [
        (f"{trace.trace_id.hex()}{number:06}", trace, spans)
        for trace in _traces(context, retrieval)
        for number, spans in enumerate(_chunks(_spans(trace, format), MAX_SPANS))
    ]
    return answer | paged(
        "Traces",
        sorted(pieces, key=lambda piece: piece[0]),
        body,
        key=lambda piece: piece[0],
        size=PAGE_TRACES,
        render=lambda piece: _trace(piece[1], piece[2]),
    )


def get_retrieved_traces_graph(context: Context, body: JsonBody) -> Json:
    """GetRetrievedTracesGraph: each trace counts once; with the links of each service."""
    retrieval = _retrieval(context, body)
    answer: Json = {"RetrievalStatus": _status(retrieval), "Services": []}
    if retrieval.cancelled:
        return answer
    traces = _traces(context, retrieval)
    graph = build_graph(build_service_graph(traces, weighted=False))
    return answer | paged(
        "Services",
        list(_services(graph, traces)),
        body,
        key=lambda service: f"{service['Service']['ReferenceId']:06}",
        size=PAGE_SERVICES,
    )


def _trace_id(at: int, text: str) -> bytes:
    try:
        return parse_trace_id(text)
    except ValueError as error:
        raise ApiError(f"TraceIds[{at}]: {error}") from None


def _retrieval(context: Context, body: JsonBody) -> Retrieval:
    token = body.required_text("RetrievalToken", most=MAX_TOKEN)
    found = context.store.get_retrieval(token, round(context.clock() * 1_000_000))
    if found is None:
        message = "RetrievalToken: there is no such retrieval, or it is older than an hour"
        raise not_found(message, token)
    return found


def _status(retrieval: Retrieval) -> str:
    return "CANCELLED" if retrieval.cancelled else "COMPLETE"


def _traces(context: Context, retrieval: Retrieval) -> list[Trace]:
    """The requested traces that lie in the window, as lists go by, or have a document in it."""
    found = context.store.get_traces(list(retrieval.trace_ids), raw=True)
    return [trace for trace in found.values() if _is_in(trace, retrieval.window)]


def _is_in(trace: Trace, window: TimeRange) -> bool:
    documents = trace.documents.values()
    listed = trace_time(trace.trace_id, min(document.start for document in documents))
    return listed in window or any(
        document.start < window.end and document.end >= window.start for document in documents
    )


def _trace(trace: Trace, spans: list[Json]) -> Json:
    return {
        "Id": format_trace_id(trace.trace_id),
        "Duration": round(trace_duration(trace) / 1_000_000, 3),
        "Spans": spans,
    }


def _spans(trace: Trace, format: str) -> list[Json]:
    """Spans: an X-Ray document as BatchGetTraces returns it, or an OpenTelemetry span as JSON with
    its resource and scope."""
    if format == "XRAY":
        return [_span(document["id"], document) for document in processed_documents(trace)]
    exported = to_json(export_trace(trace.documents.values()))
    return [
        _span(span["spanId"], {"resource": part.get("resource", {}), "scope": scope, **span})
        for part in exported.get("resourceSpans", ())
        for scoped in part["scopeSpans"]
        for scope in [scoped.get("scope", {})]
        for span in scoped["spans"]
    ]


def _span(id: str, document: Json) -> Json:
    return {"Id": id, "Document": msgspec.json.encode(document).decode()}


def _chunks(spans: list[Json], size: int) -> Iterator[list[Json]]:
    for first in range(0, len(spans), size):
        yield spans[first : first + size]


def _services(graph: Graph, traces: Iterable[Trace]) -> Iterator[Json]:
    links = _links(traces)
    for node, service in zip(graph, render_services(graph), strict=True):
        found = [each for key in keys_of(graph, node) for each in links.get(key, {}).items()]
        rendered = [
            {"ReferenceType": kind, "SourceTraceId": source, "DestinationTraceIds": targets}
            for (kind, source), targets in sorted(found)
        ]
        yield {"Service": service, "Links": rendered[:MAX_LINKS]}


def _links(traces: Iterable[Trace]) -> dict[NodeKey, dict[tuple[str, str], list[str]]]:
    """The links of each node, as AWS's reference types name the other trace: ``parent`` caused this
    one, ``child`` was caused by it. By type and source the destinations."""
    found: dict[NodeKey, dict[tuple[str, str], list[str]]] = {}
    for trace in traces:
        here = format_trace_id(trace.trace_id)
        for owned in trace.links.values():
            there = format_trace_id(owned.link.trace_id)
            kind, source, target = (
                ("parent", there, here) if owned.link.upstream else ("child", here, there)
            )
            targets = found.setdefault(owned.node, {}).setdefault((kind, source), [])
            if target not in targets:
                targets.append(target)
    return found
