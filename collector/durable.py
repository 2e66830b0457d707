"""Folders that survive a power cut, readable by their owner only, and their locks."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from store.private_files import make_private, open_ours

LOCK = "lock"


def make_folder(folder: Path) -> None:
    """Create the folder and its missing parents, durably, with mode 0700."""
    missing = [folder, *folder.parents]
    missing = missing[: next(n for n, path in enumerate(missing) if path.exists())]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)
    with suppress(PermissionError):  # made by another user, who decides
        make_private(folder)


def sync_folder(folder: Path) -> None:
    """fsync a folder, which makes the names in it durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def try_lock(folder: Path) -> int | None:
    """The descriptor of the folder's lock; None when another process has it or the folder is gone."""
    try:
        lock = open_ours(folder / LOCK, os.O_RDWR | os.O_CREAT)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(folder / LOCK)):
            return lock
    except (BlockingIOError, FileNotFoundError):  # locked, or just removed, by another process
        pass
    except OSError:
        os.close(lock)
        raise
    os.close(lock)
    return None


def remove_folder(folder: Path) -> None:
    """Remove a folder that contains nothing but its lock."""
    (folder / LOCK).unlink(missing_ok=True)
    with suppress(OSError):  # another process is probing its lock: that one removes it
        folder.rmdir()
