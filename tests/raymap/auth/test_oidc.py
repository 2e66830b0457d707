"""Signing in with OpenID Connect, against a provider of the test's own: real HTTP, tokens that are really signed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.app import create_app
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.http import AuthGuard
from raymap.auth.key_source import KeySource
from raymap.auth.oidc import OidcSettings, Provider, check_url, parse_roles, parse_tenants
from raymap.auth.oidc_flow import OidcError, begin_flow
from raymap.auth.oidc_routes import FLOW_COOKIE, oidc_router
from raymap.auth.people import (
    COOKIE,
    SESSION_SECONDS,
    encode_session,
    member_session,
    sign_out_member,
)
from raymap.auth.permissions import Role
from raymap.auth.sign_in import sign_in_router
from raymap.auth.tenants import TENANT, new_tenant, put_tenant
from store.config.change import change
from store.config.protocol import Change
from store.memory import MemoryStore

jwk = pytest.importorskip("joserfc.jwk", reason="pip install raymap[oidc]")
jwt = pytest.importorskip("joserfc.jwt", reason="pip install raymap[oidc]")

MASTER, NOW = b"m" * 32, 1_900_000_000.0
CLIENT, SECRET = "raymap", "s3cret/+"


FIRST_KEY = jwk.RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
"""Of every provider: it takes half a second to find one."""


class StandIn:
    """A provider. Tests change what it answers: ``claims``, ``key``, ``algorithm``, ``answers``."""

    def __init__(self) -> None:
        self.keys = [FIRST_KEY]
        self.key, self.algorithm = self.keys[0], "RS256"
        self.claims: dict[str, Any] = {"groups": ["dev"], "preferred_username": "ana"}
        self.answers: dict[str, tuple[int, Any]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.requests: list[str] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["content-length"])))

            def _answer(self, body: bytes) -> None:
                path = urlsplit(self.path).path
                stand_in.requests.append(path)
                status, value = stand_in.answers.get(path) or stand_in.answer(
                    path, body, self.headers.get("authorization", "")
                )
                content = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.send_header("location", "/elsewhere")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: bytes, authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        if path == "/keys":
            return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}
        return self._token(body, authorization)

    def authorize(self, url: str, **more: str) -> str:
        """What the user does there: the code with which the browser comes back."""
        query = {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        self.codes["the-code"] = query
        return query["state"]

    def _token(self, body: bytes, authorization: str) -> tuple[int, Any]:
        form = {key: value[0] for key, value in parse_qs(body.decode()).items()}
        begun = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        expected = f"Basic {base64.b64encode(b'raymap:s3cret%2F%2B').decode()}"
        if (
            begun is None
            or begun["code_challenge"] != challenge
            or begun["redirect_uri"] != form["redirect_uri"]
            or authorization != expected
        ):
            return 400, {"error": "invalid_grant"}
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "42", "iat": int(NOW), "exp": int(NOW) + 300,
            "nonce": begun["nonce"], **self.claims,
        }  # fmt: skip
        claims = {key: value for key, value in claims.items() if value is not None}
        header = {"alg": self.algorithm}
        if self.algorithm != "HS256":
            header["kid"] = self.key.kid
        return 200, {"id_token": jwt.encode(header, claims, self.key, algorithms=[self.algorithm])}


@pytest.fixture
def idp() -> Iterator[StandIn]:
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


class Server:
    def __init__(self, idp: StandIn, folder: Path, others: str = ",*=default") -> None:
        """``others``: which tenant they are in who are in no group of one."""
        self.idp, self.now = idp, NOW
        self.store = MemoryStore()
        self.source = source = KeySource(self.store.read_configuration, folder)
        source.refresh()
        self.authenticator = authenticator = Authenticator(
            Mode.ON, source, MASTER, clock=lambda: self.now
        )
        roles = parse_roles("sre=admin,dev=editor")
        tenants = parse_tenants(f"acme-staff=acme,globex-staff=globex,gone-staff=gone{others}")
        change(
            self.store,
            lambda *_: (None, [put_tenant(new_tenant(name, 1)) for name in ("acme", "globex")]),
            lambda: NOW,
        )
        source.refresh()
        settings = OidcSettings(
            idp.issuer, CLIENT, SECRET, "https://raymap", roles=roles, tenants=tenants
        )
        self.provider = Provider(settings, clock=lambda: self.now)
        routers = [
            sign_in_router(self.store, authenticator, source.refresh, oidc=True),
            oidc_router(self.store, authenticator, self.provider),
        ]
        app = create_app(self.store, version="test", extra_routers=routers)
        self.app = AuthGuard(app, authenticator)

    def sign_in(self, *, state: str = "", cookie: bool = True, query: str = "") -> httpx.Response:
        """The answer to the callback; then the session's if there is one."""

        async def talk() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url="https://raymap") as client:
                begun = await client.get("/auth/oidc/login")
                if begun.status_code != 303:
                    return begun
                assert "SameSite=lax" in begun.headers["set-cookie"]
                given = self.idp.authorize(begun.headers["location"])
                if not cookie:
                    client.cookies.delete(FLOW_COOKIE)
                back = query or f"code=the-code&state={state or given}"
                ended = await client.get(f"/auth/oidc/callback?{back}")
                if ended.status_code != 303:
                    return ended
                assert ended.headers["location"] == "/"
                assert FLOW_COOKIE not in client.cookies
                assert "SameSite=strict" in next(
                    each
                    for each in ended.headers.get_list("set-cookie")
                    if each.startswith(COOKIE + "=")
                )
                return await client.get("/auth/session")

        return asyncio.run(talk())

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        events = self.store.read_audit(before=1 << 62, limit=100)
        return [(event.actor, event.outcome) for event in events]


