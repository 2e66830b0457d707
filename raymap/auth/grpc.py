"""Authentication of gRPC calls, by metadata: ``authorization: Bearer …`` or ``x-api-key``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc

from collector.charges import CHARGE, SENDER, Sender
from collector.receivers.grpc import SERVICES
from collector.receivers.otlp_response import failure
from raymap.auth.audit import Denials
from raymap.auth.authenticator import UNVERIFIED, Authenticator, Principal
from raymap.auth.errors import AuthError, missing
from raymap.auth.permissions import Permission

if TYPE_CHECKING:
    from store.audit import AuditStore

Enter = Callable[[Principal], Awaitable[None]]
"""Called in the context of an authenticated call, before its handler runs."""

_PUBLIC = ("/grpc.health.v1.Health/",)
_READ = ("/grpc.reflection.",)
_INGEST = frozenset(SERVICES)
PUBLIC = Sender("public", "public")
"""Clients that ask for the server's health: their messages have a share of their own."""
_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


def required(method: str) -> Permission:
    """The permission that a call needs, by its full name; ADMIN of a service that is not named."""
    if method.startswith(_PUBLIC):
        return Permission.PUBLIC
    if method.startswith(_READ):
        return Permission.READ
    service = method.lstrip("/").partition("/")[0]
    return Permission.INGEST if service in _INGEST else Permission.ADMIN


class AuthInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls before their message is read."""

    def __init__(
        self,
        authenticator: Authenticator,
        enter: Enter | None = None,
        audit: AuditStore | None = None,
    ) -> None:
        """``audit``: where refused authorisation is written down."""
        self._authenticator = authenticator
        self._enter = enter
        self._audit = Denials(audit, authenticator.clock) if audit else None

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """The handler of a call, or one that aborts it."""
        permission = required(details.method)
        if permission is Permission.PUBLIC:
            SENDER.set(PUBLIC)
            return await continuation(details)
        principal = None
        try:
            principal = self._identify(details)
            self._admit(principal, permission)
            if self._enter is not None:
                await self._enter(principal)
        except AuthError as error:
            if not self._authenticator.admits_anyway(permission, error):
                self._authenticator.refused(error, "grpc")
                known = await continuation(details)
                denied = self._denied(error, principal, details.method)
                return None if known is None else _aborting(error, denied)
            SENDER.set(UNVERIFIED)
        return await continuation(details)

    def _denied(
        self, error: AuthError, principal: Principal | None, method: str
    ) -> Callable[[str], Awaitable[None]] | None:
        """What writes down that someone known was refused, given their address."""
        if self._audit is None or principal is None or error.reason != "forbidden":
            return None
        return partial(self._audit.record, principal, target=method)

    def _identify(self, details: grpc.HandlerCallDetails) -> Principal:
        metadata = {
            key.lower(): value if isinstance(value, str) else ""
            for key, value in details.invocation_metadata or ()
        }
        principal = self._authenticator.by_headers(metadata)
        if principal is None:
            raise missing()
        return principal

    def _admit(self, principal: Principal, permission: Permission) -> None:
        self._authenticator.authorize(principal, permission)
        # The handler runs in the same task, and so in this context.
        CHARGE.set(principal.charge)
        SENDER.set(principal.sender)


def _aborting(
    error: AuthError, denied: Callable[[str], Awaitable[None]] | None
) -> grpc.RpcMethodHandler:
    """A handler that aborts the call, whose message is not read."""
    code = _CODES[error.status]
    details: tuple[tuple[str, bytes], ...] = ()
    if error.retry_after:
        status = failure(code.value[0], error.message, retry_after=error.retry_after)
        details = (("grpc-status-details-bin", status.SerializeToString()),)

    async def abort(_: Any, context: grpc.aio.ServicerContext) -> None:
        if denied is not None:
            await denied(address_of(context.peer()))
        await context.abort(code, error.message, details)

    # As one that takes a stream: the message of another is read before its handler is called.
    return grpc.stream_unary_rpc_method_handler(abort)


def address_of(peer: str) -> str:
    """Of ``ipv4:127.0.0.1:4317`` and ``ipv6:%5B::1%5D:4317``."""
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")
