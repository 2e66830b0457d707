"""Deletes what the store has from a journal's files, on request and when nothing arrives any more.

Under load files are deleted as a whole, up to 64 MiB later. A request is the time of a file that any process
of the data directory looks at; each answers by deleting its own.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from collector.journal.writer import Journal

REQUEST = "purge"
IDLE = 10.0
"""Seconds without a record after which what the store has is deleted."""
WORTHWHILE = 1 << 20
"""Bytes on disk for which that is done; it takes three syncs."""


def request(root: Path) -> None:
    """Ask all processes that write journals below a folder. Raises OSError."""
    path = root / REQUEST
    path.touch(mode=0o600)
    os.utime(path)


class Purge:
    """Answers requests, and notices idleness, for the journal that a process writes."""

    def __init__(self, root: Path) -> None:
        self._path = root / REQUEST
        self._done = self._requested()
        self._journal: Journal | None = None
        self._below = 0
        self._end = 0
        self._written = 0.0
        """When the journal was last seen to end elsewhere than at `_end` (monotonic)."""

    def step(self, journal: Journal) -> None:
        """Go on with a request, if there is one. To be called repeatedly. Raises OSError."""
        requested = self._requested()
        if requested == self._done:
            if self._is_idle(journal):
                journal.delete_stored(journal.begin_file())
            return
        if self._journal is not journal:
            self._journal, self._below = journal, journal.begin_file()
        if journal.delete_stored(self._below):
            self._done, self._journal = requested, None

    def _is_idle(self, journal: Journal) -> bool:
        """Whether a while has passed without a record, and much is on disk that the store has."""
        now = time.monotonic()
        if journal.end != self._end:
            self._end, self._written = journal.end, now
        waited = now - self._written >= IDLE
        return waited and not journal.unsent and journal.bytes_on_disk >= WORTHWHILE

    def _requested(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0
