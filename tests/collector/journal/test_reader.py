"""Damage costs the records it is in, and every one of them is reported."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.journal import reader, writer
from collector.journal.format import FILE_HEADER, RECORD_HEADER, Kind, encode
from collector.journal.reader import files_of, read, scan, scan_in_use
from collector.journal.writer import Journal

BIG = 1 << 30
COUNT = 24


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several files of random payloads; nothing is stored."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "MAX_FILE", 500)
        journal = Journal.create(tmp_path_factory.mktemp("original"), "test")
        for number in range(COUNT):
            journal.write([encode(Kind.OTLP, number, 1, os.urandom(100))])
        journal.release()
    assert len(files_of(journal.folder)) > 4
    return journal.folder


def damaged(original: Path, to: Path) -> Path:
    """A copy to be damaged."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(original, to)
    return to


def outcome(folder: Path) -> tuple[list[int], set[int]]:
    """Versions that survive, and starts of damaged stretches."""
    contents = scan(folder, 5, BIG)
    bad = {part.start for part in contents.lost}
    good = []
    for batch in contents.slowest.batches:
        for record in read(folder, batch.start, batch.end):
            if record.payload is None:
                bad.add(record.start)
            else:
                good.append(record.header.version)
    return good, bad


def test_a_file_that_is_deleted_while_it_is_read(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the process does whose journal it is; another one that looks begins again."""
    folder = damaged(original, tmp_path / "copy")
    listed = reader.files_of

    def list_and_delete(folder: Path) -> list[tuple[int, Path]]:
        found = listed(folder)
        found[-1][1].unlink()
        monkeypatch.setattr(reader, "files_of", listed)
        return found

    monkeypatch.setattr(reader, "files_of", list_and_delete)
    with pytest.raises(FileNotFoundError):
        scan(folder, 5, BIG)
    monkeypatch.setattr(reader, "files_of", list_and_delete)
    assert 0 < scan_in_use(folder, 5, BIG).documents < COUNT
    assert scan_in_use(tmp_path / "none", 5, BIG).documents == 0


def test_undamaged(original: Path) -> None:
    assert outcome(original) == (list(range(COUNT)), set())


@given(st.data())
def test_a_flipped_bit(original: Path, data: st.DataObject) -> None:
    """One record at most, and it is reported; a file's header costs nothing."""
    folder = damaged(original, original.parent / "flipped")
    _, path = data.draw(st.sampled_from(files_of(folder)))
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    good, bad = outcome(folder)
    assert len(good) >= COUNT - 1
    assert good == sorted(good)
    assert bad


@given(st.data())
def test_a_stretch_of_garbage(original: Path, data: st.DataObject) -> None:
    """The reader finds the next intact record, and nothing that was never written."""
    folder = damaged(original, original.parent / "garbage")
    files = files_of(folder)
    _, path = data.draw(st.sampled_from(files[:-1]))
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    junk = data.draw(st.binary(min_size=1, max_size=300))
    content[start : start + len(junk)] = junk[: len(content) - start]
    changed = bytes(content) != path.read_bytes()
    path.write_bytes(content)
    good, bad = outcome(folder)
    assert len(good) >= COUNT - 4
    assert set(good) <= set(range(COUNT))
    assert bool(bad) == changed


@pytest.mark.parametrize("which", [0, 2, -2])
def test_a_missing_file(original: Path, which: int) -> None:
    """The first one, in the middle, or the last but one: the next one's start shows it."""
    folder = damaged(original, original.parent / "missing")
    files = files_of(folder)
    start, path = files[which]
    path.unlink()
    good, bad = outcome(folder)
    assert 0 < COUNT - len(good) < 10
    assert bad == {start}


@given(st.data())
def test_a_torn_tail(original: Path, data: st.DataObject) -> None:
    """The last file ends anywhere, perhaps with zeros that stand for what never reached the disk:
    only a record whose length is complete can be taken for one that was acknowledged."""
    folder = damaged(original, original.parent / "torn")
    start, path = files_of(folder)[-1]
    cut = data.draw(st.integers(FILE_HEADER, path.stat().st_size))
    os.truncate(path, cut)
    zeros = data.draw(st.sampled_from([0, 1, 20, 50, 200]))
    with path.open("ab") as file:
        file.write(bytes(zeros))
    good, bad = outcome(folder)
    assert good == list(range(len(good)))
    size = RECORD_HEADER + 100
    inside = (cut - FILE_HEADER) % size
    looks_whole = inside >= RECORD_HEADER and inside + zeros >= size
    assert bad == ({start + cut - FILE_HEADER - inside} if looks_whole else set())


class BadPages:
    """EIO for every read of these bytes of a file, as from a disk with a bad sector."""

    def __init__(self, patch: pytest.MonkeyPatch, path: Path, start: int, end: int) -> None:
        self._start, self._end = start, end
        self._inode = path.stat().st_ino
        self._pread = os.pread
        patch.setattr(os, "pread", self._read)

    def _read(self, file: int, size: int, offset: int) -> bytes:
        overlaps = offset < self._end and offset + size > self._start
        if overlaps and os.fstat(file).st_ino == self._inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._pread(file, size, offset)


@pytest.mark.parametrize("which", [0, 2, -1])
@pytest.mark.parametrize("last", [False, True])
def test_an_unreadable_page(tmp_path: Path, which: int, last: bool) -> None:
    """EIO in a header or a payload costs the records in that page; those behind it are found, and the
    page is reported, also at the end of the last file, where zeros would be an unfinished write."""
    journal = Journal.create(tmp_path, "test")
    for number in range(9):
        journal.write([encode(Kind.OTLP, number, 1, os.urandom(3000))])
    if not last:
        journal._close()
        journal.write([encode(Kind.OTLP, 9, 1, b"next file")])
    journal.release()
    _, path = files_of(journal.folder)[0]
    pages = path.stat().st_size // 4096
    first = range(pages + 1)[which] * 4096
    size = RECORD_HEADER + 3000
    gone = {
        number
        for number in range(9)
        if FILE_HEADER + number * size < first + 4096 and FILE_HEADER + (number + 1) * size > first
    }
    with pytest.MonkeyPatch.context() as patch:
        BadPages(patch, path, first, first + 4096)
        good, bad = outcome(journal.folder)
    assert set(good) == set(range(9 if last else 10)) - gone
    assert bad
    assert gone


def test_a_file_that_cannot_be_opened(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is damaged as a whole; another reason, such as too many open files, is an error."""
    folder = damaged(original, original.parent / "unopened")
    start, bad_path = files_of(folder)[-1]
    number, real = errno.EIO, os.open

    def fails(path: Path, *arguments: int) -> int:
        if Path(path) == bad_path:
            raise OSError(number, os.strerror(number))
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", fails)
    good, bad = outcome(folder)
    assert good == list(range(len(good)))
    assert bad == {start}
    number = errno.EMFILE
    with pytest.raises(OSError, match="open files"):
        outcome(folder)


def test_a_truncated_file_in_the_middle(original: Path) -> None:
    """The start of the next one says that something is missing."""
    folder = damaged(original, original.parent / "truncated")
    _, path = files_of(folder)[1]
    os.truncate(path, path.stat().st_size - 200)
    good, bad = outcome(folder)
    assert COUNT - 3 <= len(good) < COUNT
    assert bad


def test_a_damaged_mark_is_as_if_unwritten(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "test")
    journal.write([encode(Kind.OTLP, 1, 1, b"x")])
    journal.checkpoint(journal.end)
    ((_, path),) = files_of(journal.folder)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    contents = scan(journal.folder, 10, BIG)
    assert (contents.slowest.checkpoint, contents.documents) == (0, 1)
