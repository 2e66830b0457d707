"""`raymap user`: people who sign in with a password."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from raymap.auth.audit import record_command
from raymap.auth.people import (
    User,
    hash_password,
    put_user,
    read_people,
    remove_user,
    sign_out_member,
)
from raymap.auth.permissions import Role
from raymap.commands.open_store import change_configuration, open_store
from raymap.commands.tables import print_table
from raymap.commands.tenants import require_tenant
from raymap.errors import CommandError, print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.units import format_minute
from store.config.protocol import Change, Configuration

MAX_NAME = 100


def add(settings: StoreSettings, name: str, role: Role, tenant: str, *, stdin: bool) -> None:
    """Add or change a user. Sessions that began before this second end."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise CommandError(f"A user's name has 1 to {MAX_NAME} printable characters.")
    if role is Role.INGEST:
        raise CommandError("People read: their role is viewer, editor or admin.")
    password = sys.stdin.readline().rstrip("\n") if stdin else _ask()
    try:
        hashed = hash_password(password)
    except ValueError as error:
        raise CommandError(f"The password: {error}.") from None
    now = int(time.time())

    def store(configuration: Configuration) -> list[Change]:
        require_tenant(configuration, tenant)
        old = read_people(configuration).users.get(name)
        return [put_user(User(name, role, hashed, old.created if old else now, now, tenant))]

    where = f" of tenant {tenant}" if tenant else ""
    _change(settings, store, f"user add {name} {role}{where}")
    print_status(f"{name} may sign in as {role}{where}")


def list_users(settings: StoreSettings) -> None:
    """Print the users by name."""
    with open_store(prepare_command(settings)) as store:
        users = read_people(store.read_configuration()).users
    if not users:
        print_status("there are no users; raymap user add makes one")
        return
    rows = [("name", "role", "tenant", "created (UTC)")]
    rows += [
        (u.name, str(u.role), u.tenant, format_minute(u.created)) for _, u in sorted(users.items())
    ]
    print_table(rows)


def sign_out(settings: StoreSettings, name: str) -> None:
    """End all sessions of a user, or of a member: someone whom OpenID Connect signs in, of whom nothing is
    stored before."""
    now = int(time.time()) + 1

    def store(configuration: Configuration) -> list[Change]:
        known = read_people(configuration).users.get(name)
        user = [put_user(replace(known, sessions_after=now))] if known else []
        return [*user, *sign_out_member(name, configuration, now)]

    _change(settings, store, f"user sign-out {name}")
    print_status(f"all sessions of {name} have ended")


def remove(settings: StoreSettings, name: str) -> None:
    """Remove a user."""
    _change(settings, lambda c: [remove_user(_find(c, name).name)], f"user remove {name}")
    print_status(f"{name} is removed")


def _change(
    settings: StoreSettings, edit: Callable[[Configuration], Sequence[Change]], done: str
) -> None:
    with open_store(prepare_command(settings)) as store:
        change_configuration(store, lambda configuration, _: (None, edit(configuration)))
        record_command(store, done)


def _find(configuration: Configuration, name: str) -> User:
    found = read_people(configuration).users.get(name)
    if found is None:
        raise CommandError(f"There is no user {name}: raymap user list shows them.")
    return found


def _ask() -> str:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for a password: use --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise CommandError("The passwords differ.")
    return password
