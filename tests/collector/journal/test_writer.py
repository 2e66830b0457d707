"""What `write` has returned survives: a full disk, an error at any call, a power cut."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from collector import durable
from collector.journal import writer
from collector.journal.adopt import adopt
from collector.journal.format import Batch, Kind, encode
from collector.journal.reader import Contents, files_of, read, scan
from collector.journal.writer import Journal
from tests.collector.journal.disk import Disk, fails_from, fails_once

BIG = 1 << 30


def record(number: int, size: int = 40) -> bytes:
    return encode(Kind.OTLP, number, 1, os.urandom(size))


def versions(journal: Path, contents: Contents) -> list[int]:
    """Of the records that the store does not have, in order."""
    return [
        each.header.version
        for batch in contents.slowest.batches
        for each in read(journal, batch.start, batch.end)
        if each.payload is not None
    ]


def on_disk(journal: Journal) -> list[int]:
    return versions(journal.folder, scan(journal.folder, 100, BIG))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "journal", "test")


def test_written_records_are_read_back(journal: Journal) -> None:
    """In order, by their offsets."""
    assert [journal.write([record(1), record(2)]), journal.write([record(3)])][0] == 0
    contents = scan(journal.folder, 100, BIG)
    assert contents.slowest.batches == [Batch(0, journal.end, 3)]
    assert (contents.slowest.oldest, contents.lost, contents.end) == (1, [], journal.end)
    assert versions(journal.folder, contents) == [1, 2, 3]


def test_cut_by_documents_and_bytes(journal: Journal) -> None:
    journal.write([record(number, 100) for number in range(10)])
    assert [b.documents for b in scan(journal.folder, 4, BIG).slowest.batches] == [4, 4, 2]
    assert [b.documents for b in scan(journal.folder, 100, 350).slowest.batches] == [3, 3, 3, 1]


def test_marks_fix_batches(journal: Journal) -> None:
    """A marked batch stays as it is, however the rest is cut."""
    end = 0
    for number in range(6):
        journal.write([record(number)])
        if number == 3:
            end = journal.end
    journal.mark(Batch(0, end, 4))
    contents = scan(journal.folder, 1, BIG)
    assert next((b.documents, b.start) for b in contents.slowest.batches) == (4, 0)
    assert [b.documents for b in contents.slowest.batches] == [4, 1, 1]
    assert contents.slowest.marked == 1


def test_stored_files_are_deleted(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole files below the checkpoint; nothing counts as missing then."""
    monkeypatch.setattr(writer, "MAX_FILE", 300)
    ends = []
    for number in range(20):
        journal.write([record(number)])
        ends.append(journal.end)
    assert len(files_of(journal.folder)) > 4
    journal.checkpoint(ends[14])
    assert len(files_of(journal.folder)) < 4
    contents = scan(journal.folder, 100, BIG)
    assert (contents.lost, versions(journal.folder, contents)) == ([], [15, 16, 17, 18, 19])
    assert journal.unsent == ends[19] - ends[14]
    journal.checkpoint(journal.unsent_end)
    assert journal.unsent == 0
    assert on_disk(journal) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_an_error_at_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Once, or from then on until there is room: what was refused is not there, the rest is."""
    monkeypatch.setattr(writer, "MAX_FILE", 200)
    failures = nth = 0
    while True:
        nth += 1
        for fails in (fails_once(nth, number), fails_from(nth, number)):
            with pytest.MonkeyPatch.context() as patch:
                root = tmp_path / f"{nth}-{failures}"
                journal = Journal.create(root, "test")
                disk = Disk(patch, root)
                disk.fails = fails
                written = []
                for version in range(8):
                    try:
                        journal.write([record(version)])
                        written.append(version)
                    except OSError:
                        failures += 1
                    if version == 5:
                        disk.fails = lambda number, name: 0
                assert on_disk(journal) == written
                assert scan(journal.folder, 100, BIG).lost == []
                assert {6, 7} <= set(written)
                reached = disk.calls >= nth
        if not reached:
            break
    assert failures > 20


def test_a_full_disk_while_checkpointing(journal: Journal) -> None:
    """Stored files are deleted all the same: that makes room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "MAX_FILE", 200)
        disk = Disk(patch, journal.folder)
        for number in range(10):
            journal.write([record(number)])
        disk.fails = fails_from(1)
        journal.mark(Batch(0, journal.end, 10))
        journal.checkpoint(journal.unsent_end)
        assert (files_of(journal.folder), journal.unsent) == ([], 0)
    journal.write([record(11)])
    assert on_disk(journal) == [11]


def test_nothing_is_acknowledged_that_a_power_cut_could_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any call: what was written is there afterwards, and no loss is reported that was none."""
    monkeypatch.setattr(writer, "MAX_FILE", 200)

    class Off(BaseException):
        pass

    nth = 0
    while True:
        nth += 1
        with pytest.MonkeyPatch.context() as patch:
            root = tmp_path / str(nth)
            journal = Journal.create(root, "test")
            disk = Disk(patch, root)

            def fails(call: int, name: str, nth: int = nth) -> int:
                if call == nth:
                    raise Off
                return 0

            disk.fails = fails
            written: list[int] = []
            stored = 0
            try:
                for version in range(8):
                    journal.write([record(version)])
                    written.append(version)
                    if version == 4:
                        stored = version + 1
                        journal.checkpoint(journal.unsent_end)
                finished = True
            except Off:
                finished = False
            disk.cut_power()
            found = on_disk(journal)
            assert set(written[stored:]) <= set(found) <= set(range(8))
            assert scan(journal.folder, 100, BIG).lost == []
            if finished:
                break
    assert nth > 20


def test_a_released_journal_is_not_written(journal: Journal) -> None:
    journal.write([record(1)])
    journal.release()
    with pytest.raises(OSError, match="released"):
        journal.write([record(2)])
    journal.checkpoint(journal.unsent_end)
    assert on_disk(journal) == [1]


def test_only_its_owner_can_read_the_journal(journal: Journal) -> None:
    """Documents contain what users typed; other local users must not see them."""
    journal.write([record(1)])
    for path in [journal.folder.parent, *journal.folder.parent.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_probe(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes as many bytes, and leaves none."""
    assert journal.probe(1000)
    disk = Disk(monkeypatch, journal.folder)
    disk.fails = fails_from(1)
    assert not journal.probe(1000)
    assert [path.name for path in journal.folder.iterdir()] == ["lock"]


def test_an_adopted_journal_is_continued(tmp_path: Path) -> None:
    """Behind what the dead process wrote, torn record included."""
    dead = Journal.create(tmp_path, "test")
    dead.write([record(1), record(2)])
    ((_, path),) = files_of(dead.folder)
    with path.open("ab") as file:
        file.write(record(3)[:-1])
    os.close(dead._lock_file)
    found = adopt(tmp_path, 100, BIG)
    assert found is not None
    heir, contents = found
    assert (contents.documents, contents.lost, heir.unsent > 0) == (2, [], True)
    heir.mark(contents.slowest.batches[0])
    assert on_disk(heir) == [1, 2]
    assert scan(heir.folder, 100, BIG).slowest.marked == 1
    heir.checkpoint(contents.slowest.batches[0].end)
    assert on_disk(heir) == []
    heir.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_that_was_replaced_is_no_lock(tmp_path: Path) -> None:
    """Two may have locks on two files of one name: only the file that has the name counts."""
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
