"""Tenants as stored: records beside keys and people, in the configuration of the default tenant.

A tenant's traces are in a database of its own. Its id is that of one life: what was made for a tenant that
was deleted (a session, a share link, a journal) is not one's of the same name that was added later.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec import Struct

from raymap.auth.limits import KeyLimits
from raymap.tenant_names import DEFAULT, check_name
from store.config.protocol import Change, Configuration

TENANT, DELETED = "tenant", "deleted tenant"
"""Kinds of records in the store's configuration: by name, and by id."""
FOLDER = "tenants"
"""In the data directory: the journals of tenants."""


class Tenant(Struct, frozen=True, omit_defaults=True):
    """``created`` and ``deleting``, when its deletion began, are seconds since the epoch."""

    name: str
    id: str
    created: int
    limits: KeyLimits | None = None
    deleting: int = 0

    @property
    def folder(self) -> str:
        """Of its journals, below `FOLDER`."""
        return f"{self.name}.{self.id}"


class DeletedTenant(Struct, frozen=True):
    """By this, processes on other machines know that journals may be removed."""

    name: str
    at: int


class Tenants(NamedTuple):
    """The tenants that may be used, by name, and the folders of those that may not any more."""

    active: Mapping[str, Tenant]
    deleted: frozenset[str]

    def by_id(self, id: str) -> Tenant | None:
        """The tenant of an id."""
        return next((tenant for tenant in self.active.values() if tenant.id == id), None)


class NoTenant(Exception):
    """Someone whom a provider or a proxy has named has no tenant here."""


def choose(tenants: Tenants | None, name: str) -> Tenant | None:
    """The tenant that a provider or a proxy names; None is the default one, which is `DEFAULT`, and any
    where there are no others. Raises NoTenant for an unknown name, and without one where there are
    tenants: who is in no group of one must not see what is the default tenant's."""
    active = tenants.active if tenants else {}
    if name == DEFAULT or not (name or active):
        return None
    if not name:
        raise NoTenant("belongs to no tenant here")
    if name not in active:
        raise NoTenant(f"belongs to tenant {name}, which is not here")
    return active[name]


def database_of(database: str, tenant: str) -> str:
    """The name of a tenant's database, beside the default tenant's. Names have no underscore, so no two
    tenants share one."""
    return f"{database}_tenant_{tenant.replace('-', '_')}"


def new_tenant(name: str, now: int, limits: KeyLimits | None = None) -> Tenant:
    """A new tenant. Raises ValueError for its name."""
    check_name(name)
    return Tenant(name, secrets.token_hex(4), now, limits)


def read_tenants(configuration: Configuration) -> dict[str, Tenant]:
    """The stored tenants by name, also those being deleted."""
    return {
        name: msgspec.json.decode(value, type=Tenant)
        for (kind, name), value in sorted(configuration.values.items())
        if kind == TENANT
    }


def tenants_in(configuration: Configuration) -> Tenants:
    """Who may be used, and who may not any more."""
    stored = read_tenants(configuration)
    deleted = {tenant.folder for tenant in stored.values() if tenant.deleting}
    for (kind, id), value in configuration.values.items():
        if kind == DELETED:
            deleted.add(f"{msgspec.json.decode(value, type=DeletedTenant).name}.{id}")
    active = {name: tenant for name, tenant in stored.items() if not tenant.deleting}
    return Tenants(active, frozenset(deleted))


def put_tenant(tenant: Tenant) -> Change:
    """The change that stores a tenant, or its new state."""
    return Change(TENANT, tenant.name, msgspec.json.encode(tenant))


def forget_tenant(tenant: Tenant, now: int) -> list[Change]:
    """The changes that end a deletion."""
    ended = msgspec.json.encode(DeletedTenant(tenant.name, now))
    return [Change(TENANT, tenant.name, None), Change(DELETED, tenant.id, ended)]
