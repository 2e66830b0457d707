"""Share links: what their tokens contain, how they are signed, and which have been revoked.

A token carries what it grants and is signed, so that any API process accepts it at once. The store has
a record of each, by which it is listed and revoked, and the generation of the key that signs: a new one
voids all links.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import NamedTuple

import msgspec
from msgspec import Struct

from raymap.auth.share_grants import Grant
from store.config.protocol import Change, Configuration

SHARE, GENERATION = "share", "share generation"
"""Kinds of records in the store's configuration."""
_CURRENT = "current"
TOKEN_PREFIX = "rms_"
PAGE = "/s"
"""The console's page for links. The token is in its fragment, which browsers send to no server: it is
in no access log and in no Referer."""
MIN_HOURS, DEFAULT_HOURS, MAX_HOURS = 1, 24, 720
MAX_SHARES = 1_000
"""Links that are valid at the same time."""


class Share(Struct, frozen=True, omit_defaults=True):
    """What a token contains. ``expires``: epoch seconds; ``tenant``: its id, empty for the default one."""

    id: str
    grant: Grant
    expires: int
    tenant: str = ""


class StoredShare(Struct, frozen=True, omit_defaults=True):
    """The record of a link: who made it and how they were known; times in epoch seconds."""

    share: Share
    name: str
    via: str
    created: int
    revoked: int = 0


class Shares(NamedTuple):
    """What decides on links: the generation of the key, and the ids of those that were revoked."""

    generation: str
    revoked: frozenset[str]


def share_key(master: bytes, generation: str) -> bytes:
    """The key that signs links, of the server's secret and the generation."""
    return hmac.digest(master, f"raymap share links {generation}".encode(), "sha256")


def new_share(grant: Grant, hours: int, now: float, tenant: str = "") -> Share:
    """A new link."""
    return Share(secrets.token_hex(8), grant, int(now) + hours * 3600, tenant)


def encode_share(share: Share, key: bytes) -> str:
    """The token of a link."""
    payload = _text(msgspec.json.encode(share))
    return f"{TOKEN_PREFIX}{payload}.{_sign(payload, key)}"


def decode_share(token: str, key: bytes) -> Share | None:
    """The link of a token that was signed with the key; None for any other text.

    Signatures are compared as text, so that no second spelling of one is accepted.
    """
    payload, _, signature = token.removeprefix(TOKEN_PREFIX).rpartition(".")
    same = hmac.compare_digest(_sign(payload, key).encode(), signature.encode())
    if not same or not token.startswith(TOKEN_PREFIX):
        return None
    try:
        content = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return msgspec.json.decode(content, type=Share)
    except (binascii.Error, msgspec.MsgspecError):
        return None


def refusal(share: Share | None, shares: Shares, now: float) -> str:
    """Why a link is not accepted ``now``, for the metrics; empty if it is."""
    if share is None:
        return "unknown"
    if share.id in shares.revoked:
        return "revoked"
    return "expired" if now >= share.expires else ""


def read_shares(configuration: Configuration) -> Shares:
    """What is stored on links."""
    revoked = (id for id, stored in stored_shares(configuration).items() if stored.revoked)
    text = configuration.values.get((GENERATION, _CURRENT))
    generation = msgspec.json.decode(text, type=str) if text else ""
    return Shares(generation, frozenset(revoked))


def stored_shares(configuration: Configuration) -> dict[str, StoredShare]:
    """The records by id."""
    return {
        id: msgspec.json.decode(value, type=StoredShare)
        for (kind, id), value in configuration.values.items()
        if kind == SHARE
    }


def put_share(stored: StoredShare) -> Change:
    """The change that stores a record, or its new state."""
    return Change(SHARE, stored.share.id, msgspec.json.encode(stored))


def forget_expired(configuration: Configuration, now: float) -> list[Change]:
    """The changes that remove the records of links which have expired."""
    return [
        Change(SHARE, id, None)
        for id, stored in stored_shares(configuration).items()
        if stored.share.expires <= now
    ]


def rotate(configuration: Configuration) -> list[Change]:
    """The changes that void all links: a new generation of the key, and no records."""
    generation = msgspec.json.encode(secrets.token_hex(16))
    removed = [Change(SHARE, id, None) for id in stored_shares(configuration)]
    return [Change(GENERATION, _CURRENT, generation), *removed]


def _sign(payload: str, key: bytes) -> str:
    return _text(hmac.digest(key, payload.encode(), "sha256"))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
