"""What lies in `<data-dir>/clickhouse`: lock, passwords, port, and the files written at each
start. Readable by their owner only."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from store.clickhouse.connection.address import Address
from store.clickhouse.embedded.config import (
    HOST,
    USERS,
    DatabaseUser,
    config_xml,
    default_memory,
    users_xml,
)
from store.clickhouse.grants import USER
from store.private_files import make_private, open_ours, read_ours, write_private

# Outside the kernel's range for outgoing connections (32768 and up on Linux): a client that
# redials a dead server must not be handed the server's port, or it ends up talking to itself.
PORTS = range(21_000, 29_000)


class EmbeddedError(Exception):
    """The engine cannot start; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    data_dir: Path
    memory_bytes: int = 0  # 0: 40 % of the memory of this machine or container, at most 8 GiB
    port: int = 0  # 0: see choose_port
    log_level: str = "warning"
    lock_timeout: float = 0.0  # seconds to wait for another process to leave the data directory

    @property
    def folder(self) -> Path:
        return self.data_dir.absolute() / "clickhouse"


def credentials(data_dir: Path) -> dict[str, str]:
    """Passwords by user; generated on the first call, or when a release adds a user, and stored for later
    ones."""
    path = data_dir.absolute() / "clickhouse" / "credentials.json"
    stored = _stored_credentials(path)
    if all(user in stored for user in USERS):
        return stored
    path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_private(path.parent)
    made = {user: stored.get(user) or secrets.token_urlsafe(24) for user in USERS}
    write_private(path, json.dumps(made, indent=2).encode() + b"\n")
    return made


def _stored_credentials(path: Path) -> dict[str, str]:
    try:
        return {str(user): str(word) for user, word in json.loads(read_ours(path)).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        raise EmbeddedError(
            f"{path} cannot be read; delete it to have new passwords made"
        ) from None


def database_users(data_dir: Path) -> dict[str, DatabaseUser]:
    """The users of single databases, whom the engine knows from its next start on."""
    try:
        text = read_ours(_database_users(data_dir))
        return {name: DatabaseUser(*user) for name, user in json.loads(text).items()}
    except FileNotFoundError:
        return {}


def set_database_users(data_dir: Path, users: Mapping[str, DatabaseUser]) -> None:
    """Replace them."""
    path = _database_users(data_dir)
    if users or path.exists():
        write_private(path, json.dumps(users, indent=2).encode() + b"\n")


def _database_users(data_dir: Path) -> Path:
    return data_dir.absolute() / "clickhouse" / "database-users.json"


def address(data_dir: Path, *, user: str = USER, database: str = "raymap") -> Address:
    """Where the engine of this data directory listens, or listened last."""
    port = data_dir.absolute() / "clickhouse" / "port"
    if not port.exists():
        raise EmbeddedError(f"no embedded ClickHouse has been started in {data_dir}")
    return Address(
        host=HOST,
        port=int(port.read_text()),
        user=user,
        password=credentials(data_dir)[user],
        database=database,
    )


def choose_port(data_dir: Path) -> int:
    """The port of the last start if it is free, else another."""
    with contextlib.suppress(OSError, ValueError):
        port = int((data_dir.absolute() / "clickhouse" / "port").read_text())
        if _is_free(port):
            return port
    for port in random.sample(PORTS, 200):
        if _is_free(port):
            return port
    raise EmbeddedError(f"No free port between {PORTS.start} and {PORTS.stop} on {HOST}.")


def prepare(settings: EmbeddedSettings) -> int:
    """Write the instance's files, readable by their owner only; return the port."""
    folder = settings.folder
    make_private(folder)
    port = settings.port or choose_port(settings.data_dir)
    if not _is_free(port):
        raise EmbeddedError(port_taken(port))
    memory = settings.memory_bytes or default_memory()
    config = config_xml(folder, port, memory_bytes=memory, log_level=settings.log_level)
    write_private(folder / "config.xml", config.encode())
    users = users_xml(credentials(settings.data_dir), database_users(settings.data_dir))
    write_private(folder / "users.xml", users.encode())
    write_private(folder / "port", f"{port}\n".encode())
    # The engine keeps its `system` database in memory; the files of a former one are orphans.
    shutil.rmtree(folder / "data" / "data" / "system", ignore_errors=True)
    return port


def port_taken(port: int) -> str:
    return f"Port {port}, which the embedded ClickHouse is to use, is taken by another program."


def in_use(data_dir: Path) -> str:
    return (
        f"Another Raymap is already using {data_dir}: stop it, or choose another folder "
        "with --data-dir."
    )


def lock(settings: EmbeddedSettings) -> int:
    """An exclusive lock on the data directory, released when this process ends, however it ends."""
    handle = open_ours(settings.folder / "lock", os.O_CREAT | os.O_RDWR)
    deadline = time.monotonic() + settings.lock_timeout
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(handle)
                raise EmbeddedError(in_use(settings.data_dir)) from None
        time.sleep(0.05)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
