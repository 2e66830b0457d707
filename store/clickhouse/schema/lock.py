"""Only one process migrates a database at a time (`store.clickhouse.connection.query_lock`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import ClickHouseUnavailable
from store.clickhouse.connection.lease import Lease
from store.clickhouse.connection.query_lock import QueryLock, try_lock

WAIT = 600.0
"""Seconds to wait for another process that is migrating."""
RETRY_EVERY = 0.1
STEP = 0.1


def query_id(database: str) -> str:
    """The id of the query that is the lock."""
    return f"raymap-migration-{database}"


@contextmanager
def migration_lock(address: Address, *, wait: float = WAIT) -> Iterator[None]:
    """Own the lock for this block. ClickHouseUnavailable when another process has it for ``wait`` s."""
    lock = _acquire(address, wait)
    try:
        yield
    finally:
        lock.release()


def _acquire(address: Address, wait: float) -> QueryLock | Lease:
    deadline = time.monotonic() + wait
    while (lock := try_lock(address, query_id(address.database), STEP)) is None:
        if time.monotonic() > deadline:
            raise ClickHouseUnavailable(f"another process has been migrating for {wait:.0f} s")
        time.sleep(RETRY_EVERY)
    return lock
