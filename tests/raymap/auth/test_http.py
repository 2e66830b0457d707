"""The guard around an HTTP app: who gets through, and what the others get."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import random
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from api.may_edit import may_edit, name_of
from collector.budget import Budget
from collector.receivers.access import PRINCIPAL
from raymap.auth import http as auth_http
from raymap.auth.authenticator import Authenticator, Mode, admitted_anyway, refusals
from raymap.auth.http import AuthGuard
from raymap.auth.keys import IssuedKey, KeyRing, issue_key
from raymap.auth.people import NO_PEOPLE, People
from raymap.auth.permissions import Permission, Role, allows
from raymap.auth.shares import Shares
from raymap.auth.tenants import Tenants
from store.memory import MemoryStore

MASTER = b"m" * 32
URL = "http://127.0.0.1:2000"
KEYS = {role: issue_key(f"the {role}", role, MASTER, now=1) for role in Role}
EXPIRED = issue_key("old", Role.ADMIN, MASTER, now=1, expires=2)
_REVOKED = issue_key("stolen", Role.ADMIN, MASTER, now=1)
REVOKED = _REVOKED._replace(key=replace(_REVOKED.key, revoked=2))
ROUTES = {
    Permission.INGEST: ("POST", "/TraceSegments"),
    Permission.SAMPLE: ("POST", "/GetSamplingRules"),
    Permission.READ: ("GET", "/api/map"),
    Permission.SHARE: ("POST", "/api/v1/shares"),
    Permission.EDIT: ("POST", "/CreateGroup"),
    Permission.REPORT: ("POST", "/api/v1/deployments"),
    Permission.ADMIN: ("POST", "/unnamed"),
    Permission.PUBLIC: ("GET", "/healthz"),
}


class FixedKeys:
    def __init__(self, ring: KeyRing | None, tenants: Tenants | None = None) -> None:
        self._ring, self._tenants = ring, tenants

    def ring(self) -> KeyRing | None:
        return self._ring

    def people(self) -> People:
        return NO_PEOPLE

    def shares(self) -> Shares:
        return Shares("", frozenset())

    def tenants(self) -> Tenants | None:
        return self._tenants


RING = KeyRing([*(issued.key for issued in KEYS.values()), EXPIRED.key, REVOKED.key])


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the principal and the body it was given."""
    body = await Request(scope, receive).body()
    who = scope.get(PRINCIPAL)
    await JSONResponse({"name": who and who.name, "via": who and who.via, "body": body.decode("latin-1")})(
        scope, receive, send
    )  # fmt: skip


def guard(mode: Mode = Mode.ON, ring: KeyRing | None = RING) -> AuthGuard:
    return AuthGuard(echo, Authenticator(mode, FixedKeys(ring), MASTER))


def ask(
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    through: AuthGuard | None = None,
    url: str = URL,
) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(through or guard())
        async with httpx.AsyncClient(transport=transport, base_url=url) as client:
            return await client.request(method, path, headers=headers, content=body)

    return asyncio.run(request())


def bearer(issued: IssuedKey) -> dict[str, str]:
    return {"authorization": f"Bearer {issued.token}"}


def signature(
    issued: IssuedKey, method: str, path: str, body: bytes, **headers: str
) -> dict[str, str]:
    request = AWSRequest(method=method, url=URL + path, data=body, headers=headers)
    credentials = Credentials(issued.key.access_key_id, issued.secret_access_key)
    SigV4Auth(credentials, "xray", "us-east-1").add_auth(request)
    return {
        k: v if isinstance(v, str) else v.decode() for k, v in request.prepare().headers.items()
    }


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_every_role_on_every_kind_of_route(role: Role, permission: Permission) -> None:
    method, path = ROUTES[permission]
    for headers in (bearer(KEYS[role]), signature(KEYS[role], method, path, b"{}")):
        response = ask(method, path, headers, b"{}")
        assert response.status_code == (200 if allows(role, permission) else 403)
        if response.status_code == 403 and not path.startswith("/api/"):
            assert response.json()["__type"] == "AccessDeniedException"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_routes_know_who_it_is_and_whether_they_may_edit(role: Role) -> None:
    """What is saved says by whom."""
    seen: list[tuple[str, bool]] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen.append((name_of(request), may_edit(request)))
        await echo(scope, receive, send)

    through = AuthGuard(note, Authenticator(Mode.ON, FixedKeys(RING), MASTER))
    assert ask("GET", "/api/v1/views", bearer(KEYS[role]), through=through).status_code == 200
    assert seen == [(f"the {role}", role is Role.EDITOR)]


@pytest.mark.parametrize("permission", sorted(set(Permission) - {Permission.PUBLIC}))
def test_without_credentials(permission: Permission) -> None:
    response = ask(*ROUTES[permission])
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="raymap"'


