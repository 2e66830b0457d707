"""How a collector process and an API process make what they run for a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raymap.auth.tenants import Tenant
from raymap.tenants.logins import TenantLogin
from raymap.tenants.pipelines import TenantPipeline
from raymap.tenants.running import Running
from raymap.tenants.service import ApiService
from store.clickhouse.store import ClickHouseStore

if TYPE_CHECKING:
    from collector.batches import Limits
    from collector.redaction.redactor import Redactor
    from raymap.auth.install import Authentication
    from raymap.settings import ApiSettings, CollectSettings, ProcessSettings
    from store.clickhouse.connection.address import Address

WRITE_CONNECTIONS, READ_CONNECTIONS = 2, 6
"""At most, of one tenant in one process; idle ones are few, as connections are made when needed."""


def collector_parts(
    settings: CollectSettings,
    address: Address,
    auth: Authentication,
    redactor: Redactor,
    limits: Limits,
) -> Running[TenantPipeline]:
    """Pipelines that are started by a tenant's first request, or for a journal that was left."""

    def make(tenant: Tenant) -> TenantPipeline:
        login = _login(address, tenant, auth)
        return _pipeline(settings, login, tenant, "collector", redactor, limits)

    return Running(auth.tenants, make, settings.data_dir, lazy=True)


def api_parts(
    settings: ApiSettings, address: Address, auth: Authentication, redactor: Redactor, version: str
) -> Running[ApiService]:
    """Apps that are started with their rollups and alarms as soon as a tenant is known."""

    def make(tenant: Tenant) -> ApiService:
        login = _login(address, tenant, auth)
        store = ClickHouseStore(login.common, connections=READ_CONNECTIONS, login=login)
        pipeline = _pipeline(settings, login, tenant, "api", redactor)
        return ApiService(settings, store, pipeline, auth, version, store.close)

    return Running(auth.tenants, make, settings.data_dir, lazy=False)


def _login(default: Address, tenant: Tenant, auth: Authentication) -> TenantLogin:
    assert auth.authenticator is not None  # without it no tenants are known
    return TenantLogin(default, tenant, auth.authenticator.master)


def _pipeline(
    settings: ProcessSettings,
    login: TenantLogin,
    tenant: Tenant,
    role: str,
    redactor: Redactor,
    limits: Limits | None = None,
) -> TenantPipeline:
    return TenantPipeline(
        tenant,
        ClickHouseStore(login.common, connections=WRITE_CONNECTIONS, login=login),
        settings.data_dir,
        role=role,
        journal_bytes=settings.journal_size,
        redactor=redactor,
        limits=limits,
    )
