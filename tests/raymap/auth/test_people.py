"""Passwords, sessions, proxies and the limiter of sign-ins."""

from __future__ import annotations

import base64

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from raymap.auth import people
from raymap.auth.people import (
    ENDED,
    SESSION_SECONDS,
    People,
    TrustedProxies,
    User,
    begin_session,
    check_password,
    decode_session,
    encode_session,
    end_session,
    hash_password,
    put_user,
    read_people,
    remove_user,
    user_of,
)
from raymap.auth.people import _hasher as _hasher
from raymap.auth.permissions import Role
from store.config.memory import MemoryConfig

MASTER = b"m" * 32
PASSWORD = "correct horse battery"
ANA = User("ana", Role.EDITOR, hash_password(PASSWORD), created=1)
PEOPLE = People({"ana": ANA}, frozenset())


def test_passwords() -> None:
    assert check_password(ANA, PASSWORD)
    assert not check_password(ANA, PASSWORD + "x")
    assert not check_password(ANA, "")
    assert not check_password(None, PASSWORD)
    assert not check_password(replace(ANA, password="no hash"), PASSWORD)
    assert PASSWORD not in ANA.password


def test_an_unknown_user_takes_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is verified instead of a hash has the same form and cost."""
    verified: list[str] = []

    class Hasher:
        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed)
            return bool(_hasher.verify(hashed, password))

    monkeypatch.setattr(people, "_hasher", Hasher())
    assert not check_password(ANA, "wrong")
    assert not check_password(None, "wrong")
    known, unknown = map(extract_parameters, verified)
    assert known == unknown
    with pytest.raises(VerifyMismatchError):
        _hasher.verify(verified[1], PASSWORD)
    for bad in ("", "short", "x" * 1025):
        with pytest.raises(ValueError, match="12 to 1024"):
            hash_password(bad)


def test_a_session_is_of_its_user_until_it_ends() -> None:
    session = begin_session(ANA, 1000.5)
    assert decode_session(encode_session(session, MASTER), MASTER) == session
    assert user_of(session, PEOPLE, 1001) == ANA
    assert user_of(session, PEOPLE, 1000 + SESSION_SECONDS - 1) == ANA
    assert user_of(session, PEOPLE, 1000 + SESSION_SECONDS) is None
    assert user_of(session, PEOPLE._replace(ended=frozenset({session.id})), 1001) is None
    assert user_of(session, People({}, frozenset()), 1001) is None
    for after, found in ((1000, ANA.name), (1001, None)):
        changed = replace(ANA, sessions_after=after)
        user = user_of(session, People({"ana": changed}, frozenset()), 1001)
        assert (user and user.name) == found


def test_a_role_changes_at_once() -> None:
    session = begin_session(ANA, 1000)
    demoted = People({"ana": replace(ANA, role=Role.VIEWER)}, frozenset())
    user = user_of(session, demoted, 1001)
    assert user is not None
    assert user.role is Role.VIEWER


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_a_changed_cookie_is_none(index: int, character: str) -> None:
    cookie = encode_session(begin_session(ANA, 1000), MASTER)
    place = index % len(cookie)
    changed = cookie[:place] + character + cookie[place + 1 :]
    assert changed == cookie or decode_session(changed, MASTER) is None


@given(st.text(max_size=200))
def test_any_cookie(cookie: str) -> None:
    assert decode_session(cookie, MASTER) is None


def test_a_cookie_of_another_server() -> None:
    cookie = encode_session(begin_session(ANA, 1000), b"n" * 32)
    assert decode_session(cookie, MASTER) is None
    payload = base64.urlsafe_b64encode(b"{}").decode()
    assert decode_session(f"{payload}.", MASTER) is None


def test_stored_and_signed_out() -> None:
    store = MemoryConfig()
    first, second = begin_session(ANA, 1000), begin_session(ANA, 9_000_000)
    store.change_configuration([put_user(ANA)], after=0, at=1)
    changes = end_session(first, store.read_configuration(), 1001)
    store.change_configuration(changes, after=1, at=2)
    people = read_people(store.read_configuration())
    assert people == People({"ana": ANA}, frozenset({first.id}))
    assert user_of(first, people, 1002) is None
    # Later sign-outs forget those that have expired.
    changes = end_session(second, store.read_configuration(), 9_000_001)
    store.change_configuration([*changes, remove_user("ana")], after=2, at=3)
    assert read_people(store.read_configuration()) == People({}, frozenset({second.id}))
    assert len([c for c in changes if c.kind == ENDED and c.value is None]) == 1


@pytest.mark.parametrize(
    ("client", "trusted"),
    [
        ("10.1.2.3", True), ("11.0.0.1", False), ("::1", True), ("fe80::1%eth0", True), ("", False),
        ("10.1.2.3.evil.example", False), ("unix", False),
    ],
)  # fmt: skip
def test_trusted_proxies(client: str, trusted: bool) -> None:
    assert TrustedProxies("10.0.0.0/8, ::1,fe80::/10").trusts(client) is trusted
    assert not TrustedProxies("").trusts(client)


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ("", Role.VIEWER),
        ("staff", Role.VIEWER),
        ("staff,raymap-editor", Role.EDITOR),
        ("Raymap-Admin , raymap-viewer", Role.ADMIN),
        ("raymap-ingest", Role.VIEWER),
        ("raymap-root", Role.VIEWER),
    ],
)
def test_groups(groups: str, role: Role) -> None:
    assert TrustedProxies("10.0.0.0/8").role_of(groups) is role
