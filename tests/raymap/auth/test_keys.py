"""Keys: made, stored, found, refused."""

from __future__ import annotations

import base64

import msgspec
import pytest
from msgspec.structs import replace

from raymap.auth.keys import (
    Key,
    KeyRing,
    digest_of,
    id_of_token,
    issue_key,
    put_key,
    read_keys,
    secret_access_key,
)
from raymap.auth.permissions import Role
from store.config.memory import MemoryConfig
from store.config.protocol import Change

MASTER = b"m" * 32


def test_what_is_issued() -> None:
    issued = issue_key("checkout", Role.INGEST, MASTER, now=1000, expires=2000)
    assert issued.token.startswith("rmk_")
    assert id_of_token(issued.token) == issued.key.id
    assert issued.key.access_key_id == "RMAK" + issued.key.id
    assert len(issued.key.access_key_id) == 20
    assert len(base64.b64decode(issued.secret_access_key)) == 30
    assert issue_key("checkout", Role.INGEST, MASTER, now=1000).token != issued.token


def test_no_secret_is_stored() -> None:
    issued = issue_key("checkout", Role.INGEST, MASTER, now=1000)
    change = put_key(issued.key)
    assert change.value is not None
    for secret in (issued.token, issued.token.rpartition("_")[2], issued.secret_access_key):
        assert secret.encode() not in change.value
    assert digest_of(issued.token).encode() in change.value


def test_the_secret_access_key_depends_on_the_servers_secret() -> None:
    assert secret_access_key(b"a" * 32, "ID") != secret_access_key(b"b" * 32, "ID")
    assert secret_access_key(b"a" * 32, "ID") != secret_access_key(b"a" * 32, "IE")


def test_round_trip_through_a_store() -> None:
    store = MemoryConfig()
    key = issue_key("checkout", Role.VIEWER, MASTER, now=1000, expires=9).key
    other = Change("group", "g", b"{}")
    assert store.change_configuration([put_key(key), other], after=0, at=1)
    assert read_keys(store.read_configuration()) == {key.id: key}
    revoked = replace(key, revoked=5)
    assert store.change_configuration([put_key(revoked)], after=1, at=2)
    assert read_keys(store.read_configuration()) == {key.id: revoked}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({}, ""),
        ({"expires": 100}, "expired"),
        ({"expires": 101}, ""),
        ({"revoked": 50}, "revoked"),
        ({"revoked": 50, "expires": 50}, "revoked"),
    ],
)
def test_refusals(key: dict[str, int], reason: str) -> None:
    made = replace(Key("I" * 16, "n", Role.INGEST, "", created=0), **key)
    assert made.refusal(now=100) == reason


def test_a_ring_finds_only_whole_tokens() -> None:
    first = issue_key("a", Role.INGEST, MASTER, now=1)
    second = issue_key("b", Role.ADMIN, MASTER, now=1)
    ring = KeyRing([first.key, second.key])
    assert ring.by_token(first.token) == first.key
    assert ring.by_token(second.token) == second.key
    mixed = first.token[:-43] + second.token[-43:]
    for wrong in ("", "rmk_", "x", first.token[:-1], first.token + "x", first.token.upper(), mixed):
        assert ring.by_token(wrong) is None
    assert ring.by_access_key(first.key.access_key_id) == first.key
    for wrong in ("", first.key.id, "AKIA" + first.key.id, "RMAK" + "A" * 16):
        assert ring.by_access_key(wrong) is None


def test_an_unknown_role_is_an_error_and_not_a_right() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(
            b'{"id":"A","name":"n","role":"root","digest":"","created":1}', type=Key
        )