def test_health_and_the_console_need_none() -> None:
    for path in ("/healthz", "/readyz", "/", "/assets/index.js"):
        assert ask("GET", path).status_code == 200


@pytest.mark.parametrize(
    "make",
    [
        lambda token: {"authorization": f"Bearer {token}"},
        lambda token: {"authorization": f"bearer {token}"},
        lambda token: {"x-api-key": token},
        lambda token: {"x-amz-firehose-access-key": token},
        lambda token: {
            "authorization": "Basic " + base64.b64encode(f"any:{token}".encode()).decode()
        },
    ],
)
def test_where_a_token_may_be(make: Callable[[str], dict[str, str]]) -> None:
    response = ask("POST", "/v1/traces", make(KEYS[Role.INGEST].token), b"spans")
    assert response.json() == {"name": "the ingest", "via": "token", "body": "spans"}


def damaged() -> dict[str, dict[str, str]]:
    """Headers by what is wrong with them, signed now: a signature is valid for five minutes."""
    token = KEYS[Role.ADMIN].token
    signed = signature(KEYS[Role.ADMIN], "POST", "/TraceSegments", b"{}")
    day = signed["X-Amz-Date"][:8]
    return {
        "expired: token": bearer(EXPIRED),
        "revoked: token": bearer(REVOKED),
        "expired: signature": signature(EXPIRED, "POST", "/TraceSegments", b"{}"),
        "revoked: signature": signature(REVOKED, "POST", "/TraceSegments", b"{}"),
        "unknown: cut": {"authorization": f"Bearer {token[:-1]}"},
        "unknown: empty": {"authorization": "Bearer"},
        "unknown: long": {"authorization": "Bearer " + "x" * 10_000},
        "unknown: basic": {"authorization": "Basic !!!"},
        "unknown: foreign": {"x-api-key": "AKIAIOSFODNN7EXAMPLE"},
        "malformed: words": {"authorization": "AWS4-HMAC-SHA256 nothing"},
        "signature: forged": {**signed, "Authorization": signed["Authorization"][:-64] + "0" * 64},
        "skew: old": {
            **signed,
            "X-Amz-Date": "20200101T000000Z",
            "Authorization": signed["Authorization"].replace(day, "20200101"),
        },
    }


@pytest.mark.parametrize("case", damaged())
def test_bad_credentials(case: str) -> None:
    """One answer to all of them, counted by reason."""
    reason = case.partition(":")[0]
    before = refusals().labels(reason)._value.get()
    response = ask("POST", "/TraceSegments", damaged()[case], b"{}")
    assert response.status_code == 401
    assert response.json() == {
        "__type": "UnrecognizedClientException",
        "Message": "the credentials are not accepted",
    }
    assert refusals().labels(reason)._value.get() == before + 1


def test_a_signed_body_reaches_the_app_whole() -> None:
    body = gzip.compress(json.dumps({"TraceSegmentDocuments": ["x" * 1000] * 50}).encode())
    headers = signature(
        KEYS[Role.INGEST], "POST", "/TraceSegments", body, **{"content-encoding": "gzip"}
    )
    response = ask("POST", "/TraceSegments", headers, body)
    assert response.json()["via"] == "signature"
    assert response.json()["body"].encode("latin-1") == body
    assert ask("POST", "/TraceSegments", headers, body + b"x").status_code == 401


