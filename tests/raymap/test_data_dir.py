"""What Raymap writes is readable by its owner only; what was there before stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from raymap.commands import journal
from raymap.data_dir import OURS, prepare_data_dir, require_owner
from raymap.errors import CommandError
from raymap.processes import resolve_clickhouse
from raymap.settings import StoreSettings


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


def test_root_does_not_write_into_another_users_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a service with DynamicUser, for example, whose user could not read the files."""
    ours = tmp_path / "clickhouse"
    require_owner(tmp_path)
    ours.mkdir()
    require_owner(tmp_path)
    if os.geteuid() == 0:
        os.chown(ours, 61_234, 61_234)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    for attempt in (
        lambda: prepare_data_dir(tmp_path),
        lambda: resolve_clickhouse(StoreSettings(data_dir=tmp_path)),
        lambda: journal.retry(tmp_path),
    ):
        with pytest.raises(CommandError, match=r"belongs to user .* deploy/systemd/raymap"):
            attempt()
