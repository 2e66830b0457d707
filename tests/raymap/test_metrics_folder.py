"""The metrics' files have their space, in memory, and do not stay."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from raymap import metrics_folder as module
from raymap.metrics_folder import PREFIX, RESERVED, metrics_folder, reset_gauges


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own in its place."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(module, "MEMORY", folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with metrics_folder(tmp_path / "metrics", ["api", "collect"]) as folder:
        yield folder


def test_every_file_is_there_with_its_space(memory: Path, folder: Path) -> None:
    assert folder.parent == memory
    assert folder.stat().st_mode & 0o077 == 0
    names = {f"{kind}_{name}.db" for kind in RESERVED for name in ("api", "collect")}
    assert {path.name for path in folder.iterdir()} == names
    for path in folder.iterdir():
        assert path.stat().st_size == RESERVED[path.name.rpartition("_")[0]]
    assert _has_its_space(folder)


def test_it_is_removed_at_the_end(tmp_path: Path, memory: Path) -> None:
    with metrics_folder(tmp_path / "metrics", ["api"]):
        assert list(memory.iterdir())
    assert not list(memory.iterdir())


def test_it_is_in_the_data_directory_where_there_is_no_memory_for_files(
    tmp_path: Path, memory: Path
) -> None:
    """As on macOS; what another release left there goes."""
    memory.rmdir()
    old = tmp_path / "metrics" / "counter_17.db"
    old.parent.mkdir()
    old.touch()
    with metrics_folder(tmp_path / "metrics", ["api"]) as folder:
        assert folder == tmp_path / "metrics"
        assert {path.name for path in folder.iterdir()} == {f"{kind}_api.db" for kind in RESERVED}
    assert not folder.exists()


def test_it_is_in_the_data_directory_where_memory_is_full(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.is_relative_to(memory):
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with metrics_folder(tmp_path / "metrics", ["api"]) as folder:
        assert folder == tmp_path / "metrics"
        assert not list(memory.iterdir())


def test_what_a_killed_process_left_is_removed(tmp_path: Path, memory: Path, folder: Path) -> None:
    """Not what a living one has, and nothing of others: a link, another name, another user's."""
    abandoned = memory / f"{PREFIX}abandoned"
    abandoned.mkdir()
    (abandoned / "counter_api.db").touch()
    others = {memory / "other", memory / f"{PREFIX}link"}
    (memory / "other").mkdir()
    (memory / f"{PREFIX}link").symlink_to(tmp_path)
    if os.geteuid() == 0:
        theirs = memory / f"{PREFIX}theirs"
        theirs.mkdir()
        os.chown(theirs, 1, -1)
        others.add(theirs)
    with metrics_folder(tmp_path / "second", ["api"]) as second:
        assert set(memory.iterdir()) == {folder, second, *others}
    assert _has_its_space(folder)


def test_a_folder_that_another_process_removes_is_made_again(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes it for abandoned before it is locked."""
    lock = module._lock
    made: list[Path] = []

    def late(folder: Path) -> int | None:
        made.append(folder)
        if len(made) == 1:
            folder.rmdir()
        return lock(folder)

    monkeypatch.setattr(module, "_lock", late)
    with metrics_folder(tmp_path / "metrics", ["api"]) as folder:
        assert folder == made[1]
        assert folder.exists()


def test_gauges_of_a_process_that_ended_are_forgotten(folder: Path) -> None:
    """In place: their space is not given back. Counters stay, and gauges of others."""
    for path in folder.iterdir():
        with path.open("r+b") as file:
            file.write(b"\x40")
    reset_gauges(folder, "collect")
    used = {path.stem for path in folder.iterdir() if path.read_bytes()[:1] == b"\x40"}
    assert used == {f"{kind}_api" for kind in RESERVED} | {"counter_collect", "histogram_collect"}
    assert _has_its_space(folder)
    reset_gauges(folder / "gone", "collect")


def _has_its_space(folder: Path) -> bool:
    found = [path.stat() for path in folder.iterdir()]
    return bool(found) and all(each.st_blocks * 512 >= each.st_size > 0 for each in found)