def test_a_signed_body_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where documents are sent more than elsewhere."""
    monkeypatch.setattr(auth_http, "MAX_BODY", 100)
    monkeypatch.setattr(auth_http, "MAX_API_BODY", 50)
    for key, path, most in ((Role.INGEST, "/TraceSegments", 100), (Role.ADMIN, "/CreateGroup", 50)):
        for size, status in ((most, 200), (most + 1, 413)):
            headers = signature(KEYS[key], "POST", path, b"x" * size)
            assert ask("POST", path, headers, b"x" * size).status_code == status


def test_signed_bodies_have_a_share_of_the_budget() -> None:
    """And leave nothing reserved, whatever becomes of them."""
    budget = Budget(
        300
    )  # half of it for bodies whose signature has not been verified, a third for each key
    authenticator = Authenticator(Mode.ON, FixedKeys(RING), MASTER)
    through = AuthGuard(echo, authenticator, budget)
    for size, status in ((100, 200), (101, 503)):
        headers = signature(KEYS[Role.INGEST], "POST", "/TraceSegments", b"x" * size)
        answer = ask("POST", "/TraceSegments", headers, b"x" * size, through)
        assert answer.status_code == status
        assert budget.reserved == 0
    assert answer.headers["retry-after"] == "1"
    wrong = ask("POST", "/TraceSegments", headers, b"y" * 100, through)
    assert (wrong.status_code, budget.reserved) == (401, 0)


def test_a_replay_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    through = guard()
    authenticator = through._authenticator
    headers = signature(KEYS[Role.INGEST], "POST", "/TraceSegments", b"{}")
    assert ask("POST", "/TraceSegments", headers, b"{}", through).status_code == 200
    later = authenticator.clock() + 20
    authenticator.clock = lambda: later
    assert ask("POST", "/TraceSegments", headers, b"{}", through).status_code == 401


def test_a_replay_is_taken_once_by_every_other_process() -> None:
    """What docs/security.md says of it: until its date is five minutes old, and after a restart as well."""
    headers = signature(KEYS[Role.INGEST], "POST", "/TraceSegments", b"{}")

    def sent(through: AuthGuard, later: float) -> int:
        authenticator = through._authenticator
        authenticator.clock = lambda: time.time() + later
        return ask("POST", "/TraceSegments", headers, b"{}", through).status_code

    first, other, restarted = guard(), guard(), guard()
    assert [sent(first, later) for later in (0, 1, 20, 250)] == [200, 200, 401, 401]
    assert [sent(other, later) for later in (20, 21)] == [200, 401]
    assert [sent(restarted, later) for later in (280, 281)] == [200, 401]
    assert sent(guard(), 320) == 401


def test_a_refusal_has_the_headers_of_every_response() -> None:
    for scheme, seconds in (("http", None), ("https", "max-age=31536000")):
        answer = ask("GET", "/api/map", url=URL.replace("http", scheme))
        assert answer.status_code == 401
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers.get("strict-transport-security") == seconds


def test_refused_authorisation_is_in_the_audit_log_once_a_minute() -> None:
    store, now = MemoryStore(), [1_900_000_000.0]
    authenticator = Authenticator(Mode.ON, FixedKeys(RING), MASTER, clock=lambda: now[0])
    through = AuthGuard(echo, authenticator, audit=store)
    for later in (0, 1, 61):
        now[0] = 1_900_000_000.0 + later
        for role in (Role.VIEWER, Role.EDITOR):
            answer = ask("POST", "/unnamed", bearer(KEYS[role]), through=through)
            assert answer.status_code == 403
    ask("GET", "/api/map", through=through)  # unknown: nothing to write down
    found = [
        (each.actor, each.via, each.action, each.target, each.outcome)
        for each in store.read_audit(before=1 << 62, limit=100)
    ]
    one = [
        (f"the {role}", "token", "access", "POST /unnamed", "refused")
        for role in ("editor", "viewer")
    ]
    assert sorted(found) == sorted([*one, *one])


def test_ingest_warn() -> None:
    """Traces are accepted with any credentials and none; nothing else is."""
    through = guard(Mode.INGEST_WARN)
    before = admitted_anyway().labels("missing")._value.get()
    assert ask("POST", "/TraceSegments", {}, b"{}", through).json()["body"] == "{}"
    assert admitted_anyway().labels("missing")._value.get() == before + 1
    assert ask("POST", "/v1/traces", {"x-api-key": "wrong"}, b"{}", through).status_code == 200
    assert ask("POST", "/v1/traces", bearer(REVOKED), b"{}", through).status_code == 200
    assert ask("POST", "/GetSamplingRules", {}, b"{}", through).status_code == 200
    for permission in (Permission.READ, Permission.EDIT, Permission.ADMIN):
        assert ask(*ROUTES[permission], {}, b"", through).status_code == 401


def test_a_bad_signature_with_ingest_warn_keeps_its_body() -> None:
    signed = signature(KEYS[Role.INGEST], "POST", "/TraceSegments", b"{}")
    other = {**signed, "X-Amz-Date": "20200101T000000Z"}
    for headers in (other, {**signed, "Authorization": signed["Authorization"][:-64] + "0" * 64}):
        response = ask("POST", "/TraceSegments", headers, b"[1, 2]", guard(Mode.INGEST_WARN))
        assert response.json()["body"] == "[1, 2]"


def test_before_any_keys_are_known() -> None:
    """Neither accepted nor refused for good: senders try again."""
    response = ask("POST", "/TraceSegments", bearer(KEYS[Role.INGEST]), b"{}", guard(ring=None))
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"


def test_mutated_headers_never_fail() -> None:
    """Whatever is in Authorization: 200 for the original only, else 401."""
    random.seed(7)
    original = signature(KEYS[Role.INGEST], "POST", "/TraceSegments", b"{}")
    through, statuses = guard(), set()
    for _ in range(500):
        text = list(original["Authorization"])
        for _ in range(random.randint(1, 3)):
            text[random.randrange(len(text))] = chr(random.randint(32, 126))
        headers: dict[str, Any] = {**original, "Authorization": "".join(text).strip()}
        response = ask("POST", "/TraceSegments", headers, b"{}", through)
        if headers["Authorization"] != original["Authorization"]:
            statuses.add(response.status_code)
    assert statuses == {401}
