"""`raymap tenant`: tenants and their databases."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import NamedTuple

from msgspec import to_builtins
from msgspec.structs import replace

from raymap.auth.audit import record_command
from raymap.auth.keys import KIND as KEY
from raymap.auth.keys import read_keys
from raymap.auth.people import read_people, remove_user
from raymap.auth.quotas import KeyLimits
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
from raymap.commands.open_store import change_configuration, open_store
from raymap.commands.retention import parse_days
from raymap.commands.tables import print_list
from raymap.errors import CommandError, print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.tenant_names import DEFAULT, check_name
from raymap.tenants.databases import (
    address_of,
    database_exists,
    drop_database,
    usage,
)
from raymap.tenants.logins import create, drop, write_embedded
from raymap.units import format_minute, format_size
from store.clickhouse.connection.address import Address
from store.clickhouse.schema.retention import prepare_database
from store.clickhouse.store import ClickHouseStore
from store.config.protocol import Change, Configuration

PATIENCE = 5.0
"""Seconds that processes have to notice that a tenant is deleted."""
MAX_TENANTS = 200
"""Each costs every API process memory and threads (docs/tenants.md)."""


class Wanted(NamedTuple):
    """What the flags say of a tenant; None and empty leave it as it is."""

    retention: str
    documents_per_second: float | None
    bytes_per_day: int | None

    def limits(self, old: KeyLimits | None) -> KeyLimits | None:
        """The limits that follow from those of before."""
        limits = old or KeyLimits()
        if self.documents_per_second is not None:
            limits = replace(limits, documents_per_second=self.documents_per_second)
        if self.bytes_per_day is not None:
            limits = replace(limits, bytes_per_day=self.bytes_per_day)
        return None if limits == KeyLimits() else limits


def add(settings: StoreSettings, name: str, wanted: Wanted) -> None:
    """Register a tenant, then make its database: an interrupted one is known, and can be completed."""
    try:
        check_name(name)
    except ValueError as error:
        raise CommandError(f"{error}.") from None
    days = parse_days(wanted.retention, "--retention") if wanted.retention else 0
    default = prepare_command(settings)
    address = address_of(default, name)

    def decide(configuration: Configuration, _: int) -> tuple[bool, list[Change]]:
        stored = read_tenants(configuration)
        if (old := stored.get(name)) is not None:
            if old.deleting:
                raise CommandError(
                    f"{name} is being deleted: complete that with  raymap tenant delete {name} --yes"
                )
            return False, []
        if len(stored) >= MAX_TENANTS:
            raise CommandError(f"There are {MAX_TENANTS} tenants already.")
        if database_exists(address):
            raise CommandError(
                f"There is a database {address.database} already, of something else: choose another name."
            )
        return True, [put_tenant(new_tenant(name, int(time.time()), wanted.limits(None)))]

    with open_store(default) as store:
        added = change_configuration(store, decide)
        make_login(settings, default, store, name)  # before processes look for it
        prepare_database(address, {"traces": days} if days else {})
        record_command(store, f"tenant add {name}")
    if not added:
        print_status(f"{name} existed already; its limits change with  raymap tenant set")
    print_status(f"{name} is ready: make a key with  raymap key add NAME --tenant {name}")


def list_tenants(settings: StoreSettings, *, as_json: bool) -> None:
    """Print the tenants by name, the default one first."""
    default = prepare_command(settings)
    with open_store(default) as store:
        tenants = read_tenants(store.read_configuration())
    found = [{"name": DEFAULT, **usage(default)._asdict()}]
    for tenant in tenants.values():
        used = usage(address_of(default, tenant.name)) if not tenant.deleting else None
        found.append(
            {
                "name": tenant.name,
                "created": tenant.created,
                "deleting": bool(tenant.deleting),
                "limits": to_builtins(tenant.limits),
                **(used._asdict() if used else {}),
            }
        )
    print_list(
        found,
        as_json=as_json,
        public=dict,
        head=("name", "created (UTC)", "traces", "documents", "last 24 h", "on disk", "limits"),
        row=_row,
        empty="",
        right={2, 3, 4, 5},
    )


def set_limits(settings: StoreSettings, name: str, wanted: Wanted) -> None:
    """Change a tenant's limits."""

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        tenant = _find(configuration, name)
        return None, [put_tenant(replace(tenant, limits=wanted.limits(tenant.limits)))]

    with open_store(prepare_command(settings)) as store:
        change_configuration(store, decide)
        record_command(store, f"tenant set {name}")
    print_status(f"the limits of {name} are changed")


