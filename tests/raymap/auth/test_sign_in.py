"""Signing in and out, through the guard, with the cookie a browser would keep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.http import AuthGuard
from raymap.auth.key_source import KeySource
from raymap.auth.people import (
    COOKIE,
    KNOWN_SECONDS,
    TrustedProxies,
    User,
    check_password,
    decode_known,
    decode_session,
    encode_known,
    hash_password,
    put_user,
)
from raymap.auth.permissions import Role
from raymap.auth.sign_in import sign_in_router
from store.memory import MemoryStore

MASTER = b"m" * 32
PASSWORD = "correct horse battery"
ANA = User("ana", Role.VIEWER, hash_password(PASSWORD), created=1)
GOOD = {"name": "ana", "password": PASSWORD}


class Desk:
    """A server with one user, whose clock the test sets."""

    def __init__(self, folder: Path) -> None:
        self.store, self.now = MemoryStore(), 1_900_000_000.0
        self.store.change_configuration([put_user(ANA)], after=0, at=1)
        self.source = KeySource(self.store.read_configuration, folder)
        self.source.refresh()
        authenticator = Authenticator(
            Mode.ON, self.source, MASTER, TrustedProxies("10.0.0.0/8"), clock=lambda: self.now
        )
        router = sign_in_router(self.store, authenticator, self.source.refresh)
        self.app = AuthGuard(
            create_app(self.store, version="test", extra_routers=[router]), authenticator
        )

    def run(
        self, talk: Callable[[httpx.AsyncClient], Awaitable[None]], client: str = "127.0.0.1"
    ) -> None:
        async def whole() -> None:
            transport = httpx.ASGITransport(self.app, client=(client, 1234))
            async with httpx.AsyncClient(transport=transport, base_url="https://raymap") as asking:
                await talk(asking)

        asyncio.run(whole())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_session(desk: Desk) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        assert (await client.get("/api/pins")).status_code == 401
        response = await client.post("/auth/login", json=GOOD)
        assert response.json() == {"name": "ana", "role": "viewer"}
        cookie = response.headers["set-cookie"]
        for attribute in ("__Host-raymap=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
            assert attribute in cookie
        assert "Domain" not in cookie
        assert (await client.get("/api/pins")).status_code == 200
        assert (await client.get("/auth/session")).json() == {
            "name": "ana", "role": "viewer", "via": "session", "tenant": "",
        }  # fmt: skip
        assert (await client.post("/CreateGroup", json={"GroupName": "g"})).status_code == 403
        cookie_before = client.cookies[COOKIE]
        assert (await client.post("/auth/logout")).status_code == 204
        assert COOKIE not in client.cookies
        stolen = await client.get("/api/pins", headers={"cookie": f"{COOKIE}={cookie_before}"})
        assert stolen.status_code == 401

    desk.run(talk)


def test_who_was_added_a_moment_ago_may_sign_in(desk: Desk) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        bob = User("bob", Role.ADMIN, ANA.password, created=2)
        desk.store.change_configuration([put_user(bob)], after=1, at=2)
        response = await client.post("/auth/login", json={**GOOD, "name": "bob"})
        assert response.json() == {"name": "bob", "role": "admin"}

    desk.run(talk)


def test_a_session_ends_after_twelve_hours(desk: Desk) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        await client.post("/auth/login", json=GOOD)
        desk.now += 12 * 3600 - 1
        assert (await client.get("/api/pins")).status_code == 200
        desk.now += 1
        assert (await client.get("/api/pins")).status_code == 401
        assert (await client.post("/auth/login", json=GOOD)).status_code == 200

    desk.run(talk)


def test_a_cookie_given_beforehand_is_not_adopted(desk: Desk) -> None:
    """Session fixation: signing in makes a new session, whatever cookie came with the request."""

    async def talk(client: httpx.AsyncClient) -> None:
        first = await client.post("/auth/login", json=GOOD)
        planted = first.cookies[COOKIE]
        second = await client.post("/auth/login", json=GOOD)
        assert second.cookies[COOKIE] != planted

    desk.run(talk)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b'{"name":"ana"}', 400), (b'{"name":1,"password":""}', 400),
        (b'{"name":"ana","password":"wrong wrong"}', 403), (b'{"name":"","password":""}', 403),
        (b'{"name":"bob","password":"correct horse battery"}', 403), (b"x" * (2 << 20), 413),
        (b'{"name":"ana","password":"\\ud800"}', 400), (b'{"name":"ana","password":"\xff"}', 400),
    ],
)  # fmt: skip
def test_bad_sign_ins(desk: Desk, body: bytes, status: int) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        response = await client.post("/auth/login", content=body)
        assert response.status_code == status, response.text
        assert COOKIE not in client.cookies

    desk.run(talk)


def test_a_wrong_name_and_a_wrong_password_look_the_same(desk: Desk) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        answers = [
            (await client.post("/auth/login", json={"name": name, "password": "x" * 20})).text
            for name in ("ana", "bob")
        ]
        assert answers[0] == answers[1]

    desk.run(talk)


def test_a_flood_of_guesses_waits(desk: Desk) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        statuses = []
        for _ in range(8):
            response = await client.post("/auth/login", json={**GOOD, "password": "x" * 20})
            statuses.append(response.status_code)
        assert statuses == [403] * 5 + [429] * 3
        assert int(response.headers["retry-after"]) >= 1
        assert (await client.post("/auth/login", json=GOOD)).status_code == 429
        desk.now += 2
        assert (await client.post("/auth/login", json=GOOD)).status_code == 200

    desk.run(talk)


def test_guesses_at_once_are_one_guess(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many arrive before the first password is verified, the right one among them."""
    verified: list[str] = []

    def check(user: User | None, password: str) -> bool:
        verified.append(password)
        return check_password(user, password)

    monkeypatch.setattr("raymap.auth.sign_in.check_password", check)

    async def talk(client: httpx.AsyncClient) -> None:
        guesses = [{**GOOD, "password": f"guess {n:014}"} for n in range(50)] + [GOOD]
        answers = await asyncio.gather(*(client.post("/auth/login", json=g) for g in guesses))
        statuses = [each.status_code for each in answers]
        assert (statuses.count(403), statuses.count(429)) == (1, 50)
        assert len(verified) == 1

    desk.run(talk)


