"""How a collector process and an API process make what they run for a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raymap.auth.tenants import Tenant
from raymap.tenants.databases import address_of
from raymap.tenants.logins import usable_login
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
        own = _login(address, tenant, auth)
        return _pipeline(settings, own, tenant, "collector", redactor, limits)

    return Running(auth.tenants, make, settings.data_dir, lazy=True)


def api_parts(
    settings: ApiSettings, address: Address, auth: Authentication, redactor: Redactor, version: str
) -> Running[ApiService]:
    """Apps that are started with their rollups and alarms as soon as a tenant is known."""

    def make(tenant: Tenant) -> ApiService:
        own = _login(address, tenant, auth)
        store = ClickHouseStore(own, connections=READ_CONNECTIONS)
        pipeline = _pipeline(settings, own, tenant, "api", redactor)
        return ApiService(settings, store, pipeline, auth, version, store.close)

    return Running(auth.tenants, make, settings.data_dir, lazy=False)


def _login(default: Address, tenant: Tenant, auth: Authentication) -> Address:
    """The tenant's database, with a login that reaches no other where there is one."""
    if auth.authenticator is None:
        return address_of(default, tenant.name)
    return usable_login(default, tenant, auth.authenticator.master)


def _pipeline(
    settings: ProcessSettings,
    own: Address,
    tenant: Tenant,
    role: str,
    redactor: Redactor,
    limits: Limits | None = None,
) -> TenantPipeline:
    return TenantPipeline(
        tenant,
        ClickHouseStore(own, connections=WRITE_CONNECTIONS),
        settings.data_dir,
        role=role,
        journal_bytes=settings.journal_size,
        redactor=redactor,
        limits=limits,
    )
