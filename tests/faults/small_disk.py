"""A real file system that is small enough to be filled."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

MIB = 1 << 20


class SmallDisk:
    """A mounted file system, and a file in it that takes what space there is."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Take all space, also what was freed since the last time."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (MIB, 4096, 1):
                with contextlib.suppress(_NoSpace):
                    while True:
                        _append(file.fileno(), bytes(size))

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink(missing_ok=True)


class _NoSpace(Exception):
    pass


def _append(descriptor: int, data: bytes) -> None:
    try:
        if os.write(descriptor, data) < len(data):
            raise _NoSpace
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _NoSpace from None


@contextlib.contextmanager
def small_disk(at: Path, size: int) -> Iterator[SmallDisk]:
    """ext4 in a file, else tmpfs. The test is skipped, with the reason, where neither may be mounted."""
    folder = at / "disk"
    folder.mkdir()
    refused = []
    for kind, mount in (("ext4", _mount_ext4), ("tmpfs", _mount_tmpfs)):
        if reason := mount(at, folder, size):
            refused.append(f"{kind}: {reason}")
            continue
        try:
            yield SmallDisk(folder, kind)
        finally:
            _run("umount", "--lazy", str(folder))
        return
    pytest.skip(f"no small file system can be mounted, so a full disk is not tested: {refused}")


def _mount_ext4(at: Path, folder: Path, size: int) -> str:
    image = at / "disk.ext4"
    with image.open("wb") as file:
        file.truncate(size)
    # Nothing reserved for root, who may run the tests.
    return _run("mkfs.ext4", "-q", "-m", "0", str(image)) or _run(
        "mount", "-o", "loop", str(image), str(folder)
    )


def _mount_tmpfs(at: Path, folder: Path, size: int) -> str:
    return _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))


def _run(*command: str) -> str:
    """Why a command failed; '' if it did not."""
    path = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        return f"there is no {command[0]}"
    ended = subprocess.run([path, *command[1:]], capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stderr.strip() or f"{command[0]} failed"
