"""Acknowledged documents survive crashes at any step, damaged files, and a full disk."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collector import durable
from collector import spool as spool_module
from collector.spool import Spool, SpoolFull
from store.model import Document
from tests.builders import segment
from tests.collector.samples import segment_bytes

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
    assert spool.waiting() == ["first", "second"]
    found = spool.read("first")
    assert found is not None
    assert found.lost == 0
    assert found.documents == [(1001, segment(1).raw), (1002, segment(2).raw)]
    assert spool.size == sum(path.stat().st_size for path in tmp_path.rglob("*.batch"))
    assert spool.oldest() == pytest.approx(time.time(), abs=5)


def test_removed_batches_are_gone(tmp_path: Path) -> None:
    """By token; an unknown one is ignored."""
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
    (dead._folder / "00000000000000000009-third.tmp").write_bytes(b"half")
    crash(dead)
    heir = reopened(tmp_path)
    assert heir.waiting() == ["first", "second"]
    assert heir.size == dead.size
    assert [path.name for path in tmp_path.iterdir()] == [heir._folder.name]
    assert not list(tmp_path.rglob("*.tmp"))


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
    """Oldest first, of any process."""
    dead = reopened(tmp_path)
    dead.write(batch(1), "old")
    heir_root = reopened(tmp_path)
    heir_root.write(batch(2), "new")
    crash(dead)
    heir_root.adopt()
    assert heir_root.waiting() == ["old", "new"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: bytes(len(data)),
        lambda data: b"raymap spool 0\n" + b"another format",
    ],
)
def test_corrupt_files_are_set_aside(tmp_path: Path, damage: object) -> None:
    """Recognised and counted by documents; the file stays until an operator removes it."""
    assert callable(damage)
    spool = reopened(tmp_path)
    spool.write(batch(1, 2), "corrupt")
    spool.write(batch(3), "whole")
    (path,) = tmp_path.rglob("*corrupt.2.batch")
    path.write_bytes(damage(path.read_bytes()))
    damaged, whole = spool.read("corrupt"), spool.read("whole")
    assert damaged is not None
    assert whole is not None
    assert (damaged.documents, damaged.lost) == ([], 2)
    assert whole.lost == 0
    spool.set_corrupt_aside("corrupt", damaged.lost)
    assert spool.waiting() == ["whole"]
    assert len(list(tmp_path.rglob("*.corrupt"))) == 1
    assert spool.corrupt_files == 1
    crash(spool)
    heir = reopened(tmp_path)
    assert heir.corrupt_files == 1
    assert heir.size > 0
    next(tmp_path.rglob("*.corrupt")).unlink()
    heir.adopt()
    assert heir.corrupt_files == 0
    assert heir.size == sum(file.stat().st_size for file in tmp_path.rglob("*.batch"))


def test_garbage_at_the_end_loses_nothing(tmp_path: Path) -> None:
    spool = reopened(tmp_path)
    spool.write(batch(1), "t")
    (path,) = tmp_path.rglob("*.batch")
    path.write_bytes(path.read_bytes() + b"x")
    found = spool.read("t")
    assert found is not None
    assert (len(found.documents), found.lost) == (1, 0)


def test_only_its_owner_can_read_the_spool(tmp_path: Path) -> None:
    """Documents contain what users typed; other local users must not see them."""
    spool = reopened(tmp_path / "data" / "spool")
    spool.write(batch(1), "t")
    for path in (tmp_path / "data").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_vanished_file_is_forgotten(tmp_path: Path) -> None:
    """An operator removed it."""
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
        spool.write([segment(2, raw=os.urandom(300))], "second")  # incompressible
    assert spool.waiting() == ["first"]
    assert spool.full
    assert not spool.probe_free_space()
    spool.remove("first")
    assert not spool.full
    spool.write(batch(3), "third")


def test_compressed(tmp_path: Path) -> None:
    """Documents resemble each other, so a bound in bytes lasts several times as long."""
    spool = reopened(tmp_path)
    documents = [segment(id, raw=segment_bytes(f"{id:016x}")) for id in range(1, 1000)]
    spool.write(documents, "t")
    assert spool.size < sum(len(d.raw) for d in documents) / 5
    found = spool.read("t")
    assert found is not None
    assert [raw for _, raw in found.documents] == [d.raw for d in documents]


def test_written_once(tmp_path: Path) -> None:
    """A token that waits is not written again."""
    spool = reopened(tmp_path)
    spool.write(batch(1), "t")
    size = spool.size
    spool.write(batch(1), "t")
    assert (spool.waiting(), spool.size, len(list(tmp_path.rglob("*.batch")))) == (["t"], size, 1)


def test_a_batch_that_is_being_written_is_invisible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replay looks at any time; what it cannot read yet it must not take for gone."""
    spool = reopened(tmp_path)
    real, seen = os.rename, []

    def rename(tmp: Path, path: Path) -> None:
        seen.append((spool.waiting(), spool.read("t")))
        real(tmp, path)

    monkeypatch.setattr(os, "rename", rename)
    spool.write(batch(1), "t")
    assert seen == [([], None)]
    assert spool.waiting() == ["t"]


STEPS = ("write", "fsync", "rename", "folder")


