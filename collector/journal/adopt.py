"""Journals that dead processes left: found, locked, and protected from a record that kills.

A folder whose lock is free belonged to a process that died. The first process that takes the lock
adopts the journal; it stays where it is, so that another one can go on when this one dies too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct, structs

from collector.durable import LOCK, remove_folder, try_lock
from collector.journal.reader import Contents, Part, scan
from collector.journal.writer import Journal
from collector.log_limiter import LogLimiter
from store.private_files import open_ours

_limiter = LogLimiter(structlog.get_logger(__name__), 10.0)

DAMAGED = "damaged"
"""Folder of damaged files, which stay until an operator removes them."""
_ATTEMPTS = "attempts"
MAX_DEATHS = 3
"""Processes that die in the same batch before the record that they were decoding is set aside."""


def folders(root: Path) -> list[Path]:
    """The folders of journals, those in use included."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name != DAMAGED)


def left_behind(root: Path) -> bool:
    """Whether there is a journal whose process is dead."""
    for folder in folders(root):
        lock = try_lock(folder)
        if lock is not None:
            os.close(lock)
            return True
    return False


def adopt(
    root: Path,
    max_documents: int,
    max_bytes: int,
    unreadable: dict[str, str] | None = None,
    cells: int = 1,
) -> tuple[Journal, Contents] | None:
    """The first journal whose process is dead, with its contents; None if there is none.

    Those that cannot be read now are added to ``unreadable`` with the reason, and passed over.
    """
    for folder in folders(root):
        lock = try_lock(folder)
        if lock is None:
            continue
        try:
            contents = None if _is_empty(folder) else scan(folder, max_documents, max_bytes, cells)
        except OSError as error:  # others may be readable
            _limiter.error("journal_unreadable", journal=str(folder), error=str(error))
            if unreadable is not None:
                unreadable[folder.name] = error.strerror or str(error)
            os.close(lock)
            continue
        if contents is None:
            remove_folder(folder)
            os.close(lock)
            continue
        journal = Journal(folder, lock, contents.end, contents.positions)
        ends = [batch.end for batch in contents.slowest.batches]
        journal.unsent_end = max([*journal.positions, *ends])
        return journal, contents
    return None


def _is_empty(folder: Path) -> bool:
    return all(path.name == LOCK for path in folder.iterdir())


def set_damaged_aside(root: Path, journal: str, parts: Iterable[Part]) -> None:
    """Retain the files with damage, under another name, beyond the end of their journal."""
    folder = root / DAMAGED
    folder.mkdir(mode=0o700, exist_ok=True)
    for part in parts:
        with suppress(FileExistsError, FileNotFoundError):
            os.link(part.path, folder / f"{journal}-{part.path.name}")


def damaged_files(root: Path) -> int:
    """How many files an operator has not looked at."""
    try:
        return sum(1 for _ in os.scandir(root / DAMAGED))
    except OSError:
        return 0


class _Note(Struct):
    """The batch being decoded, by its offset, and the deaths in it; the record, once it is looked for."""

    batch: int = -1
    deaths: int = 0
    record: int = -1
    set_aside: list[int] = []


class Attempts:
    """Notes in the journal's folder what is being decoded, so that the next process knows what this
    one died of. Not synced: the notes outlive a process, and a power cut is no record's fault."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _ATTEMPTS
        self._note = _Note()
        with suppress(OSError, msgspec.MsgspecError):
            self._note = msgspec.json.decode(self._path.read_bytes(), type=_Note)

    def begin(self, batch: int) -> list[int]:
        """Before a batch is decoded. The records to be left out, by their offsets."""
        last = self._note
        deaths = last.deaths + 1 if last.batch == batch else 0
        set_aside = last.set_aside
        if deaths >= MAX_DEATHS and last.record >= 0:
            set_aside, deaths = [*set_aside, last.record], MAX_DEATHS - 1
        self._write(_Note(batch, deaths, -1, set_aside))
        return set_aside

    def at(self, record: int) -> None:
        """Before a record is decoded: noted once processes have died in its batch."""
        if self._note.deaths >= MAX_DEATHS - 1:
            self._write(structs.replace(self._note, record=record))

    def end(self) -> None:
        """The batch has been decoded."""
        self._note = _Note(set_aside=self._note.set_aside)
        if self._note.set_aside:
            self._write(self._note)
        else:
            self._path.unlink(missing_ok=True)

    def _write(self, note: _Note) -> None:
        self._note = note
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with open(open_ours(self._path, flags), "wb") as file:
                file.write(msgspec.json.encode(note))
