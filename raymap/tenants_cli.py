"""`raymap tenant …`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.flags import with_settings
from raymap.options import parse_bytes
from raymap.ready_pipe import exit_on_error
from raymap.settings import StoreSettings

tenant_app = typer.Typer(
    name="tenant",
    help="Tenants, whose data is apart: add, list, set, delete.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits, hyphens.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Retention = Annotated[
    str,
    typer.Option("--retention", metavar="DURATION", help="How long its traces are retained: 7d."),
]
DocumentsPerSecond = Annotated[
    float | None,
    typer.Option("--documents-per-second", metavar="N", min=0, help="0: any number."),
]
BytesPerDay = Annotated[
    int | None,
    typer.Option("--bytes-per-day", metavar="SIZE", parser=parse_bytes, help="0: any number."),
]


@tenant_app.command("add")
@with_settings
def add_tenant(
    name: Name,
    settings: StoreSettings,
    retention: Retention = "",
    documents_per_second: DocumentsPerSecond = None,
    bytes_per_day: BytesPerDay = None,
) -> None:
    """Add a tenant with a database of its own.

    Repeat it when it was interrupted. The limits are those of each process, in addition to limits of keys.
    """
    with exit_on_error():
        from raymap.administration.tenants import Limits
        from raymap.commands import tenants

        limits = Limits(documents_per_second, bytes_per_day)
        tenants.add(settings, name, retention, limits)


@tenant_app.command("list")
@with_settings
def list_tenants(settings: StoreSettings, as_json: AsJson = False) -> None:
    """List the tenants with what they have stored."""
    with exit_on_error():
        from raymap.commands import tenants

        tenants.show_tenants(settings, as_json=as_json)


@tenant_app.command("set")
@with_settings
def set_tenant(
    name: Name,
    settings: StoreSettings,
    documents_per_second: DocumentsPerSecond = None,
    bytes_per_day: BytesPerDay = None,
) -> None:
    """Change a tenant's limits; every process knows after two seconds."""
    with exit_on_error():
        from raymap.administration.tenants import Limits
        from raymap.commands import tenants

        tenants.set_limits(settings, name, Limits(documents_per_second, bytes_per_day))


@tenant_app.command("delete")
@with_settings
def delete_tenant(
    name: Name,
    settings: StoreSettings,
    yes: Annotated[bool, typer.Option("--yes", help="Delete it; there is no way back.")] = False,
) -> None:
    """Delete a tenant for good: its database, journals, keys, users and share links.

    Repeat it when it was interrupted. Backups are not touched.
    """
    with exit_on_error():
        from raymap.commands import tenants

        tenants.delete(settings, name, yes=yes)
