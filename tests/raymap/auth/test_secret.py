"""The server's secret: from the environment, or made once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from raymap.auth.secret import FILE, VARIABLE, known_secret, server_secret
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


@pytest.mark.parametrize("content", ["", "\n", "s3cr", " " * 64, "e" * 31 + "\n"])
def test_a_short_file_is_no_secret(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A torn copy, or a full disk's: with such a key anyone could sign in as anyone."""
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / FILE).write_text(content)
    for read in (server_secret, known_secret):
        with pytest.raises(CommandError) as error:
            read(tmp_path)
        found = len(content.strip())
        assert str(error.value) == (
            f"{tmp_path / FILE} is too short: expected 32 characters or more, found {found}. Restore it "
            "from a backup, or delete it to have another made; access keys have to be issued again then."
        )
    assert (tmp_path / FILE).read_text() == content


@pytest.mark.parametrize("target", ["secret", "missing"])
def test_a_link_is_no_secret(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "secret").write_text("e" * 64)
    (tmp_path / FILE).symlink_to(tmp_path / target)
    with pytest.raises(CommandError, match="auth-secret: it is a symbolic link"):
        server_secret(tmp_path)
    assert not (tmp_path / "missing").exists()


def test_a_secret_of_another_user_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's is: root could read this process's memory."""
    monkeypatch.delenv(VARIABLE, raising=False)
    server_secret(tmp_path)
    owner = (tmp_path / FILE).stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 17)
    if owner == 0:
        assert len(server_secret(tmp_path)) == 64
        os.chown(tmp_path / FILE, 4242, -1)
        owner = 4242
    with pytest.raises(
        CommandError, match=f"auth-secret: it belongs to another user \\(uid {owner}\\)"
    ):
        server_secret(tmp_path)


def test_root_reads_the_secret_of_the_data_directorys_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sudo raymap key add` beside a server that runs as another user."""
    monkeypatch.delenv(VARIABLE, raising=False)
    server_secret(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert len(server_secret(tmp_path)) == 64


def test_a_fifo_is_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it stop the start."""
    monkeypatch.delenv(VARIABLE, raising=False)
    os.mkfifo(tmp_path / FILE)
    with pytest.raises(CommandError, match="auth-secret: it is no regular file"):
        server_secret(tmp_path)


def test_an_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="Cannot read or write"):
        server_secret(tmp_path / "file")
