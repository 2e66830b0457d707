"""Tenants and their databases: added, limited, deleted; each step of it can be repeated."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from raymap.administration.refused import NO_LIMITS, Refused, check_limits
from raymap.auth.keys import KIND as KEY
from raymap.auth.keys import read_keys
from raymap.auth.limits import KeyLimits
from raymap.auth.people import read_people, remove_user
from raymap.auth.secret import server_secret
from raymap.auth.shares import SHARE, stored_shares
from raymap.auth.tenants import (
    FOLDER,
    Tenant,
    forget_tenant,
    new_tenant,
    put_tenant,
    read_tenants,
)
from raymap.settings import StoreSettings
from raymap.tenant_names import DEFAULT, check_name
from raymap.tenants.databases import Usage, address_of, database_exists, drop_database, usage
from raymap.tenants.logins import create, drop, write_embedded
from raymap.units import format_size
from store.cells.store import CellStore
from store.clickhouse.connection.address import Address
from store.clickhouse.schema.retention import prepare_database
from store.clickhouse.store import ClickHouseStore
from store.config.change import Decide, Result, change
from store.config.protocol import Change, Configuration
from store.times import SECOND

PATIENCE = 5.0
"""Seconds that processes have to notice that a tenant is deleted."""
MAX_TENANTS = 200
"""Each costs every API process memory and threads (docs/tenants.md)."""


class Server(NamedTuple):
    """Where tenants are: the settings of the process, the default tenant's database, and its store."""

    settings: StoreSettings
    default: Address
    store: ClickHouseStore | CellStore

    @property
    def is_embedded(self) -> bool:
        """Whether the engine of the data directory is the server: processes of `raymap serve` have its URL."""
        from store.clickhouse.embedded import EmbeddedError, address

        if not self.settings.clickhouse:
            return True
        try:
            return address(self.settings.data_dir).name == self.default.name
        except (EmbeddedError, OSError, ValueError, KeyError):
            return False

    def change(self, decide: Decide[Result]) -> Result:
        """Apply a decision to the configuration. Raises Contended, and what it raises."""
        return change(self.store, decide, time.time)


class TenantLine(NamedTuple):
    """A tenant with what it has stored; ``tenant`` is None of the default one, ``used`` while it is being
    deleted."""

    tenant: Tenant | None
    used: Usage | None

    @property
    def name(self) -> str:
        """Also of the default tenant."""
        return self.tenant.name if self.tenant else DEFAULT


class Limits(NamedTuple):
    """What is wanted of limits; None leaves one as it is, 0 removes it."""

    documents_per_second: float | None = None
    bytes_per_day: int | None = None

    def applied(self, old: KeyLimits | None) -> KeyLimits | None:
        """The limits that follow from those of before. Raises Refused."""
        given = {name: value for name, value in self._asdict().items() if value is not None}
        return check_limits(replace(old or NO_LIMITS, **given))


