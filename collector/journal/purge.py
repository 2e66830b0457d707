"""Deletes what the store has from a journal's files, on request.

Files are otherwise deleted as a whole, up to 64 MiB later. A request is the time of a file that any process
of the data directory looks at; each answers by deleting its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from collector.journal.writer import Journal

REQUEST = "purge"


def request(root: Path) -> None:
    """Ask all processes that write journals below a folder. Raises OSError."""
    path = root / REQUEST
    path.touch(mode=0o600)
    os.utime(path)


class Purge:
    """Answers requests, for the journal that a process writes."""

    def __init__(self, root: Path) -> None:
        self._path = root / REQUEST
        self._done = self._requested()
        self._journal: Journal | None = None
        self._below = 0

    def step(self, journal: Journal) -> None:
        """Go on with a request, if there is one. To be called repeatedly. Raises OSError."""
        requested = self._requested()
        if requested == self._done:
            return
        if self._journal is not journal:
            self._journal, self._below = journal, journal.begin_file()
        if journal.delete_stored(self._below):
            self._done, self._journal = requested, None

    def _requested(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0
