"""A lock in the server, so that only one process migrates a database at a time.

ClickHouse has no locks without a coordination service, and neither the embedded engine nor a single
server has one. But it refuses a query whose id is that of a running one: a query that only sleeps is a
lock. It ends with its connection, so a process that dies leaves none behind, and no clock is compared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import ClickHouseUnavailable
from store.clickhouse.connection.pool import abort, connect

WAIT = 600.0
"""Seconds to wait for another process that is migrating."""
RETRY_EVERY = 0.1
SLEEP = "SELECT sleepEachRow(0.1) FROM numbers(864000) SETTINGS max_block_size = 1, max_execution_time = 0"
"""A day, in steps after each of which the server notices that its client has gone."""


def query_id(database: str) -> str:
    """The id of the query that is the lock; ``KILL QUERY`` with it frees the lock of a host that vanished."""
    return f"raymap-migration-{database}"


@contextmanager
def migration_lock(address: Address, *, wait: float = WAIT) -> Iterator[None]:
    """Own the lock for this block. ClickHouseUnavailable when another process has it for ``wait`` s."""
    client, rows = _acquire(address, wait)
    reading = threading.Thread(target=_read, args=(rows,), daemon=True)
    reading.start()
    try:
        yield
    finally:
        abort(client)
        reading.join()
        client.disconnect()


def _acquire(address: Address, wait: float) -> tuple[Client, Iterator[object]]:
    """A connection with the running query, and what it returns."""
    deadline = time.monotonic() + wait
    while True:
        client = connect(address)
        try:
            rows = client.execute_iter(SLEEP, query_id=query_id(address.database))
            next(rows)  # the first row proves that it runs
            return client, rows
        except BaseException as error:
            client.disconnect()
            running = ErrorCodes.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
            if not isinstance(error, ServerException) or error.code != running:
                raise
        if time.monotonic() > deadline:
            raise ClickHouseUnavailable(f"another process has been migrating for {wait:.0f} s")
        time.sleep(RETRY_EVERY)


def _read(rows: Iterator[object]) -> None:
    """Take in what the server sends, so that it never waits for this process."""
    with suppress(Exception):  # the connection was closed
        for _ in rows:
            pass
