"""Writes a journal: one folder, whose lock a process has for as long as it writes there.

A record is durable once `write` has returned. After an error the disk may have any part of what was
to be written, and a second fsync may succeed without having written anything: so the file is cut
back to what is known to be durable and never written again; the next file begins at that offset.
"""

from __future__ import annotations

import errno
import os
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from collector.durable import LOCK, make_folder, remove_folder, sync_folder, try_lock
from collector.journal.format import FILE_HEADER, Batch, checkpoint, file_header
from collector.journal.reader import file_name, files_of
from store.private_files import open_ours

MAX_FILE = 64 << 20
"""Bytes after which the next file begins: stored records are deleted by whole files."""
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Journal:
    """A journal that this process may write. Thread-safe."""

    def __init__(
        self, folder: Path, lock: int, end: int = 0, positions: Sequence[int] = (0,)
    ) -> None:
        self.folder = folder
        self.id = folder.name
        """Unique: batches in the store are recognised by it and their offsets."""
        self.end = end
        """The offset of the next record."""
        self.positions = list(positions)
        """Of each cell: everything below this offset is there."""
        self.unsent_end = end
        """Where the last record ends that is no mark."""
        self._lock_file = lock
        self._lock = threading.Lock()
        self._file = -1
        self._start = end
        """The offset of the current file's first record."""
        self._released = False
        self._files = [start for start, _ in files_of(folder)]

    @classmethod
    def create(cls, root: Path, role: str, cells: int = 1) -> Journal:
        """A new journal for a store with so many cells, empty and locked. Raises OSError."""
        make_folder(root)
        while True:
            folder = root / f"{role}-{os.getpid()}-{uuid.uuid4().hex[:12]}"
            folder.mkdir(mode=0o700)
            # Another process may adopt and remove the empty folder before it is locked.
            lock = try_lock(folder)
            if lock is not None:
                sync_folder(root)
                return cls(folder, lock, positions=[0] * cells)

    @property
    def stored(self) -> int:
        """Everything below this offset is in all cells."""
        return min(self.positions)

    def unsent_of(self, cell: int) -> int:
        """Bytes of records that a cell has not had."""
        return max(0, self.unsent_end - self.positions[cell])

    @property
    def unsent(self) -> int:
        """Bytes of records that a cell of the store has not had."""
        return max(0, self.unsent_end - self.stored)

    @property
    def bytes_on_disk(self) -> int:
        """Bytes of records in files, stored ones included."""
        with self._lock:
            return self.end - self._files[0] if self._files else 0

    def write(self, records: Sequence[bytes]) -> int:
        """Append records, durably; the offset of the first.

        Raises OSError, and then none of them is part of the journal.
        """
        with self._lock:
            start = self._write(records, sync=True)
            self.unsent_end = self.end
            return start

    def _write(self, records: Sequence[bytes], *, sync: bool) -> int:
        if self._released:
            raise OSError(errno.EBADF, "the journal has been released")
        try:
            if self._file < 0 or self.end - self._start >= MAX_FILE:
                self._open()
            _write_all(self._file, records)
            if sync:
                os.fdatasync(self._file)
        except OSError:
            self._abandon()
            raise
        start, self.end = self.end, self.end + sum(map(len, records))
        return start

    def _open(self) -> None:
        """Begin a file; durable, name included, before a record is in it."""
        self._close()
        path = self.folder / file_name(self.end)
        with suppress(FileNotFoundError):
            path.unlink()  # begun, and abandoned before it had a record
        file = os.open(path, _FLAGS, 0o600)
        try:
            _write_all(file, [file_header(self.end)])
            os.fsync(file)
            sync_folder(self.folder)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        self._file, self._start = file, self.end
        if self.end not in self._files:
            self._files.append(self.end)

    def _abandon(self) -> None:
        if self._file >= 0:
            # Readers ignore what is behind the start of the next file, but there may be none.
            with suppress(OSError):
                os.ftruncate(self._file, FILE_HEADER + self.end - self._start)
                os.fsync(self._file)
        self._close()

    def _close(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def mark(self, batch: Batch) -> None:
        """Fix what is inserted together, durably, before it is.

        On a full disk it cannot be, and is inserted all the same, to make room: a crash at that
        moment then repeats an insert with another token, and `revision` counts it twice.
        """
        with self._lock, suppress(OSError):
            self._write([batch.encode()], sync=True)

    def checkpoint(self, upto: int, cell: int = 0) -> None:
        """Everything below is in this cell: files below the positions of all are deleted.

        Synced only before files are deleted, whose absence it explains: without a checkpoint, inserts
        are repeated that change nothing. It is written after the deletion when the disk is full.
        """
        with self._lock:
            self.positions[cell] = max(self.positions[cell], upto)
            record = [checkpoint(self.positions)]
            if self._released:
                return
            obsolete = self._obsolete()
            try:
                self._write(record, sync=bool(obsolete))
                self._delete(obsolete)
            except OSError:
                with suppress(OSError):
                    self._delete(self._obsolete())
                    self._write(record, sync=True)

    def _obsolete(self) -> list[int]:
        """Files that end below the checkpoint."""
        ends = [*self._files[1:], self.end if self._file < 0 else self.stored + 1]
        return [start for start, end in zip(self._files, ends, strict=False) if end <= self.stored]

    def _delete(self, files: Sequence[int]) -> None:
        for start in files:
            (self.folder / file_name(start)).unlink(missing_ok=True)
            self._files.remove(start)

    def begin_file(self) -> int:
        """Let the next record begin a file; the offset where it will, up to which no file remains once
        the store has it."""
        with self._lock:
            self._close()
            return self.end

    def delete_stored(self, below: int) -> bool:
        """Whether no file has records below an offset any more; deletes all if the store has every
        record. Raises OSError."""
        with self._lock:
            if not self._released and self._files and self._files[0] < below and not self.unsent:
                old = list(self._files)
                self._close()
                self.positions = [self.end] * len(self.positions)
                self._write([checkpoint(self.positions)], sync=True)
                self._delete([start for start in old if start < self.stored])
            return not self._files or self._files[0] >= below

    def probe(self, size: int) -> bool:
        """Whether the disk takes this many bytes."""
        path = self.folder / "probe.tmp"
        try:
            file = open_ours(path, os.O_WRONLY | os.O_CREAT)
            try:
                _write_all(file, [bytes(size)])
                os.fsync(file)
            finally:
                os.close(file)
        except OSError:
            return False
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        return True

    def release(self) -> None:
        """Leave the journal to another process."""
        if self._finish():
            os.close(self._lock_file)

    def remove(self) -> None:
        """Delete the journal, all of which is in the store."""
        if not self._finish():
            return
        for path in self.folder.iterdir():
            if path.name != LOCK:
                path.unlink(missing_ok=True)
        remove_folder(self.folder)
        os.close(self._lock_file)

    def _finish(self) -> bool:
        """Close for good; False when that has been done."""
        with self._lock:
            self._close()
            released, self._released = self._released, True
            return not released


def _write_all(file: int, parts: Sequence[bytes]) -> None:
    """Write all bytes; a partial write goes on where it ended."""
    rest = memoryview(b"".join(parts))
    while rest:
        rest = rest[os.write(file, rest) :]
