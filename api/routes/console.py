"""The console's API (docs/console-api.md), put together from its parts."""

from __future__ import annotations

from fastapi import APIRouter

from api.context import Context
from api.routes.maps import maps_router


def console_router(context: Context) -> APIRouter:
    """Everything below /api."""
    router = APIRouter()
    router.include_router(maps_router(context))
    return router
