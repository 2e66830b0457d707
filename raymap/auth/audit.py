"""The audit log of a process: what changes something, and who signs in, is written down.

An event is logged as well, so that it is not lost while ClickHouse is unavailable.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.receivers.access import PRINCIPAL
from raymap.auth.permissions import Permission, required
from store.audit import AuditEvent, AuditStore, event
from store.errors import StoreError

if TYPE_CHECKING:
    from raymap.auth.authenticator import Principal

log = structlog.get_logger(__name__)

_SAFE = ("GET", "HEAD", "OPTIONS")
CHANGED = "raymap.changed"
"""Where in the ASGI scope requests say what they have changed."""


def record(store: AuditStore, happened: AuditEvent) -> None:
    """Write an event down; an unavailable store is logged, and does not stop what happened."""
    log.info(
        "audit", actor=happened.actor, via=happened.via, address=happened.address,
        action=happened.action, target=happened.target, outcome=happened.outcome,
    )  # fmt: skip
    try:
        store.write_audit([happened])
    except StoreError as error:
        log.error("audit_not_stored", error=str(error), action=happened.action)


def record_command(store: AuditStore, action: str, target: str = "") -> None:
    """Write down what a command line has done."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no entry for this uid
        user = "unknown"
    record(store, event(time.time(), user, "command", socket.gethostname(), action, target))


def describe_change(scope: Scope, words: str) -> None:
    """Say what a request has changed, in place of its method and path."""
    scope.get(CHANGED, []).append(words)


class AuditTrail:
    """ASGI middleware inside the guard: records requests that change something, with their status."""

    def __init__(
        self, app: ASGIApp, store: AuditStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._app, self._store, self._clock = app, store, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_change(scope):
            await self._app(scope, receive, send)
            return
        status = 500
        scope[CHANGED] = []

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            await asyncio.to_thread(record, self._store, self._event(scope, status))

    def _event(self, scope: Scope, status: int) -> AuditEvent:
        who: Any = scope.get(PRINCIPAL)
        return event(
            self._clock(),
            who.name if who else "",
            who.via if who else "none",
            _address(scope),
            "change",
            "; ".join(scope[CHANGED]) or f"{scope['method']} {scope['path']}",
            "ok" if status < 400 else str(status),
        )


class Denials:
    """Records that someone known was refused what their role does not include: at most one event a
    minute for each of them, since programs repeat themselves."""

    SECONDS, MOST = 60.0, 1_000

    def __init__(self, store: AuditStore, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._last: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def record(self, principal: Principal, address: str, target: str) -> None:
        """Record it, unless one of theirs was within the last minute."""
        now, who = self._clock(), (principal.via, principal.name)
        last = self._last.get(who)
        if last is not None and now - last < self.SECONDS:
            return
        self._last[who] = now
        self._last.move_to_end(who)
        if len(self._last) > self.MOST:
            self._last.popitem(last=False)
        happened = event(now, principal.name, principal.via, address, "access", target, "refused")
        await asyncio.to_thread(record, self._store, happened)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _is_change(scope: Scope) -> bool:
    """Whether a request may change something that people configure, or annotate."""
    if scope["type"] != "http" or scope["method"] in _SAFE:
        return False
    return required(scope["method"], scope["path"]) in (Permission.EDIT, Permission.ADMIN)