def break_step(patch: pytest.MonkeyPatch, step: str, failure: BaseException) -> None:
    """Let one step of writing a file durably fail: before it, but for ``write`` amid it."""

    def fail(*_: object) -> None:
        raise failure

    def half(path: Path, parts: list[bytes]) -> None:
        path.write_bytes(b"".join(parts)[:20])
        raise failure

    if step == "write":
        for module in (durable, spool_module):
            patch.setattr(module, "write_synced", half)
    elif step == "folder":
        patch.setattr(durable, "sync_folder", fail)
    else:
        patch.setattr(os, step, fail)


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_is_a_full_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """At whatever step it shows, nothing half-written stays; with room again all is well."""
    spool = reopened(tmp_path)
    break_step(monkeypatch, step, OSError(28, "No space left on device"))
    with pytest.raises(SpoolFull, match="No space left"):
        spool.write(batch(1), "first")
    assert (spool.waiting(), spool.size, spool.full) == ([], 0, True)
    assert [path.name for path in spool._folder.iterdir()] == ["lock"]
    if step in ("write", "fsync"):
        assert not spool.probe_free_space()
    monkeypatch.undo()
    assert spool.probe_free_space()
    assert [path.name for path in spool._folder.iterdir()] == ["lock"]
    spool.write(batch(1), "first")
    assert spool.waiting() == ["first"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Until the file has its name it was not acknowledged; afterwards it is there."""
    spool = reopened(tmp_path)

    class Killed(BaseException):
        pass

    break_step(monkeypatch, step, Killed())
    with pytest.raises(Killed):
        spool.write(batch(1), "first")
    monkeypatch.undo()
    crash(spool)
    heir = reopened(tmp_path)
    assert heir.waiting() == (["first"] if step == "folder" else [])
    assert all(heir.read(token) is not None for token in heir.waiting())
    assert not list(tmp_path.rglob("*.tmp"))


def test_nothing_is_acknowledged_that_a_power_cut_could_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before `write` returns: all bytes fsynced under the name aside, then the new name, then the
    folder; and every folder on the way there, fsynced in the one above it."""
    done: list[tuple[str, str]] = []

    def spy(name: str, what: Callable[..., object]) -> None:
        real = getattr(os, name)

        def call(*arguments: object) -> object:
            answer = real(*arguments)
            done.append((name, str(what(*arguments))))
            return answer

        monkeypatch.setattr(os, name, call)

    def target(descriptor: int) -> str:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        return f"{path.name} {path.stat().st_size}" if path.is_file() else path.name

    spy("fsync", target)
    spy("rename", lambda tmp, path: f"{Path(tmp).name} {Path(path).name}")
    spool = Spool(tmp_path / "data" / "spool", "collector", BIG)
    assert ("fsync", tmp_path.name) in done
    assert ("fsync", "data") in done
    assert ("fsync", "spool") in done
    done.clear()
    spool.write(batch(1, 2), "t")
    (path,) = tmp_path.rglob("*.batch")
    assert done == [
        ("fsync", f"{path.stem}.tmp {path.stat().st_size}"),
        ("rename", f"{path.stem}.tmp {path.name}"),
        ("fsync", spool._folder.name),
    ]


def test_a_file_that_comes_back_after_a_power_cut(tmp_path: Path) -> None:
    """Removed and not yet synced, or moved and in both folders: one token is one batch."""
    dead = reopened(tmp_path)
    dead.write(batch(1), "t")
    (path,) = tmp_path.rglob("*.batch")
    data = path.read_bytes()
    crash(dead)
    heir = reopened(tmp_path)
    twin = tmp_path / "collector-1-twin"
    twin.mkdir()
    (twin / path.name).write_bytes(data)
    (twin / f"{1:020d}-t.batch").write_bytes(data)
    assert heir.adopt() == 2
    assert heir.waiting() == ["t"]
    assert heir.size == len(data)
    assert len(list(tmp_path.rglob("*.batch"))) == 1


def test_refused_batches_stay_for_the_next_life(tmp_path: Path) -> None:
    """They count against the bound and are not tried again now."""
    spool = reopened(tmp_path)
    spool.write(batch(1), "bad")
    spool.write(batch(2), "good")
    size = spool.size
    spool.quarantine("bad")
    spool.quarantine("unknown")
    assert (spool.waiting(), spool.size) == (["good"], size)
    spool.close()
    heir = reopened(tmp_path)
    assert heir.waiting() == ["bad", "good"]
    assert heir.size == size


def test_a_folder_that_another_process_probes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Probing creates the lock file anew: adopting and closing must not fail because of it."""
    dead = reopened(tmp_path)
    dead.write(batch(1), "t")
    crash(dead)
    heir = reopened(tmp_path)
    assert heir.waiting() == ["t"]
    real = Path.rmdir

    def rmdir(folder: Path) -> None:
        (folder / "lock").touch()
        real(folder)

    monkeypatch.setattr(Path, "rmdir", rmdir)
    other = tmp_path / "collector-1-other"
    other.mkdir()
    assert heir.adopt() == 0
    heir.remove("t")
    heir.close()
    monkeypatch.undo()
    last = reopened(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [last._folder.name]


def test_a_lock_file_that_was_replaced_is_no_lock(tmp_path: Path) -> None:
    """Two may hold locks on two files of one name: only the file that has the name counts."""
    folder = tmp_path / "collector-1-x"
    folder.mkdir()
    real = fcntl.flock

    def replace_first(lock: int, how: int) -> None:
        (folder / "lock").unlink()
        (folder / "lock").touch()
        real(lock, how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcntl, "flock", replace_first)
        assert durable.try_lock(folder) is None
    lock = durable.try_lock(folder)
    assert lock is not None
    os.close(lock)


@pytest.mark.slow
def test_many_batches(tmp_path: Path) -> None:
    """An hour of small batches: removing one does not look at all others."""
    spool = reopened(tmp_path)
    (folder,) = tmp_path.iterdir()
    dead = tmp_path / "collector-1-dead"
    dead.mkdir()
    for number in range(20_000):
        (dead / f"{number:020d}-{number:x}.batch").touch()
    assert spool.adopt() == 20_000
    begun = time.process_time()
    for token in spool.waiting():
        spool.remove(token)
    assert time.process_time() - begun < 5
    assert [path.name for path in folder.iterdir()] == ["lock"]
