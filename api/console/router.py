"""All routes of the console's API (docs/console-api.md)."""

from __future__ import annotations

from fastapi import APIRouter

from api.console.details import details_router
from api.console.export import export_router
from api.console.filters import filters_router
from api.console.map import map_router
from api.console.metrics import metrics_router
from api.console.pins import pins_router
from api.console.services import services_router
from api.console.status import status_router
from api.console.traces import traces_router
from api.context import Context

TAGS = [
    {"name": "map", "description": "The service map of a window."},
    {"name": "traces", "description": "Lists of traces, and single traces."},
    {"name": "pins", "description": "Traces that are retained indefinitely."},
    {"name": "server", "description": "State of the server."},
]


def console_router(context: Context) -> APIRouter:
    """Everything below /api."""
    router = APIRouter()
    for part in (
        map_router,
        services_router,
        details_router,
        metrics_router,
        filters_router,
        traces_router,
        pins_router,
        export_router,
        status_router,
    ):
        router.routes += part(context).routes
    return router
