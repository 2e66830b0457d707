"""Members: people who sign in with a password, added, changed and removed, as decisions on the configuration.

``within`` is the name of the tenant whose members these are; None: those of all tenants.
"""

from __future__ import annotations

import secrets

from msgspec.structs import replace

from raymap.administration.refused import Refused, check_name
from raymap.administration.tenants import require_tenant
from raymap.auth.people import (
    User,
    hash_password,
    put_user,
    read_people,
    remove_user,
    sign_out_member,
)
from raymap.auth.permissions import Role
from store.config.change import Decide
from store.config.protocol import Change, Configuration
from store.times import SECOND

MAX_MEMBERS = 10_000
MEMBER_ROLES = (Role.VIEWER, Role.EDITOR, Role.ADMIN)


def new_password() -> str:
    """One that an administrator passes on: 120 random bits."""
    return secrets.token_urlsafe(15)


def hashed_password(password: str) -> str:
    """What is stored of a password. Raises Refused."""
    try:
        return hash_password(password)
    except ValueError as error:
        raise Refused(f"password: {error}") from None


def check_role(role: Role) -> None:
    """Refuses a role that only keys have."""
    if role not in MEMBER_ROLES:
        raise Refused(f"role must be one of {', '.join(MEMBER_ROLES)}, got {role}: people read")


def putting(
    name: str, role: Role, hashed: str, tenant: str = "", *, only_new: bool = False
) -> Decide[User]:
    """Add a member, or give one another password, role and tenant: sessions that began before this second
    end. ``only_new``: not if the name is taken, also in another tenant."""
    check_name(name)
    check_role(role)
    if only_new and ("/" in name or name.strip(".") == ""):
        raise Refused("name must not contain / nor consist of dots, as it is part of an address")

    def decide(configuration: Configuration, at: int) -> tuple[User, list[Change]]:
        require_tenant(configuration, tenant)
        people, now = read_people(configuration).users, at // SECOND
        old = people.get(name)
        if old is not None and only_new:
            raise Refused(f"name {name!r} is taken", code="MemberExists", status=409)
        if old is None and len(people) >= MAX_MEMBERS:
            raise Refused(f"there are {MAX_MEMBERS:,} members already", code="TooMany", status=409)
        user = User(name, role, hashed, old.created if old else now, now, tenant)
        return user, [put_user(user)]

    return decide


def changing_role(name: str, role: Role, within: str | None) -> Decide[User]:
    """Give a member another role, which counts at once."""
    check_role(role)

    def decide(configuration: Configuration, _: int) -> tuple[User, list[Change]]:
        user = find_member(configuration, name, within)
        if role is not Role.ADMIN:
            _require_another_administrator(configuration, user)
        changed = replace(user, role=role)
        return changed, [put_user(changed)]

    return decide


def changing_password(name: str, hashed: str, within: str | None) -> Decide[User]:
    """Give a member another password; their sessions end."""

    def decide(configuration: Configuration, at: int) -> tuple[User, list[Change]]:
        user = find_member(configuration, name, within)
        changed = replace(user, password=hashed, sessions_after=at // SECOND)
        return changed, [put_user(changed)]

    return decide


def signing_out(name: str, within: str | None = None) -> Decide[None]:
    """End all sessions of a member; without ``within`` also of someone whom OpenID Connect signs in,
    of whom nothing is stored before."""

    def decide(configuration: Configuration, at: int) -> tuple[None, list[Change]]:
        now = at // SECOND + 1
        known = read_people(configuration).users.get(name)
        if within is not None:
            known = find_member(configuration, name, within)
        user = [put_user(replace(known, sessions_after=now))] if known else []
        elsewhere = sign_out_member(name, configuration, now) if within is None else []
        return None, [*user, *elsewhere]

    return decide


def removing(name: str, within: str | None = None, *, may_be_last: bool = False) -> Decide[None]:
    """Remove a member, whose sessions end."""

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        user = find_member(configuration, name, within)
        if not may_be_last:
            _require_another_administrator(configuration, user)
        return None, [remove_user(user.name)]

    return decide


def members_of(configuration: Configuration, within: str | None = None) -> list[User]:
    """The members by name."""
    users = read_people(configuration).users
    return [user for _, user in sorted(users.items()) if within in (None, user.tenant)]


def find_member(configuration: Configuration, name: str, within: str | None) -> User:
    """The member of a name. Raises Refused."""
    found = read_people(configuration).users.get(name)
    if found is None or within not in (None, found.tenant):
        raise Refused(
            f"there is no member {name[:60]}",
            code="NoSuchMember",
            status=404,
            hint="raymap user list shows them",
        )
    return found


def _require_another_administrator(configuration: Configuration, user: User) -> None:
    """Without one, only the command line could administer the tenant."""
    others = (u for u in read_people(configuration).users.values() if u.name != user.name)
    if user.role is Role.ADMIN and not any(
        u.role is Role.ADMIN and u.tenant == user.tenant for u in others
    ):
        where = f" of {user.tenant}" if user.tenant else ""
        raise Refused(
            f"{user.name} is the last administrator{where}: make another one first, or use"
            " raymap user on the server",
            code="LastAdministrator",
            status=409,
        )
