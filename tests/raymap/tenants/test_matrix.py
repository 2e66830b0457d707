"""Four roles of two tenants at every route and every gRPC method: each request reaches its own tenant's app
or pipeline, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.http_ports import create_collector_app, create_otlp_app
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from collector.settings import HttpLimits
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.grpc import AuthInterceptor
from raymap.auth.http import AuthGuard
from raymap.auth.keys import KeyRing, issue_key
from raymap.auth.permissions import Role
from raymap.auth.share_grants import TraceGrant
from raymap.auth.shares import encode_share, new_share, share_key
from raymap.auth.tenants import Tenant, Tenants, new_tenant
from raymap.tenants.http import ApiOfTenants
from raymap.tenants.pipelines import CURRENT, PipelineChoice, TenantPipeline, per_request
from raymap.tenants.running import Running
from raymap.tenants.service import ApiService
from store.memory import MemoryStore
from tests.raymap.auth.routes import PAGE, TRACE, apps
from tests.raymap.auth.test_http import MASTER, FixedKeys, signature
from tests.raymap.auth.test_role_matrix import CALL, REFUSED, Row, _code, _has, _roles, rows

TENANTS = {name: new_tenant(name, 1) for name in ("acme", "globex")}
GONE = new_tenant("gone", 1)
KEYS = {
    (name, role): issue_key(f"{name} {role}", role, MASTER, now=1, tenant=name)
    for name in (*TENANTS, "", "gone")
    for role in Role
}
RING = KeyRing(issued.key for issued in KEYS.values())
PUT = b'{"TraceSegmentDocuments": []}'
DIRECTORY = FixedKeys(RING, Tenants(TENANTS, frozenset({GONE.folder})))


def authenticator(mode: Mode = Mode.ON) -> Authenticator:
    return Authenticator(mode, DIRECTORY, MASTER)


@dataclass
class Recorder:
    """An app of one tenant that notes what reached it."""

    tenant: str
    inner: ASGIApp
    reached: list[tuple[str, str]] = field(default_factory=list)

    @property
    def app(self) -> ASGIApp:
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append((scope["method"], scope["path"]))
        await self.inner(scope, receive, send)

    def start(self) -> None:
        """Nothing is run."""

    def stop(self) -> None:
        """Nothing is run."""


def dispatch(folder: Path, make: Callable[[str], ASGIApp]) -> tuple[ASGIApp, dict[str, Recorder]]:
    """The guarded app of an API process, and by tenant what requests reach."""
    recorders = {name: Recorder(name, make(name)) for name in ("", *TENANTS)}
    running = Running(
        lambda: DIRECTORY.tenants(),
        lambda tenant: cast("ApiService", recorders[tenant.name]),
        folder,
        lazy=False,
    )
    app = ApiOfTenants(cast("ApiService", recorders[""]), running)
    return AuthGuard(app, authenticator()), recorders


def expected(row: Row, role: Role) -> int | None:
    return None if not row.roles or role in row.roles else 403


@pytest.mark.slow
def test_every_route_of_the_api(tmp_path: Path) -> None:
    """By token. The status is the role's, and no other tenant's app has seen the request."""
    folders = iter(range(10))
    guarded, recorders = dispatch(tmp_path, lambda _: apps(tmp_path / str(next(folders)))[0])

    async def talk() -> list[Any]:
        wrong = []
        transport = httpx.ASGITransport(guarded, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:2000") as each:
            for row in rows():
                for (tenant, role), issued in KEYS.items():
                    for recorder in recorders.values():
                        recorder.reached.clear()
                    body = b"" if row.method == "GET" else b"{}"
                    headers = {"authorization": f"Bearer {issued.token}"}
                    answer = await each.request(row.method, row.url, content=body, headers=headers)
                    reached = {name for name, r in recorders.items() if r.reached}
                    wanted, status = expected(row, role), answer.status_code
                    if not row.roles:  # public: the same for everyone, and of no tenant
                        good = reached == {""}
                    elif tenant == "gone":
                        good = status == 401 and not reached
                    elif wanted:
                        good = status == wanted and not reached
                    else:
                        good = status not in REFUSED and reached == {tenant}
                    if not good:
                        wrong.append((tenant, role, row.method, row.path, status, reached))
        return wrong

    assert asyncio.run(talk()) == []


@pytest.mark.parametrize("tenant", ["", *TENANTS, "gone"])
def test_signatures_and_links(tmp_path: Path, tenant: str) -> None:
    """The other credentials name the same tenant; those of one that was deleted are none."""
    guarded, recorders = dispatch(tmp_path, lambda _: apps(tmp_path / "a")[0])
    id = {**TENANTS, "gone": GONE}[tenant].id if tenant else ""
    share = new_share(TraceGrant(TRACE), 1, authenticator().clock(), id)
    link = {"authorization": f"Bearer {encode_share(share, share_key(MASTER, ''))}"}

    async def talk() -> None:
        transport = httpx.ASGITransport(guarded, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:2000") as each:
            signed = signature(KEYS[tenant, Role.VIEWER], "POST", "/Groups", b"{}")
            for method, path, headers, body in (
                ("POST", "/Groups", signed, b"{}"),
                ("GET", f"/api/traces/{TRACE}", link, b""),
            ):
                for recorder in recorders.values():
                    recorder.reached.clear()
                answer = await each.request(method, path, headers=headers, content=body)
                reached = {name for name, r in recorders.items() if r.reached}
                if tenant == "gone":
                    assert (answer.status_code, reached) == (401, set())
                else:
                    assert answer.status_code not in REFUSED
                    assert reached == {tenant}

    asyncio.run(talk())


class Pipelines:
    """Pipelines by tenant, and which of them was a request's."""

    def __init__(self, folder: Path) -> None:
        self.default = self._make(folder / "default")
        self._folder = folder
        self.made: dict[str, IngestPipeline] = {"": self.default}
        running = Running(lambda: DIRECTORY.tenants(), self._start, folder, lazy=True)
        self.choice = PipelineChoice(running)
        self.pipeline = per_request(running, self.default)

    def _make(self, folder: Path) -> IngestPipeline:
        return IngestPipeline(MemoryStore(), folder, metrics=IngestMetrics(CollectorRegistry()))

    def _start(self, tenant: Tenant) -> TenantPipeline:
        self.made[tenant.name] = pipeline = self._make(self._folder / tenant.folder)
        return cast("TenantPipeline", pipeline)

    def stop(self) -> None:
        for pipeline in self.made.values():
            pipeline.stop(1.0)


