"""Which process counts where a database has replicas, and when it may: the one that has the lease, once its replica has
all rows.

On one server any process may count. A replica that lags would note that it has looked at rows which it lacks, and the
maps of all replicas would lack them from then on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from clickhouse_driver.errors import ErrorCodes, ServerException

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.lease import LOST, RENEW, Lease, try_lease
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import QueryRunner, RunQuery

TABLES = ("dirty", "traces", "segments", "calls", "links", "cross_bucket_refs", "deciding_ids")
"""What a count reads."""
LIMITS = {"receive_timeout": 5}
"""Seconds to wait for rows that another replica has."""
MOST_SKEW = 0.5
"""Seconds by which clocks of replicas may differ: when rows arrived and when they were counted is compared."""
COMPARE_EVERY = 60.0


class MayNotCount(Exception):
    """Counting now would be wrong; the message is for people."""


class Turn:
    """The turn to count of this process. ``login``: the address to use now."""

    def __init__(self, login: Callable[[], Address]) -> None:
        self._login = login
        self._lease: Lease | None = None
        self._next_try = self._next_comparison = 0.0

    @property
    def mine(self) -> bool:
        """Whether this process counts."""
        return self._lease is not None and self._lease.alive

    def take(self) -> bool:
        """Whether this process counts; it does if no other has counted for a while."""
        now = time.monotonic()
        if not self.mine:
            self.release()
            if now < self._next_try:
                return False
            address = self._login()
            self._lease = try_lease(address, f"raymap-count-{address.database}")
            if self._lease is None:
                self._next_try = now + RENEW
        if self._lease and now >= self._next_comparison:
            self._compare_clocks()
            self._next_comparison = now + COMPARE_EVERY
        return self._lease is not None

    def wait_for_rows(self, run: RunQuery) -> bool:
        """Wait until the replica in use has all rows that any has.

        False if it is the only one that is left, and lacks rows of another: what is counted then has to be compared
        again. Raises MayNotCount when the others have rows that it does not get.
        """
        within = run.with_limits(LIMITS) if isinstance(run, QueryRunner) else run
        try:
            for table in TABLES:
                within(f"SYSTEM SYNC REPLICA {table} LIGHTWEIGHT")
        except ServerException as error:
            if error.code != ErrorCodes.TIMEOUT_EXCEEDED:
                raise
            if not self._is_last(run):
                self._give_up("a replica of ClickHouse lacks rows that another has had for seconds")
            return False
        return True

    def _is_last(self, run: RunQuery) -> bool:
        statement = (
            "SELECT max(active_replicas) FROM system.replicas "
            "WHERE database = currentDatabase() AND table = 'segments'"
        )
        ((active,),) = run(statement)
        return bool(active <= 1)

    def _compare_clocks(self) -> None:
        readings = []
        for each in self._login().each:
            with suppress(Exception):  # it does not answer, and counts nothing
                readings.append(_read_clock(each))
        least = min((ahead + error for ahead, error in readings), default=0.0)
        most = max((ahead - error for ahead, error in readings), default=0.0)
        if most - least > MOST_SKEW:
            self._give_up(
                f"the clocks of ClickHouse's replicas differ by {most - least:.1f} s or more, and nothing is counted "
                "until they agree"
            )

    def _give_up(self, reason: str) -> None:
        """Let another process count, whose replica may be a better one."""
        self.release()
        self._next_try = time.monotonic() + LOST
        raise MayNotCount(reason)

    def release(self) -> None:
        """Let another process count."""
        if self._lease:
            self._lease.release()
            self._lease = None


def _read_clock(address: Address) -> tuple[float, float]:
    """By how many seconds a replica's clock is ahead of this process's, and how wrong that may be."""
    client = connect(address, timeout=RENEW)
    try:
        client.execute("SELECT 1")
        begun = time.time()
        ((micros,),) = client.execute("SELECT toUnixTimestamp64Micro(now64(6))")
        error = (time.time() - begun) / 2
        return micros / 1e6 - begun - error, error
    finally:
        client.disconnect()
