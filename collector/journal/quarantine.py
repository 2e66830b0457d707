"""Acknowledged documents that cannot be stored as they are, in one file, each with the reason.

JSON lines, synced one by one. An operator inspects them and tries again with `raymap journal`.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

NAME = "quarantine.jsonl"


class Quarantined(Struct):
    """A payload as the journal had it, when it was set aside (epoch seconds) and why."""

    at: float
    reason: str
    kind: int
    version: int
    documents: int
    payload: bytes
    """Base64 in the file."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Quarantined)


class Quarantine:
    """The file, shared by all processes of a data directory. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self.path = root / NAME
        self._counted: tuple[tuple[int, int], int] = ((0, 0), 0)

    def add(self, reason: str, kind: int, version: int, documents: int, payload: bytes) -> None:
        """Append, durably. Raises OSError."""
        line = _encoder.encode(Quarantined(time.time(), reason, kind, version, documents, payload))
        with _locked(self.path) as file:
            size = os.fstat(file).st_size
            try:
                rest = memoryview(line + b"\n")
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)
                raise

    def documents(self) -> int:
        """The number of documents, read again only when the file has changed."""
        try:
            stat = self.path.stat()
        except OSError:
            return 0
        state = (stat.st_size, stat.st_mtime_ns)
        if self._counted[0] != state:
            self._counted = state, sum(each.documents for each in self.read())
        return self._counted[1]

    def read(self) -> Iterator[Quarantined]:
        """All entries; a line that is damaged is left out."""
        try:
            with self.path.open("rb") as file:
                for line in file:
                    try:
                        yield _decoder.decode(line)
                    except msgspec.MsgspecError:
                        continue
        except FileNotFoundError:
            return

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
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