def test_every_route_of_a_collector(tmp_path: Path) -> None:
    """Its own HTTP port, and that of OTLP: one app, whose pipeline is the request's."""
    pipelines, seen = Pipelines(tmp_path), []
    pipelines.default.start()
    limits = HttpLimits()

    def spy(app: FastAPI) -> ASGIApp:
        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(CURRENT.get() or pipelines.default)
            await app(scope, receive, send)

        return AuthGuard(pipelines.choice.around(noting), authenticator())

    async def talk(app: FastAPI) -> list[Any]:
        wrong = []
        transport = httpx.ASGITransport(spy(app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:2000") as each:
            for row in (row for row in rows() if _has(app, row.method, row.path)):
                for (tenant, role), issued in KEYS.items():
                    seen.clear()
                    headers = {"authorization": f"Bearer {issued.token}"}
                    answer = await each.request(row.method, row.url, content=b"{}", headers=headers)
                    wanted, status = expected(row, role), answer.status_code
                    if row.roles and (tenant == "gone" or wanted):
                        good = status == (401 if tenant == "gone" else wanted) and not seen
                    else:
                        own = pipelines.default if not row.roles else pipelines.made.get(tenant)
                        good = seen == [own]
                    if not good:
                        wrong.append((tenant, role, row.method, row.path, status))
        return wrong

    try:
        for app in (
            create_collector_app(pipelines.pipeline, limits),
            create_otlp_app(pipelines.pipeline, limits),
        ):
            assert asyncio.run(talk(app)) == []
        assert set(pipelines.made) == {"", *TENANTS}
    finally:
        pipelines.stop()


def test_every_grpc_method(tmp_path: Path) -> None:
    """By the metadata of the call; counted by the pipeline that was given it."""
    pipelines, entered = Pipelines(tmp_path), []
    pipelines.default.start()

    async def enter(principal: Any) -> None:
        await pipelines.choice.enter(principal)
        entered.append((principal.tenant_name, CURRENT.get() or pipelines.default))

    async def whole() -> list[Any]:
        wrong: list[Any] = []
        interceptor = AuthInterceptor(authenticator(), enter)
        receiver = GrpcReceiver(pipelines.pipeline, "127.0.0.1", 0, interceptors=[interceptor])
        address = await receiver.start()
        async with grpc.aio.insecure_channel(address) as channel:
            for method, roles in CALL.findall(PAGE.read_text()):
                row = Row("", method, _roles(roles), "none")
                for (tenant, role), issued in KEYS.items():
                    entered.clear()
                    code = await _code(channel, method, (("x-api-key", issued.token),))
                    wanted = expected(row, role)
                    if not row.roles:
                        good = not entered
                    elif tenant == "gone":
                        good = code == "UNAUTHENTICATED" and not entered
                    elif wanted:
                        good = code == "PERMISSION_DENIED" and not entered
                    else:
                        good = entered == [(tenant, pipelines.made[tenant])]
                    if not good:
                        wrong.append((tenant, role, method, code, entered[:]))
        await receiver.stop(1.0)
        return wrong

    try:
        assert asyncio.run(whole()) == []
    finally:
        pipelines.stop()


def test_ingest_warn_admits_no_credential_that_might_be_a_tenants(tmp_path: Path) -> None:
    """Without one a request is the default tenant's; one that is not accepted may belong to another."""
    recorders = {"": Recorder("", apps(tmp_path)[0])}
    running = Running(lambda: None, lambda _: cast("ApiService", None), tmp_path, lazy=True)
    app = ApiOfTenants(cast("ApiService", recorders[""]), running)

    def status(directory: FixedKeys, headers: dict[str, str]) -> int:
        guarded = AuthGuard(app, Authenticator(Mode.INGEST_WARN, directory, MASTER))

        async def talk() -> int:
            transport = httpx.ASGITransport(guarded, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://t:2000") as each:
                answer = await each.post("/TraceSegments", content=PUT, headers=headers)
                return answer.status_code

        return asyncio.run(talk())

    gone = {"authorization": f"Bearer {KEYS['gone', Role.INGEST].token}"}
    unknown = {"authorization": "Bearer unknown"}
    none = FixedKeys(RING, Tenants({}, frozenset()))
    assert status(DIRECTORY, {}) == 200
    assert status(DIRECTORY, gone) == 401
    assert status(DIRECTORY, unknown) == 401
    assert status(none, unknown) == 200
