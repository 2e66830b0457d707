"""The console's API (docs/console-api.md), put together from its parts."""

from __future__ import annotations

from fastapi import APIRouter

from api.console.details import details_router
from api.console.export import export_router
from api.console.map import maps_router
from api.console.pins import pins_router
from api.console.status import status_router
from api.console.traces import listing_router
from api.context import Context


def console_router(context: Context) -> APIRouter:
    """Everything below /api."""
    router = APIRouter()
    for part in (
        maps_router,
        details_router,
        listing_router,
        pins_router,
        export_router,
        status_router,
    ):
        router.include_router(part(context))
    return router
