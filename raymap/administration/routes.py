"""All routes of administration, which the API process serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter

from raymap.administration.desk import Desk
from raymap.administration.key_routes import keys_router
from raymap.administration.member_routes import members_router
from raymap.administration.settings_routes import settings_router
from raymap.administration.tenant_routes import tenants_router
from raymap.administration.tenants import Server

if TYPE_CHECKING:
    from raymap.auth.install import Authentication
    from raymap.shown_settings import ShownSetting


def administration_routers(
    auth: Authentication, server: Server, shown: Sequence[ShownSetting], version: str
) -> list[APIRouter]:
    """The routes of keys, members, tenants and settings."""
    desk = Desk(auth)
    return [
        keys_router(desk, auth.store),
        members_router(desk, auth.store),
        tenants_router(desk, server),
        settings_router(desk, shown, server.default, version),
    ]
