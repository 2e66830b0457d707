"""Tempo's query API (docs/api.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    from fastapi import APIRouter, Response

    from api.context import Context

TAG = {
    "name": "Tempo",
    "description": "Tempo's query API, for Grafana's Tempo data source. Further parameters are ignored.",
}
EXAMPLES: dict[tuple[str, str], str | int | list[str]] = {
    ("/tempo/api/metrics/", "q"): "{ status = error } | rate() by (resource.service.name)",
    ("/tempo/", "q"): '{ resource.service.name = "checkout" && status = error }',
    ("/tempo/", "tags"): "",
    ("/tempo/", "start"): "1795557180",
    ("/tempo/", "end"): "1795560780",
    ("/tempo/", "limit"): "20",
}


def _routes(context: Context) -> APIRouter:
    from raymap.contrib.tempo.router import tempo_router

    return tempo_router(context)


def _error(_: str, error: Exception) -> Response:
    from api.errors import plain_text

    return plain_text(error)


plugin = Plugin("tempo", _routes, TAG, "/tempo/", error_response=_error, examples=EXAMPLES)
