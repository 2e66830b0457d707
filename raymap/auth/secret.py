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
from store.private_files import read_ours

VARIABLE = "RAYMAP_AUTH_SECRET"
FILE = "auth-secret"
MIN_LENGTH = 32


def server_secret(data_dir: Path) -> bytes:
    """The secret; CommandError if it is too short or cannot be read or written, or if the file may be
    another user's."""
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
    try:
        return read_secret(data_dir / FILE)
    except FileNotFoundError:
        return b""


def read_secret(path: Path) -> bytes:
    """The secret in a file. Raises OSError; CommandError if it is too short: an empty file, as a torn copy
    leaves one, would let anyone sign in as anyone."""
    secret = read_ours(path).strip()
    if len(secret) < MIN_LENGTH:
        raise CommandError(
            f"{path} is too short: expected {MIN_LENGTH} characters or more, found {len(secret)}. Restore "
            "it from a backup, or delete it to have another made; access keys have to be issued again then."
        )
    return secret


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
    return read_secret(path)
