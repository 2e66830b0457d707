"""What Raymap writes is readable by its owner only; what was there before stays as it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from raymap.cells import resolve_clickhouse
from raymap.commands import journal
from raymap.data_dir import OURS, prepare_data_dir, require_owner
from raymap.errors import CommandError
from raymap.settings import StoreSettings
from tests.raymap.processes import raymap


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


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder of the operator's, elsewhere."""
    folder = tmp_path / "victim"
    folder.mkdir(mode=0o755)
    (folder / "keys.json").write_text("[]")
    return folder


@pytest.mark.parametrize("name", OURS)
def test_a_link_in_place_of_a_folder_of_ours_is_refused(
    name: str, tmp_path: Path, victim: Path
) -> None:
    """What it leads to is neither made private nor written to."""
    data = tmp_path / "data"
    data.mkdir()
    (data / name).symlink_to(victim)
    with pytest.raises(
        OSError, match="it is a symbolic link, which Raymap does not follow"
    ) as error:
        prepare_data_dir(data)
    assert error.value.filename == str(data / name)
    assert mode(victim) == 0o755


@pytest.mark.parametrize(
    "name",
    [
        "run/keys.json",
        "run/lock",
        "journal/api-1-abc",
        "journal/api-1-abc/lock",
        "tenants/acme.1/journal",
        "clickhouse/credentials.json",
        "clickhouse/data",
    ],
)
def test_a_link_inside_is_refused(name: str, tmp_path: Path, victim: Path) -> None:
    data = tmp_path / "data"
    (data / name).parent.mkdir(parents=True)
    (data / name).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link") as error:
        prepare_data_dir(data)
    assert error.value.filename == str(data / name)


def test_links_of_clickhouse_are_its_own(tmp_path: Path) -> None:
    """It has one for each database."""
    tables = tmp_path / "data" / "clickhouse" / "data" / "data"
    tables.mkdir(parents=True)
    (tables / "raymap").symlink_to("../store")
    prepare_data_dir(tmp_path / "data")


def test_the_data_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    """As systemd's is; the operator has named it."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "run").mkdir(mode=0o755)
    (tmp_path / "data").symlink_to("private")
    prepare_data_dir(tmp_path / "data")
    assert mode(tmp_path / "private" / "run") == 0o700


def test_serve_refuses_such_a_directory_in_one_line(tmp_path: Path, victim: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "run").symlink_to(victim)
    ended = raymap("serve", "--data-dir", str(data))
    said = (
        f"raymap: Cannot use {data / 'run'}: it is a symbolic link, which Raymap does not follow.\n"
    )
    assert (ended.returncode, ended.stderr) == (1, said)
    assert {path.name for path in victim.iterdir()} == {"keys.json"}
    assert (mode(victim), (victim / "keys.json").read_text()) == (0o755, "[]")


def test_serve_refuses_an_empty_secret_in_one_line(tmp_path: Path) -> None:
    """With it everyone could sign in as an administrator."""
    (tmp_path / "auth-secret").touch()
    ended = raymap("serve", "--auth", "on", "--data-dir", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"raymap: {tmp_path / 'auth-secret'} is too short: expected 32 ")
    assert ended.stderr.count("\n") == 1
