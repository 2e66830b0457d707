"""Making, using and ending share links, through the guard."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.context import Thresholds
from raymap.auth.audit import AuditTrail
from raymap.auth.audit_routes import audit_router
from raymap.auth.authenticator import Authenticator, Mode, refusals
from raymap.auth.http import AuthGuard
from raymap.auth.key_source import KeySource
from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.auth.share_routes import shares_router
from raymap.auth.shares import MAX_SHARES, rotate
from store.memory import MemoryStore

MASTER = b"m" * 32
KEYS = {role: issue_key(f"the {role}", role, MASTER, now=1) for role in Role}
TRACE = "1-6926f00d-" + "a" * 24
OTHER = "1-6926f00d-" + "b" * 24
WINDOW = {"from": 1_899_999_000, "to": 1_900_000_000}
Talk = Callable[[httpx.AsyncClient], Awaitable[None]]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


VIEWER, EDITOR = (bearer(KEYS[role].token) for role in (Role.VIEWER, Role.EDITOR))


class Desk:
    """Two API processes of one server, whose clock the test sets."""

    def __init__(self, folder: Path) -> None:
        self.store, self.now = MemoryStore(), 1_900_000_000.0
        changes = [put_key(issued.key) for issued in KEYS.values()]
        self.store.change_configuration(changes, after=0, at=1)
        self.sources = [KeySource(self.store.read_configuration, folder / str(i)) for i in (0, 1)]
        self.apps = [self._app(source) for source in self.sources]

    def _app(self, source: KeySource) -> AuthGuard:
        source.refresh()
        authenticator = Authenticator(Mode.ON, source, MASTER, clock=lambda: self.now)
        routes = [
            shares_router(self.store, authenticator, source.refresh, Thresholds(0.1, 3)),
            audit_router(self.store),
        ]
        app = create_app(self.store, version="test", extra_routers=routes)
        return AuthGuard(AuditTrail(app, self.store), authenticator)

    def run(self, talk: Talk, process: int = 0) -> None:
        async def whole() -> None:
            transport = httpx.ASGITransport(self.apps[process])
            async with httpx.AsyncClient(transport=transport, base_url="http://raymap") as asking:
                await talk(asking)

        asyncio.run(whole())

    def make(self, **body: Any) -> dict[str, Any]:
        """A link that the viewer has made."""
        made: dict[str, Any] = {}

        async def talk(client: httpx.AsyncClient) -> None:
            response = await client.post("/api/v1/shares", json=body, headers=VIEWER)
            assert response.status_code == 200, response.text
            made.update(response.json())

        self.run(talk)
        return made

    def status(self, token: str, path: str, process: int = 0, **params: Any) -> int:
        found = 0

        async def talk(client: httpx.AsyncClient) -> None:
            nonlocal found
            found = (await client.get(path, params=params, headers=bearer(token))).status_code

        self.run(talk, process)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_trace(desk: Desk) -> None:
    """At once and in every process: 404 of the trace's own route, since none is stored; else 403."""
    made = desk.make(trace=TRACE)
    assert made["path"] == f"/s#{made['token']}"
    assert made["expires"] == 1_900_000_000 + 24 * 3600
    for process in (0, 1):
        assert desk.status(made["token"], f"/api/traces/{TRACE}", process) == 404
        assert desk.status(made["token"], f"/api/traces/{OTHER}", process) == 403
        assert desk.status(made["token"], "/api/traces", process, **WINDOW) == 403
        assert desk.status(made["token"], "/api/status", process) == 403


def test_a_map(desk: Desk) -> None:
    token = desk.make(map={**WINDOW, "filter": "fault"}, hours=1)["token"]
    assert desk.status(token, "/api/map", **WINDOW, filter="fault") == 200
    assert desk.status(token, "/api/map", **WINDOW) == 403
    assert desk.status(token, "/api/map", **{**WINDOW, "to": 1_900_000_001}, filter="fault") == 403
    assert desk.status(token, "/api/traces", **WINDOW, filter="fault") == 403


def test_parts_of_seconds_are_within_the_window(desk: Desk) -> None:
    token = desk.make(map={"from": 100.5, "to": 200.1})["token"]
    assert desk.status(token, "/api/map", **{"from": 100, "to": 201}) == 200


