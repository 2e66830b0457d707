"""What was acknowledged is kept: across crashes at any step, torn files, and a full disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector import spool as module
from collector.spool import MAGIC, Spool, SpoolFull, token_of
from store.model import Document
from tests.builders import segment

BIG = 1 << 30


def batch(*ids: int) -> list[Document]:
    """Documents to keep."""
    return [segment(id, version=1000 + id) for id in ids]


def reopened(root: Path) -> Spool:
    """A spool of a later process, which finds what the first left."""
    return Spool(root, "collector", BIG)


def crash(spool: Spool) -> None:
    """End as a killed process ends: the lock is gone, the files stay."""
    os.close(spool._lock_file)


def test_written_batches_are_read_back(tmp_path: Path) -> None:
    """In the order of writing, with versions, bytes and token."""
    spool = reopened(tmp_path)
    spool.write(batch(1, 2), "first")
    spool.write(batch(3), "second")
    names = spool.waiting()
    assert [token_of(name) for name in names] == ["first", "second"]
    found = spool.read(names[0])
    assert found is not None
    assert found.token == "first"
    assert found.documents == [(1001, segment(1).raw), (1002, segment(2).raw)]
    assert spool.size == sum(path.stat().st_size for path in tmp_path.rglob("*.batch"))
    assert spool.oldest() == pytest.approx(int(names[0][:20]) / 1e6)


def test_removed_batches_are_gone(tmp_path: Path) -> None:
    """By token; one nobody knows is fine."""
    spool = reopened(tmp_path)
    spool.write(batch(1), "first")
    spool.remove("first")
    spool.remove("unknown")
    assert (len(spool), spool.size, spool.oldest(), spool.waiting()) == (0, 0, None, [])
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_dead_process_is_inherited(tmp_path: Path) -> None:
    """Its complete files are taken over; what it had not finished was never acknowledged."""
    dead = reopened(tmp_path)
    dead.write(batch(1), "first")
    dead.write(batch(2), "second")
    (dead._folder / "00000000000000000009-third.aside").write_bytes(b"half")
    crash(dead)
    heir = reopened(tmp_path)
    assert [token_of(name) for name in heir.waiting()] == ["first", "second"]
    assert [path.name for path in tmp_path.iterdir()] == [heir._folder.name]
    assert not list(tmp_path.rglob("*.aside"))


def test_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """Its lock says so."""
    alive = reopened(tmp_path)
    alive.write(batch(1), "first")
    other = reopened(tmp_path)
    assert other.waiting() == []
    assert other.adopt() == 0
    crash(alive)
    assert other.adopt() == 1


def test_adopted_batches_keep_their_place_in_time(tmp_path: Path) -> None:
    """Oldest first, whoever wrote them."""
    dead = reopened(tmp_path)
    dead.write(batch(1), "old")
    heir_root = reopened(tmp_path)
    heir_root.write(batch(2), "new")
    crash(dead)
    heir_root.adopt()
    assert [token_of(name) for name in heir_root.waiting()] == ["old", "new"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: MAGIC + data[len(MAGIC) + 1 :],
        lambda data: bytes(len(data)),
    ],
)
def test_torn_files_are_set_aside(tmp_path: Path, damage: object) -> None:
    """Recognised, kept for whoever wants to look, and never in the way."""
    assert callable(damage)
    spool = reopened(tmp_path)
    spool.write(batch(1), "torn")
    spool.write(batch(2), "whole")
    (path,) = tmp_path.rglob("*torn.batch")
    path.write_bytes(damage(path.read_bytes()))
    torn, whole = spool.waiting()
    assert spool.read(torn) is None
    assert spool.read(whole) is not None
    assert spool.waiting() == [whole]
    assert len(list(tmp_path.rglob("*.torn"))) == 1


def test_a_vanished_file_is_forgotten(tmp_path: Path) -> None:
    """Somebody tidied up by hand."""
    spool = reopened(tmp_path)
    spool.write(batch(1), "first")
    next(tmp_path.rglob("*.batch")).unlink()
    assert spool.read(spool.waiting()[0]) is None
    assert spool.waiting() == []


def test_bounded(tmp_path: Path) -> None:
    """What would pass the bound is refused and leaves no trace."""
    spool = Spool(tmp_path, "collector", 400)
    spool.write(batch(1), "first")
    with pytest.raises(SpoolFull, match="400 bytes"):
        spool.write(batch(*range(2, 20)), "second")
    assert [token_of(name) for name in spool.waiting()] == ["first"]
    spool.remove("first")
    spool.write(batch(3), "third")


def test_a_full_disk_is_a_full_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The half-written file is taken away."""
    spool = reopened(tmp_path)

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(SpoolFull, match="No space left"):
        spool.write(batch(1), "first")
    assert spool.waiting() == []
    assert not list(tmp_path.rglob("*.aside"))
    assert not list(tmp_path.rglob("*.batch"))


@pytest.mark.parametrize("step", ["rename", "fsync"])
def test_killed_between_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Until the file has its name it was not acknowledged; afterwards it is there."""
    spool = reopened(tmp_path)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    if step == "rename":
        monkeypatch.setattr(Path, "rename", die)
    else:
        monkeypatch.setattr(module, "_sync_folder", die)
    with pytest.raises(Killed):
        spool.write(batch(1), "first")
    monkeypatch.undo()
    crash(spool)
    heir = reopened(tmp_path)
    assert len(heir) == (0 if step == "rename" else 1)
    for name in heir.waiting():
        assert heir.read(name) is not None
