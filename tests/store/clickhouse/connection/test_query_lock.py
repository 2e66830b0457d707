"""A running query as a lock."""

from __future__ import annotations

from store.alarms import Lock
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_lock import try_lock
from tests.waiting import eventually


def taken(address: Address, name: str) -> Lock:
    """The lock, as soon as it is free."""
    lock = eventually(lambda: try_lock(address, name, 0.1), "the lock is free")
    assert lock is not None
    return lock


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
    eventually(lambda: not lock.alive)
    taken(clickhouse_database, "lock-c").release()
    lock.release()
    client.disconnect()
