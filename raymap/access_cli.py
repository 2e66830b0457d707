"""`raymap tenant|key|user|share …`, which decide who reads and writes what: typer commands and nothing else, as in
`raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.auth.permissions import Role
from raymap.flags import with_settings
from raymap.options import TenantName, parse_bytes
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


share_app = typer.Typer(
    name="share",
    help="Links by which others read one trace or one map: list, revoke, rotate.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@share_app.command("list")
@with_settings
def list_shares(
    settings: StoreSettings,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the links that are valid: what each shows, who made it, until when."""
    with exit_on_error():
        from raymap.commands import shares

        shares.list_shares(settings, as_json=as_json)


@share_app.command("revoke")
@with_settings
def revoke_share(
    id: Annotated[str, typer.Argument(metavar="ID", help="As raymap share list shows it.")],
    settings: StoreSettings,
) -> None:
    """Stop accepting a link; every process knows after two seconds."""
    with exit_on_error():
        from raymap.commands import shares

        shares.revoke(settings, id)


@share_app.command("rotate")
@with_settings
def rotate_shares(settings: StoreSettings) -> None:
    """Change the key that signs links: all that have been made stop working."""
    with exit_on_error():
        from raymap.commands import shares

        shares.rotate_key(settings)


key_app = typer.Typer(
    name="key",
    help="Keys of senders and readers: add, list, rotate, revoke.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
KeyId = Annotated[str, typer.Argument(metavar="ID", help="As raymap key list shows it.")]
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


user_app = typer.Typer(
    name="user",
    help="People who sign in with a password: add, list, sign out, remove.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
UserName = Annotated[str, typer.Argument(metavar="NAME")]


@user_app.command("add")
@with_settings
def add_user(
    name: UserName,
    settings: StoreSettings,
    role: Annotated[Role, typer.Option("--role", help="What they may do.")] = Role.VIEWER,
    tenant: TenantName = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Add a user, or change the password and role of one; sessions of before end.

    Asks for the password.
    """
    with exit_on_error():
        from raymap.commands import users

        users.add(settings, name, role, tenant, stdin=password_stdin)


@user_app.command("list")
@with_settings
def list_users(settings: StoreSettings) -> None:
    """List the users."""
    with exit_on_error():
        from raymap.commands import users

        users.list_users(settings)


@user_app.command("sign-out")
@with_settings
def sign_out(name: UserName, settings: StoreSettings) -> None:
    """End all sessions of a user."""
    with exit_on_error():
        from raymap.commands import users

        users.sign_out(settings, name)


@user_app.command("remove")
@with_settings
def remove_user(name: UserName, settings: StoreSettings) -> None:
    """Remove a user, whose sessions end."""
    with exit_on_error():
        from raymap.commands import users

        users.remove(settings, name)
