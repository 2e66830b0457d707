"""Jaeger's query API (docs/api.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    from fastapi import APIRouter, Response

    from api.context import Context

TAG = {
    "name": "Jaeger",
    "description": "Jaeger's query API, for Grafana's Jaeger data source and Jaeger's UI. Further "
    "parameters are ignored.",
}
EXAMPLES: dict[tuple[str, str], str | int | list[str]] = {
    ("/jaeger/", "step"): "60000",
}


def _routes(context: Context) -> APIRouter:
    from raymap.contrib.jaeger.router import jaeger_router

    return jaeger_router(context)


def _error(path: str, error: Exception) -> Response:
    from raymap.contrib.jaeger.errors import error_response

    return error_response(path, error)


plugin = Plugin("jaeger", _routes, TAG, "/jaeger/", error_response=_error, examples=EXAMPLES)
