"""docs/permissions.md, row by row, on the real apps: what each role, no one, and a share link get.

The page is read as it is, so that what people rely on is what is tested.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from fastapi import APIRouter, FastAPI

from api.app import create_app
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.grpc import AuthInterceptor
from raymap.auth.http import AuthGuard
from raymap.auth.permissions import Role
from raymap.auth.share_grants import Grant, TraceGrant
from raymap.auth.shares import encode_share, new_share, share_key
from store.memory import MemoryStore
from tests.raymap.auth.routes import MAP, PAGE, TRACE, apps, routes_of
from tests.raymap.auth.test_grpc import run
from tests.raymap.auth.test_http import EXPIRED, KEYS, MASTER, REVOKED, RING, FixedKeys, signature

ROW = re.compile(r"^\| `(GET|POST|PUT|PATCH|DELETE) (\S+)` \| \w+ \| ([^|]+) \| ([^|]+) \|$", re.M)
CALL = re.compile(r"^\| `(/\S+)` \| \w+ \| ([^|]+) \|$", re.M)
REFUSED = (401, 403)
CALLERS = (
    *("ingest", "viewer", "editor", "admin", "no one", "an expired key", "a revoked key"),
    *("a trace's", "a map's", "another trace's"),
)


@dataclass(frozen=True)
class Row:
    """A line of the page."""

    method: str
    path: str
    roles: frozenset[str]
    """Empty: everyone."""
    shared: str

    @property
    def url(self) -> str:
        """An address of the route, with the parameters of the map that is shared."""
        path = re.sub(r"\{id\}", TRACE, self.path)
        path = re.sub(r"\{[^}]+\}", "n", path)
        is_map = self.shared == "a map's"
        return f"{path}?{httpx.QueryParams(MAP.words())}" if is_map else path


def rows() -> list[Row]:
    return [
        Row(method, path, _roles(roles), shared)
        for method, path, roles, shared in ROW.findall(PAGE.read_text())
    ]


def _roles(text: str) -> frozenset[str]:
    return frozenset() if text == "everyone" else frozenset(text.split(", "))


def link(grant: Grant) -> dict[str, str]:
    share = new_share(grant, 1, Authenticator(Mode.ON, FixedKeys(RING), MASTER).clock())
    return {"authorization": f"Bearer {encode_share(share, share_key(MASTER, ''))}"}


def callers() -> dict[str, dict[str, str]]:
    """Headers by who has them."""
    tokens = {str(role): {"authorization": f"Bearer {KEYS[role].token}"} for role in Role}
    return {
        **tokens,
        "no one": {},
        "an expired key": {"authorization": f"Bearer {EXPIRED.token}"},
        "a revoked key": {"authorization": f"Bearer {REVOKED.token}"},
        "a trace's": link(TraceGrant(TRACE)),
        "a map's": link(MAP),
        "another trace's": link(TraceGrant("b" * 32)),
    }


def expected(row: Row, caller: str) -> int | None:
    """401, 403, or None for whatever the route itself answers."""
    if not row.roles:
        return None
    if caller in ("no one", "an expired key", "a revoked key"):
        return 401
    if caller in set(Role):
        return None if caller in row.roles else 403
    return None if row.shared in (caller, "all") else 403


def test_the_page_is_read_whole() -> None:
    found = rows()
    assert len(found) > 110
    assert len(found) == len(re.findall(r"^\| `[A-Z]+ /", PAGE.read_text(), re.M))
    assert {row.shared for row in found} == {"none", "all", "a trace's", "a map's"}
    assert len(CALL.findall(PAGE.read_text())) > 6
    assert tuple(callers()) == CALLERS


def test_every_route_and_every_caller(tmp_path: Path) -> None:
    """In each of the apps that have a route: 401, 403, or the route's own answer. What is everyone's
    answers all alike, also where it refuses a sign-in itself."""
    table, wrong = rows(), []
    by_place = {(row.method, row.path): row for row in table}
    tried = 0
    for number, app in enumerate(apps(tmp_path)):
        served = {
            place: row
            for place, row in by_place.items()
            if _has(app, *place) or (number == 0 and not row.roles)
        }
        answers = asyncio.run(statuses(app, list(served.values())))
        for (row, caller), status in answers.items():
            tried += 1
            wanted = expected(row, caller)
            if not row.roles:
                good = status == answers[row, "no one"]
            else:
                good = status == wanted if wanted else status not in REFUSED
            if not good:
                wrong.append((number, row.method, row.path, caller, status, wanted))
    assert wrong == []
    assert tried >= len(table) * len(CALLERS)


def _has(app: FastAPI, method: str, path: str) -> bool:
    return (path, method) in set(routes_of(app.routes))


async def statuses(app: FastAPI, table: list[Row]) -> Mapping[tuple[Row, str], int]:
    """What each caller is answered to each row, by an app behind the guard."""
    guarded = AuthGuard(app, Authenticator(Mode.ON, FixedKeys(RING), MASTER))
    found: dict[tuple[Row, str], int] = {}
    transport = httpx.ASGITransport(guarded, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:2000") as client:
        for row in table:
            for caller, headers in callers().items():
                body = b"" if row.method == "GET" else b"{}"
                response = await client.request(row.method, row.url, content=body, headers=headers)
                found[row, caller] = response.status_code
    return found


@pytest.mark.parametrize("role", Role)
def test_signatures_are_no_other_roles(tmp_path: Path, role: Role) -> None:
    """X-Ray's operations, signed with the access key of each role."""
    table = [row for row in rows() if row.method == "POST" and row.path.count("/") == 1]
    table = [row for row in table if "{" not in row.path]
    assert len(table) > 30
    (app, *_) = apps(tmp_path)
    guarded = AuthGuard(app, Authenticator(Mode.ON, FixedKeys(RING), MASTER))

    async def talk() -> Iterator[tuple[Row, int]]:
        transport = httpx.ASGITransport(guarded, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:2000") as each:
            found = []
            for row in table:
                headers = signature(KEYS[role], "POST", row.path, b"{}")
                answer = await each.post(row.path, content=b"{}", headers=headers)
                found.append((row, answer.status_code))
            return iter(found)

    for row, status in asyncio.run(talk()):
        assert (status == 403) == (str(role) not in row.roles), (row.path, status)
        assert status != 401


@pytest.mark.parametrize("caller", CALLERS)
def test_every_grpc_method(tmp_path: Path, caller: str) -> None:
    headers = callers()[caller]
    metadata = tuple(headers.items())

    async def talk(channel: grpc.aio.Channel) -> None:
        for method, roles in CALL.findall(PAGE.read_text()):
            code = await _code(channel, method, metadata)
            row = Row("", method, _roles(roles), "none")
            wanted = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}.get(
                expected(row, caller) or 0
            )
            refused = code in ("UNAUTHENTICATED", "PERMISSION_DENIED")
            assert code == wanted if wanted else not refused, (method, code, wanted)

    run(tmp_path, talk)


