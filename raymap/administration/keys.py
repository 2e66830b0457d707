"""Keys: added, rotated and revoked, as decisions on the configuration.

``within`` is the name of the tenant whose keys these are; None: those of all tenants.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import to_builtins
from msgspec.structs import replace

from raymap.administration.refused import (
    NO_LIMITS,
    Refused,
    check_between,
    check_limits,
    check_name,
)
from raymap.administration.tenants import require_tenant
from raymap.auth.keys import MAX_KEYS, IssuedKey, Key, issue_key, put_key, read_keys
from raymap.auth.limits import KeyLimits
from raymap.auth.permissions import Role
from store.config.change import Decide
from store.config.protocol import Change, Configuration
from store.times import SECOND

MAX_DAYS = 36_500
MAX_GRACE_HOURS = 24 * 365
DAY, HOUR = 86_400, 3_600


class WantedKey(NamedTuple):
    """``expires_days`` of 0: for ever."""

    name: str
    role: Role
    tenant: str = ""
    expires_days: float = 0
    limits: KeyLimits = NO_LIMITS


def adding(wanted: WantedKey, master: bytes) -> Decide[IssuedKey]:
    """Make a key. Raises Refused at once for what is wrong in itself."""
    check_name(wanted.name)
    check_between("expires_days", wanted.expires_days, MAX_DAYS)
    limits = check_limits(wanted.limits)

    def decide(configuration: Configuration, at: int) -> tuple[IssuedKey, list[Change]]:
        require_tenant(configuration, wanted.tenant)
        if len(read_keys(configuration)) >= MAX_KEYS:
            raise Refused(
                f"there are {MAX_KEYS:,} keys already, revoked ones included",
                code="TooManyKeys",
                status=409,
            )
        now = at // SECOND
        issued = issue_key(
            wanted.name,
            wanted.role,
            master,
            now=now,
            expires=now + round(wanted.expires_days * DAY) if wanted.expires_days else 0,
            limits=limits,
            tenant=wanted.tenant,
        )
        return issued, [put_key(issued.key)]

    return decide


def rotating(
    id: str, grace_hours: float, master: bytes, within: str | None = None
) -> Decide[IssuedKey]:
    """Replace a key; the old one is accepted for some hours more."""
    check_between("grace_hours", grace_hours, MAX_GRACE_HOURS)

    def decide(configuration: Configuration, at: int) -> tuple[IssuedKey, list[Change]]:
        old, now = find_key(configuration, id, within), at // SECOND
        if reason := old.refusal(now):
            raise Refused(f"the key {old.id} is {reason}: add a new one", code="Ended", status=409)
        end = now + max(1, round(grace_hours * HOUR))
        lifetime = old.expires - old.created if old.expires else 0
        issued = issue_key(
            old.name,
            old.role,
            master,
            now=now,
            expires=lifetime and now + lifetime,
            limits=old.limits,
            tenant=old.tenant,
        )
        ending = replace(old, expires=min(end, old.expires or end))
        return issued, [put_key(issued.key), put_key(ending)]

    return decide


def revoking(id: str, within: str | None = None) -> Decide[Key]:
    """Refuse a key from now on."""

    def decide(configuration: Configuration, at: int) -> tuple[Key, list[Change]]:
        key = find_key(configuration, id, within)
        revoked = replace(key, revoked=key.revoked or at // SECOND)
        return revoked, [put_key(revoked)]

    return decide


def keys_of(configuration: Configuration, within: str | None = None) -> list[Key]:
    """The keys, oldest first."""
    keys = read_keys(configuration).values()
    return sorted((key for key in keys if within in (None, key.tenant)), key=lambda k: k.created)


def find_key(configuration: Configuration, id: str, within: str | None) -> Key:
    """The key of an id. Raises Refused."""
    found = read_keys(configuration).get(id.upper())
    if found is None or within not in (None, found.tenant):
        raise Refused(
            f"there is no key {id[:60]}",
            code="NoSuchKey",
            status=404,
            hint="raymap key list shows them",
        )
    return found


def render_key(key: Key) -> dict[str, object]:
    """A key without its secrets, as JSON has it; null for never and for no limit."""
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


def render_issued(issued: IssuedKey) -> dict[str, str]:
    """The secrets of a new key, which are shown once."""
    return {
        "id": issued.key.id,
        "token": issued.token,
        "access_key_id": issued.key.access_key_id,
        "secret_access_key": issued.secret_access_key,
    }
