"""Keys, people and tenants that a process knows: those of the database, read every two seconds, and keys
of a file.

What was read last is stored in the data directory, so that a process which starts while ClickHouse is
unavailable accepts what it accepted before: authentication must not stop ingest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from msgspec import Struct

from collector.log_limiter import LogLimiter
from raymap.auth.keys import Key, KeyRing, digest_of, id_of_token, read_keys
from raymap.auth.people import NO_PEOPLE, People, read_people
from raymap.auth.permissions import Role
from raymap.auth.shares import Shares, read_shares
from raymap.auth.tenants import Tenants, tenants_in
from raymap.errors import CommandError
from store.config.protocol import Configuration
from store.errors import StoreError
from store.private_files import make_private, read_ours, write_private

log = LogLimiter(structlog.get_logger(__name__), 60.0)

REFRESH_SECONDS = 2.0
CACHE = "run/keys.json"
TENANTS_CACHE = "run/tenants.json"

Cached = TypeVar("Cached")


class FileKey(Struct, forbid_unknown_fields=True):
    """An entry of the keys file: a token that `raymap key add` printed, here or elsewhere."""

    name: str
    role: Role
    token: str
    tenant: str = ""


class KeySource:
    """Reads keys in a thread of its own between `start` and `stop`."""

    def __init__(
        self,
        read_configuration: Callable[[], Configuration],
        data_dir: Path,
        keys_file: Path | None = None,
        refresh: float = REFRESH_SECONDS,
    ) -> None:
        """Reads the files. Raises CommandError for a keys file that cannot be used."""
        self._read_configuration = read_configuration
        self._cache, self._tenants_cache = data_dir / CACHE, data_dir / TENANTS_CACHE
        self._fixed = read_keys_file(keys_file) if keys_file else []
        self._refresh = refresh
        self._stored = _read_cache(self._cache, list[Key])
        self._tenants = _read_cache(self._tenants_cache, Tenants)
        self._ring: KeyRing | None = None
        self._people = NO_PEOPLE
        self._shares: Shares | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)
        self._publish()

    def ring(self) -> KeyRing | None:
        """The keys known now; None if none have ever been read."""
        return self._ring

    def people(self) -> People:
        """The users and sign-outs known now."""
        return self._people

    def shares(self) -> Shares | None:
        """What is known of share links now; None until it has been read."""
        return self._shares

    def tenants(self) -> Tenants | None:
        """The tenants known now; None until any have been read."""
        return self._tenants

    def start(self) -> None:
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def refresh(self) -> None:
        """Read the database now. What was known stays known while it is unavailable."""
        try:
            configuration = self._read_configuration()
            keys = list(read_keys(configuration).values())
            self._people = read_people(configuration)
            self._shares = read_shares(configuration)
            tenants = tenants_in(configuration)
        except (StoreError, msgspec.MsgspecError) as error:
            log.warning("keys_not_read", error=str(error))
            return
        if tenants != self._tenants:  # before keys, which name them
            self._tenants = tenants
            _write_cache(self._tenants_cache, tenants)
        if keys != self._stored:
            self._stored = keys
            self._publish()
            _write_cache(self._cache, keys)

    def _publish(self) -> None:
        if self._stored is not None or self._fixed:
            self._ring = KeyRing([*(self._stored or ()), *self._fixed])

    def _run(self) -> None:
        while not self._stopping.wait(self._refresh):
            self.refresh()


def read_keys_file(path: Path) -> list[Key]:
    """The keys of a JSON file: a list of objects with name, role, token and
    perhaps tenant. Raises CommandError."""
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[FileKey])
    except (OSError, msgspec.MsgspecError) as error:
        raise CommandError(f"The keys file {path}: {error}.") from None
    return [_key_of(entry, index, path) for index, entry in enumerate(entries)]


def _key_of(entry: FileKey, index: int, path: Path) -> Key:
    id = id_of_token(entry.token)
    if not id:
        raise CommandError(
            f"The keys file {path}: entry {index}: expected a token as raymap key add prints it."
        )
    return Key(id, entry.name, entry.role, digest_of(entry.token), created=0, tenant=entry.tenant)


def _write_cache(cache: Path, content: object) -> None:
    """Without secrets, of which keys have digests only, and readable by us only."""
    try:
        make_private(cache.parent)
        write_private(cache, msgspec.json.encode(content))
    except OSError as error:
        log.warning("keys_not_cached", error=str(error))


def _read_cache(path: Path, type: type[Cached]) -> Cached | None:
    try:
        return msgspec.json.decode(read_ours(path), type=type)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("key_cache_unreadable", error=str(error))
        return None