async def _code(
    channel: grpc.aio.Channel, method: str, metadata: tuple[tuple[str, str], ...]
) -> str:
    """The code of a call with an empty message; streams are left after their first answer."""
    try:
        if "Watch" in method:
            call = channel.unary_stream(method)(b"", metadata=metadata)
            await call.read()
            call.cancel()
        elif "Reflection" in method:
            stream = channel.stream_stream(method)(iter([b""]), metadata=metadata)
            await stream.read()
            stream.cancel()
        else:
            await channel.unary_unary(method)(b"", metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"


ADDED = ("/secret", "/api2/secret", "/assetsx", "/metrics/secret", "/healthz/secret")


@pytest.mark.parametrize("path", ADDED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_route_that_no_rule_names_is_refused(path: str, method: str) -> None:
    """One that is added without a permission is the administrators'."""
    router = APIRouter()

    async def secret() -> str:
        return "secret"

    router.add_api_route(path, secret, methods=[method])
    app = create_app(MemoryStore(), version="test", extra_routers=[router])
    row = Row(method, path, frozenset({"admin"}), "none")
    for (_, caller), status in asyncio.run(statuses(app, [row])).items():
        assert status == (expected(row, caller) or 200), caller


def test_a_grpc_service_that_no_rule_names_is_refused(tmp_path: Path) -> None:
    """The same for a service that is added to the receiver."""

    async def secret(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return b"secret"

    async def talk() -> None:
        authenticator = Authenticator(Mode.ON, FixedKeys(RING), MASTER)
        server = grpc.aio.server(interceptors=[AuthInterceptor(authenticator)])
        handlers = {"Read": grpc.unary_unary_rpc_method_handler(secret)}
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("added.Service", handlers),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            for caller, headers in callers().items():
                code = await _code(channel, "/added.Service/Read", tuple(headers.items()))
                row = Row("", "", frozenset({"admin"}), "none")
                wanted = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", None: "OK"}
                assert code == wanted[expected(row, caller)], caller
        await server.stop(None)

    asyncio.run(talk())
