"""`raymap tenant`: tenants and their databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import to_builtins

from raymap.administration.refused import sentence
from raymap.administration.tenants import (
    Limits,
    Server,
    TenantLine,
    add_tenant,
    delete_tenant,
    deletion_words,
    limiting,
    list_tenants,
)
from raymap.auth.audit import record_command
from raymap.commands.open_store import change_configuration, open_home
from raymap.commands.retention import parse_days
from raymap.commands.tables import print_list
from raymap.errors import CommandError, print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.units import format_minute, format_size


def add(settings: StoreSettings, name: str, retention: str, limits: Limits) -> None:
    """Add a tenant, or complete one that was interrupted."""
    days = parse_days(retention, "--retention") if retention else 0
    with _server(settings) as server:
        added, no_login = add_tenant(server, name, limits, days)
        record_command(server.store, f"tenant add {name}")
        print_login(server, no_login)
    if not added:
        print_status(f"{name} existed already; its limits change with  raymap tenant set")
    print_status(f"{name} is ready: make a key with  raymap key add NAME --tenant {name}")


def show_tenants(settings: StoreSettings, *, as_json: bool) -> None:
    """Print the tenants by name, the default one first."""
    with _server(settings) as server:
        found = list(list_tenants(server))
    print_list(
        found,
        as_json=as_json,
        public=_public,
        head=("name", "created (UTC)", "traces", "documents", "last 24 h", "on disk", "limits"),
        row=_row,
        empty="",
        right={2, 3, 4, 5},
    )


def set_limits(settings: StoreSettings, name: str, limits: Limits) -> None:
    """Change a tenant's limits."""
    with _server(settings) as server:
        change_configuration(server.store, limiting(name, limits))
        record_command(server.store, f"tenant set {name}")
    print_status(f"the limits of {name} are changed")


def delete(settings: StoreSettings, name: str, *, yes: bool) -> None:
    """Delete a tenant for good."""
    with _server(settings) as server:
        if not yes:
            raise CommandError(
                f"{sentence(deletion_words(server, name))} To delete it for good, repeat the command "
                "with --yes."
            )
        delete_tenant(server, name, lambda: record_command(server.store, f"tenant delete {name}"))
        record_command(server.store, f"tenant deleted {name}")
    print_status(
        f"{name} is deleted; its journals on other machines go when their processes notice"
    )


def print_login(server: Server, reason: str) -> None:
    """Say that a tenant has no ClickHouse user of its own, if there is a reason for it."""
    if reason:
        print_status(f"its database is used as {server.default.user}: {reason}")


@contextmanager
def _server(settings: StoreSettings) -> Iterator[Server]:
    default = prepare_command(settings)
    with open_home(default) as store:
        yield Server(settings, default, store)


def _public(line: TenantLine) -> dict[str, object]:
    used = line.used._asdict() if line.used else {}
    if line.tenant is None:
        return {"name": line.name, **used}
    return {
        "name": line.name,
        "created": line.tenant.created,
        "deleting": bool(line.tenant.deleting),
        "limits": to_builtins(line.tenant.limits),
        **used,
    }


def _row(line: TenantLine) -> tuple[str, ...]:
    tenant, used = line
    limits = to_builtins(tenant.limits) if tenant and tenant.limits else {}
    state = ", ".join(f"{name.replace('_', ' ')}: {value:,}" for name, value in limits.items())
    numbers = (used.traces, used.documents, used.last_day) if used else ()
    return (
        line.name,
        format_minute(tenant.created) if tenant else "",
        *([f"{number:,}" for number in numbers] or ["", "", ""]),
        format_size(used.bytes) if used else "",
        "being deleted" if tenant and tenant.deleting else state,
    )