def test_what_a_link_shows(desk: Desk) -> None:
    trace, map = desk.make(trace="6926f00d" + "a" * 24), desk.make(map={**WINDOW, "region": "r"})

    async def talk(client: httpx.AsyncClient) -> None:
        shown = await client.get("/auth/share", headers=bearer(trace["token"]))
        assert shown.json() == {
            "trace": TRACE,
            "until": trace["expires"],
            "unhealthy": {"share": 0.1, "count": 3},
        }
        shown = await client.get("/auth/share", headers=bearer(map["token"]))
        assert shown.json()["map"] == {**WINDOW, "region": "r"}
        assert (await client.get("/auth/share", headers=VIEWER)).status_code == 404
        assert (await client.get("/auth/share")).status_code == 401

    desk.run(talk)


def test_the_end_of_a_link(desk: Desk) -> None:
    """Expired, revoked and mutilated links get one answer; the metrics know the difference."""
    expired, revoked = desk.make(trace=TRACE, hours=1), desk.make(trace=TRACE)
    answers = []

    async def talk(client: httpx.AsyncClient) -> None:
        path = f"/api/v1/shares/{revoked['id']}"
        assert (await client.delete(path, headers=VIEWER)).status_code == 204
        desk.now += 3600
        for token, reason in (
            (expired["token"], "expired"),
            (revoked["token"], "revoked"),
            (revoked["token"][:-1], "unknown"),
            ("rms_", "unknown"),
        ):
            before = refusals().labels(reason)._value.get()
            response = await client.get(f"/api/traces/{TRACE}", headers=bearer(token))
            assert refusals().labels(reason)._value.get() == before + 1
            answers.append((response.status_code, response.text))

    desk.run(talk)
    assert len(set(answers)) == 1
    assert answers[0][0] == 401
    assert "InvalidShareLink" in answers[0][1]
    # Another process knows with its next reading.
    assert desk.status(revoked["token"], f"/api/traces/{TRACE}", 1) == 404
    desk.sources[1].refresh()
    assert desk.status(revoked["token"], f"/api/traces/{TRACE}", 1) == 401


def test_a_new_key_ends_all_links(desk: Desk) -> None:
    tokens = [desk.make(trace=TRACE)["token"], desk.make(map=WINDOW)["token"]]
    configuration = desk.store.read_configuration()
    desk.store.change_configuration(rotate(configuration), after=configuration.revision, at=9)
    desk.sources[0].refresh()
    assert {desk.status(token, "/auth/share") for token in tokens} == {401}
    assert desk.status(desk.make(trace=TRACE)["token"], "/auth/share") == 200


def test_who_may_revoke(desk: Desk) -> None:
    """Its maker, and who may edit."""
    first, second = desk.make(trace=TRACE), desk.make(map=WINDOW)

    async def talk(client: httpx.AsyncClient) -> None:
        editors = await client.post("/api/v1/shares", json={"trace": TRACE}, headers=EDITOR)
        foreign = f"/api/v1/shares/{editors.json()['id']}"
        assert (await client.delete(foreign, headers=VIEWER)).status_code == 404
        assert (await client.delete("/api/v1/shares/none", headers=EDITOR)).status_code == 404
        own = f"/api/v1/shares/{first['id']}"
        assert (await client.delete(own, headers=EDITOR)).status_code == 204
        listed = (await client.get("/api/v1/shares", headers=VIEWER)).json()["shares"]
        assert [each["id"] for each in listed] == [second["id"]]
        assert listed[0]["map"] == WINDOW
        assert "token" not in listed[0]
        listed = (await client.get("/api/v1/shares", headers=EDITOR)).json()["shares"]
        assert {each["by"] for each in listed} == {"the viewer", "the editor"}

    desk.run(talk)


