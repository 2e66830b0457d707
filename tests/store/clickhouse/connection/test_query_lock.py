"""A running query as a lock."""

from __future__ import annotations

import time
from collections.abc import Callable

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_lock import QueryLock, try_lock

PATIENCE = 60.0


def wait_for(found: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


def taken(address: Address, name: str) -> QueryLock:
    """The lock, as soon as it is free."""
    locks: list[QueryLock] = []

    def take() -> bool:
        lock = try_lock(address, name, 0.1)
        locks.extend([lock] if lock else [])
        return bool(locks)

    wait_for(take)
    return locks[0]


def test_names_are_locks_of_their_own(clickhouse_database: Address) -> None:
    first, second = (taken(clickhouse_database, f"lock-{name}") for name in "ab")
    assert try_lock(clickhouse_database, "lock-a", 0.1) is None
    first.release()
    assert second.alive
    second.release()
    assert not second.alive


def test_a_lock_whose_query_is_killed_is_noticed(clickhouse_database: Address) -> None:
    """As when the server restarts: its owner must not go on believing that it has it."""
    lock = taken(clickhouse_database, "lock-c")
    client = connect(clickhouse_database)
    client.execute("KILL QUERY WHERE query_id = 'lock-c' SYNC")
    wait_for(lambda: not lock.alive)
    taken(clickhouse_database, "lock-c").release()
    lock.release()
    client.disconnect()