def delete(settings: StoreSettings, name: str, *, yes: bool) -> None:
    """Refuse its credentials from now on, then remove what it has; each step can be repeated."""
    default = prepare_command(settings)
    address = address_of(default, name)
    with open_store(default) as store:
        tenant = _find(store.read_configuration(), name, deleting=True)
        if not yes:
            used = usage(address) if database_exists(address) else None
            much = f"{used.traces:,} traces, {format_size(used.bytes)}" if used else "nothing"
            raise CommandError(
                f"This would delete the database {address.database} ({much}), and the keys, users and "
                f"share links of {name}. To delete it for good, repeat the command with --yes."
            )
        now = int(time.time())
        change_configuration(store, lambda c, _: (None, _credentials(c, tenant, now)))
        record_command(store, f"tenant delete {name}")
        drop_database(address)
        _drop_login(settings, default, store, tenant)
        _remove_journals(settings.data_dir / FOLDER / tenant.folder)
        change_configuration(store, lambda *_: (None, forget_tenant(tenant, now)))
        record_command(store, f"tenant deleted {name}")
    print_status(
        f"{name} is deleted; its journals on other machines go when their processes notice"
    )


def make_login(
    settings: StoreSettings, default: Address, store: ClickHouseStore, name: str
) -> None:
    """A ClickHouse user who may use the tenant's database alone, where that is possible."""
    tenants, master = read_tenants(store.read_configuration()), server_secret(settings.data_dir)
    if not settings.clickhouse:
        write_embedded(settings.data_dir, default, tenants.values(), master)
    elif reason := create(default, tenants[name], master):
        print_status(f"its database is used as {default.user}: {reason}")


def _drop_login(
    settings: StoreSettings, default: Address, store: ClickHouseStore, tenant: Tenant
) -> None:
    if settings.clickhouse:
        drop(default, tenant)
        return
    tenants = read_tenants(store.read_configuration()).values()
    write_embedded(settings.data_dir, default, tenants, server_secret(settings.data_dir))


def _remove_journals(folder: Path) -> None:
    """Those on this machine. Processes that run here do it themselves, once they have stopped writing."""
    deadline = time.monotonic() + PATIENCE
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


def require_tenant(configuration: Configuration, name: str) -> None:
    """CommandError where there is no tenant of a name that is not empty."""
    if name:
        _find(configuration, name)


def _find(configuration: Configuration, name: str, *, deleting: bool = False) -> Tenant:
    found = read_tenants(configuration).get(name)
    if found is None or (found.deleting and not deleting):
        raise CommandError(f"There is no tenant {name}: raymap tenant list shows them.")
    return found


def _credentials(configuration: Configuration, tenant: Tenant, now: int) -> list[Change]:
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


def _row(found: dict[str, object]) -> tuple[str, ...]:
    created = found.get("created")
    limits = found.get("limits")
    state = "being deleted" if found.get("deleting") else ""
    if isinstance(limits, dict):
        state = ", ".join(f"{name.replace('_', ' ')}: {value:,}" for name, value in limits.items())
    return (
        str(found["name"]),
        format_minute(created) if isinstance(created, int) else "",
        *(_number(found.get(name)) for name in ("traces", "documents", "last_day")),
        format_size(size) if isinstance(size := found.get("bytes"), int) else "",
        state,
    )


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""
