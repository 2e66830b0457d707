"""Keys: how they are made, stored and found.

A key is one secret in two forms, so that every sender can use it unchanged: a token for
``Authorization: Bearer`` and ``x-api-key``, and an AWS access key for senders that sign. The database
stores the SHA-256 of the token. The secret access key cannot be stored as a digest, because verifying
a signature needs it: it is derived from the key's id and the server's secret, and stored nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from msgspec import Struct

from raymap.auth.limits import KeyLimits
from raymap.auth.permissions import Role
from store.config.protocol import Change, Configuration

KIND = "key"
"""The kind of the records in the store's configuration."""
TOKEN_PREFIX = "rmk_"
ACCESS_KEY_PREFIX = "RMAK"
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ID_LENGTH = 16
MAX_KEYS = 10_000


class Key(Struct, frozen=True, omit_defaults=True):
    """A key as stored. Times are seconds since the epoch; ``digest`` is the token's SHA-256 in hex.

    ``expires`` and ``revoked`` of 0 mean never.
    """

    id: str
    name: str
    role: Role
    digest: str
    created: int
    expires: int = 0
    revoked: int = 0
    limits: KeyLimits | None = None
    tenant: str = ""
    """The name of its tenant; empty for the default one."""

    @property
    def access_key_id(self) -> str:
        """As AWS clients name the key."""
        return ACCESS_KEY_PREFIX + self.id

    def refusal(self, now: float) -> str:
        """Why the key is not accepted ``now``; empty if it is."""
        if self.revoked:
            return "revoked"
        if self.expires and now >= self.expires:
            return "expired"
        return ""


class IssuedKey(NamedTuple):
    """A new key with its secrets, which are shown once."""

    key: Key
    token: str
    secret_access_key: str


def issue_key(
    name: str,
    role: Role,
    master: bytes,
    *,
    now: int,
    expires: int = 0,
    limits: KeyLimits | None = None,
    tenant: str = "",
) -> IssuedKey:
    """A new key: 80 bits of id, 256 bits of secret."""
    id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(ID_LENGTH))
    token = f"{TOKEN_PREFIX}{id.lower()}_{secrets.token_urlsafe(32)}"
    key = Key(id, name, role, digest_of(token), now, expires, limits=limits, tenant=tenant)
    return IssuedKey(key, token, secret_access_key(master, id))


def digest_of(token: str) -> str:
    """What is stored of a token. A plain digest is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def secret_access_key(master: bytes, id: str) -> str:
    """The secret with which the holder of key ``id`` signs: 40 characters, like AWS's."""
    derived = hmac.digest(master, f"raymap secret access key {id}".encode(), "sha256")
    return base64.b64encode(derived[:30]).decode()


def id_of_token(token: str) -> str:
    """The id in a token; empty if it has not the form of one."""
    if not token.startswith(TOKEN_PREFIX):
        return ""
    id, separator, secret = token.removeprefix(TOKEN_PREFIX).partition("_")
    return id.upper() if separator and secret and len(id) == ID_LENGTH else ""


def read_keys(configuration: Configuration) -> dict[str, Key]:
    """The stored keys by id."""
    return {
        id: msgspec.json.decode(value, type=Key)
        for (kind, id), value in configuration.values.items()
        if kind == KIND
    }


def put_key(key: Key) -> Change:
    """The change that stores a key, or its new state."""
    return Change(KIND, key.id, msgspec.json.encode(key))


class KeyRing:
    """The keys that are known, looked up by token or access key id. Immutable."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys: Mapping[str, Key] = {key.id: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    def by_token(self, token: str) -> Key | None:
        """The key of a token. An unknown id takes as long as a wrong secret."""
        key = self._keys.get(id_of_token(token))
        known = key.digest if key is not None else "0" * 64
        same = hmac.compare_digest(digest_of(token), known)
        return key if same else None

    def by_access_key(self, access_key_id: str) -> Key | None:
        """The key of an AWS access key id."""
        if not access_key_id.startswith(ACCESS_KEY_PREFIX):
            return None
        return self._keys.get(access_key_id.removeprefix(ACCESS_KEY_PREFIX))
