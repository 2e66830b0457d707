"""Files and folders for their owner only, which are never reached through a symbolic link: who plants one
in a folder of ours would choose what is read, overwritten or made private."""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


def refuse_link(path: Path) -> None:
    """Raises OSError for a symbolic link, with a sentence for people."""
    if path.is_symlink():
        raise _unsafe(path, errno.ELOOP, "it is a symbolic link, which Raymap does not follow")


def open_ours(path: Path, flags: int) -> int:
    """A descriptor of the file, which is created with mode 0600 if the flags say so. Raises OSError."""
    refuse_link(path)
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE)


def make_private(folder: Path) -> None:
    """Create the folder with mode 0700, or give it that mode. Raises OSError."""
    with suppress(FileExistsError):
        folder.mkdir(_FOLDER_MODE)
    descriptor = open_ours(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fchmod(descriptor, _FOLDER_MODE)
    finally:
        os.close(descriptor)


def read_ours(path: Path) -> bytes:
    """The content of a file that no other user has put there. Raises OSError."""
    # O_NONBLOCK: else a FIFO without a writer would have to be waited for.
    with os.fdopen(open_ours(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _unsafe(path, errno.EINVAL, "it is no regular file")
        if found.st_uid not in _trusted(path.parent):
            raise _unsafe(path, errno.EPERM, f"it belongs to another user (uid {found.st_uid})")
        return file.read()


def write_private(path: Path, content: bytes) -> None:
    """Replace the file: never readable by others, not even for a moment, and never half written.
    Raises OSError."""
    aside = path.with_name(f"{path.name}.{threading.get_native_id()}.new")
    aside.unlink(missing_ok=True)
    try:
        with os.fdopen(open_ours(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(content)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _trusted(folder: Path) -> set[int]:
    """Ourselves, and root, who can do anything; for root also the owner of the folder: a command beside a
    server that runs as another user."""
    user = os.geteuid()
    return {0, user} | ({folder.stat().st_uid} if user == 0 else set())


def _unsafe(path: Path, number: int, sentence: str) -> OSError:
    return OSError(number, sentence, str(path))