@pytest.fixture
def server(idp: StandIn, tmp_path: Path) -> Server:
    return Server(idp, tmp_path)


@pytest.mark.parametrize(
    ("claims", "name", "role", "tenant"),
    [
        ({}, "ana", "editor", ""),
        ({"groups": ["dev", "acme-staff"]}, "ana", "editor", "acme"),
        ({"groups": ["dev", "sre"]}, "ana", "admin", ""),
        ({"groups": "dev"}, "ana", "editor", ""),
        ({"preferred_username": None, "email": "a@b"}, "a@b", "editor", ""),
        ({"preferred_username": None, "email": "a@b", "email_verified": False}, "42", "editor", ""),
        ({"aud": [CLIENT, "other"], "azp": CLIENT}, "ana", "editor", ""),
    ],
)
def test_who_signs_in(
    server: Server, claims: dict[str, Any], name: str, role: str, tenant: str
) -> None:
    server.idp.claims |= claims
    response = server.sign_in()
    assert response.json() == {"name": name, "role": role, "via": "oidc", "tenant": tenant}
    assert server.outcomes == [(name, "ok")]


def test_without_a_group_of_a_tenant_there_is_none(idp: StandIn, tmp_path: Path) -> None:
    """Once there are tenants: what is the default tenant's is not everyone's."""
    server = Server(idp, tmp_path, others="")
    answer = server.sign_in()
    assert answer.status_code == 403
    assert "ana belongs to no tenant here" in answer.text
    server.idp.claims["groups"] = ["dev", "acme-staff"]
    assert server.sign_in().json()["tenant"] == "acme"
    removed = [Change(TENANT, name, None) for name in ("acme", "globex")]
    change(server.store, lambda *_: (None, removed), lambda: NOW)
    server.source.refresh()
    server.idp.claims["groups"] = ["dev"]
    assert server.sign_in().json()["tenant"] == "", "there is one tenant only"


def test_an_administrator_ends_a_members_sessions(server: Server) -> None:
    """Those of this member that have begun before."""
    ana, eve = (
        encode_session(member_session(name, Role.EDITOR, NOW), MASTER) for name in ("ana", "eve")
    )

    def signed_in(cookie: str) -> bool:
        server.source.refresh()
        return server.authenticator.by_cookie(cookie) is not None

    assert signed_in(ana)
    for later in (1, SESSION_SECONDS + 2):
        change(
            server.store,
            lambda configuration, _, at=int(NOW) + later: (  # type: ignore[misc]
                None,
                sign_out_member("ana" if at < NOW + 2 else "joe", configuration, at),
            ),
            lambda: NOW,
        )
        assert (signed_in(ana), signed_in(eve)) == (later > 1, True)
    again = encode_session(member_session("ana", Role.EDITOR, NOW + 1), MASTER)
    assert signed_in(again)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"groups": ["others"]}, "role"),
        ({"groups": ["acme-staff"]}, "role"),
        ({"groups": ["dev", "acme-staff", "globex-staff"]}, "tenant"),
        ({"groups": ["dev", "gone-staff"]}, "tenant"),
        ({"groups": None}, "role"),
        ({"groups": {"dev": 1}}, "role"),
        ({"iss": "https://other"}, "token"),
        ({"aud": "other"}, "token"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "token"),
        ({"nonce": "of another sign-in"}, "token"),
        ({"nonce": None}, "token"),
        ({"exp": int(NOW) - 61}, "token"),
        ({"exp": None}, "token"),
        ({"sub": None}, "token"),
    ],
)
def test_claims_that_are_refused(server: Server, claims: dict[str, Any], reason: str) -> None:
    server.idp.claims |= claims
    response = server.sign_in()
    assert response.status_code == 403
    assert response.text.startswith("You are not signed in: ")
    assert server.outcomes == [("", reason)]


