"""The map's edges for Prometheus to scrape (docs/api.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    from fastapi import APIRouter

    from api.context import Context


def _routes(context: Context) -> APIRouter:
    from raymap.contrib.openmetrics.router import openmetrics_router

    return openmetrics_router(context)


plugin = Plugin("openmetrics", _routes)
