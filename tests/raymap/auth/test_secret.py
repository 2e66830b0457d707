"""The server's secret: from the environment, or made once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from raymap.auth.secret import FILE, VARIABLE, server_secret
from raymap.errors import CommandError


def test_it_is_made_once_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(server_secret, [tmp_path] * 8))
    assert len(secrets) == 1
    assert len(secrets.pop()) == 64
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "e" * 32)
    assert server_secret(tmp_path) == b"e" * 32
    assert not (tmp_path / FILE).exists()
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(CommandError, match="too short"):
        server_secret(tmp_path)


def test_an_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="Cannot read or write"):
        server_secret(tmp_path / "file")
