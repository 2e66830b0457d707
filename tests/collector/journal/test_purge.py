"""On request nothing remains on the disk of what the store has, and everything of what it has not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from collector.journal import purge, writer
from collector.journal.adopt import adopt
from collector.journal.format import Kind, encode
from collector.journal.purge import Purge
from collector.journal.reader import read, scan
from collector.journal.writer import Journal

BIG = 1 << 30


def record(number: int) -> bytes:
    return encode(Kind.OTLP, number, 1, b"payload-%d" % number)


def versions(journal: Journal) -> list[int]:
    contents = scan(journal.folder, 100, BIG)
    assert contents.lost == []
    return [
        each.header.version
        for batch in contents.slowest.batches
        for each in read(journal.folder, batch.start, batch.end)
    ]


def content(journal: Journal) -> bytes:
    return b"".join(path.read_bytes() for path in journal.folder.glob("*.log"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(root: Path) -> Journal:
    return Journal.create(root, "test")


def test_what_is_stored_is_deleted(root: Path, journal: Journal) -> None:
    each = Purge(root)
    journal.write([record(1), record(2)])
    journal.checkpoint(journal.unsent_end)
    each.step(journal)
    assert b"payload-1" in content(journal), "there is no request"
    purge.request(root)
    each.step(journal)
    assert b"payload" not in content(journal)
    assert versions(journal) == []
    journal.write([record(3)])
    assert versions(journal) == [3]


def test_what_is_not_stored_stays_until_it_is(root: Path, journal: Journal) -> None:
    each = Purge(root)
    journal.write([record(1)])
    purge.request(root)
    each.step(journal)
    journal.write([record(2)])
    each.step(journal)
    assert versions(journal) == [1, 2]
    first = journal.unsent_end - len(record(2))
    journal.checkpoint(first)  # the first file's, while more arrives
    each.step(journal)
    assert b"payload-1" not in content(journal)
    assert versions(journal) == [2]


def test_another_process_adopts_a_purged_journal(root: Path, journal: Journal) -> None:
    each = Purge(root)
    journal.write([record(1)])
    journal.checkpoint(journal.unsent_end)
    purge.request(root)
    each.step(journal)
    journal.write([record(2)])
    journal.release()
    found = adopt(root, 100, BIG)
    assert found is not None
    assert found[1].documents == 1
    assert found[1].lost == []


def test_requests_of_the_past_are_not_answered(root: Path, journal: Journal) -> None:
    purge.request(root)
    journal.write([record(1)])
    journal.checkpoint(journal.unsent_end)
    Purge(root).step(journal)
    assert b"payload-1" in content(journal)


def test_a_crash_before_the_files_are_deleted(
    root: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both files are there, and the checkpoint says that the first is stored."""
    journal.write([record(1)])
    journal.checkpoint(journal.unsent_end)
    monkeypatch.setattr(writer.Journal, "_delete", lambda self, files: None)
    journal.delete_stored(journal.begin_file())
    assert len(list(journal.folder.glob("*.log"))) == 2
    assert versions(journal) == []
    assert os.listdir(journal.folder)


def test_what_is_stored_is_deleted_when_nothing_arrives(
    root: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    each, clock = Purge(root), [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(purge, "WORTHWHILE", 50)

    def later(seconds: float) -> None:
        clock[0] += seconds
        each.step(journal)

    journal.write([record(1), record(2)])
    later(0)
    later(purge.IDLE)
    assert versions(journal) == [1, 2], "the store has none of them"
    journal.checkpoint(journal.unsent_end)
    later(0)
    later(purge.IDLE / 2)
    assert b"payload-1" in content(journal), "more may arrive"
    journal.write([record(3)])
    later(purge.IDLE / 2)
    journal.checkpoint(journal.unsent_end)
    later(0)
    later(purge.IDLE)
    assert b"payload" not in content(journal)
    files = sorted(journal.folder.glob("*.log"))
    later(purge.IDLE)
    assert sorted(journal.folder.glob("*.log")) == files, "there is nothing to gain"
    journal.write([record(4)])
    assert versions(journal) == [4]
