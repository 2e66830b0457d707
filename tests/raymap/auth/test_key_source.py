"""Keys of the database and of a file, and what a process knows while the database is unavailable."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from raymap.auth.key_source import KeySource
from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.errors import CommandError
from store.config.memory import MemoryConfig
from store.config.protocol import Configuration
from store.errors import StoreUnavailable

MASTER = b"m" * 32
FIRST = issue_key("first", Role.INGEST, MASTER, now=1)
SECOND = issue_key("second", Role.ADMIN, MASTER, now=1)


def away() -> Configuration:
    raise StoreUnavailable("no ClickHouse")


def with_key(*keys: object) -> MemoryConfig:
    store = MemoryConfig()
    store.change_configuration([put_key(k.key) for k in keys], after=0, at=1)  # type: ignore[attr-defined]
    return store


def test_new_keys_are_known_after_a_refresh(tmp_path: Path) -> None:
    store = with_key(FIRST)
    source = KeySource(store.read_configuration, tmp_path)
    assert source.ring() is None, "not read yet: neither known nor unknown"
    source.refresh()
    ring = source.ring()
    assert ring is not None
    assert ring.by_token(FIRST.token) == FIRST.key
    assert ring.by_token(SECOND.token) is None
    store.change_configuration([put_key(SECOND.key)], after=1, at=2)
    source.refresh()
    assert (ring := source.ring()) is not None
    assert ring.by_token(SECOND.token) == SECOND.key


def test_keys_outlive_a_restart_without_the_database(tmp_path: Path) -> None:
    KeySource(with_key(FIRST).read_configuration, tmp_path).refresh()
    cache = tmp_path / "run" / "keys.json"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert FIRST.token.rpartition("_")[2] not in cache.read_text()
    source = KeySource(away, tmp_path)
    source.refresh()
    ring = source.ring()
    assert ring is not None
    assert ring.by_token(FIRST.token) == FIRST.key


def test_a_damaged_cache_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "keys.json").write_text("[{")
    assert KeySource(away, tmp_path).ring() is None


def test_a_keys_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(json.dumps([{"name": "ci", "role": "ingest", "token": FIRST.token}]))
    source = KeySource(with_key(SECOND).read_configuration, tmp_path, path)
    ring = source.ring()
    assert ring is not None, "known before the database answers"
    found = ring.by_token(FIRST.token)
    assert found is not None
    assert (found.name, found.role) == ("ci", Role.INGEST)
    source.refresh()
    ring = source.ring()
    assert ring is not None
    assert ring.by_token(FIRST.token)
    assert ring.by_token(SECOND.token)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "The keys file"),
        ('[{"name":"a","role":"root","token":"x"}]', "role"),
        ('[{"name":"a","role":"ingest"}]', "token"),
        ('[{"name":"a","role":"ingest","token":"x"}]', "entry 0"),
        ('[{"name":"a","role":"ingest","token":"x","more":1}]', "more"),
    ],
)
def test_a_bad_keys_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(CommandError, match=said):
        KeySource(away, tmp_path, path)