def add_tenant(server: Server, name: str, wanted: Limits, days: int = 0) -> tuple[bool, str]:
    """Register a tenant, then make its database: an interrupted one is known, and can be completed.
    ``days`` of 0: as usual. Whether it is new, and why it has no ClickHouse user of its own, if so."""
    try:
        check_name(name)
    except ValueError as error:
        raise Refused(f"name {error}") from None
    address = address_of(server.default, name)
    if address.clustered:  # a login is made on one server
        raise Refused(
            "tenants beside the first are not supported yet where ClickHouse has several servers: use a database on one server",
            code="NoReplicas",
            status=409,
        )

    def decide(configuration: Configuration, at: int) -> tuple[bool, list[Change]]:
        stored = read_tenants(configuration)
        if (old := stored.get(name)) is not None:
            if old.deleting:
                raise Refused(
                    f"{name} is being deleted",
                    code="BeingDeleted",
                    status=409,
                    hint=f"complete that with  raymap tenant delete {name} --yes",
                )
            return False, []
        if len(stored) >= MAX_TENANTS:
            raise Refused(f"there are {MAX_TENANTS} tenants already", code="TooMany", status=409)
        if database_exists(address):
            raise Refused(
                f"there is a database {address.database} already, of something else: choose another name",
                code="DatabaseExists",
                status=409,
            )
        return True, [put_tenant(new_tenant(name, at // SECOND, wanted.applied(None)))]

    added = server.change(decide)
    reason = make_login(server, name)  # before processes look for it
    prepare_database(address, {"traces": days} if days else {})
    return added, reason


def limiting(name: str, wanted: Limits) -> Decide[None]:
    """Change a tenant's limits."""

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        tenant = find_tenant(configuration, name)
        return None, [put_tenant(replace(tenant, limits=wanted.applied(tenant.limits)))]

    return decide


def list_tenants(server: Server, *, measured: bool = True) -> Iterator[TenantLine]:
    """The default tenant, then the others by name. ``measured``: with what each has stored, for which
    ClickHouse reads the ids of all traces."""
    yield TenantLine(None, usage(server.default) if measured else None)
    for tenant in read_tenants(server.store.read_configuration()).values():
        address = address_of(server.default, tenant.name)
        has_numbers = measured and not tenant.deleting and database_exists(address)
        yield TenantLine(tenant, usage(address) if has_numbers else None)


def deletion_words(server: Server, name: str) -> str:
    """What a deletion would remove. Raises Refused where there is no such tenant."""
    find_tenant(server.store.read_configuration(), name, deleting=True)
    address = address_of(server.default, name)
    used = usage(address) if database_exists(address) else None
    much = f"{used.traces:,} traces, {format_size(used.bytes)}" if used else "nothing"
    return (
        f"this would delete the database {address.database} ({much}), and the keys, users and "
        f"share links of {name}"
    )


def delete_tenant(server: Server, name: str, on_refused: Callable[[], None] = lambda: None) -> None:
    """Refuse its credentials from now on, then remove what it has; each step can be repeated.
    ``on_refused`` is called once the credentials are refused."""
    tenant = find_tenant(server.store.read_configuration(), name, deleting=True)
    now = int(time.time())
    server.change(lambda c, _: (None, _without_credentials(c, tenant, now)))
    on_refused()
    drop_database(address_of(server.default, name))
    _drop_login(server, tenant)
    _remove_journals(server.settings.data_dir / FOLDER / tenant.folder)
    server.change(lambda *_: (None, forget_tenant(tenant, now)))


def make_login(server: Server, name: str) -> str:
    """A ClickHouse user who may use the tenant's database alone; why that is not possible, or empty."""
    settings, tenants = server.settings, read_tenants(server.store.read_configuration())
    master = server_secret(settings.data_dir)
    if not server.is_embedded:
        return create(server.default, tenants[name], master)
    write_embedded(settings.data_dir, server.default, tenants.values(), master)
    return ""


def require_tenant(configuration: Configuration, name: str) -> None:
    """Refuses a name that is not empty where there is no such tenant."""
    if name:
        find_tenant(configuration, name)


def find_tenant(configuration: Configuration, name: str, *, deleting: bool = False) -> Tenant:
    """The tenant of a name. Raises Refused; also of one that is being deleted, unless ``deleting``."""
    found = read_tenants(configuration).get(name)
    if found is None or (found.deleting and not deleting):
        raise Refused(
            f"there is no tenant {name[:60]}",
            code="NoSuchTenant",
            status=404,
            hint="raymap tenant list shows them",
        )
    return found


def _drop_login(server: Server, tenant: Tenant) -> None:
    settings = server.settings
    if not server.is_embedded:
        drop(server.default, tenant)
        return
    tenants = read_tenants(server.store.read_configuration()).values()
    write_embedded(settings.data_dir, server.default, tenants, server_secret(settings.data_dir))


def _remove_journals(folder: Path) -> None:
    """Those on this machine. Processes that run here do it themselves, once they have stopped writing."""
    deadline = time.monotonic() + PATIENCE
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


def _without_credentials(configuration: Configuration, tenant: Tenant, now: int) -> list[Change]:
    """The changes by which no credential of the tenant is left."""
    keys = [key.id for key in read_keys(configuration).values() if key.tenant == tenant.name]
    users = [u.name for u in read_people(configuration).users.values() if u.tenant == tenant.name]
    links = [
        id
        for id, stored in stored_shares(configuration).items()
        if stored.share.tenant == tenant.id
    ]
    return [
        put_tenant(replace(tenant, deleting=tenant.deleting or now)),
        *(Change(KEY, id, None) for id in keys),
        *map(remove_user, users),
        *(Change(SHARE, id, None) for id in links),
    ]
