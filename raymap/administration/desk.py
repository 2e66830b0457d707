"""What the routes of administration share: who may, bodies, changes and their traces in the audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response

from api.context import json_response
from api.errors import ApiError
from api.parameters import refuse_unknown_parameters
from api.request import JsonBody, read_body
from api.v1.part import ERRORS, TAG
from collector.receivers.access import PRINCIPAL
from raymap.administration.refused import Refused
from raymap.auth.audit import describe_change
from raymap.auth.permissions import Permission, allows
from store.clickhouse.connection.errors import first_line, is_transient
from store.config.change import Contended, Decide, change

if TYPE_CHECKING:
    from raymap.auth.authenticator import Authenticator, Principal
    from raymap.auth.install import Authentication

MAX_BODY = 10_000
Result = TypeVar("Result")
Choice = TypeVar("Choice", bound=StrEnum)
OFF = (
    "this server runs with --auth off: everyone who reaches it may do everything, and there are no keys, "
    "members and tenants. Start it with --auth on"
)


class Desk:
    """Administrators of the default tenant administer the server, others their own tenant."""

    def __init__(self, auth: Authentication) -> None:
        self._auth = auth

    def known(self, request: Request) -> tuple[Principal, Authenticator]:
        """Who administers. Raises ApiError where no one signs in."""
        who: Principal | None = request.scope.get(PRINCIPAL)
        if self._auth.authenticator is None or who is None:
            raise ApiError(OFF, code="NoAuthentication", status=409)
        if not allows(who.role, Permission.ADMIN):  # the guard has refused it before
            raise ApiError("this takes an administrator", code="AccessDenied", status=403)
        return who, self._auth.authenticator

    def within(self, request: Request) -> str | None:
        """The tenant that the request is about; None for all of them."""
        who, _ = self.known(request)
        return who.tenant_name or None

    def master(self, request: Request) -> bytes:
        """The server's secret."""
        return self.known(request)[1].master

    def require_default(self, request: Request) -> None:
        """Refuses administrators of other tenants what is the server's, as if it were not there."""
        who: Principal | None = request.scope.get(PRINCIPAL)
        if who is not None and who.tenant is not None:
            raise ApiError(
                "the server is administered in its default tenant",
                code="DefaultTenantOnly",
                status=404,
            )

    def tenant_in(self, request: Request, body: JsonBody) -> str:
        """The tenant of what is added: one's own, or for who administers all the one that is named."""
        own, named = self.within(request), body.text("tenant", most=100)
        if own is not None and named not in ("", own):
            raise ApiError(
                f"tenant must be {own}, yours, got {named!r}", code="NoSuchTenant", status=404
            )
        return own or named

    async def read(self, work: Callable[[], Result]) -> Result:
        """Run blocking work in a thread; what it refuses becomes the answer."""
        try:
            return await asyncio.to_thread(work)
        except Refused as refused:
            raise ApiError(refused.message, code=refused.code, status=refused.status) from None
        except Contended as error:
            raise ApiError(str(error), code="Conflict", status=409) from None
        except Exception as error:
            if not is_transient(error):
                raise
            words = f"ClickHouse does not answer: {first_line(error)}"
            raise ApiError(words, code="ServiceUnavailable", status=503) from error

    def refresh_now(self) -> None:
        """Know at once, in this process, what has been changed."""
        self._auth.refresh()

    async def refresh(self) -> None:
        """The same without waiting in the event loop."""
        await asyncio.to_thread(self._auth.refresh)

    async def change(
        self,
        request: Request,
        decide: Callable[[], Decide[Result]],
        words: Callable[[Result], str],
    ) -> Result:
        """Apply a decision, and note it in the audit log; this process knows of it at once."""
        _, authenticator = self.known(request)
        store, clock = self._auth.store, authenticator.clock
        result = await self.read(lambda: change(store, decide(), clock))
        await self.refresh()
        describe_change(request.scope, words(result))
        return result


def admin_router() -> APIRouter:
    """An empty router below /api/v1."""
    return APIRouter(
        prefix="/api/v1",
        tags=[TAG["name"]],
        dependencies=[Depends(refuse_unknown_parameters)],
        responses={**ERRORS, 409: {**ERRORS[400], "description": CONFLICTS}},
        default_response_class=Response,
    )


CONFLICTS = (
    "NoAuthentication: the server runs with --auth off; LastAdministrator, MemberExists, Ended, …"
)


async def body_of(request: Request, known: set[str]) -> JsonBody:
    """The members of a body. Raises ApiError for those that are unknown."""
    body = JsonBody.parse(await read_body(request, MAX_BODY))
    if unknown := sorted(body.names() - known):
        raise ApiError(f"{unknown[0][:60]!r} is unknown, expected {', '.join(sorted(known))}")
    return body


def choice(body: JsonBody, name: str, kind: type[Choice], choices: tuple[Choice, ...]) -> Choice:
    """One of the values of an enumeration; the first is the default."""
    return kind(body.choice(name, tuple(map(str, choices))))


def created(answer: Any) -> Response:
    """What was made, with secrets that must not be stored on the way."""
    response = json_response(answer)
    response.headers["Cache-Control"] = "no-store"
    return response
