"""The metrics of a node, in the shape of CloudWatch's GetMetricData."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.console.metrics import Measured, measure
from api.console.scope import ScopeExpression
from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.node_metrics import Series
from api.schemas.metrics import MetricData, NodeMetrics
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from store.times import SECOND


def node_metrics_router(context: Context) -> APIRouter:
    """/api/v1/nodes/<id>/metrics."""
    router = v1_part()

    @router.get(
        "/nodes/{id}/metrics", response_class=Response, responses={200: {"model": NodeMetrics}}
    )
    async def get_node_metrics(
        request: Request, id: str, window: Window, expression: ScopeExpression
    ) -> Response:
        """Invocations, errors, throttles and the like of a function; what is stored of other nodes."""
        return await run_cancellable(
            request, lambda: json_response(_answer(measure(context, id, window, expression), id))
        )

    return router


def _answer(measured: Measured, id: str) -> NodeMetrics:
    return {
        **span(measured.window),
        **freshness(measured.window, measured.backlog),
        "node": id,
        "period": measured.step // SECOND,
        "MetricDataResults": [
            _data(f"m{number}", series) for number, series in enumerate(measured.series, 1)
        ],
    }


def _data(id: str, series: Series) -> MetricData:
    return {
        "Id": id,
        "Label": series.label,
        "Timestamps": [start / SECOND for start, _ in series.points],
        "Values": [value for _, value in series.points],
        "StatusCode": "Complete",
        "Stat": series.stat,
        "Unit": series.unit,
        "Source": series.source,
        "Help": series.help,
    }
