"""A journal file as it can be read: what the disk does not give back is zeros, and counted."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Self

_PAGE = 4096
"""Bytes that a disk loses at least."""


class Source:
    """An open file. No checksum takes zeros for a record, so an unreadable page is damage like any
    other: it costs the records in it. Raises OSError for whatever else may go wrong."""

    def __init__(self, path: Path) -> None:
        self.failures = 0
        """Failed reads so far."""
        self.size = os.stat(path).st_size
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def read(self, offset: int, size: int) -> bytes:
        """These bytes; fewer at the end of the file."""
        parts, end = [], min(offset + size, self.size)
        while offset < end:
            parts.append(self._read(offset, end) or bytes(end - offset))
            offset += len(parts[-1])
        return b"".join(parts)

    def _read(self, offset: int, end: int) -> bytes:
        if self._file < 0:
            self.failures += 1
            return b""
        page = min(end, (offset // _PAGE + 1) * _PAGE)
        for stop in (end, page):
            try:
                return os.pread(self._file, stop - offset, offset)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
        self.failures += 1
        return bytes(page - offset)
