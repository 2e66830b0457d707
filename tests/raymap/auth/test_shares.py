"""Tokens of share links: signed, expiring, revocable, and of one spelling."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymap.auth.share_grants import MapGrant, TraceGrant
from raymap.auth.shares import (
    Share,
    Shares,
    StoredShare,
    decode_share,
    encode_share,
    forget_expired,
    new_share,
    put_share,
    read_shares,
    refusal,
    rotate,
    share_key,
    stored_shares,
)
from store.memory import MemoryStore

KEY = share_key(b"m" * 32, "")
SHARE = Share("00" * 8, TraceGrant("ab" * 16), 1_900_000_000)
TOKEN = encode_share(SHARE, KEY)
NONE_VOID = Shares("", frozenset())


@pytest.mark.parametrize("grant", [SHARE.grant, MapGrant(60, 120, 'service("ä")', region="r")])
def test_a_token_is_read_as_it_was_made(grant: TraceGrant | MapGrant) -> None:
    share = new_share(grant, 2, 1_000.5)
    assert share.expires == 8_200
    assert decode_share(encode_share(share, KEY), KEY) == share


def test_another_key_reads_nothing() -> None:
    for other in (share_key(b"n" * 32, ""), share_key(b"m" * 32, "1"), b"m" * 32):
        assert decode_share(TOKEN, other) is None


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="latin-1"))
def test_one_other_character(at: int, character: str) -> None:
    mutated = TOKEN[:at] + character + TOKEN[at + 1 :]
    assert (decode_share(mutated, KEY) is None) == (mutated != TOKEN)


@given(st.text(st.characters(codec="latin-1")))
def test_other_texts(text: str) -> None:
    for token in (text, f"rms_{text}", f"{TOKEN}{text}" if text else "", TOKEN[: len(text) % 90]):
        assert decode_share(token, KEY) is None


def test_a_payload_of_ones_own() -> None:
    """What the signature covers cannot be exchanged for a later end or for another trace."""
    signature = TOKEN.rpartition(".")[2]
    for other in (
        Share(SHARE.id, SHARE.grant, SHARE.expires + 1),
        Share(SHARE.id, TraceGrant("cd" * 16), SHARE.expires),
    ):
        payload = base64.urlsafe_b64encode(msgspec.json.encode(other)).decode().rstrip("=")
        assert decode_share(f"rms_{payload}.{signature}", KEY) is None


def test_what_ends_a_link() -> None:
    assert refusal(SHARE, NONE_VOID, SHARE.expires - 0.1) == ""
    assert refusal(SHARE, NONE_VOID, SHARE.expires) == "expired"
    assert refusal(SHARE, Shares("", frozenset({SHARE.id})), 0) == "revoked"
    assert refusal(None, NONE_VOID, 0) == "unknown"


def test_records() -> None:
    """A record lists a link and revokes it; it goes when the link has expired, and with all others."""
    store = MemoryStore()
    later = StoredShare(
        Share("11" * 8, SHARE.grant, SHARE.expires + 9), "ana", "session", 1, revoked=2
    )
    stored = [StoredShare(SHARE, "ana", "session", 1), later]
    assert store.change_configuration(list(map(put_share, stored)), after=0, at=1)
    configuration = store.read_configuration()
    assert list(stored_shares(configuration).values()) == stored
    assert read_shares(configuration) == Shares("", frozenset({later.share.id}))
    assert [change.name for change in forget_expired(configuration, SHARE.expires)] == [SHARE.id]
    assert store.change_configuration(rotate(configuration), after=1, at=2)
    turned = store.read_configuration()
    assert stored_shares(turned) == {}
    assert decode_share(TOKEN, share_key(b"m" * 32, read_shares(turned).generation)) is None
