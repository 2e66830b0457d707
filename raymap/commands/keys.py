"""`raymap key`: keys in the database, secrets on the terminal, once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from msgspec import to_builtins
from msgspec.structs import replace

from raymap.auth.audit import record_command
from raymap.auth.keys import MAX_KEYS, IssuedKey, Key, issue_key, put_key, read_keys
from raymap.auth.permissions import Role
from raymap.auth.quotas import KeyLimits
from raymap.auth.secret import server_secret
from raymap.commands.open_store import change_configuration, open_store
from raymap.commands.tables import print_list
from raymap.commands.tenants import require_tenant
from raymap.errors import CommandError, print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.units import format_minute
from store.config.protocol import Change, Configuration

MAX_NAME = 100

Edit = Callable[[dict[str, Key]], list[Key]]
"""From the keys by id to those that change."""


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
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise CommandError(f"A key's name has 1 to {MAX_NAME} printable characters.")
    now = int(time.time())
    expires = now + round(expires_days * 86_400) if expires_days else 0
    master = server_secret(settings.data_dir)
    some = limits if limits != KeyLimits() else None
    issued = issue_key(name, role, master, now=now, expires=expires, limits=some, tenant=tenant)

    def store(keys: dict[str, Key]) -> list[Key]:
        if len(keys) >= MAX_KEYS:
            raise CommandError(f"There are {MAX_KEYS:,} keys already: revoke some.")
        return [issued.key]

    where = f" of tenant {tenant}" if tenant else ""
    _change(settings, store, f"key add {issued.key.id} {name} {role}{where}", tenant)
    _print_secrets(issued, as_json=as_json)


def list_keys(settings: StoreSettings, *, as_json: bool) -> None:
    """Print the keys, oldest first."""
    with open_store(prepare_command(settings)) as store:
        keys = sorted(read_keys(store.read_configuration()).values(), key=lambda k: k.created)
    now = time.time()
    print_list(
        keys,
        as_json=as_json,
        public=_public,
        head=("id", "name", "role", "tenant", "created (UTC)", "state"),
        row=lambda k: (k.id, k.name, k.role, k.tenant, format_minute(k.created), _state(k, now)),
        empty="there are no keys; raymap key add makes one",
    )


def rotate(settings: StoreSettings, id: str, grace_hours: float, *, as_json: bool) -> None:
    """Replace a key; the old one is accepted for some hours more."""
    now = int(time.time())
    master = server_secret(settings.data_dir)
    issued: list[IssuedKey] = []

    def succeed(keys: dict[str, Key]) -> list[Key]:
        old = _find(keys, id)
        if reason := old.refusal(now):
            raise CommandError(f"The key {id} is {reason}: add a new one.")
        end = now + max(1, round(grace_hours * 3600))
        lifetime = old.expires - old.created if old.expires else 0
        issued[:] = [
            issue_key(
                old.name,
                old.role,
                master,
                now=now,
                expires=lifetime and now + lifetime,
                limits=old.limits,
                tenant=old.tenant,
            )
        ]
        return [issued[0].key, replace(old, expires=min(end, old.expires or end))]

    _change(settings, succeed, f"key rotate {id.upper()}")
    _print_secrets(issued[0], as_json=as_json)


def revoke(settings: StoreSettings, id: str) -> None:
    """Refuse a key from now on."""
    now = int(time.time())
    _change(settings, lambda keys: [_revoked(_find(keys, id), now)], f"key revoke {id.upper()}")
    print_status(f"the key {id.upper()} is revoked")


def _change(settings: StoreSettings, edit: Edit, done: str, tenant: str = "") -> None:
    """Store what ``edit`` makes of the keys, also when others write at the same time. CommandError
    where there is no such tenant."""

    def changes(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        require_tenant(configuration, tenant)
        return None, list(map(put_key, edit(read_keys(configuration))))

    with open_store(prepare_command(settings)) as store:
        change_configuration(store, changes)
        record_command(store, done)


def _find(keys: dict[str, Key], id: str) -> Key:
    found = keys.get(id.upper())
    if found is None:
        raise CommandError(f"There is no key {id}: raymap key list shows them.")
    return found


def _revoked(key: Key, now: int) -> Key:
    return replace(key, revoked=key.revoked or now)


def _print_secrets(issued: IssuedKey, *, as_json: bool) -> None:
    secrets = {
        "id": issued.key.id,
        "token": issued.token,
        "access_key_id": issued.key.access_key_id,
        "secret_access_key": issued.secret_access_key,
    }
    if as_json:
        print(json.dumps(secrets))
        return
    for label, value in secrets.items():
        print(f"{label.replace('_', ' '):<18} {value}")
    print_status("these secrets are not shown again")


def _public(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "role": str(key.role),
        "tenant": key.tenant,
        "access_key_id": key.access_key_id,
        "created": key.created,
        "expires": key.expires or None,
        "revoked": key.revoked or None,
        "limits": to_builtins(key.limits),
    }


def _state(key: Key, now: float) -> str:
    if reason := key.refusal(now):
        return reason
    return f"until {format_minute(key.expires)}" if key.expires else "valid"
