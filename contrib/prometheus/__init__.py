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


def _routes(context: Context) -> APIRouter:
    from contrib.prometheus.router import prometheus_router

    return prometheus_router(context)


def _error(_: str, error: Exception) -> Response:
    from contrib.prometheus.errors import error_response

    return error_response(error)


plugin = Plugin("prometheus", _routes, TAG, "/prometheus/", READS, _error)