def test_strangers_do_not_lock_out_a_known_browser(desk: Desk) -> None:
    async def own(client: httpx.AsyncClient) -> None:
        assert (await client.post("/auth/login", json=GOOD)).status_code == 200
        assert "__Host-raymap-known" in client.cookies
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(desk.app, client=("192.0.2.7", 1)),
            base_url="https://raymap",
        ) as stranger:
            for _ in range(9):
                answer = await stranger.post("/auth/login", json={**GOOD, "password": "x" * 20})
            assert answer.status_code == 429
            assert (await stranger.post("/auth/login", json=GOOD)).status_code == 429
        assert (await client.post("/auth/login", json=GOOD)).status_code == 200
        for _ in range(9):
            answer = await client.post("/auth/login", json={**GOOD, "password": "x" * 20})
        assert answer.status_code == 429, "a stolen cookie is no way round the limit"

    desk.run(own)


def test_a_known_browser_is_that_of_one_user(desk: Desk) -> None:
    cookie = encode_known("eve", desk.now, MASTER)
    assert decode_known(cookie, "eve", desk.now, MASTER)
    assert decode_known(cookie, "ana", desk.now, MASTER) is None
    assert decode_known(cookie, "eve", desk.now + KNOWN_SECONDS, MASTER) is None
    assert decode_known(cookie, "eve", desk.now, b"x" * 32) is None
    assert decode_session(cookie, MASTER) is None
    assert decode_known("", "eve", desk.now, MASTER) is None


@pytest.mark.parametrize(("client", "status"), [("192.0.2.1", 429), ("127.0.0.1", 200)])
def test_guesses_of_one_name_hold_up_others_from_that_address(
    desk: Desk, client: str, status: int
) -> None:
    """Not on loopback, where a proxy may stand for everyone."""

    async def talk(asking: httpx.AsyncClient) -> None:
        for _ in range(5):
            await asking.post("/auth/login", json={"name": "bob", "password": "x" * 20})
        assert (await asking.post("/auth/login", json=GOOD)).status_code == status

    desk.run(talk, client)


@pytest.mark.parametrize(("client", "status"), [("10.1.1.1", 200), ("127.0.0.1", 401)])
def test_a_proxys_header_counts_only_from_the_proxy(desk: Desk, client: str, status: int) -> None:
    async def talk(asking: httpx.AsyncClient) -> None:
        headers = {"x-forwarded-user": "eve", "x-forwarded-groups": "raymap-editor"}
        assert (await asking.get("/api/pins", headers=headers)).status_code == status
        session: Any = await asking.get("/auth/session", headers=headers)
        if status == 200:
            assert session.json() == {
                "name": "eve", "role": "editor", "via": "proxy", "tenant": "",
            }  # fmt: skip

    desk.run(talk, client)


def test_without_authentication(tmp_path: Path) -> None:
    async def talk() -> None:
        store = MemoryStore()
        app = create_app(
            store, version="test", extra_routers=[sign_in_router(store, None, lambda: None)]
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://raymap") as client:
            assert (await client.get("/auth/session")).json()["name"] is None
            assert (await client.post("/auth/login", json=GOOD)).status_code == 400
            assert (await client.post("/auth/logout")).status_code == 204

    asyncio.run(talk())
