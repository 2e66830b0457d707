"""A lock in the database, so that only one process migrates it at a time.

ClickHouse has no locks without a coordination service, and neither the embedded engine nor a single
server has one. But CREATE TABLE without IF NOT EXISTS succeeds for exactly one client. The table's comment
names the owner and the time of its last renewal by the server's clock; a lock that was not renewed for
STALE_AFTER belongs to a process that died, and is removed by renaming the table, which again succeeds
for exactly one client.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import ClickHouseUnavailable
from store.clickhouse.connection.pool import connect

TABLE = "raymap_migration_lock"
STALE_AFTER = 30
"""Seconds without renewal after which the owner is considered dead."""
RENEW_EVERY = 5.0
WAIT = 600.0
"""Seconds to wait for another process that is alive and migrating."""
TABLE_EXISTS, UNKNOWN_TABLE = 57, 60


@contextmanager
def migration_lock(address: Address, *, wait: float = WAIT) -> Iterator[None]:
    """Own the lock for this block. ClickHouseUnavailable when another process has it for ``wait`` s."""
    owner = uuid.uuid4().hex
    client = connect(address)
    stop = threading.Event()
    renewal = threading.Thread(target=_renew, args=(address, owner, stop), daemon=True)
    try:
        _acquire(client, owner, wait)
        renewal.start()
        try:
            yield
        finally:
            stop.set()
            renewal.join()
            if _owner_and_age(client)[0] == owner:
                client.execute(f"DROP TABLE IF EXISTS {TABLE} SYNC")
    finally:
        client.disconnect()


def _acquire(client: Client, owner: str, wait: float) -> None:
    deadline = time.monotonic() + wait
    while not _create(client, owner):
        other, age = _owner_and_age(client)
        if other and age > STALE_AFTER:
            _remove_stale(client, other)
        elif time.monotonic() > deadline:
            raise ClickHouseUnavailable(f"another process has been migrating for {wait:.0f} s")
        else:
            time.sleep(0.1)


def _create(client: Client, owner: str) -> bool:
    """Whether this call created the lock."""
    try:
        client.execute(
            f"CREATE TABLE {TABLE} (x UInt8) ENGINE = MergeTree ORDER BY x COMMENT '{_mark(client, owner)}'"
        )
    except ServerException as error:
        if error.code == TABLE_EXISTS:
            return False
        raise
    return True


def _mark(client: Client, owner: str) -> str:
    ((now,),) = client.execute("SELECT toUnixTimestamp(now())")
    return f"{owner} {now}"


def _owner_and_age(client: Client) -> tuple[str, int]:
    """Who has the lock, and the seconds since it was renewed; ("", 0) when it is free."""
    rows = client.execute(
        "SELECT comment, toUnixTimestamp(now()) FROM system.tables "
        f"WHERE database = currentDatabase() AND name = '{TABLE}'"
    )
    if not rows:
        return "", 0
    owner, _, renewed = rows[0][0].partition(" ")
    return owner, rows[0][1] - int(renewed)


def _remove_stale(client: Client, owner: str) -> None:
    """Remove a dead owner's lock. If another process has replaced it meanwhile, give that back."""
    moved = f"{TABLE}_{owner}"
    try:
        client.execute(f"RENAME TABLE {TABLE} TO {moved}")
    except ServerException as error:
        if error.code in (UNKNOWN_TABLE, TABLE_EXISTS):
            return
        raise
    ((comment,),) = client.execute(
        f"SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = '{moved}'"
    )
    if comment.startswith(owner):
        client.execute(f"DROP TABLE IF EXISTS {moved} SYNC")
    else:
        with suppress(ServerException):
            client.execute(f"RENAME TABLE {moved} TO {TABLE}")


def _renew(address: Address, owner: str, stop: threading.Event) -> None:
    """Write the time into the lock's comment until stopped."""
    client = connect(address)
    while not stop.wait(RENEW_EVERY):
        with suppress(Exception):  # the next renewal is soon enough
            client.execute(f"ALTER TABLE {TABLE} MODIFY COMMENT '{_mark(client, owner)}'")
    client.disconnect()
