"""/api/v1/keys: keys of senders and readers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.context import json_response
from api.openapi_parts import json_body
from api.request import JsonBody
from api.schemas import administration as shapes
from raymap.administration.desk import Desk, admin_router, body_of, choice, created
from raymap.administration.keys import (
    WantedKey,
    adding,
    keys_of,
    render_issued,
    render_key,
    revoking,
    rotating,
)
from raymap.auth.limits import KeyLimits
from raymap.auth.permissions import Role
from store.config.protocol import ConfigStore

GRACE_HOURS = 24.0
ROLES = tuple(Role)
_NEW = json_body(
    {"name": "checkout", "role": "ingest", "expires_days": 90, "documents_per_second": 500}
)
_ROTATION = json_body({"grace_hours": 24}, required=False)
_MEMBERS = {
    *("name", "role", "tenant", "expires_days"),
    *("documents_per_second", "names_per_minute", "bytes_per_day"),
}


def keys_router(desk: Desk, store: ConfigStore) -> APIRouter:
    """The routes of keys."""
    router = admin_router()

    @router.get("/keys", responses={200: {"model": shapes.KeyList}})
    async def list_keys(request: Request) -> Response:
        """The keys that are stored, without their secrets, oldest first. For administrators."""
        within = desk.within(request)
        found = await desk.read(lambda: keys_of(store.read_configuration(), within))
        return json_response({"keys": [render_key(key) for key in found]})

    @router.post("/keys", responses={200: {"model": shapes.IssuedKey}}, openapi_extra=_NEW)
    async def add_key(request: Request) -> Response:
        """Make a key; its secrets are in this answer, and nowhere else. For administrators."""
        master = desk.master(request)
        body = await body_of(request, _MEMBERS)
        wanted = wanted_key(body, desk.tenant_in(request, body))
        issued = await desk.change(
            request,
            lambda: adding(wanted, master),
            lambda made: f"key add {made.key.id} {wanted.name} {wanted.role}{of(wanted.tenant)}",
        )
        return created(render_issued(issued))

    @router.post(
        "/keys/{id}/rotate",
        responses={200: {"model": shapes.IssuedKey}},
        openapi_extra=_ROTATION,
    )
    async def rotate_key(request: Request, id: str) -> Response:
        """Make a new key of the same name and role; the old one is accepted for some hours more.
        For administrators."""
        master, within = desk.master(request), desk.within(request)
        body = await body_of(request, {"grace_hours"})
        hours = body.number("grace_hours")
        issued = await desk.change(
            request,
            lambda: rotating(id, GRACE_HOURS if hours is None else hours, master, within),
            lambda made: f"key rotate {id.upper()}",
        )
        return created(render_issued(issued))

    @router.delete("/keys/{id}", status_code=204, responses={204: {}})
    async def revoke_key(request: Request, id: str) -> Response:
        """Refuse a key from now on: every process knows after two seconds. For administrators."""
        within = desk.within(request)
        await desk.change(request, lambda: revoking(id, within), lambda key: f"key revoke {key.id}")
        return Response(status_code=204)

    return router


def wanted_key(body: JsonBody, tenant: str) -> WantedKey:
    """The key that a body describes."""
    limits = KeyLimits(
        body.number("documents_per_second") or 0,
        body.count("names_per_minute"),
        body.count("bytes_per_day"),
    )
    role = choice(body, "role", Role, ROLES)
    days = body.number("expires_days") or 0
    return WantedKey(body.required_text("name"), role, tenant, days, limits)


def of(tenant: str) -> str:
    """As the audit log names a tenant."""
    return f" of tenant {tenant}" if tenant else ""
