"""Files of ours are private, whole, and never reached through a link."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from store.private_files import make_private, open_ours, read_ours, write_private


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of someone's, elsewhere."""
    path = tmp_path / "victim"
    path.write_text("theirs")
    return path


def test_a_file_is_replaced_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("a longer text than the new one")
    path.chmod(0o644)
    mask = os.umask(0)
    try:
        write_private(path, b"new")
    finally:
        os.umask(mask)
    assert read_ours(path) == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_links_are_replaced_and_not_followed(tmp_path: Path, victim: Path) -> None:
    """Neither in the file's place nor in that of the one that is written beside it."""
    path = tmp_path / "folder" / "keys.json"
    path.parent.mkdir()
    path.symlink_to(victim)
    write_private(path, b"new")
    assert not path.is_symlink()
    path.with_name(f"keys.json.{threading.get_native_id()}.new").symlink_to(victim)
    write_private(path, b"newer")
    assert (read_ours(path), victim.read_text()) == (b"newer", "theirs")


def test_nothing_is_left_beside_a_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.json"
    write_private(path, b"old")
    monkeypatch.setattr(os, "replace", _full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]
    assert read_ours(path) == b"old"


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_is_opened_only_in_its_own_place(tmp_path: Path, victim: Path) -> None:
    link = tmp_path / "lock"
    link.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link") as error:
        open_ours(link, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    assert error.value.filename == str(link)
    assert victim.read_text() == "theirs"
    link.unlink()
    descriptor = open_ours(link, os.O_RDWR | os.O_CREAT)
    assert stat.S_IMODE(os.fstat(descriptor).st_mode) == 0o600
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_a_folder_becomes_private(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_folder_becomes_private_through_a_link(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    (tmp_path / "run").symlink_to(theirs)
    with pytest.raises(OSError, match="symbolic link"):
        make_private(tmp_path / "run")
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755
