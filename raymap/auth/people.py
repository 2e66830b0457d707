"""People: users with a password, their sessions, and users that a proxy names.

A session is a signed cookie, so that any API process accepts it and none stores it. What ends one
early is stored: its id after a sign-out, or the time before which a user's sessions are void.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION
from msgspec import Struct

from raymap.auth.permissions import Role
from store.config.protocol import Change, Configuration

USER, ENDED, MEMBER = "user", "ended session", "member"
"""Kinds of records in the store's configuration."""
SESSION_SECONDS = 12 * 3600
COOKIE = "__Host-raymap"
"""The prefix makes browsers insist on Secure, on this host, and on the whole path."""
KNOWN_COOKIE = "__Host-raymap-known"
KNOWN_SECONDS = 180 * 24 * 3600
MIN_PASSWORD, MAX_PASSWORD = 12, 1024
PROXY_USER, PROXY_GROUPS = "x-forwarded-user", "x-forwarded-groups"
GROUP_PREFIX = "raymap-"
TENANT_PREFIX = f"{GROUP_PREFIX}tenant-"

Content = TypeVar("Content", bound=Struct)

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's recommendation for Argon2id: 19 MiB, two passes."""


def _hash_of_no_password() -> str:
    """As costly to verify as any: a salt and a digest at random."""
    cost = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    parts = (secrets.token_bytes(_hasher.salt_len), secrets.token_bytes(_hasher.hash_len))
    salt, digest = (base64.b64encode(part).decode().rstrip("=") for part in parts)
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


_UNKNOWN = _hash_of_no_password()


class User(Struct, frozen=True, omit_defaults=True):
    """A user as stored. ``sessions_after``: sessions that began before (epoch seconds) are void."""

    name: str
    role: Role
    password: str
    """Argon2id, with its salt and cost."""
    created: int
    sessions_after: int = 0
    tenant: str = ""
    """The name of their tenant; empty for the default one."""


class EndedSession(Struct, frozen=True):
    """A session that was signed out, until it would have expired anyway."""

    id: str
    expires: int


class Session(Struct, frozen=True, omit_defaults=True):
    """What a cookie contains. Times are seconds since the epoch."""

    id: str
    user: str
    began: int
    expires: int
    role: Role | None = None
    """Of a member, whom another provider has signed in; a user's own role is stored with the user."""
    tenant: str = ""
    """Of a member, the id of their tenant; empty for the default one."""


class KnownBrowser(Struct, frozen=True):
    """A browser with which a user has signed in: failures of others do not hold it up."""

    id: str
    user: str
    expires: int


class SignedOut(Struct, frozen=True):
    """A member whose sessions that began before (epoch seconds) are void."""

    name: str
    sessions_after: int


class People(NamedTuple):
    """The users by name, the ids of sessions that were signed out, and of members whose sessions were,
    since when they count."""

    users: Mapping[str, User]
    ended: frozenset[str]
    members: Mapping[str, int] = MappingProxyType({})


NO_PEOPLE = People({}, frozenset())


def hash_password(password: str) -> str:
    """Raises ValueError for one that is too short or too long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ValueError(f"expected {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return _hasher.hash(password)


def check_password(user: User | None, password: str) -> bool:
    """Whether it is the user's; takes as long when there is no such user."""
    try:
        _hasher.verify(user.password if user else _UNKNOWN, password[:MAX_PASSWORD])
    except (Argon2Error, InvalidHashError):
        return False
    return user is not None


def begin_session(user: User, now: float) -> Session:
    """A new session."""
    began = int(now)
    return Session(secrets.token_urlsafe(16), user.name, began, began + SESSION_SECONDS)


def member_session(name: str, role: Role, now: float, tenant: str = "") -> Session:
    """A new session of someone whom another provider knows. The role is that of the sign-in."""
    began = int(now)
    return Session(secrets.token_urlsafe(16), name, began, began + SESSION_SECONDS, role, tenant)


def encode_known(user: str, now: float, master: bytes) -> str:
    """The value of the cookie that a browser has after a user has signed in with it."""
    known = KnownBrowser(secrets.token_urlsafe(16), user, int(now) + KNOWN_SECONDS)
    return _signed(known, b"known browser", master)


def decode_known(cookie: str, user: str, now: float, master: bytes) -> KnownBrowser | None:
    """What such a cookie contains; None for another user's, one that has expired, or is not ours."""
    known = _verified(cookie, KnownBrowser, b"known browser", master)
    return known if known and known.user == user and now < known.expires else None


