"""The metrics of a node as charts."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import plotly.graph_objects as go
from fastapi import APIRouter, Request, Response

from api.console.charts import iso, step_of, unfinished
from api.console.params import Window
from api.console.part import console_part
from api.console.scope import ScopeExpression
from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.graph.build import build_graph, keys_of
from api.graph.find import require_node
from api.node_metrics import Series, node_metrics
from api.schemas.common import Figure
from api.schemas.metrics import MetricChart, NodeCharts
from store.filters.ast import Expression
from store.model import NodeKey, TimeRange
from store.query import Backlog, Entities
from store.service_graph import graph_of_units
from store.times import MINUTE
from store.unit_filter import unit_series


class Measured(NamedTuple):
    """The series of a node, over whole steps."""

    node: NodeKey
    window: TimeRange
    step: int
    series: list[Series]
    backlog: Backlog | None


def metrics_router(context: Context) -> APIRouter:
    """/api/nodes/<id>/metrics."""
    router = console_part("map")

    @router.get(
        "/api/nodes/{id}/metrics", response_class=Response, responses={200: {"model": NodeCharts}}
    )
    async def get_node_charts(
        request: Request, id: str, window: Window, expression: ScopeExpression
    ) -> Response:
        """Metrics of one node, from its platform and from its traces; empty where there are none."""
        return await run_cancellable(
            request, lambda: json_response(node_charts(context, id, window, expression))
        )

    return router


def measure(
    context: Context, id: str, window: TimeRange, expression: Expression | None
) -> Measured:
    """The metrics of a node; ApiError (404) when it had no traffic in the window. An expression narrows what its
    traces say; what its platform measured it does not: that knows no traces."""
    step = max(MINUTE, step_of(window))
    whole = TimeRange(window.start // step * step, -(-window.end // step) * step)
    if expression is None:
        counted = context.counted_window(window)
        backlog = counted.backlog
        node = require_node(graph := build_graph(counted.graph), id)
        traced = partial(context.store.node_series, keys_of(graph, node), whole, step)
    else:
        backlog = None
        found = list(context.store.filtered_units(whole, expression))
        graph = build_graph(graph_of_units(found, context.settled_before()))
        node = require_node(graph, id)
        keys = keys_of(graph, node)
        entities = Entities(nodes=keys, background=keys)
        traced = partial(unit_series, [u for _, u in found if entities.have(u, None)], step)
    series = node_metrics(context.store, node, whole, step, traced)
    return Measured(node, whole, step, series, backlog)


def node_charts(
    context: Context, id: str, window: TimeRange, expression: Expression | None = None
) -> NodeCharts:
    """The metrics of a node as charts."""
    measured = measure(context, id, window, expression)
    now = context.now()
    return {
        "charts": [_chart(series, measured, now) for series in measured.series],
        **freshness(window, measured.backlog),
    }


def _chart(series: Series, measured: Measured, now: int) -> MetricChart:
    return {
        "label": series.label,
        "stat": series.stat,
        "unit": series.unit,
        "source": series.source,
        "help": series.help,
        "total": series.total,
        "figure": metric_figure(series, measured, now) if series.points else None,
    }


def metric_figure(series: Series, measured: Measured, now: int) -> Figure:
    """Bars over the whole window."""
    window, step = measured.window, measured.step
    bars = go.Bar(
        name=series.label,
        x=[iso(start) for start, _ in series.points],
        y=[round(value, 4) for _, value in series.points],
        width=step / 1000,
        offset=0,
        hovertemplate="%{y:,.6~r} " + series.unit + "<extra></extra>",
    )
    layout = {
        "template": "none",
        "xaxis": {"type": "date", "range": [iso(window.start), iso(window.end)]},
        "yaxis": {"rangemode": "tozero", "title": {"text": series.unit}},
        "meta": unfinished(window, step, now),
    }
    drawn = go.Figure(data=[bars], layout=layout).to_plotly_json()
    return {"data": drawn["data"], "layout": drawn["layout"]}
