"""Routes by which people sign in and out; the console shows their form when it is refused."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Protocol

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct

from api.context import json_response
from api.errors import ApiError
from api.request import read_body
from collector.receivers.access import PRINCIPAL, is_loopback
from raymap.auth.audit import record
from raymap.auth.hidden_routes import hidden_router
from raymap.auth.login_limiter import LoginLimiter
from raymap.auth.people import (
    COOKIE,
    KNOWN_COOKIE,
    KNOWN_SECONDS,
    SESSION_SECONDS,
    User,
    begin_session,
    check_password,
    decode_known,
    decode_session,
    encode_known,
    encode_session,
    end_session,
)
from store.audit import AuditStore, event
from store.config.change import change
from store.config.protocol import ConfigStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from raymap.auth.authenticator import Authenticator

MOST_HASHES = 2
"""Passwords that are verified at the same time: each takes a core and 19 MiB."""


class SignInStore(ConfigStore, AuditStore, Protocol):
    """What the routes need of a store."""


class Credentials(Struct, forbid_unknown_fields=True):
    name: str
    password: str


def sign_in_router(
    store: SignInStore,
    authenticator: Authenticator | None,
    refresh: Callable[[], None],
    *,
    oidc: bool = False,
) -> APIRouter:
    """The routes. Without an authenticator there is nothing to sign in to; ``oidc``: whether another
    provider signs people in, too."""
    desk = _Desk(store, authenticator, refresh, oidc)
    return hidden_router(
        (
            ("POST", "/auth/login", desk.login),
            ("POST", "/auth/logout", desk.logout),
            ("GET", "/auth/session", desk.session),
            ("GET", "/auth/methods", desk.methods),
        )
    )


class _Desk:
    def __init__(
        self,
        store: SignInStore,
        authenticator: Authenticator | None,
        refresh: Callable[[], None],
        oidc: bool,
    ) -> None:
        self._store, self._authenticator, self._refresh = store, authenticator, refresh
        self._oidc = oidc
        self._limiter = LoginLimiter()
        self._hashes = asyncio.Semaphore(MOST_HASHES)

    async def login(self, request: Request) -> Response:
        """A session's cookie for a name and a password."""
        authenticator = self._authenticator
        if authenticator is None:
            raise ApiError("there is no sign-in: this server runs with --auth off")
        try:
            given = msgspec.json.decode(await read_body(request), type=Credentials)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ApiError(f"the body: {error}; expected name and password") from None
        client = request.client.host if request.client else ""
        # A proxy on this machine: its address is everyone's.
        address = "" if is_loopback(client) else f"address {client}"
        now, name = authenticator.clock(), given.name[:100]
        known = decode_known(request.cookies.get(KNOWN_COOKIE, ""), name, now, authenticator.master)
        limited = f"browser {known.id}" if known else f"user {name}"
        with self._limiter.attempt(limited, address, now) as attempt:
            if attempt.wait:
                return _too_many(attempt.wait)
            user = await self._checked(authenticator, given)
            attempt.succeeded = user is not None
        if user is None:
            await self._record(name, client, "sign-in", "refused")
            raise ApiError("the name or the password is wrong", code="AccessDenied", status=403)
        await self._record(user.name, client, "sign-in", "ok")
        cookie = encode_session(begin_session(user, now), authenticator.master)
        response = json_response({"name": user.name, "role": user.role})
        _set_cookie(response, COOKIE, cookie, SESSION_SECONDS)
        if known is None:
            cookie = encode_known(name, now, authenticator.master)
            _set_cookie(response, KNOWN_COOKIE, cookie, KNOWN_SECONDS)
        return response

    async def _checked(self, authenticator: Authenticator, given: Credentials) -> User | None:
        """The user, if the password is theirs."""
        # People who were added, or given another password, a moment ago need not wait.
        await asyncio.to_thread(self._refresh)
        user = authenticator.directory.people().users.get(given.name)
        async with self._hashes:
            valid = await asyncio.to_thread(check_password, user, given.password)
        return user if valid else None

    async def logout(self, request: Request) -> Response:
        """End the session of the request's cookie."""
        authenticator = self._authenticator
        cookie = request.cookies.get(COOKIE, "")
        if authenticator and (session := decode_session(cookie, authenticator.master)):
            now = authenticator.clock()
            await asyncio.to_thread(
                change,
                self._store,
                lambda configuration, _: (None, end_session(session, configuration, now)),
                authenticator.clock,
            )
            await asyncio.to_thread(self._refresh)
            client = request.client.host if request.client else ""
            await self._record(session.user, client, "sign-out", "ok")
        response = Response(status_code=204)
        _set_cookie(response, COOKIE, "", 0)
        return response

    async def methods(self) -> Response:
        """How people may sign in."""
        return json_response({"password": self._authenticator is not None, "oidc": self._oidc})

    async def _record(self, user: str, client: str, action: str, outcome: str) -> None:
        assert self._authenticator is not None
        happened = event(
            self._authenticator.clock(), user, "password", client, action, outcome=outcome
        )
        await asyncio.to_thread(record, self._store, happened)

    async def session(self, request: Request) -> Response:
        """Who sent the request, as the guard has found; null where it needs no one."""
        principal = request.scope.get(PRINCIPAL)
        if principal is None:
            return json_response({"name": None, "role": None, "via": None, "tenant": ""})
        return json_response(
            {
                "name": principal.name,
                "role": principal.role,
                "via": principal.via,
                "tenant": principal.tenant_name,
            }
        )


def _set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict"
    )


def _too_many(wait: float) -> Response:
    seconds = math.ceil(wait)
    body = {"code": "TooManyRequests", "message": f"too many attempts; try again in {seconds} s"}
    response = json_response({"error": body}, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
