"""`raymap key`: keys in the database, secrets on the terminal, once."""

from __future__ import annotations

import json
import time

from raymap.administration.keys import (
    WantedKey,
    adding,
    keys_of,
    render_issued,
    render_key,
    revoking,
    rotating,
)
from raymap.auth.audit import record_command
from raymap.auth.keys import IssuedKey, Key
from raymap.auth.limits import KeyLimits
from raymap.auth.permissions import Role
from raymap.auth.secret import server_secret
from raymap.commands.open_store import change_configuration, open_home
from raymap.commands.tables import print_list
from raymap.errors import print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.units import format_minute


def add(
    settings: StoreSettings,
    name: str,
    role: Role,
    expires_days: float,
    limits: KeyLimits,
    tenant: str,
    *,
    as_json: bool,
) -> None:
    """Make a key and print it."""
    wanted = WantedKey(name, role, tenant, expires_days, limits)
    decide = adding(wanted, server_secret(settings.data_dir))
    with open_home(prepare_command(settings)) as store:
        issued = change_configuration(store, decide)
        where = f" of tenant {tenant}" if tenant else ""
        record_command(store, f"key add {issued.key.id} {name} {role}{where}")
    _print_secrets(issued, as_json=as_json)


def list_keys(settings: StoreSettings, *, as_json: bool) -> None:
    """Print the keys, oldest first."""
    with open_home(prepare_command(settings)) as store:
        keys = keys_of(store.read_configuration())
    now = time.time()
    print_list(
        keys,
        as_json=as_json,
        public=render_key,
        head=("id", "name", "role", "tenant", "created (UTC)", "state"),
        row=lambda k: (k.id, k.name, k.role, k.tenant, format_minute(k.created), _state(k, now)),
        empty="there are no keys; raymap key add makes one",
    )


def rotate(settings: StoreSettings, id: str, grace_hours: float, *, as_json: bool) -> None:
    """Replace a key; the old one is accepted for some hours more."""
    decide = rotating(id, grace_hours, server_secret(settings.data_dir))
    with open_home(prepare_command(settings)) as store:
        issued = change_configuration(store, decide)
        record_command(store, f"key rotate {id.upper()}")
    _print_secrets(issued, as_json=as_json)


def revoke(settings: StoreSettings, id: str) -> None:
    """Refuse a key from now on."""
    with open_home(prepare_command(settings)) as store:
        key = change_configuration(store, revoking(id))
        record_command(store, f"key revoke {key.id}")
    print_status(f"the key {key.id} is revoked")


def _print_secrets(issued: IssuedKey, *, as_json: bool) -> None:
    secrets = render_issued(issued)
    if as_json:
        print(json.dumps(secrets))
        return
    for label, value in secrets.items():
        print(f"{label.replace('_', ' '):<18} {value}")
    print_status("these secrets are not shown again")


def _state(key: Key, now: float) -> str:
    if reason := key.refusal(now):
        return reason
    return f"until {format_minute(key.expires)}" if key.expires else "valid"
