"""Journals of dead processes: found once, and a record that kills is left out in the end."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from collector.journal.adopt import (
    Attempts,
    adopt,
    damaged_files,
    folders,
    set_damaged_aside,
)
from collector.journal.format import Kind, encode
from collector.journal.reader import Part, files_of
from collector.journal.writer import Journal

BIG = 1 << 30


def dead(root: Path, *numbers: int) -> Journal:
    """A journal whose process has been killed."""
    journal = Journal.create(root, "test")
    for number in numbers:
        journal.write([encode(Kind.OTLP, number, 1, b"x")])
    os.close(journal._lock_file)
    return journal


def test_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """Its lock says so."""
    alive = Journal.create(tmp_path, "test")
    alive.write([encode(Kind.OTLP, 1, 1, b"x")])
    assert adopt(tmp_path, 10, BIG) is None
    alive.release()
    found = adopt(tmp_path, 10, BIG)
    assert found is not None
    assert (found[0].id, found[1].documents) == (alive.id, 1)
    assert adopt(tmp_path, 10, BIG) is None


def test_an_empty_folder_is_removed(tmp_path: Path) -> None:
    dead(tmp_path)
    assert adopt(tmp_path, 10, BIG) is None
    assert folders(tmp_path) == []


def test_many_adopters_at_once(tmp_path: Path) -> None:
    """Each journal is one's only."""
    journals = {dead(tmp_path, 1).id for _ in range(12)}
    found: list[str] = []
    begin = threading.Barrier(6)

    def take() -> None:
        begin.wait()
        while (one := adopt(tmp_path, 10, BIG)) is not None:
            found.append(one[0].id)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(journals)


def test_damaged_files_outlive_their_journal(tmp_path: Path) -> None:
    journal = dead(tmp_path, 1)
    ((_, path),) = files_of(journal.folder)
    for _ in range(2):  # another process found it before
        set_damaged_aside(tmp_path, journal.id, [Part(0, 1, None, path)])
    path.unlink()
    assert damaged_files(tmp_path) == 1
    assert [folder.name for folder in folders(tmp_path)] == [journal.id]


def run(folder: Path, killer: int | None, records: list[int]) -> list[int] | None:
    """A process that decodes a batch: the records it left out; None if it died."""
    attempts = Attempts(folder)
    left_out = attempts.begin(100)
    for record in records:
        if record in left_out:
            continue
        attempts.at(record)
        if record == killer:
            return None
    attempts.end()
    return left_out


def test_a_record_that_kills_its_reader(tmp_path: Path) -> None:
    """Left out after three deaths, also by all that come later; its neighbours never are."""
    records = [100, 200, 300]
    assert [run(tmp_path, 200, records) for _ in range(5)] == [None, None, None, [200], [200]]
    assert [run(tmp_path, 300, records) for _ in range(4)] == [None, None, None, [200, 300]]


def test_other_deaths_blame_no_record(tmp_path: Path) -> None:
    """The batch had been decoded."""
    for _ in range(5):
        assert run(tmp_path, None, [100, 200]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"batch": "x"}'])
def test_unreadable_notes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "attempts").write_bytes(content)
    assert run(tmp_path, None, [100]) == []
