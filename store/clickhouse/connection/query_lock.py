"""A lock in the server: one process of all that use a database has it. Between several servers it is a lease
(`store.clickhouse.connection.lease`).

ClickHouse has no locks without a coordination service, and neither the embedded engine nor a single
server has one. But it refuses a query whose id is that of a running one: a query that only sleeps is a
lock. It ends with its connection, so a process that dies leaves none behind, and no clock is compared.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.lease import Lease, try_lease
from store.clickhouse.connection.pool import abort, connect

DAY = 86_400


class QueryLock:
    """A lock that this process has; use `try_lock`."""

    def __init__(self, client: Client, rows: Iterator[object]) -> None:
        self._client = client
        self._reading = threading.Thread(target=_read, args=(rows,), daemon=True)
        self._reading.start()

    @property
    def alive(self) -> bool:
        """Whether the query runs: not when the connection is lost, the server gone or a day over."""
        return self._reading.is_alive()

    def release(self) -> None:
        """End the query."""
        abort(self._client)
        self._reading.join()
        self._client.disconnect()


def try_lock(address: Address, query_id: str, step: float) -> QueryLock | Lease | None:
    """The lock of a name, or None while another process has it.

    ``step``: seconds after which the server notices that a client has gone, at most three. ``KILL QUERY`` with
    the id frees the lock of a host that vanished.
    """
    if address.clustered:
        return try_lease(address, query_id)
    client = connect(address)
    try:
        rows = client.execute_iter(_sleep(step), query_id=query_id)
        next(rows)  # the first row proves that it runs
        return QueryLock(client, rows)
    except BaseException as error:
        client.disconnect()
        running = ErrorCodes.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
        if isinstance(error, ServerException) and error.code == running:
            return None
        raise


def _sleep(step: float) -> str:
    return (
        f"SELECT sleepEachRow({step}) FROM numbers({round(DAY / step)}) "
        "SETTINGS max_block_size = 1, max_execution_time = 0"
    )


def _read(rows: Iterator[object]) -> None:
    """Take in what the server sends, so that it never waits for this process."""
    with suppress(Exception):  # the connection was closed
        for _ in rows:
            pass
