"""`raymap user`: people who sign in with a password."""

from __future__ import annotations

import getpass
import sys

from raymap.administration.members import (
    check_role,
    hashed_password,
    members_of,
    putting,
    removing,
    signing_out,
)
from raymap.administration.refused import check_name
from raymap.auth.audit import record_command
from raymap.auth.permissions import Role
from raymap.commands.open_store import change_configuration, open_home
from raymap.commands.tables import print_table
from raymap.errors import CommandError, print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.units import format_minute
from store.config.change import Decide, Result


def add(settings: StoreSettings, name: str, role: Role, tenant: str, *, stdin: bool) -> None:
    """Add or change a user. Sessions that began before this second end."""
    check_name(name)
    check_role(role)  # before the password is entered
    hashed = hashed_password(sys.stdin.readline().rstrip("\n") if stdin else _ask())
    where = f" of tenant {tenant}" if tenant else ""
    _change(settings, putting(name, role, hashed, tenant), f"user add {name} {role}{where}")
    print_status(f"{name} may sign in as {role}{where}")


def list_users(settings: StoreSettings) -> None:
    """Print the users by name."""
    with open_home(prepare_command(settings)) as store:
        users = members_of(store.read_configuration())
    if not users:
        print_status("there are no users; raymap user add makes one")
        return
    rows = [("name", "role", "tenant", "created (UTC)")]
    rows += [(u.name, str(u.role), u.tenant, format_minute(u.created)) for u in users]
    print_table(rows)


def sign_out(settings: StoreSettings, name: str) -> None:
    """End all sessions of a user, or of a member: someone whom OpenID Connect signs in."""
    _change(settings, signing_out(name), f"user sign-out {name}")
    print_status(f"all sessions of {name} have ended")


def remove(settings: StoreSettings, name: str) -> None:
    """Remove a user, also the last administrator."""
    _change(settings, removing(name, may_be_last=True), f"user remove {name}")
    print_status(f"{name} is removed")


def _change(settings: StoreSettings, decide: Decide[Result], done: str) -> None:
    with open_home(prepare_command(settings)) as store:
        change_configuration(store, decide)
        record_command(store, done)


def _ask() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for a password: use --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise CommandError("The passwords differ.")
    return password
