"""Who did what, from where: requests that change something, sign-ins, commands; for administrators only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from api.app import create_app
from raymap.auth.audit import AuditTrail, record, record_command
from raymap.auth.audit_routes import audit_router
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.http import AuthGuard
from raymap.auth.key_source import KeySource
from raymap.auth.keys import issue_key, put_key
from raymap.auth.people import User, hash_password, put_user
from raymap.auth.permissions import Role
from raymap.auth.sign_in import sign_in_router
from store.audit import AuditEvent, event
from store.errors import StoreUnavailable
from store.memory import MemoryStore

MASTER, PASSWORD, NOW = b"m" * 32, "correct horse battery", 1_900_000_000.0
GROUP = {"GroupName": "g", "FilterExpression": "fault"}


class Server:
    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.keys = {role: issue_key(f"a {role}", role, MASTER, now=1) for role in Role}
        ana = User("ana", Role.ADMIN, hash_password(PASSWORD), created=1)
        changes = [*(put_key(each.key) for each in self.keys.values()), put_user(ana)]
        self.store.change_configuration(changes, after=0, at=1)
        source = KeySource(self.store.read_configuration, folder)
        source.refresh()
        authenticator = Authenticator(Mode.ON, source, MASTER, clock=lambda: NOW)
        routers = [
            sign_in_router(self.store, authenticator, source.refresh),
            audit_router(self.store),
        ]
        app: ASGIApp = create_app(self.store, version="test", extra_routers=routers)
        trail = AuditTrail(app, self.store, clock=lambda: NOW)
        self.app = AuthGuard(trail, authenticator)

    def request(self, method: str, path: str, role: Role | None, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 1))
            headers = {"x-api-key": self.keys[role].token} if role else {}
            async with httpx.AsyncClient(transport=transport, base_url="https://r") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    @property
    def events(self) -> Sequence[AuditEvent]:
        return self.store.read_audit(before=1 << 62, limit=100)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_changes(server: Server) -> None:
    assert server.request("POST", "/CreateGroup", Role.EDITOR, json=GROUP).status_code == 200
    assert server.request("POST", "/CreateGroup", Role.EDITOR, json=GROUP).status_code == 400
    assert server.request("POST", "/CreateGroup", Role.VIEWER, json=GROUP).status_code == 403
    assert server.request("GET", "/api/pins", Role.VIEWER).status_code == 200
    assert server.request("POST", "/TraceSegments", Role.INGEST, json={}).status_code != 403
    assert [(e.actor, e.via, e.address, e.action, e.target, e.outcome) for e in server.events] == [
        ("a editor", "token", "192.0.2.7", "change", "POST /CreateGroup", outcome)
        for outcome in ("ok", "400")
    ]
    assert server.events[0].at == round(NOW * 1e6)


def test_sign_ins(server: Server) -> None:
    for password in ("wrong", PASSWORD):
        server.request("POST", "/auth/login", None, json={"name": "ana", "password": password})
    assert [(e.actor, e.via, e.action, e.outcome) for e in server.events] == [
        ("ana", "password", "sign-in", "refused"),
        ("ana", "password", "sign-in", "ok"),
    ]
    assert PASSWORD not in repr(server.events)


@pytest.mark.parametrize("role", list(Role))
def test_administrators_read_it(server: Server, role: Role) -> None:
    for number in range(3):
        record(server.store, event(number + 1, "ana", "token", "", "change", f"{number}"))
    response = server.request("GET", "/api/v1/audit?limit=2", role)
    if role is not Role.ADMIN:
        assert response.status_code == 403
        return
    body = response.json()
    assert [each["target"] for each in body["events"]] == ["2", "1"]
    assert body["before"] == 2_000_000
    rest = server.request("GET", f"/api/v1/audit?limit=2&before={body['before']}", role).json()
    assert [each["target"] for each in rest["events"]] == ["0"]
    assert rest["before"] is None
    for bad in ("limit=0", "limit=x", "before=-1", f"before={1 << 64}"):
        assert server.request("GET", f"/api/v1/audit?{bad}", role).status_code == 400
    assert server.request("DELETE", "/api/v1/audit", role).status_code in (404, 405)


def test_an_unavailable_store_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    class Unavailable(MemoryStore):
        def write_audit(self, events: Sequence[AuditEvent]) -> None:
            raise StoreUnavailable("no answer")

    record_command(Unavailable(), "key add X")
    text = capsys.readouterr()
    assert "key add X" in text.out + text.err
    assert "audit_not_stored" in text.out + text.err


def test_commands_and_long_texts() -> None:
    store = MemoryStore()
    record_command(store, "backup", "x" * 1000)
    (found,) = store.read_audit(before=1 << 62, limit=1)
    assert (found.via, found.action, len(found.target)) == ("command", "backup", 300)
    assert found.actor
