"""Batches on disk, waiting for the store: what was acknowledged is kept.

One file per batch, written aside, fsynced, renamed, and the folder fsynced. Each process has a
folder of its own and holds a lock on it for as long as it lives; a folder whose lock is free
belonged to a process that died, and whoever finds it takes the files over.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from store.model import Document

log = structlog.get_logger(__name__)

MAGIC = b"raymap spool 1\n"
_DIGEST = 16
_SUFFIX = ".batch"
_LOCK = "lock"


class SpoolFull(Exception):
    """The spool may not grow, or the disk would not take the file."""


class Spooled(NamedTuple):
    """One batch read back: its token, and each document's version and bytes."""

    token: str
    documents: list[tuple[int, bytes]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Spooled)


class Spool:
    """This process's batches on disk, oldest first. Threads may share it."""

    def __init__(self, root: Path, role: str, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._folder, self._lock_file = _own_folder(root, role)
        self._files: dict[str, int] = {}
        """Name → size, in the order of replay."""
        self.adopt()

    @property
    def size(self) -> int:
        """Bytes waiting."""
        with self._lock:
            return sum(self._files.values())

    @property
    def full(self) -> bool:
        """Whether nothing more may be written."""
        return self.size >= self._max_bytes

    def __len__(self) -> int:
        return len(self._files)

    def oldest(self) -> float | None:
        """When the oldest batch was written, epoch seconds; None when nothing waits."""
        with self._lock:
            name = next(iter(self._files), None)
        return int(name.partition("-")[0]) / 1e6 if name else None

    def write(self, documents: Sequence[Document], token: str) -> None:
        """Keep a batch: when it returns, the batch survives a crash. Raises SpoolFull."""
        pairs = [(document.version, document.raw) for document in documents]
        payload = _encoder.encode(Spooled(token, pairs))
        data = MAGIC + blake2b(payload, digest_size=_DIGEST).digest() + payload
        name = f"{time.time_ns() // 1000:020d}-{token}{_SUFFIX}"
        with self._lock:
            used = sum(self._files.values())
            if used + len(data) > self._max_bytes:
                raise SpoolFull(f"{used:,} of {self._max_bytes:,} bytes are taken")
            self._files[name] = len(data)
        try:
            _write_durably(self._folder / name, data)
        except OSError as error:
            with self._lock:
                del self._files[name]
            log.error("spool_write_failed", error=str(error))
            raise SpoolFull(str(error)) from error

    def waiting(self) -> list[str]:
        """The names of the batches, in order of arrival."""
        with self._lock:
            return list(self._files)

    def read(self, name: str) -> Spooled | None:
        """A batch; None when it is gone, or was torn by a crash and has been set aside."""
        path = self._folder / name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            self._forget(name)
            return None
        start = len(MAGIC) + _DIGEST
        payload = data[start:]
        digest = blake2b(payload, digest_size=_DIGEST).digest()
        if data[:start] == MAGIC + digest:
            try:
                return _decoder.decode(payload)
            except msgspec.MsgspecError:
                pass
        self._forget(name)
        path.rename(path.with_suffix(".torn"))
        log.error("spool_file_torn", file=name, bytes=len(data))
        return None

    def remove(self, token: str) -> None:
        """Forget a batch that the store has; unknown tokens are none of our business."""
        with self._lock:
            ours = [name for name in self._files if token_of(name) == token]
        for name in ours:
            (self._folder / name).unlink(missing_ok=True)
            self._forget(name)

    def adopt(self) -> int:
        """Take over what dead processes left; the number of their batches."""
        adopted = 0
        for folder in sorted(self._root.iterdir()):
            if folder != self._folder and folder.is_dir():
                adopted += self._adopt(folder)
        if adopted:
            _sync_folder(self._folder)
            with self._lock:
                self._files = dict(sorted(self._files.items()))
            log.info("spool_adopted", batches=adopted)
        return adopted

    def close(self) -> None:
        """Let go of the folder; remove it when nothing waits."""
        if not self._files and not any(self._leftovers()):
            (self._folder / _LOCK).unlink(missing_ok=True)
            self._folder.rmdir()
        os.close(self._lock_file)

    def _leftovers(self) -> Iterator[Path]:
        return (path for path in self._folder.iterdir() if path.name != _LOCK)

    def _adopt(self, folder: Path) -> int:
        lock = _try_lock(folder)
        if lock is None:
            return 0
        count = 0
        try:
            for path in sorted(folder.iterdir()):
                if path.suffix == ".aside":  # never finished, so never acknowledged
                    path.unlink()
                elif path.name != _LOCK:
                    size = path.stat().st_size
                    path.rename(self._folder / path.name)
                    if path.suffix == _SUFFIX:
                        count += 1
                        with self._lock:
                            self._files[path.name] = size
            _sync_folder(self._folder)
            (folder / _LOCK).unlink(missing_ok=True)
            folder.rmdir()
        except FileNotFoundError:  # someone else adopted it between our look and our lock
            pass
        finally:
            os.close(lock)
        return count

    def _forget(self, name: str) -> None:
        with self._lock:
            self._files.pop(name, None)


def token_of(name: str) -> str:
    """The token in a spool file's name."""
    return name.partition("-")[2].removesuffix(_SUFFIX)


def _own_folder(root: Path, role: str) -> tuple[Path, int]:
    """A folder nobody else has, locked."""
    root.mkdir(parents=True, exist_ok=True)
    while True:
        folder = root / f"{role}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        lock = _try_lock(folder)
        # Another process may have taken the empty folder for a dead one's before it was locked.
        if lock is not None and (folder / _LOCK).exists():
            _sync_folder(root)
            return folder, lock
        if lock is not None:
            os.close(lock)


def _try_lock(folder: Path) -> int | None:
    """The descriptor of the folder's lock; None when someone has it or the folder is gone."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _write_durably(path: Path, data: bytes) -> None:
    aside = path.with_suffix(".aside")
    try:
        with open(aside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
