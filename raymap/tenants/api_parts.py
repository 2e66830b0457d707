"""How an API process makes what it runs for a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raymap.auth.tenants import Tenant
from raymap.tenants.parts import login_of, pipeline_of
from raymap.tenants.running import Running
from raymap.tenants.service import ApiService, Routers
from store.clickhouse.store import ClickHouseStore

if TYPE_CHECKING:
    from collector.redaction.redactor import Redactor
    from raymap.auth.install import Authentication
    from raymap.settings import ApiSettings
    from store.clickhouse.connection.address import Address

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
