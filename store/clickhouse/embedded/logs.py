"""The log files of the embedded engine. They have the text of queries that failed, and so what was looked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def empty_logs(data_dir: Path) -> int:
    """Delete what the engine has logged, and its older log files; how many files contained something.

    The engine appends to the files that it has open, so these are emptied in place.
    """
    found = [path for path in _files(data_dir) if path.stat().st_size]
    for path in found:
        if path.suffix == ".log":
            os.truncate(path, 0)
        else:
            path.unlink(missing_ok=True)
    return len(found)


def _files(data_dir: Path) -> Iterator[Path]:
    """Rotated ones have a number or a time behind their names."""
    for path in (data_dir.absolute() / "clickhouse").glob("server*.log*"):
        if path.is_file() and not path.is_symlink():
            yield path
