"""GetServiceGraph and GetTraceGraph."""

from __future__ import annotations

from typing import Any

from api.context import Answer, Context
from api.counted import Counted, counted_graph, incomplete_header
from api.graph.build import build_graph
from api.request import JsonBody
from api.xray.groups import contains_old_versions, requested_group
from api.xray.service_graph_json import render_services, whole_seconds
from api.xray.traces import known_ids
from store.config.records import Group
from store.filters.parse import parse
from store.model import TimeRange
from store.service_graph import build_service_graph


def get_service_graph(context: Context, body: JsonBody) -> Answer:
    """The graph of a window of any length, in one page.

    StartTime and EndTime are those of the window counted: the requested one, or that one snapped
    to whole minutes where a minute has very many units. A header says what is not counted yet.
    """
    requested = body.window()
    group = requested_group(context, body)
    window, graph, backlog = graph_of_group(context, group, requested)
    reply = {
        **whole_seconds(*window),
        "Services": render_services(build_graph(graph, window)),
        "ContainsOldGroupVersions": contains_old_versions(group, window),
    }
    return Answer(reply, incomplete_header(backlog))


def graph_of_group(context: Context, group: Group, window: TimeRange) -> Counted:
    """`counted_graph` of the traces of a group, by its expression as it is now."""
    expression = parse(group.expression) if group.expression else None
    return counted_graph(context, window, expression)


def get_trace_graph(context: Context, body: JsonBody) -> dict[str, Any]:
    """The graph of some traces, each counted once; unknown ids are ignored."""
    traces = context.store.get_traces(list(known_ids(body.texts("TraceIds")).values()))
    return {
        "Services": render_services(
            build_graph(build_service_graph(traces.values(), weighted=False))
        )
    }
