"""What Raymap writes is readable by its owner only; what was there before stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from raymap.data_dir import OURS, prepare_data_dir


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Of the test process, as it was."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    prepare_data_dir(folder)
    (folder / "file").write_text("x")
    (folder / "inner").mkdir()
    assert [mode(path) for path in (folder, folder / "file", folder / "inner")] == [
        0o700,
        0o600,
        0o700,
    ]


def test_a_directory_that_is_shared_stays_shared(tmp_path: Path) -> None:
    """With ``--data-dir .`` it is the user's project; what is ours in it becomes private."""
    for name in (*OURS, "src"):
        (tmp_path / name).mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    prepare_data_dir(tmp_path)
    assert mode(tmp_path) == mode(tmp_path / "src") == 0o755
    assert {mode(tmp_path / name) for name in OURS} == {0o700}
