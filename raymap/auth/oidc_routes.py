"""The two routes of a sign-in with OpenID Connect: to the provider, and back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse, RedirectResponse

from raymap.auth.audit import record
from raymap.auth.hidden_routes import hidden_router
from raymap.auth.oidc import Member, Provider
from raymap.auth.oidc_flow import FLOW_SECONDS, OidcError, begin_flow, decode_flow, encode_flow
from raymap.auth.people import COOKIE, SESSION_SECONDS, encode_session, member_session
from raymap.auth.tenants import NoTenant, choose
from store.audit import AuditStore, event

if TYPE_CHECKING:
    from raymap.auth.authenticator import Authenticator

FLOW_COOKIE = "__Host-raymap-oidc"


def oidc_router(store: AuditStore, authenticator: Authenticator, provider: Provider) -> APIRouter:
    """GET /auth/oidc/login and /auth/oidc/callback."""
    desk = _Desk(store, authenticator, provider)
    routes = (
        ("GET", "/auth/oidc/login", desk.login),
        ("GET", "/auth/oidc/callback", desk.callback),
    )
    return hidden_router(routes, prefix="oidc_")


class _Desk:
    def __init__(self, store: AuditStore, authenticator: Authenticator, provider: Provider) -> None:
        self._store, self._authenticator, self._provider = store, authenticator, provider

    async def login(self, request: Request) -> Response:
        """To the provider."""
        flow = begin_flow(self._authenticator.clock())
        try:
            url = await asyncio.to_thread(self._provider.authorization_url, flow)
        except OidcError as error:
            return await self._failed(request, error)
        response = RedirectResponse(url, 303)
        cookie = encode_flow(flow, self._authenticator.master)
        # Lax: the provider's page sends the browser back here.
        _set(response, FLOW_COOKIE, cookie, FLOW_SECONDS, strict=False)
        return response

    async def callback(self, request: Request) -> Response:
        """Back from the provider, with a code."""
        try:
            member = await self._member(request)
            tenant = self._tenant_of(member)
        except OidcError as error:
            return await self._failed(request, error)
        now, master = self._authenticator.clock(), self._authenticator.master
        session = member_session(member.name, member.role, now, tenant)
        await self._record(request, member.name, "ok")
        response = RedirectResponse("/", 303)
        _set(response, COOKIE, encode_session(session, master), SESSION_SECONDS, strict=True)
        _set(response, FLOW_COOKIE, "", 0, strict=False)
        return response

    async def _member(self, request: Request) -> Member:
        given = request.query_params
        if said := given.get("error"):
            raise OidcError("refused", f"the provider refuses: {said[:100]!r}")
        flow = decode_flow(
            request.cookies.get(FLOW_COOKIE, ""),
            given.get("state", ""),
            self._authenticator.master,
            self._authenticator.clock(),
        )
        code = given.get("code", "")
        if not code:
            raise OidcError("no_code", "the provider has sent no code")
        return await asyncio.to_thread(self._provider.finish, flow, code)

    def _tenant_of(self, member: Member) -> str:
        """The id of the tenant; empty for the default one. Raises OidcError when there is none such, or
        nothing gives them one where there are tenants."""
        try:
            tenant = choose(self._authenticator.directory.tenants(), member.tenant)
        except NoTenant as error:
            raise OidcError("tenant", f"{member.name} {error}") from None
        return tenant.id if tenant else ""

    async def _failed(self, request: Request, error: OidcError) -> Response:
        await self._record(request, "", error.reason)
        text = f"You are not signed in: {error}.\nTry again: /auth/oidc/login\n"
        response = PlainTextResponse(text, 403)
        _set(response, FLOW_COOKIE, "", 0, strict=False)
        return response

    async def _record(self, request: Request, name: str, outcome: str) -> None:
        client = request.client.host if request.client else ""
        happened = event(
            self._authenticator.clock(), name, "oidc", client, "sign-in", outcome=outcome
        )
        await asyncio.to_thread(record, self._store, happened)


def _set(response: Response, name: str, value: str, seconds: int, *, strict: bool) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict" if strict else "lax",
    )
