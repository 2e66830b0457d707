"""Authentication around an HTTP app: every request has a principal or is refused before routing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, QueryParams
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, respond
from api.may_edit import MAY_EDIT, SIGNED_IN
from api.middleware import add_headers
from collector.budget import MAX_BODY, PROCESS, Budget, NoRoom
from collector.charges import CHARGE, SENDER
from collector.receivers.access import PRINCIPAL
from raymap.auth import sigv4
from raymap.auth.audit import Denials
from raymap.auth.authenticator import UNVERIFIED, Authenticator, Principal, SignedRequest
from raymap.auth.errors import AuthError, invalid, missing
from raymap.auth.people import COOKIE
from raymap.auth.permissions import Permission, allows, required
from raymap.auth.share_grants import Requested

if TYPE_CHECKING:
    from starlette.responses import Response

    from store.audit import AuditStore

MAX_API_BODY = 4 << 20
"""Bytes of a body that is read to verify its signature: as many as the API takes anywhere. Of receivers'
routes, as many as those accept."""
BODY_SECONDS = 30.0
_TOO_SLOW = f"the body did not arrive within {BODY_SECONDS:.0f} s"

_LARGE = frozenset({Permission.INGEST})


class AuthGuard:
    """ASGI middleware, inside `HttpGuard` and around everything else."""

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        budget: Budget = PROCESS,
        audit: AuditStore | None = None,
    ) -> None:
        """``audit``: where refused authorisation is written down."""
        self._app = app
        self._audit = Denials(audit, authenticator.clock) if audit else None
        self._authenticator = authenticator
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        permission = required(scope["method"], scope["path"])
        if permission is Permission.PUBLIC:
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._budget, MAX_BODY if permission in _LARGE else MAX_API_BODY)
        try:
            await self._checked(scope, body, send, permission)
        finally:
            body.release()

    async def _checked(self, scope: Scope, body: _Body, send: Send, permission: Permission) -> None:
        SENDER.set(UNVERIFIED)
        try:
            principal = await self._identify(scope, body, permission)
            scope[PRINCIPAL] = principal
            scope[MAY_EDIT] = allows(principal.role, Permission.EDIT)
            scope[SIGNED_IN] = principal.name
            CHARGE.set(principal.charge)
            SENDER.set(principal.sender)
        except AuthError as error:
            if not self._authenticator.admits_anyway(permission, error):
                self._authenticator.refused(error, _client(scope))
                await _refusal(scope, error)(scope, body, send)
                return
        except ClientDisconnect:
            return
        await self._app(scope, body, send)

    async def _identify(self, scope: Scope, body: _Body, permission: Permission) -> Principal:
        """Who sent the request. Raises AuthError, ClientDisconnect."""
        headers = Headers(scope=scope)
        authorization = headers.get("authorization", "")
        if sigv4.is_signed(authorization):
            credential = self._authenticator.parse_signature(scope["headers"], authorization)
            request = SignedRequest(
                scope["method"],
                scope["raw_path"],
                scope["query_string"],
                scope["headers"],
                await body.read(),
            )
            principal = self._authenticator.by_signature(credential, request)
        else:
            principal = self._by_headers(scope, headers, permission)
        requested = _requested(scope) if principal.share else None
        try:
            self._authenticator.authorize(principal, permission, requested)
        except AuthError as error:
            if self._audit and error.reason == "forbidden":
                target = f"{scope['method']} {scope['path']}"
                await self._audit.record(principal, _client(scope), target)
            raise
        return principal

    def _by_headers(self, scope: Scope, headers: Headers, permission: Permission) -> Principal:
        """A token comes first: programs have it, and browsers never send one by themselves."""
        found = self._authenticator.by_headers(headers)
        if found is None:
            found = self._authenticator.by_proxy(_client(scope), headers)
        if found is None and (cookie := HTTPConnection(scope).cookies.get(COOKIE)):
            found = self._authenticator.by_cookie(cookie)
            if found is None:
                raise invalid("session")
        if found is None and permission is Permission.SAMPLE:
            found = self._authenticator.by_address(_client(scope), headers)
        if found is None:
            raise missing()
        return found


class _Body:
    """A request's ``receive``, whose body can be read beforehand; until the app takes it, its bytes are
    reserved as those of a sender whose signature has not been verified."""

    def __init__(self, receive: Receive, budget: Budget, most: int) -> None:
        self._receive = receive
        self._budget = budget
        self._most = most
        self._reserved = 0
        self._read: bytes | None = None

    async def read(self) -> bytes:
        """The whole body. Raises AuthError when it is too large or too slow, or there is no room for it,
        and ClientDisconnect."""
        parts: list[bytes] = []
        more = True
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    parts.append(message.get("body", b""))
                    self._reserve(len(parts[-1]))
                    more = message.get("more_body", False)
        except TimeoutError:
            raise AuthError(408, "RequestTimeout", _TOO_SLOW, "too_slow") from None
        except NoRoom as error:
            raise AuthError(503, "ServiceUnavailable", str(error), "no_room", 1) from None
        self._read = b"".join(parts)
        return self._read

    def _reserve(self, size: int) -> None:
        if self._reserved + size > self._most:
            message = f"a signed body has at most {self._most:,} bytes here"
            raise AuthError(413, "RequestEntityTooLarge", message, "too_large")
        self._budget.reserve(size, UNVERIFIED)
        self._reserved += size

    def release(self) -> None:
        """Forget what was read and not taken."""
        if self._reserved:
            self._read = None
            self._budget.release(self._reserved, UNVERIFIED)
            self._budget.note(self._reserved)
            self._reserved = 0

    async def __call__(self) -> Message:
        """For the app: what was read beforehand, then what comes after it."""
        if self._read is None:
            return await self._receive()
        body = self._read
        self.release()
        self._read = None
        return {"type": "http.request", "body": body, "more_body": False}


def _refusal(scope: Scope, error: AuthError) -> Response:
    response = respond(scope["path"], ApiError(error.message, code=error.code, status=error.status))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="raymap"'
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    if scope["method"] not in ("GET", "HEAD"):
        response.headers["Connection"] = "close"  # the body may not have been read
    add_headers(response.headers, scope.get("scheme", "http"))
    return response


def _requested(scope: Scope) -> Requested:
    query = QueryParams(scope["query_string"])
    return Requested(scope["method"], scope["path"], query.multi_items())


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
