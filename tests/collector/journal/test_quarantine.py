"""Documents set aside: with the reason, durably, and never half a line."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest

from collector.journal import quarantine as quarantine_module
from collector.journal.format import Kind
from collector.journal.quarantine import Quarantine, Quarantined
from tests.collector.journal.disk import Disk

real_decode = quarantine_module._decode


def fails_in(name: str, _number: int, called: str) -> int:
    """Every call of this name fails."""
    return 28 if called == name else 0


def test_added_and_read(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    assert (quarantine.documents(), list(quarantine.read())) == (0, [])
    quarantine.add("too large", Kind.STORED, 7, 3, b"\x01\xff")
    (entry,) = quarantine.read()
    assert (entry.reason, entry.kind, entry.version, entry.documents) == ("too large", 6, 7, 3)
    assert entry.payload == b"\x01\xff"
    assert Quarantine(tmp_path).documents() == quarantine.documents() == 3
    assert (tmp_path / "quarantine.jsonl").stat().st_mode & 0o077 == 0


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.add("first", Kind.STORED, 1, 1, b"x" * 100)
    for name in ("write", "fsync"):
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, tmp_path)
            disk.fails = partial(fails_in, name)
            with pytest.raises(OSError, match="No space"):
                quarantine.add("second", Kind.STORED, 2, 1, b"y" * 100)
    quarantine.add("third", Kind.STORED, 3, 1, b"z")
    assert [entry.reason for entry in quarantine.read()] == ["first", "third"]


def test_emptied_while_others_add(tmp_path: Path) -> None:
    """Each entry is either taken or still there."""
    taken: list[int] = []
    quarantine = Quarantine(tmp_path)

    def add(first: int) -> None:
        for number in range(first, first + 20):
            Quarantine(tmp_path).add("r", Kind.STORED, number, 1, b"x")

    threads = [threading.Thread(target=add, args=(n * 20,)) for n in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with quarantine.emptying() as entries:
            taken += [entry.version for entry in entries]
    with quarantine.emptying() as entries:
        taken += [entry.version for entry in entries]
    assert sorted(taken) == list(range(60))
    assert not (tmp_path / "quarantine.jsonl").exists()


def test_an_error_while_emptying_loses_nothing(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.add("r", Kind.STORED, 1, 1, b"x")
    with pytest.raises(RuntimeError), quarantine.emptying():
        raise RuntimeError
    assert quarantine.documents() == 1


def test_bounded(tmp_path: Path) -> None:
    """By documents and by bytes, counting those of other processes; emptied, it takes more."""
    quarantine = Quarantine(tmp_path, max_bytes=2000, max_documents=5)
    assert Quarantine(tmp_path).add("other", Kind.STORED, 1, 3, b"x")
    assert quarantine.add("fits", Kind.STORED, 2, 2, b"x")
    assert not quarantine.add("one too many", Kind.STORED, 3, 1, b"x")
    with quarantine.emptying() as entries:
        assert [entry.reason for entry in entries] == ["other", "fits"]
    assert not quarantine.add("too large", Kind.STORED, 4, 1, b"x" * 2000)
    assert quarantine.add("fits again", Kind.STORED, 5, 5, b"x")
    assert (quarantine.documents(), quarantine.dropped) == (5, 2)
    assert quarantine.path.stat().st_size < 2000


def test_counts_what_was_added_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the whole file again, which may be large; half a line is counted once it is complete."""
    quarantine = Quarantine(tmp_path)
    quarantine.add("r", Kind.STORED, 1, 1, b"x" * 1000)
    assert quarantine.documents() == 1
    with quarantine.path.open("ab") as file:
        line = quarantine.path.read_bytes()
        file.write(line[:50])
        file.flush()
        assert quarantine.documents() == 1
        file.write(line[50:])
    decoded: list[bytes] = []

    def decode(line: bytes) -> Quarantined | None:
        decoded.append(line)
        return real_decode(line)

    monkeypatch.setattr(quarantine_module, "_decode", decode)
    assert (quarantine.documents(), len(decoded)) == (2, 1)


def test_entries_are_rewritten(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.rewrite(lambda entry: [])  # there is none
    for number in (1, 2, 3):
        quarantine.add("bad", 6, number, 1, b"payload-%d" % number)
    quarantine.rewrite(lambda entry: [] if entry.version == 2 else [entry])
    assert [entry.version for entry in quarantine.read()] == [1, 3]
    assert quarantine.documents() == 2
    quarantine.add("bad", 6, 4, 1, b"x")
    assert quarantine.documents() == 3
    quarantine.rewrite(lambda entry: [])
    assert not quarantine.path.exists()
    assert quarantine.documents() == 0
