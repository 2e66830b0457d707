"""The console's API (docs/console-api.md), put together from its parts."""

from __future__ import annotations

from fastapi import APIRouter

from api.context import Context
from api.routes.details import details_router
from api.routes.export import export_router
from api.routes.listing import listing_router
from api.routes.maps import maps_router
from api.routes.pins import pins_router
from api.routes.status import status_router


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
