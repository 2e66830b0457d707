"""The server's secret, from which secret access keys and session signatures are derived.

RAYMAP_AUTH_SECRET, or a file in the data directory that is made when it is first needed. Processes on
several machines must have the same.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from pathlib import Path

from raymap.errors import CommandError

VARIABLE = "RAYMAP_AUTH_SECRET"
FILE = "auth-secret"
MIN_LENGTH = 32


def server_secret(data_dir: Path) -> bytes:
    """The secret; CommandError if it is too short or cannot be read or written."""
    path = data_dir / FILE
    try:
        return known_secret(data_dir) or _create(path)
    except OSError as error:
        raise CommandError(f"Cannot read or write {path}: {error.strerror or error}.") from None


def known_secret(data_dir: Path) -> bytes:
    """The secret if there is one already, else nothing. Raises OSError; CommandError if it is too short."""
    if text := os.environ.get(VARIABLE, ""):
        if len(text) < MIN_LENGTH:
            raise CommandError(
                f"{VARIABLE} is too short: expected {MIN_LENGTH} characters or more."
            )
        return text.encode()
    return _read(data_dir / FILE)


def _read(path: Path) -> bytes:
    return path.read_bytes().strip() if path.exists() else b""


def _create(path: Path) -> bytes:
    """Another process may create it at the same time: the first link wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{FILE}.{threading.get_native_id()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return _read(path)
