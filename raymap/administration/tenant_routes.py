"""/api/v1/tenants: tenants with what they have stored, for administrators of the default one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from msgspec import to_builtins

from api.context import json_response
from api.errors import ApiError
from api.openapi_parts import json_body
from api.request import JsonBody
from api.schemas import administration as shapes
from raymap.administration.desk import Desk, admin_router, body_of
from raymap.administration.tenants import (
    Limits,
    Server,
    TenantLine,
    add_tenant,
    delete_tenant,
    deletion_words,
    limiting,
    list_tenants,
)
from raymap.auth.audit import describe_change
from store.clickhouse.schema.retention import MOST_DAYS

_LIMITS = {"documents_per_second": 2000, "bytes_per_day": 5_000_000_000}
_NEW = json_body({"name": "acme", "retention_days": 7, **_LIMITS})
_CHANGE = json_body(_LIMITS)
Measured = Annotated[bool, Query(description="with what each has stored, else null")]
Yes = Annotated[bool, Query(description="delete it; without, the answer says what would be")]


def tenants_router(desk: Desk, server: Server) -> APIRouter:
    """The routes of tenants."""
    router = admin_router()

    def check(request: Request) -> None:
        desk.known(request)
        desk.require_default(request)

    @router.get("/tenants", responses={200: {"model": shapes.TenantList}})
    async def list_all_tenants(request: Request, usage: Measured = True) -> Response:
        """The tenants with what they have stored. For administrators of the default tenant."""
        check(request)
        found = await desk.read(lambda: list(list_tenants(server, measured=usage)))
        return json_response({"tenants": list(map(render_tenant, found))})

    @router.post("/tenants", responses={200: {"model": shapes.AddedTenant}}, openapi_extra=_NEW)
    async def put_tenant(request: Request) -> Response:
        """Add a tenant with a database of its own, or complete one that was interrupted. For administrators
        of the default tenant."""
        check(request)
        body = await body_of(request, {"name", "retention_days", *_LIMITS})
        name, limits = body.required_text("name", most=100), limits_in(body)
        days = body.whole("retention_days", least=1, most=MOST_DAYS) if _has_days(body) else 0
        new, note = await desk.read(lambda: add_tenant(server, name, limits, days))
        await desk.refresh()
        describe_change(request.scope, f"tenant add {name}")
        return json_response({"name": name, "new": new, "note": note})

    @router.put("/tenants/{tenant}", status_code=204, responses={204: {}}, openapi_extra=_CHANGE)
    async def limit_tenant(request: Request, tenant: str) -> Response:
        """Change a tenant's limits: 0 removes one, and one that is absent stays. For administrators of the
        default tenant."""
        check(request)
        limits = limits_in(await body_of(request, {*_LIMITS}))
        await desk.change(
            request, lambda: limiting(tenant, limits), lambda _: f"tenant set {tenant}"
        )
        return Response(status_code=204)

    @router.delete("/tenants/{tenant}", status_code=204, responses={204: {}})
    async def remove_tenant(request: Request, tenant: str, yes: Yes = False) -> Response:
        """Delete a tenant for good: its database, journals, keys, members and share links. For
        administrators of the default tenant."""
        check(request)
        if not yes:
            words = await desk.read(lambda: deletion_words(server, tenant))
            raise ApiError(f"{words}: repeat it with yes=true", code="NotConfirmed", status=409)
        describe_change(request.scope, f"tenant delete {tenant}")
        await desk.read(lambda: delete_tenant(server, tenant, desk.refresh_now))
        await desk.refresh()
        return Response(status_code=204)

    return router


def limits_in(body: JsonBody) -> Limits:
    """The limits that a body names."""
    rate = body.number("documents_per_second")
    size = body.count("bytes_per_day") if body.has("bytes_per_day") else None
    return Limits(rate, size)


def _has_days(body: JsonBody) -> bool:
    return body.has("retention_days")


def render_tenant(line: TenantLine) -> dict[str, object]:
    """A tenant as JSON has it."""
    tenant, used = line
    return {
        "name": line.name,
        "default": tenant is None,
        "created": tenant.created if tenant else None,
        "deleting": bool(tenant and tenant.deleting),
        "limits": to_builtins(tenant.limits) if tenant else None,
        "traces": used.traces if used else None,
        "documents": used.documents if used else None,
        "last_day": used.last_day if used else None,
        "bytes": used.bytes if used else None,
    }
