"""The app of the API process: each request goes to the app of its tenant, which is made when the tenant is known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.types import Message, Receive, Scope, Send

from collector.receivers.access import PRINCIPAL
from raymap.auth.tenants import Tenant
from raymap.tenants.parts import login_of, pipeline_of
from raymap.tenants.running import Running
from raymap.tenants.service import ApiService, Routers
from store.clickhouse.store import ClickHouseStore

if TYPE_CHECKING:
    from collector.redaction.redactor import Redactor
    from raymap.auth.authenticator import Principal
    from raymap.auth.install import Authentication
    from raymap.settings import ApiSettings
    from store.clickhouse.connection.address import Address


class ApiOfTenants:
    """ASGI app inside `AuthGuard`; starts and stops what it serves with the server."""

    def __init__(self, default: ApiService, tenants: Running[ApiService]) -> None:
        self._default, self._tenants = default, tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await (await self._service(scope)).app(scope, receive, send)

    async def _service(self, scope: Scope) -> ApiService:
        principal: Principal | None = scope.get(PRINCIPAL)
        if principal is None or principal.tenant is None:
            return self._default
        return await self._tenants.reach(principal.tenant)

    async def _live(self, receive: Receive, send: Send) -> None:
        """ASGI's lifespan protocol."""
        await receive()
        try:
            await asyncio.to_thread(self._start)
        except Exception as error:
            await send(_failed(error))
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._stop)
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self) -> None:
        self._default.start()
        self._tenants.start()

    def _stop(self) -> None:
        self._tenants.stop()
        self._default.stop()


def _failed(error: Exception) -> Message:
    return {"type": "lifespan.startup.failed", "message": str(error)}


READ_CONNECTIONS = 6
"""At most, of one tenant in one process."""


def api_parts(
    settings: ApiSettings,
    address: Address,
    auth: Authentication,
    redactor: Redactor,
    version: str,
    administration: Routers,
) -> Running[ApiService]:
    """Apps that are started with their rollups and alarms as soon as a tenant is known."""

    def make(tenant: Tenant) -> ApiService:
        login = login_of(address, tenant, auth)
        store = ClickHouseStore(login.common, connections=READ_CONNECTIONS, login=login)
        pipeline = pipeline_of(settings, login, tenant, "api", redactor)
        return ApiService(settings, store, pipeline, auth, version, administration, store.close)

    return Running(auth.tenants, make, settings.data_dir, lazy=False)
