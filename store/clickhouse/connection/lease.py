"""A lock among processes that use different replicas of a cell: a row of `raymap_leases`, whose insert only one of them
can make.

A running query (`store.clickhouse.connection.query_lock`) locks one server. Between replicas decides what decides which
insert is a repeated one: an insert whose deduplication token any replica has seen adds no row. The token is the name of
the lock and a term. Its owner writes the next term every few seconds; who has seen the same term for LOST seconds may
write the next. No two clocks are compared: everyone measures with its own.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import suppress

from clickhouse_driver import Client

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import abort, connect

TABLE = "raymap_leases"
DEFINITION = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (name String, term UInt64, writer UInt64 COMMENT 'random; 0: released') "
    "ENGINE = {replicated}ReplacingMergeTree(term) ORDER BY name SETTINGS {window} = 10000"
)
"""Of databases with replicas alone (`store.clickhouse.schema.replicas`)."""
RENEW = 5.0
"""Seconds between two terms."""
VALID = 10.0
"""Seconds from the beginning of the insert of a term for which its writer relies on it."""
LOST = 15.0
"""Seconds without a new term after which another process takes it."""
TIMEOUT = 8.0
"""Seconds that a statement may take."""

_seen: dict[tuple[object, ...], tuple[int, float]] = {}
"""The last term of a lock of others, and since when it is the last."""


class Lease:
    """A lock that this process has; use `try_lease`."""

    def __init__(self, client: Client, name: str, term: int, writer: int, begun: float) -> None:
        self._client, self._name, self._term, self._writer = client, name, term, writer
        self._valid_until = begun + VALID
        self._stop = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True)
        self._renewing.start()

    @property
    def alive(self) -> bool:
        """Whether no other process can have the lock yet."""
        return time.monotonic() < self._valid_until

    def release(self) -> None:
        """Let another process have it at once, if it is still ours."""
        self._stop.set()
        self._renewing.join(TIMEOUT)
        if self._renewing.is_alive():
            abort(self._client)
        elif self.alive:
            with suppress(Exception):  # it ends by itself
                _write(self._client, self._name, self._term + 1, 0)
        self._valid_until = 0.0
        self._client.disconnect()

    def _renew(self) -> None:
        while not self._stop.wait(RENEW) and self.alive:
            begun = time.monotonic()
            with suppress(Exception):  # the same term again, as long as there is time
                if not _write(self._client, self._name, self._term + 1, self._writer):
                    self._valid_until = 0.0
                    return
                self._term += 1
                self._valid_until = begun + VALID


def try_lease(address: Address, name: str) -> Lease | None:
    """The lock of a name, or None while another process has it or may have it."""
    client = connect(address, timeout=TIMEOUT, settings={"receive_timeout": TIMEOUT})
    try:
        begun = time.monotonic()
        client.execute(f"SYSTEM SYNC REPLICA {TABLE} LIGHTWEIGHT")
        term, owner = _newest(client, name)
        writer = secrets.randbits(63) + 1
        if not owner or _is_lost((address.hosts, address.database, name), term, begun):
            begun = time.monotonic()
            if _write(client, name, term + 1, writer):
                return Lease(client, name, term + 1, writer, begun)
    except BaseException:
        client.disconnect()
        raise
    client.disconnect()
    return None


def _newest(client: Client, name: str) -> tuple[int, int]:
    statement = (
        f"SELECT term, writer FROM {TABLE} WHERE name = {{name:String}} ORDER BY term DESC LIMIT 1"
    )
    rows = client.execute(statement, {"name": name})
    return rows[0] if rows else (0, 0)


def _is_lost(lock: tuple[object, ...], term: int, read: float) -> bool:
    """Whether a term that was the last when reading began was the last so long ago."""
    last, since = _seen.get(lock, (-1, read))
    if last != term:
        _seen[lock] = term, time.monotonic()  # it may have been written since reading began
        return False
    return read - since > LOST


def _write(client: Client, name: str, term: int, writer: int) -> bool:
    """Whether the term is the last, and this writer's. Its row is where it was inserted, so no other replica is waited
    for; a later term that is known here is of a process that took it as lost."""
    client.execute(
        f"INSERT INTO {TABLE} (name, term, writer) VALUES",
        [(name, term, writer)],
        settings={"insert_deduplicate": 1, "insert_deduplication_token": f"{name} {term}"},
    )
    return _newest(client, name) == (term, writer)
