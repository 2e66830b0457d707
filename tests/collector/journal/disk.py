"""A disk that fails at a chosen call, and forgets at a power cut what was not synced."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CALLS = ("open", "write", "fdatasync", "fsync", "ftruncate")


class Disk:
    """Stands before the system calls of `os` while `patched`."""

    def __init__(self, patch: pytest.MonkeyPatch, root: Path) -> None:
        self._root = str(root)
        self.calls = 0
        self.fails: Callable[[int, str], int] = lambda number, name: 0
        """errno for the nth call, from 1 on; 0: it succeeds."""
        self.names: list[str] = []
        self._paths: dict[int, Path] = {}
        self._sizes: dict[Path, int] = {}
        """Synced bytes by path."""
        self._named: set[Path] = set()
        """Paths whose folder has been synced since they were made."""
        for name in CALLS:
            patch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            path = self._path_of(name, arguments)
            if path is None:
                return real(*arguments, **named)
            self.calls += 1
            self.names.append(name)
            if (number := self.fails(self.calls, name)) != 0:
                if name == "write":  # some of it may get there
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise OSError(number, os.strerror(number))
            answer = real(*arguments, **named)
            self._note(name, path, answer)
            return answer

        return call

    def _path_of(self, name: str, arguments: tuple[Any, ...]) -> Path | None:
        if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_DIRECTORY):
            return None  # to be read
        path = Path(arguments[0]) if name == "open" else self._paths.get(arguments[0], Path("/"))
        return path if str(path).startswith(self._root) and path.name != "lock" else None

    def _note(self, name: str, path: Path, answer: Any) -> None:
        if name == "open":
            self._paths[answer] = path
        elif name in ("fsync", "fdatasync"):
            if path.is_dir():
                self._named |= set(path.iterdir())
            else:
                self._sizes[path] = path.stat().st_size

    def cut_power(self) -> None:
        """Only what was synced is there."""
        for path in self._root_files():
            if path not in self._named or path not in self._sizes:
                path.unlink()
            elif path.stat().st_size > self._sizes[path]:
                os.truncate(path, self._sizes[path])

    def _root_files(self) -> list[Path]:
        return [path for path in Path(self._root).rglob("*.log") if path.is_file()]


def fails_once(nth: int, number: int = errno.ENOSPC) -> Callable[[int, str], int]:
    """Only the nth call fails."""
    return lambda call, name: number if call == nth else 0


def fails_from(nth: int, number: int = errno.ENOSPC) -> Callable[[int, str], int]:
    """The nth call and all later ones fail."""
    return lambda call, name: number if call >= nth else 0
