"""The folder of the metrics that processes of one `raymap serve` share: files mapped into their memory.

A page of such a file that has no space ends its process (SIGBUS). So every file has its space from the
start, and is in memory where the system has a folder for that: then a data disk that is full, broken or
slow does not concern it. There is one file for each kind of metric and name of a process: a process that
was restarted goes on with the counters of the one before, however often it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")
PREFIX = "raymap-metrics-"
DEATHS = ".deaths"
"""Ends the names of files that have a byte for each time that a process has ended."""
GAUGES = ("gauge_livesum", "gauge_livemax")
RESERVED = {"counter": 1 << 18, "histogram": 1 << 21} | dict.fromkeys(GAUGES, 1 << 18)
"""Bytes by kind of metric: 3 kB for a query or a route's status, 1.2 kB for a tenant."""


@contextlib.contextmanager
def metrics_folder(fallback: Path, names: Iterable[str]) -> Iterator[Path]:
    """A folder with a file for each named process: in memory, else at ``fallback``, for this process
    alone. It is removed at the end; after a SIGKILL by the next process that makes one."""
    names = tuple(names)
    shutil.rmtree(fallback, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(_in_memory(names))
        except OSError:
            fallback.mkdir(parents=True)
            stack.callback(shutil.rmtree, fallback, ignore_errors=True)
            folder = _reserved(fallback, names)
        yield folder


def reset_gauges(folder: Path, name: str) -> None:
    """Forget the gauges of a process that has ended: they would be added to those of the living.

    Their files stay, and with them their space; the first bytes say how much of one is used."""
    for kind in GAUGES:
        with contextlib.suppress(OSError), _file(folder, kind, name).open("r+b") as file:
            file.write(bytes(8))


def note_death(folder: Path, name: str) -> None:
    """Note that a process has ended and will be started again."""
    with contextlib.suppress(OSError), (folder / f"{name}{DEATHS}").open("ab") as file:
        file.write(b".")


def deaths(folder: Path) -> dict[str, int]:
    """How often each process has ended, by name; those that never did are left out."""
    return {
        path.name.removesuffix(DEATHS): path.stat().st_size for path in folder.glob(f"*{DEATHS}")
    }


@contextlib.contextmanager
def _in_memory(names: Iterable[str]) -> Iterator[Path]:
    """Raises OSError where there is no memory for files."""
    _remove_abandoned()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY))
        descriptor = _lock(folder)
        # Else another process has taken it for abandoned, just now.
        if descriptor is not None and folder.exists():
            break
    try:
        yield _reserved(folder, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_abandoned() -> None:
    """Folders of this user without a process that has them locked."""
    for folder in MEMORY.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            ours = folder.lstat().st_uid == os.geteuid()
            if ours and (descriptor := _lock(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)


def _lock(folder: Path) -> int | None:
    """A descriptor that has the folder locked; None if another process has."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _reserved(folder: Path, names: Iterable[str]) -> Path:
    """Written, not only enlarged: a hole in a file has no space of its own."""
    for name in names:
        for kind, size in RESERVED.items():
            _file(folder, kind, name).write_bytes(bytes(size))
    return folder


def _file(folder: Path, kind: str, name: str) -> Path:
    """As prometheus_client names it."""
    return folder / f"{kind}_{name}.db"
