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
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
import structlog
import zstandard

log = structlog.get_logger(__name__)

MAGIC = b"raymap spool 2\n"
_MAGIC_1 = b"raymap spool 1\n"
"""Of releases that did not compress."""
_DIGEST = 16
_SUFFIX = ".batch"
_REFUSED = ".refused"
_ASIDE = ".aside"
_LOCK = "lock"


class SpoolFull(Exception):
    """The spool may not grow, or the disk would not take the file."""


class Spooled(NamedTuple):
    """One batch read back: its token, and each document's version and bytes."""

    token: str
    documents: list[tuple[int, bytes]]


class Written(Protocol):
    """What a document can be made of again."""

    @property
    def version(self) -> int: ...
    @property
    def raw(self) -> bytes: ...


class _File(NamedTuple):
    name: str
    size: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Spooled)


class Spool:
    """This process's batches on disk, by token, oldest first. Threads may share it."""

    def __init__(self, root: Path, role: str, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._folder, self._lock_file = _own_folder(root, role)
        self._files: dict[str, _File] = {}
        """Whole files by token, in the order of replay: nobody sees one that is being written."""
        self._size = 0
        """Bytes of the files, of those being written and of those the store refused."""
        self.last_failed_size = 0
        """The size of the last batch that could not be written; 0 after one that could."""
        self.adopt()

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
        """Whether a batch like the last one would not be taken."""
        return self.last_failed_size > 0 or self._size >= self._max_bytes

    def __len__(self) -> int:
        return len(self._files)

    def oldest(self) -> float | None:
        """When the oldest batch was written, epoch seconds; None when nothing waits."""
        with self._lock:
            file = next(iter(self._files.values()), None)
        return int(file.name.partition("-")[0]) / 1e6 if file else None

    def write(self, documents: Sequence[Written], token: str) -> None:
        """Keep a batch: when it returns, the batch survives a crash. Raises SpoolFull.

        A token that waits already is kept already.
        """
        with self._lock:
            if token in self._files:
                return
        pairs = [(document.version, document.raw) for document in documents]
        # Level 1: as fast as the disk, and an outage of the same bytes lasts five times as long.
        payload = zstandard.ZstdCompressor(level=1).compress(_encoder.encode(Spooled(token, pairs)))
        header = MAGIC + blake2b(payload, digest_size=_DIGEST).digest()
        file = _File(f"{time.time_ns() // 1000:020d}-{token}{_SUFFIX}", len(header) + len(payload))
        with self._lock:
            if self._size + file.size > self._max_bytes:
                self.last_failed_size = file.size
                raise SpoolFull(f"{self._size:,} of {self._max_bytes:,} bytes are taken")
            self._size += file.size
        try:
            _write_durably(self._folder / file.name, header, payload)
        except OSError as error:
            with self._lock:
                self._size -= file.size
                self.last_failed_size = file.size
            raise SpoolFull(str(error)) from error
        except BaseException:
            with self._lock:
                self._size -= file.size
            raise
        with self._lock:
            self._files[token] = file
            self.last_failed_size = 0

    def probe_free_space(self) -> bool:
        """After a denied write: whether there is room again, found out by writing as much."""
        last_failed_size = self.last_failed_size
        if last_failed_size and self._size + last_failed_size <= self._max_bytes:
            probe = self._folder / f"probe{_ASIDE}"
            with suppress(OSError):
                _write_synced(probe, bytes(last_failed_size))
                self.last_failed_size = 0
            with suppress(OSError):
                probe.unlink(missing_ok=True)
        return not self.full

    def waiting(self) -> list[str]:
        """The tokens of the batches, in order of arrival."""
        with self._lock:
            return list(self._files)

    def read(self, token: str) -> Spooled | None:
        """A batch; None when it is gone, or was torn by a crash and has been set aside."""
        with self._lock:
            file = self._files.get(token)
        if file is None:
            return None
        path = self._folder / file.name
        try:
            data = memoryview(path.read_bytes())
        except FileNotFoundError:
            self._forget(token)
            return None
        start = len(MAGIC) + _DIGEST
        payload = data[start:]
        digest = blake2b(payload, digest_size=_DIGEST).digest()
        with suppress(msgspec.MsgspecError, zstandard.ZstdError):
            if data[:start] == MAGIC + digest:
                return _decoder.decode(zstandard.ZstdDecompressor().decompress(payload))
            if data[:start] == _MAGIC_1 + digest:
                return _decoder.decode(payload)
        path.rename(path.with_suffix(".torn"))
        self._forget(token)
        log.error("spool_file_torn", file=file.name, bytes=len(data))
        return None

    def remove(self, token: str) -> None:
        """Forget a batch that the store has; unknown tokens are none of our business."""
        with self._lock:
            file = self._files.get(token)
        if file is not None:
            (self._folder / file.name).unlink(missing_ok=True)
            self._forget(token)

    def quarantine(self, token: str) -> None:
        """Set a batch aside some of whose documents the store refuses. It was acknowledged: it
        stays on disk, counted against the bound, and the next life tries it again."""
        with self._lock:
            file = self._files.pop(token, None)
        if file is not None:
            path = self._folder / file.name
            path.rename(path.with_suffix(_REFUSED))
            log.error("spool_file_refused", file=path.with_suffix(_REFUSED).name)

    def adopt(self) -> int:
        """Take over what dead processes left; the number of their batches."""
        adopted = 0
        for folder in sorted(self._root.iterdir()):
            if folder != self._folder and folder.is_dir():
                adopted += self._adopt(folder)
        if adopted:
            with self._lock:
                self._files = dict(sorted(self._files.items(), key=lambda item: item[1].name))
            log.info("spool_adopted", batches=adopted)
        return adopted

    def close(self) -> None:
        """Let go of the folder; remove it when nothing waits."""
        if not self._files and not any(self._leftovers()):
            _remove_folder(self._folder)
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
                if path.suffix == _ASIDE:  # never finished, so never acknowledged
                    path.unlink()
                elif path.name != _LOCK:
                    count += self._take_over(path)
            _sync_folder(self._folder)
            _remove_folder(folder)
        except FileNotFoundError:  # someone else adopted it between our look and our lock
            pass
        finally:
            os.close(lock)
        return count

    def _take_over(self, path: Path) -> bool:
        """Move a dead process's file here; whether it is a batch to be replayed."""
        size = path.stat().st_size
        suffix = _SUFFIX if path.suffix == _REFUSED else path.suffix
        ours = self._folder / path.with_suffix(suffix).name
        path.rename(ours)
        if suffix != _SUFFIX:
            return False
        with self._lock:
            twin = self._files.get(token_of(ours.name))
            self._files[token_of(ours.name)] = _File(ours.name, size)
            self._size += size - (twin.size if twin else 0)
        if twin is not None and twin.name != ours.name:
            (self._folder / twin.name).unlink(missing_ok=True)
        return True

    def _forget(self, token: str) -> None:
        with self._lock:
            file = self._files.pop(token, None)
            if file is not None:
                self._size -= file.size
                self.last_failed_size = 0


def token_of(name: str) -> str:
    """The token in a spool file's name."""
    return name.partition("-")[2].removesuffix(_SUFFIX)


def _own_folder(root: Path, role: str) -> tuple[Path, int]:
    """A folder nobody else has, locked."""
    _make_folder(root)
    while True:
        folder = root / f"{role}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        # Another process may take the empty folder for a dead one's before it is locked.
        lock = _try_lock(folder)
        if lock is not None:
            _sync_folder(root)
            return folder, lock


def _try_lock(folder: Path) -> int | None:
    """The descriptor of the folder's lock; None when someone has it or the folder is gone."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(folder / _LOCK)):
            return lock
    except (BlockingIOError, FileNotFoundError):  # someone has it, or has just removed it
        pass
    except OSError:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _remove_folder(folder: Path) -> None:
    (folder / _LOCK).unlink(missing_ok=True)
    with suppress(OSError):  # someone is looking into it at this moment: it is theirs to remove
        folder.rmdir()


def _write_durably(path: Path, *parts: bytes) -> None:
    """Aside, fsync, rename, fsync of the folder; after an error nothing is left."""
    tmp = path.with_suffix(_ASIDE)
    try:
        _write_synced(tmp, *parts)
        os.rename(tmp, path)
        _sync_folder(path.parent)
    except OSError:
        tmp.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise


def _write_synced(path: Path, *parts: bytes) -> None:
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def _make_folder(folder: Path) -> None:
    """The folder and those above it, each of them safe on disk."""
    missing = [folder, *folder.parents]
    missing = missing[: next(n for n, path in enumerate(missing) if path.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
