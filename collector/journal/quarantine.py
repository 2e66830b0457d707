"""Acknowledged documents that cannot be stored as they are, in one file, each with the reason.

JSON lines, synced one by one. An operator inspects them and tries again with `raymap journal`.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from store.private_files import open_ours

NAME = "quarantine.jsonl"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
MAX_BYTES = 256 << 20
MAX_DOCUMENTS = 100_000
"""Bounds of the file. A store that refuses everything would otherwise fill the disk; what comes later
is dropped, counted and reported."""


class Quarantined(Struct):
    """A payload as the journal had it, when it was set aside (epoch seconds) and why."""

    at: float
    reason: str
    kind: int
    version: int
    documents: int
    payload: bytes
    """Base64 in the file."""


class _Counted(NamedTuple):
    """How much of which file has been counted."""

    inode: int
    size: int
    documents: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Quarantined)


def _decode(line: bytes) -> Quarantined | None:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError:
        return None


class Quarantine:
    """The file, shared by all processes of a data directory. Thread-safe."""

    def __init__(
        self, root: Path, max_bytes: int = MAX_BYTES, max_documents: int = MAX_DOCUMENTS
    ) -> None:
        self.path = root / NAME
        self._max_bytes, self._max_documents = max_bytes, max_documents
        self._lock = threading.Lock()
        self._counted = _Counted(0, 0, 0)
        self.dropped = 0
        """Documents for which this process has found no room."""

    def add(self, reason: str, kind: int, version: int, documents: int, payload: bytes) -> bool:
        """Append, durably; False when the bound is reached. Raises OSError."""
        line = _encoder.encode(Quarantined(time.time(), reason, kind, version, documents, payload))
        with _locked(self.path) as file:
            size = os.fstat(file).st_size
            full = size + len(line) >= self._max_bytes
            if full or self.documents() + documents > self._max_documents:
                self.dropped += documents
                return False
            try:
                rest = memoryview(line + b"\n")
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)
                raise
            return True

    def documents(self) -> int:
        """The number of documents; only what has been added since the last call is read."""
        with self._lock:
            try:
                stat = self.path.stat()
            except OSError:
                return 0
            known = self._counted
            if known.inode != stat.st_ino or known.size > stat.st_size:
                known = _Counted(stat.st_ino, 0, 0)
            if known.size < stat.st_size:
                size, documents = known.size, known.documents
                for line, entry in self._lines(known.size):
                    size += len(line)
                    documents += entry.documents if entry else 0
                known = _Counted(stat.st_ino, size, documents)
            self._counted = known
            return known.documents

    def read(self) -> Iterator[Quarantined]:
        """All entries; a line that is damaged is left out."""
        return (entry for _, entry in self._lines(0) if entry is not None)

    def _lines(self, start: int) -> Iterator[tuple[bytes, Quarantined | None]]:
        """The complete lines from a place on, decoded unless they are damaged."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(start)
            for line in file:
                if line.endswith(b"\n"):
                    yield line, _decode(line)

    def rewrite(self, change: Callable[[Quarantined], Sequence[Quarantined]]) -> None:
        """Replace each entry by what ``change`` makes of it, atomically. Raises OSError."""
        if not self.path.exists():
            return
        with _locked(self.path):
            temporary = self.path.with_suffix(".new")
            with open(open_ours(temporary, _NEW), "wb") as file:
                for entry in self.read():
                    for each in change(entry):
                        file.write(_encoder.encode(each) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if temporary.stat().st_size:
                temporary.replace(self.path)
            else:
                temporary.unlink()
                self.path.unlink()

    @contextmanager
    def emptying(self) -> Iterator[list[Quarantined]]:
        """All entries; the file is deleted when the block ends without an error."""
        with _locked(self.path):
            yield list(self.read())
            self.path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open for appending and locked against other processes."""
    while True:
        file = open_ours(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _has_name(file, path):
                yield file
                return
        finally:
            os.close(file)


def _has_name(file: int, path: Path) -> bool:
    """Whether the file was not deleted before it was locked."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
