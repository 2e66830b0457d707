"""`raymap key …`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.auth.permissions import Role
from raymap.flags import with_settings
from raymap.options import TenantName, parse_bytes
from raymap.ready_pipe import exit_on_error
from raymap.settings import StoreSettings

key_app = typer.Typer(
    name="key",
    help="Keys of senders and readers: add, list, rotate, revoke.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
KeyId = Annotated[str, typer.Argument(metavar="ID", help="As raymap key list shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ExpiresDays = Annotated[
    float,
    typer.Option("--expires-days", metavar="DAYS", min=0, help="Days it is valid; 0: for ever."),
]


@key_app.command("add")
@with_settings
def add_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, for people.")],
    settings: StoreSettings,
    role: Annotated[Role, typer.Option("--role", help="What it may do.")] = Role.INGEST,
    tenant: TenantName = "",
    expires_days: ExpiresDays = 0,
    documents_per_second: Annotated[
        float, typer.Option("--documents-per-second", metavar="N", min=0, help="0: any number.")
    ] = 0,
    names_per_minute: Annotated[
        int,
        typer.Option("--names-per-minute", metavar="N", min=0, help="New nodes; 0: any number."),
    ] = 0,
    bytes_per_day: Annotated[
        int,
        typer.Option(
            "--bytes-per-day", metavar="SIZE", parser=parse_bytes, help="Like 2G; 0: any number."
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a key and print its secrets, which are not shown again.

    A token, for Authorization: Bearer and x-api-key, and an AWS access key, for X-Ray's SDKs,
    daemons and the AWS CLI.
    """
    with exit_on_error():
        from raymap.auth.limits import KeyLimits
        from raymap.commands import keys

        limits = KeyLimits(documents_per_second, names_per_minute, bytes_per_day)
        keys.add(settings, name, role, expires_days, limits, tenant, as_json=as_json)


@key_app.command("list")
@with_settings
def list_keys(settings: StoreSettings, as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""
    with exit_on_error():
        from raymap.commands import keys

        keys.list_keys(settings, as_json=as_json)


@key_app.command("rotate")
@with_settings
def rotate_key(
    id: KeyId,
    settings: StoreSettings,
    grace_hours: Annotated[
        float,
        typer.Option("--grace-hours", metavar="HOURS", min=0, help="How long the old one works."),
    ] = 24.0,
    as_json: AsJson = False,
) -> None:
    """Make a new key of the same name and role, and let the old one expire."""
    with exit_on_error():
        from raymap.commands import keys

        keys.rotate(settings, id, grace_hours, as_json=as_json)


@key_app.command("revoke")
@with_settings
def revoke_key(id: KeyId, settings: StoreSettings) -> None:
    """Stop accepting a key; every process knows after two seconds."""
    with exit_on_error():
        from raymap.commands import keys

        keys.revoke(settings, id)
