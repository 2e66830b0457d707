"""Batches on disk, waiting for the store: acknowledged documents survive a crash.

One file per batch (`collector.spool_file`), written durably (`collector.durable`). Each process has
a folder of its own and locks it for its lifetime; a folder whose lock is free belonged to a process
that died, and the first process that finds it adopts the files.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog

from collector.durable import (
    LOCK,
    TMP,
    make_folder,
    remove_folder,
    sync_folder,
    try_lock,
    write_durably,
    write_synced,
)
from collector.spool_file import Spoolable, Spooled, decode_file, encode_file

log = structlog.get_logger(__name__)

_BATCH = ".batch"
_QUARANTINED = ".quarantine"
_CORRUPT = ".corrupt"


class SpoolFull(Exception):
    """The spool has reached its bound, or the disk rejected the file."""


class _File(NamedTuple):
    name: str
    size: int


class Spool:
    """This process's batches on disk by token, oldest first. Thread-safe."""

    def __init__(self, root: Path, role: str, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._folder, self._lock_file = _own_folder(root, role)
        self._files: dict[str, _File] = {}
        """Complete files by token, in the order of replay: one being written is invisible."""
        self._size = 0
        """Bytes of all files: waiting, being written, quarantined and corrupt."""
        self._corrupt: dict[str, _File] = {}
        self.last_failed_size = 0
        """The size of the last batch that could not be written; 0 after one that could."""
        self.disk_error = ""
        """The operating system's error when the last batch could not be written; "" at the bound."""
        self.adopt()

    @property
    def root(self) -> Path:
        """The folder of all processes' spools."""
        return self._root

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._size

    @property
    def max_bytes(self) -> int:
        """The bound of `size`."""
        return self._max_bytes

    @property
    def full(self) -> bool:
        """Whether a batch of the size of the last one could not be written."""
        return self.last_failed_size > 0 or self._size >= self._max_bytes

    @property
    def corrupt_files(self) -> int:
        """Damaged files that an operator has not removed yet."""
        return len(self._corrupt)

    def __len__(self) -> int:
        return len(self._files)

    def oldest(self) -> float | None:
        """When the oldest batch was written, epoch seconds; None when none is waiting."""
        with self._lock:
            file = next(iter(self._files.values()), None)
        return int(file.name.partition("-")[0]) / 1e6 if file else None

    def write(self, documents: Sequence[Spoolable], token: str) -> None:
        """Write a batch; when this returns, it survives a crash. Raises SpoolFull.

        A token that is waiting already is not written again.
        """
        with self._lock:
            if token in self._files:
                return
        parts = encode_file(documents)
        name = f"{time.time_ns() // 1000:020d}-{token}.{len(documents)}{_BATCH}"
        file = _File(name, sum(map(len, parts)))
        self._reserve(file.size)
        try:
            write_durably(self._folder / name, parts)
        except BaseException as error:
            with self._lock:
                self._size -= file.size
                if isinstance(error, OSError):
                    self.last_failed_size, self.disk_error = file.size, error.strerror or str(error)
            if isinstance(error, OSError):
                raise SpoolFull(str(error)) from error
            raise
        with self._lock:
            self._files[token] = file
            self.last_failed_size, self.disk_error = 0, ""

    def _reserve(self, size: int) -> None:
        with self._lock:
            if self._size + size > self._max_bytes:
                self.last_failed_size, self.disk_error = size, ""
                raise SpoolFull(f"{self._size:,} of {self._max_bytes:,} bytes are in use")
            self._size += size

    def probe_free_space(self) -> bool:
        """Whether the spool has room again; after a failed write, by writing as many bytes."""
        size = self.last_failed_size
        if size and self._size + size <= self._max_bytes:
            probe = self._folder / f"probe{TMP}"
            with suppress(OSError):
                write_synced(probe, [bytes(size)])
                self.last_failed_size, self.disk_error = 0, ""
            with suppress(OSError):
                probe.unlink(missing_ok=True)
        return not self.full

    def waiting(self) -> list[str]:
        """The tokens of the batches, oldest first."""
        with self._lock:
            return list(self._files)

    def read(self, token: str) -> Spooled | None:
        """A batch, without the documents that are damaged on disk; None when its file is gone."""
        with self._lock:
            file = self._files.get(token)
        if file is None:
            return None
        try:
            data = (self._folder / file.name).read_bytes()
        except FileNotFoundError:
            self._forget(token)
            return None
        return decode_file(data, count_of(file.name))

    def remove(self, token: str) -> None:
        """Delete a batch that the store has; an unknown token is ignored."""
        with self._lock:
            file = self._files.get(token)
        if file is not None:
            (self._folder / file.name).unlink(missing_ok=True)
            self._forget(token)

    def quarantine(self, token: str) -> None:
        """Set aside a batch with documents that the store refuses. It was acknowledged: it stays on
        disk, counts against the bound, and the next process tries it again."""
        self._set_aside(token, _QUARANTINED)

    def set_corrupt_aside(self, token: str, lost: int) -> None:
        """Set aside a damaged file, of which ``lost`` documents are unreadable."""
        file = self._set_aside(token, _CORRUPT)
        if file is not None:
            with self._lock:
                self._corrupt[file.name] = file
            log.error("spool_file_corrupt", file=file.name, bytes=file.size, documents_lost=lost)

    def _set_aside(self, token: str, suffix: str) -> _File | None:
        """Rename a file so that it is not replayed; the renamed file."""
        with self._lock:
            file = self._files.pop(token, None)
        if file is None:
            return None
        path = self._folder / file.name
        path.rename(path.with_suffix(suffix))
        log.warning("spool_file_set_aside", file=path.with_suffix(suffix).name)
        return _File(path.with_suffix(suffix).name, file.size)

    def adopt(self) -> int:
        """Adopt the files of dead processes; the number of their batches."""
        self._forget_removed_corrupt_files()
        adopted = 0
        for folder in sorted(self._root.iterdir()):
            if folder != self._folder and folder.is_dir():
                adopted += self._adopt_folder(folder)
        if adopted:
            with self._lock:
                self._files = dict(sorted(self._files.items(), key=lambda item: item[1].name))
            log.info("spool_adopted", batches=adopted)
        return adopted

    def close(self) -> None:
        """Release the folder; remove it when it is empty."""
        if not self._files and not any(self._leftovers()):
            remove_folder(self._folder)
        os.close(self._lock_file)

    def _leftovers(self) -> Iterator[Path]:
        return (path for path in self._folder.iterdir() if path.name != LOCK)

    def _adopt_folder(self, folder: Path) -> int:
        lock = try_lock(folder)
        if lock is None:
            return 0
        count = 0
        try:
            for path in sorted(folder.iterdir()):
                if path.suffix == TMP:  # never completed, so never acknowledged
                    path.unlink()
                elif path.name != LOCK:
                    count += self._adopt_file(path)
            sync_folder(self._folder)
            remove_folder(folder)
        except FileNotFoundError:  # adopted by another process before the lock was taken
            pass
        finally:
            os.close(lock)
        return count

    def _adopt_file(self, path: Path) -> bool:
        """Move a dead process's file here; whether it is a batch to be replayed."""
        size = path.stat().st_size
        suffix = _BATCH if path.suffix == _QUARANTINED else path.suffix
        target = self._folder / path.with_suffix(suffix).name
        path.rename(target)
        file = _File(target.name, size)
        if suffix != _BATCH:
            with self._lock:
                self._size += size
                self._corrupt[file.name] = file
            return False
        with self._lock:
            twin = self._files.get(token_of(file.name))
            self._files[token_of(file.name)] = file
            self._size += size - (twin.size if twin else 0)
        if twin is not None and twin.name != file.name:
            (self._folder / twin.name).unlink(missing_ok=True)
        return True

    def _forget_removed_corrupt_files(self) -> None:
        for name in list(self._corrupt):
            if not (self._folder / name).exists():
                with self._lock:
                    self._size -= self._corrupt.pop(name).size

    def _forget(self, token: str) -> None:
        with self._lock:
            file = self._files.pop(token, None)
            if file is not None:
                self._size -= file.size
                self.last_failed_size, self.disk_error = 0, ""


def token_of(name: str) -> str:
    """The token in a spool file's name, ``<microseconds>-<token>.<documents>.batch``."""
    return name.partition("-")[2].partition(".")[0]


def count_of(name: str) -> int:
    """The number of documents in a spool file's name; 0 when it has none."""
    count = name.rpartition(".")[0].rpartition(".")[2]
    return int(count) if count.isdecimal() else 0


def _own_folder(root: Path, role: str) -> tuple[Path, int]:
    """A folder that no other process has, locked."""
    make_folder(root)
    while True:
        folder = root / f"{role}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(mode=0o700)
        # Another process may adopt and remove the empty folder before it is locked.
        lock = try_lock(folder)
        if lock is not None:
            sync_folder(root)
            return folder, lock