def test_who_may_not_make_one(desk: Desk) -> None:
    """A link makes no further links, and a key that writes traces none either."""
    token = desk.make(trace=TRACE)["token"]

    async def talk(client: httpx.AsyncClient) -> None:
        for headers, status in (
            (bearer(token), 403),
            (bearer(KEYS[Role.INGEST].token), 403),
            ({}, 401),
        ):
            response = await client.post("/api/v1/shares", json={"trace": TRACE}, headers=headers)
            assert response.status_code == status

    desk.run(talk)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "either trace or map"),
        ({"trace": TRACE, "map": WINDOW}, "either trace or map"),
        ({"trace": "1-2-3"}, "trace: "),
        ({"trace": TRACE, "hours": 0}, "between 1 and 720"),
        ({"trace": TRACE, "hours": 721}, "between 1 and 720"),
        ({"trace": TRACE, "days": 1}, "days"),
        ({"map": {"from": 2, "to": 2}}, "map.from must be before map.to"),
        ({"map": {"from": -1, "to": 2}}, "map.from must be epoch seconds"),
        ({"map": {"from": 1, "to": 1e300}}, "map.to must be epoch seconds"),
        ({"map": {**WINDOW, "filter": "service("}}, "map.filter: "),
        ({"map": {**WINDOW, "account": "1" * 201}}, "map.account"),
        ({"map": [1, 2]}, "Expected `object"),
    ],
)
def test_bad_bodies(desk: Desk, body: dict[str, Any], said: str) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        response = await client.post("/api/v1/shares", json=body, headers=VIEWER)
        assert response.status_code == 400
        assert said in response.json()["error"]["message"]
        for text in (b"", b"{", b"[" * 10_000, b"\xff"):
            response = await client.post("/api/v1/shares", content=text, headers=VIEWER)
            assert response.status_code == 400

    desk.run(talk)
    assert not [kind for kind, _ in desk.store.read_configuration().values if kind == "share"]


def test_links_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of those that have expired make room."""
    assert MAX_SHARES == 1_000
    monkeypatch.setattr("raymap.auth.share_routes.MAX_SHARES", 2)
    desk.make(trace=TRACE, hours=1)
    desk.make(trace=TRACE)

    async def talk(client: httpx.AsyncClient) -> None:
        response = await client.post("/api/v1/shares", json={"trace": TRACE}, headers=VIEWER)
        assert response.status_code == 409

    desk.run(talk)
    desk.now += 3600
    desk.make(trace=TRACE)


def test_the_audit_log_says_who_has_shared_what(desk: Desk) -> None:
    made = desk.make(trace=TRACE)
    desk.now += 1

    async def talk(client: httpx.AsyncClient) -> None:
        await client.delete(f"/api/v1/shares/{made['id']}", headers=VIEWER)

    desk.run(talk)
    revoked, shared = desk.store.read_audit(before=1 << 62, limit=10)
    assert (shared.actor, shared.via, shared.action) == ("the viewer", "token", "share")
    assert shared.target == f"{made['id']} trace {TRACE} until {made['expires']}"
    assert (revoked.action, revoked.target) == ("share revoke", made["id"])
    assert made["token"] not in f"{shared} {revoked}"


def test_a_token_in_other_headers(desk: Desk) -> None:
    """Wherever a key may be, a link is no more than a link."""
    token = desk.make(trace=TRACE)["token"]
    basic = base64.b64encode(f"any:{token}".encode()).decode()

    async def talk(client: httpx.AsyncClient) -> None:
        for headers in ({"x-api-key": token}, {"Authorization": f"Basic {basic}"}):
            assert (await client.get("/auth/share", headers=headers)).status_code == 200
            assert (await client.get("/api/pins", headers=headers)).status_code == 403
            response = await client.post("/TraceSegments", content=b"{}", headers=headers)
            assert response.status_code == 403

    desk.run(talk)


def test_before_anything_is_known_of_links(tmp_path: Path) -> None:
    """Whether one was revoked cannot be said: neither accepted nor refused for good."""
    desk = Desk(tmp_path)
    token = desk.make(trace=TRACE)["token"]
    desk.sources[1]._shares = None
    assert desk.status(token, "/auth/share", 1) == 503


def test_without_authentication() -> None:
    """A link would open nothing that is not open."""
    store = MemoryStore()
    router = shares_router(store, None, lambda: None, Thresholds(0.1, 3))
    app = create_app(store, version="test", extra_routers=[router])

    async def talk() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://raymap") as client:
            response = await client.post("/api/v1/shares", json={"trace": TRACE})
            assert response.status_code == 409
            assert response.json()["error"]["code"] == "NoAuthentication"
            assert (await client.get("/auth/share")).status_code == 404

    asyncio.run(talk())
