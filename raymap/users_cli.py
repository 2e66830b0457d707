"""`raymap user …`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.auth.permissions import Role
from raymap.flags import with_settings
from raymap.options import TenantName
from raymap.ready_pipe import exit_on_error
from raymap.settings import StoreSettings

user_app = typer.Typer(
    name="user",
    help="People who sign in with a password: add, list, sign out, remove.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(metavar="NAME")]


@user_app.command("add")
@with_settings
def add_user(
    name: Name,
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
def sign_out(name: Name, settings: StoreSettings) -> None:
    """End all sessions of a user."""
    with exit_on_error():
        from raymap.commands import users

        users.sign_out(settings, name)


@user_app.command("remove")
@with_settings
def remove_user(name: Name, settings: StoreSettings) -> None:
    """Remove a user, whose sessions end."""
    with exit_on_error():
        from raymap.commands import users

        users.remove(settings, name)
