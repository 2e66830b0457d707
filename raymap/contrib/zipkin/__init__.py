"""Zipkin's query API (docs/api.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    from fastapi import APIRouter, Response

    from api.context import Context

TAG = {
    "name": "Zipkin",
    "description": "Zipkin's query API, for Zipkin's UI and Grafana's Zipkin data source. Further "
    "parameters are ignored.",
}
EXAMPLES: dict[tuple[str, str], str | int | list[str]] = {
    ("/zipkin/", "minDuration"): "100000",
    ("/zipkin/", "maxDuration"): "1200000",
}


def _routes(context: Context) -> APIRouter:
    from raymap.contrib.zipkin.router import zipkin_router

    return zipkin_router(context)


def _error(_: str, error: Exception) -> Response:
    from api.errors import plain_text

    return plain_text(error)


plugin = Plugin("zipkin", _routes, TAG, "/zipkin/", error_response=_error, examples=EXAMPLES)