def test_signatures_that_are_refused(server: Server) -> None:
    """By another key of the same name, and with what is public as if it were a secret."""
    idp = server.idp
    idp.key = jwk.RSAKey.generate_key(2048, {"kid": "first"})
    assert server.sign_in().status_code == 403
    idp.algorithm, idp.key = "HS256", jwk.OctKey.import_key(SECRET + "0" * 32)
    assert server.sign_in().status_code == 403
    assert {outcome for _, outcome in server.outcomes} == {"token"}


def test_a_new_key_of_the_provider(server: Server) -> None:
    """Is read when a token names it, once a minute at most."""
    idp = server.idp
    assert server.sign_in().status_code == 200
    idp.key = jwk.ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})
    idp.algorithm = "ES256"
    idp.keys = [*idp.keys, idp.key]
    assert server.sign_in().status_code == 403
    server.now += 60
    assert server.sign_in().status_code == 200
    assert idp.requests.count("/keys") == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "another"}, "state"),
        ({"cookie": False}, "no_flow"),
        ({"query": "error=access_denied"}, "refused"),
    ],
)
def test_callbacks_that_are_refused(server: Server, change: dict[str, Any], reason: str) -> None:
    response = server.sign_in(**change)
    assert response.status_code == 403
    assert COOKIE + "=" not in response.headers.get("set-cookie", "").replace(FLOW_COOKIE, "")
    assert server.outcomes == [("", reason)]


def test_a_code_is_good_once_and_for_ten_minutes(server: Server) -> None:
    flow = begin_flow(NOW)
    server.idp.authorize(server.provider.authorization_url(flow))
    assert server.provider.finish(flow, "the-code").role is Role.EDITOR
    with pytest.raises(OidcError, match="answers 400"):
        server.provider.finish(flow, "the-code")
    server.idp.authorize(server.provider.authorization_url(flow))
    with pytest.raises(OidcError, match="answers 400"):
        server.provider.finish(begin_flow(NOW), "the-code")  # another verifier


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (404, b"")),
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", (200, {"issuer": "https://other"})),
        ("/token", (500, b"")),
        ("/token", (200, b"{")),
        ("/token", (200, {"access_token": "x"})),
        ("/token", (200, {"id_token": "a.b.c"})),
        ("/token", (302, b"")),
        ("/keys", (200, b"{}")),
        ("/keys", (503, b"")),
    ],
)
def test_providers_that_misbehave(server: Server, path: str, answer: tuple[int, Any]) -> None:
    server.idp.answers[path] = answer
    assert server.sign_in().status_code == 403
    assert "/elsewhere" not in server.idp.requests
    del server.idp.answers[path]
    assert server.sign_in().status_code == 200, "it is not remembered"


def test_a_session_ends(server: Server) -> None:
    """With its time, and with a sign-out on the server."""

    async def talk() -> None:
        transport = httpx.ASGITransport(server.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://raymap") as client:
            begun = await client.get("/auth/oidc/login")
            state = server.idp.authorize(begun.headers["location"])
            await client.get(f"/auth/oidc/callback?code=the-code&state={state}")
            cookie = client.cookies[COOKIE]
            assert (await client.get("/api/pins")).status_code == 200
            server.now += 12 * 3600
            assert (await client.get("/api/pins")).status_code == 401
            server.now -= 3600
            await client.post("/auth/logout")
            client.cookies.set(COOKIE, cookie)
            assert (await client.get("/api/pins")).status_code == 401

    asyncio.run(talk())


def test_urls_and_roles() -> None:
    assert parse_roles("a b=viewer, *=editor,") == {"a b": Role.VIEWER, "*": Role.EDITOR}
    for bad in ("a", "a=", "=viewer", "a=ingest", "a=root"):
        with pytest.raises(ValueError, match="expected VALUE="):
            parse_roles(bad)
    assert check_url("https://x.example/y")
    assert check_url("http://localhost:8080")
    for url in ("http://x.example", "ftp://x", "", "https://", "javascript:x"):
        with pytest.raises(ValueError, match="https"):
            check_url(url)
