"""A symbolic link that was planted in a data directory does not choose which file is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collector.durable import LOCK, make_folder, try_lock
from collector.journal.adopt import Attempts
from collector.journal.format import Kind
from collector.journal.quarantine import NAME, Quarantine
from collector.journal.writer import Journal


def _probe(folder: Path) -> None:
    journal = Journal.create(folder, "collector")
    (folder / "probe.tmp").rename(journal.folder / "probe.tmp")
    assert not journal.probe(10)


def _note(folder: Path) -> None:
    Attempts(folder).begin(7)


def _set_aside(folder: Path) -> None:
    with pytest.raises(OSError, match="symbolic link"):
        Quarantine(folder).add("too large", Kind.STORED, 7, 3, b"{}")


def _lock(folder: Path) -> None:
    with pytest.raises(OSError, match="symbolic link"):
        try_lock(folder)


@pytest.mark.parametrize(
    ("name", "write"),
    [("probe.tmp", _probe), ("attempts", _note), (NAME, _set_aside), (LOCK, _lock)],
)
def test_a_link_is_not_followed(name: str, write: Callable[[Path], None], tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "journal"
    victim.write_text("theirs")
    folder.mkdir()
    (folder / name).symlink_to(victim)
    write(folder)
    assert victim.read_text() == "theirs"


def test_a_folder_behind_a_link_stays_as_it_is(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    (tmp_path / "journal").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        make_folder(tmp_path / "journal")
    assert victim.stat().st_mode & 0o777 == 0o755
