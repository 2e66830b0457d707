"""GetServiceGraph and GetTraceGraph."""

from __future__ import annotations

from typing import Any

from api.context import Context
from api.graph.build import build_graph
from api.request import JsonBody
from api.xray.fixed import check_group
from api.xray.service_graph_json import render_services, whole_seconds
from api.xray.traces import known_ids
from store.service_graph import build_service_graph


def get_service_graph(context: Context, body: JsonBody) -> dict[str, Any]:
    """The graph of a window of any length, in one page.

    StartTime and EndTime are those of the window counted: the requested one, or that one snapped
    to whole minutes where a minute has very many units.
    """
    requested = body.window()
    check_group(body)
    window = context.store.snap_window(requested)
    graph = build_graph(context.service_graph(window))
    return {
        **whole_seconds(*window),
        "Services": render_services(graph),
        "ContainsOldGroupVersions": False,
    }


def get_trace_graph(context: Context, body: JsonBody) -> dict[str, Any]:
    """The graph of some traces, each counted once; unknown ids are ignored."""
    traces = context.store.get_traces(list(known_ids(body.texts("TraceIds")).values()))
    return {
        "Services": render_services(
            build_graph(build_service_graph(traces.values(), weighted=False))
        )
    }
