"""How a collector process and an API process make what they run for a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raymap.auth.tenants import Tenant
from raymap.tenants.databases import address_of
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
        return _pipeline(settings, address, tenant, "collector", redactor, limits)

    return Running(auth.tenants, make, settings.data_dir, lazy=True)


def api_parts(
    settings: ApiSettings, address: Address, auth: Authentication, redactor: Redactor, version: str
) -> Running[ApiService]:
    """Apps that are started with their rollups and alarms as soon as a tenant is known."""

    def make(tenant: Tenant) -> ApiService:
        store = ClickHouseStore(address_of(address, tenant.name), connections=READ_CONNECTIONS)
        pipeline = _pipeline(settings, address, tenant, "api", redactor)
        return ApiService(settings, store, pipeline, auth, version, store.close)

    return Running(auth.tenants, make, settings.data_dir, lazy=False)


def _pipeline(
    settings: ProcessSettings,
    address: Address,
    tenant: Tenant,
    role: str,
    redactor: Redactor,
    limits: Limits | None = None,
) -> TenantPipeline:
    return TenantPipeline(
        tenant,
        ClickHouseStore(address_of(address, tenant.name), connections=WRITE_CONNECTIONS),
        settings.data_dir,
        role=role,
        journal_bytes=settings.journal_size,
        redactor=redactor,
        limits=limits,
    )
