"""All routes of authentication, which the API process serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from raymap.auth.audit_routes import audit_router
from raymap.auth.oidc_routes import oidc_router
from raymap.auth.share_routes import shares_router
from raymap.auth.sign_in import SignInStore, sign_in_router

if TYPE_CHECKING:
    from api.context import Thresholds
    from raymap.auth.install import Authentication


def auth_router(auth: Authentication, own: SignInStore, unhealthy: Thresholds) -> APIRouter:
    """Routes by which people sign in and out, those of share links, and that of the audit log,
    which is in the tenant's ``own`` store."""
    provider = auth.provider
    router = sign_in_router(auth.store, auth.authenticator, auth.refresh, oidc=provider is not None)
    if provider is not None and auth.authenticator is not None:
        router.routes += oidc_router(auth.store, auth.authenticator, provider).routes
    router.routes += audit_router(own).routes
    router.routes += shares_router(
        auth.store, auth.authenticator, auth.refresh, unhealthy, own
    ).routes
    return router
