"""/api/v1/members: people who sign in with a password."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from api.context import json_response
from api.openapi_parts import json_body
from api.schemas import administration as shapes
from raymap.administration.desk import Desk, admin_router, body_of, choice, created
from raymap.administration.key_routes import of
from raymap.administration.members import (
    MEMBER_ROLES,
    changing_password,
    changing_role,
    hashed_password,
    members_of,
    new_password,
    putting,
    removing,
    signing_out,
)
from raymap.auth.people import User
from raymap.auth.permissions import Role
from raymap.auth.sign_in import MOST_HASHES
from store.config.protocol import ConfigStore

_NEW = json_body({"name": "ana", "role": "editor"})
_ROLE = json_body({"role": "viewer"})


def members_router(desk: Desk, store: ConfigStore) -> APIRouter:
    """The routes of members."""
    router = admin_router()
    hashes = asyncio.Semaphore(MOST_HASHES)

    async def password_and_hash() -> tuple[str, str]:
        password = new_password()
        async with hashes:
            return password, await asyncio.to_thread(hashed_password, password)

    @router.get("/members", responses={200: {"model": shapes.MemberList}})
    async def list_members(request: Request) -> Response:
        """The people who sign in with a password, by name. For administrators."""
        within = desk.within(request)
        found = await desk.read(lambda: members_of(store.read_configuration(), within))
        return json_response({"members": list(map(render_member, found))})

    @router.post("/members", responses={200: {"model": shapes.MemberPassword}}, openapi_extra=_NEW)
    async def add_member(request: Request) -> Response:
        """Add someone; the password is in this answer, and nowhere else. For administrators."""
        desk.known(request)
        body = await body_of(request, {"name", "role", "tenant"})
        name, role = body.required_text("name"), choice(body, "role", Role, MEMBER_ROLES)
        tenant = desk.tenant_in(request, body)
        password, hashed = await password_and_hash()
        await desk.change(
            request,
            lambda: putting(name, role, hashed, tenant, only_new=True),
            lambda user: f"user add {user.name} {user.role}{of(user.tenant)}",
        )
        return created({"name": name, "password": password})

    @router.put(
        "/members/{member}", responses={200: {"model": shapes.MemberLine}}, openapi_extra=_ROLE
    )
    async def change_member(request: Request, member: str) -> Response:
        """Give someone another role, which counts at once. For administrators."""
        within = desk.within(request)
        body = await body_of(request, {"role"})
        body.required_text("role")
        role = choice(body, "role", Role, MEMBER_ROLES)
        user = await desk.change(
            request,
            lambda: changing_role(member, role, within),
            lambda user: f"user role {user.name} {user.role}",
        )
        return json_response(render_member(user))

    @router.post("/members/{member}/password", responses={200: {"model": shapes.MemberPassword}})
    async def reset_password(request: Request, member: str) -> Response:
        """Give someone another password, which is in this answer, and nowhere else; their sessions end.
        For administrators."""
        within = desk.within(request)
        password, hashed = await password_and_hash()
        user = await desk.change(
            request,
            lambda: changing_password(member, hashed, within),
            lambda user: f"user password {user.name}",
        )
        return created({"name": user.name, "password": password})

    @router.post("/members/{member}/sign-out", status_code=204, responses={204: {}})
    async def sign_member_out(request: Request, member: str) -> Response:
        """End all sessions of someone; in the default tenant also of who signs in by OpenID Connect.
        For administrators."""
        within = desk.within(request)
        await desk.change(
            request, lambda: signing_out(member, within), lambda _: f"user sign-out {member}"
        )
        return Response(status_code=204)

    @router.delete("/members/{member}", status_code=204, responses={204: {}})
    async def remove_member(request: Request, member: str) -> Response:
        """Remove someone, whose sessions end; not the last administrator. For administrators."""
        within = desk.within(request)
        await desk.change(
            request, lambda: removing(member, within), lambda _: f"user remove {member}"
        )
        return Response(status_code=204)

    return router


def render_member(user: User) -> dict[str, object]:
    """A member as JSON has it."""
    return {
        "name": user.name,
        "role": str(user.role),
        "tenant": user.tenant,
        "created": user.created,
    }