def is_member(session: Session, people: People, now: float) -> bool:
    """Whether it is a session of a member, and has not ended."""
    if session.role is None or now >= session.expires or session.id in people.ended:
        return False
    return session.began >= people.members.get(session.user, 0)


def encode_session(session: Session, master: bytes) -> str:
    """The value of a cookie."""
    return _signed(session, b"session", master)


def decode_session(cookie: str, master: bytes) -> Session | None:
    """The session of a cookie that we have made; None for any other."""
    return _verified(cookie, Session, b"session", master)


def user_of(session: Session, people: People, now: float) -> User | None:
    """Whose session it is; None once it has ended, in any of the ways there are."""
    user = None if session.role else people.users.get(session.user)
    if user is None or now >= session.expires or session.id in people.ended:
        return None
    return None if session.began < user.sessions_after else user


def _signed(content: Struct, use: bytes, master: bytes) -> str:
    payload = base64.urlsafe_b64encode(msgspec.json.encode(content))
    return f"{payload.decode()}.{_sign(payload, use, master)}"


def _verified(cookie: str, type: type[Content], use: bytes, master: bytes) -> Content | None:
    payload, _, signature = cookie.rpartition(".")
    if not hmac.compare_digest(_sign(payload.encode(), use, master).encode(), signature.encode()):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(payload), type=type)
    except (binascii.Error, msgspec.MsgspecError):
        return None


def _sign(payload: bytes, use: bytes, master: bytes) -> str:
    return hmac.digest(master, b"raymap " + use + b" " + payload, "sha256").hex()


def read_people(configuration: Configuration) -> People:
    """The stored users and sign-outs."""
    values = configuration.values.items()
    users = {
        name: msgspec.json.decode(value, type=User)
        for (kind, name), value in values
        if kind == USER
    }
    members = {
        name: msgspec.json.decode(value, type=SignedOut).sessions_after
        for (kind, name), value in values
        if kind == MEMBER
    }
    ended = frozenset(name for (kind, name), _ in values if kind == ENDED)
    return People(users, ended, members)


def put_user(user: User) -> Change:
    return Change(USER, user.name, msgspec.json.encode(user))


def remove_user(name: str) -> Change:
    return Change(USER, name, None)


def sign_out_member(name: str, configuration: Configuration, now: int) -> list[Change]:
    """The changes that end all sessions which a member has begun until now, and forget those of members
    whose sessions have expired since."""
    old = [
        Change(MEMBER, member, None)
        for member, after in read_people(configuration).members.items()
        if after + SESSION_SECONDS < now and member != name
    ]
    return [*old, Change(MEMBER, name, msgspec.json.encode(SignedOut(name, now)))]


def end_session(session: Session, configuration: Configuration, now: float) -> list[Change]:
    """The changes that end a session, and forget those which have expired since."""
    changes = [
        Change(ENDED, session.id, msgspec.json.encode(EndedSession(session.id, session.expires)))
    ]
    for (kind, name), value in configuration.values.items():
        if kind == ENDED and msgspec.json.decode(value, type=EndedSession).expires <= now:
            changes.append(Change(ENDED, name, None))
    return changes


class TrustedProxies:
    """Networks of reverse proxies that authenticate and name the user in a header."""

    def __init__(self, networks: str, default_role: Role = Role.VIEWER) -> None:
        """``networks``: CIDR, comma-separated. Raises ValueError."""
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(part.strip()) for part in networks.split(",") if part.strip()
        ]
        self._default = default_role

    def trusts(self, client: str) -> bool:
        """Whether a peer's address is a proxy's."""
        try:
            address = ip_address(client.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def tenant_of(self, groups: str) -> str:
        """The name in the first group named raymap-tenant-NAME; empty for the default tenant."""
        names = (group.strip().lower() for group in groups.split(","))
        found = (name for name in names if name.startswith(TENANT_PREFIX))
        return next(found, "").removeprefix(TENANT_PREFIX)

    def role_of(self, groups: str) -> Role:
        """The highest role among groups named raymap-ROLE; without one, the default."""
        names = {group.strip().lower() for group in groups.split(",")}
        found = [
            role for role in Role if f"{GROUP_PREFIX}{role}" in names and role is not Role.INGEST
        ]
        return found[-1] if found else self._default
