"""How a collector process makes what it runs for a tenant, and what an API process needs, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raymap.auth.tenants import Tenant
from raymap.tenants.logins import TenantLogin
from raymap.tenants.pipelines import TenantPipeline
from raymap.tenants.running import Running
from store.clickhouse.store import ClickHouseStore

if TYPE_CHECKING:
    from collector.batches import Limits
    from collector.redaction.redactor import Redactor
    from raymap.auth.install import Authentication
    from raymap.settings import CollectSettings, ProcessSettings
    from store.clickhouse.connection.address import Address

WRITE_CONNECTIONS = 2
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
        login = login_of(address, tenant, auth)
        return pipeline_of(settings, login, tenant, "collector", redactor, limits)

    return Running(auth.tenants, make, settings.data_dir, lazy=True)


def login_of(default: Address, tenant: Tenant, auth: Authentication) -> TenantLogin:
    """How processes connect to the tenant's database."""
    assert auth.authenticator is not None  # without it no tenants are known
    return TenantLogin(default, tenant, auth.authenticator.master)


def pipeline_of(
    settings: ProcessSettings,
    login: TenantLogin,
    tenant: Tenant,
    role: str,
    redactor: Redactor,
    limits: Limits | None = None,
) -> TenantPipeline:
    """Not yet started."""
    return TenantPipeline(
        tenant,
        ClickHouseStore(login.common, connections=WRITE_CONNECTIONS, login=login),
        settings.data_dir,
        role=role,
        journal_bytes=settings.journal_size,
        redactor=redactor,
        limits=limits,
    )
