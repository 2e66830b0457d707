"""Prometheus' query API below /prometheus: a subset of PromQL over the edges of the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    from fastapi import APIRouter, Response

    from api.context import Context

TAG = {
    "name": "Prometheus",
    "description": "Prometheus' query API over the edges of the map, for Grafana. A POST takes the same parameters as a form. "
    "Further parameters are ignored.",
}
READS = frozenset(
    ("POST", f"/prometheus/api/v1/{name}") for name in ("query", "query_range", "labels", "series")
)
"""They take their parameters as a form, too."""
EXAMPLES: dict[tuple[str, str], str | int | list[str]] = {
    ("/prometheus/", "query"): "sum by (server) (rate(traces_service_graph_request_total[5m]))",
    ("/prometheus/", "time"): "1795560780",
    ("/prometheus/", "start"): "1795557180",
    ("/prometheus/", "end"): "1795560780",
    ("/prometheus/", "step"): "60s",
    ("/prometheus/", "match[]"): ['traces_service_graph_request_total{server="checkout"}'],
    ("/prometheus/", "limit"): "100",
    ("/prometheus/", "name"): "server",
    ("/prometheus/", "metric"): "traces_service_graph_request_total",
}


def _routes(context: Context) -> APIRouter:
    from raymap.contrib.prometheus.router import prometheus_router

    return prometheus_router(context)


def _error(_: str, error: Exception) -> Response:
    from raymap.contrib.prometheus.errors import error_response

    return error_response(error)


plugin = Plugin("prometheus", _routes, TAG, "/prometheus/", READS, _error, examples=EXAMPLES)
