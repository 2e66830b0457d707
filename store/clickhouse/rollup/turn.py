"""Which process counts where several servers have the tables, and when it may: the one that has the lease, once its replica
has all rows.

On one server any process may count. A replica that lags would note that it has looked at rows which it lacks, and the
maps of all replicas would lack them from then on. Of servers behind one name none lags (`SEQUENTIAL`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import NoReturn

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.lease import RENEW, TABLE, Lease, try_lease
from store.clickhouse.connection.missing_rows import (
    LIMITS,
    RowsMissing,
    delay,
    gets_rows,
    lacks_rows,
    wait_for_rows,
)
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import RunQuery, checked
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import dirty
from store.times import SECOND

TABLES = (
    "dirty",
    "traces",
    "segments",
    "calls",
    "links",
    "cross_bucket_refs",
    "deciding_ids",
    "crossing_refs",
)
"""What a count reads."""
READ = (*TABLES, "bucket_rollups", "rollups")
"""What a map is read from."""
MOST_SKEW = 0.5
"""Seconds by which clocks of replicas may differ: when rows arrived and when they were counted is compared."""
SOON: dict[str, int | str] = {"receive_timeout": 1}
"""Seconds to wait for rows that usually come at once: a process whose replica begins to lag leaves the count to another
before the map is old. After a longer wait, or one in vain, `LIMITS` apply: all replicas may lag a little."""
COMPARE_EVERY = 60.0
NOTIFY_EVERY = 20.0


class MayNotCount(Exception):
    """Counting now would be wrong; the message is for people."""


class Turn:
    """The turn to count of this process. ``login``: the address to use now."""

    def __init__(self, login: Callable[[], Address]) -> None:
        self._login = login
        self._lease: Lease | None = None
        self._next_try = self._next_comparison = 0.0
        self._last_notice = -NOTIFY_EVERY
        self._notice = 0
        self._agreed, self._doubtful_from = time.time(), 0.0
        """When the clocks agreed last, and from when on they may not have (epoch seconds)."""
        self._reason = ""
        """Why this process has left the count to others."""
        self._patient = False
        """Whether the next wait for rows may be a long one."""

    @property
    def mine(self) -> bool:
        """Whether this process counts."""
        return self._lease is not None and self._lease.alive

    def take(self, run: RunQuery) -> bool:
        """Whether this process counts; it does if no other has counted for a while, or one has left it to others. Raises
        MayNotCount when it should not."""
        now = time.monotonic()
        if not self.mine:
            self.release()
            if now < self._next_try:
                if self._reason:
                    raise MayNotCount(self._reason)
                if not self._is_free(run):
                    return False
            if self._patient and self._is_free(run):
                self.wait_for_rows(run)  # who lacks them keeps no one from counting who has them
            self._lease = try_lease(self._login(), self._name("count"))
            self._reason = ""
            if self._lease is None:
                self._next_try = now + RENEW
        if self._lease and now >= self._next_comparison:
            self._compare_clocks(run)
            self._next_comparison = now + COMPARE_EVERY
        return self._lease is not None

    def notify_of_readers(self, run: RunQuery) -> None:
        """Let the process that counts know that maps are read in this one. At most every NOTIFY_EVERY seconds."""
        if time.monotonic() > self._last_notice + NOTIFY_EVERY:
            self._last_notice = time.monotonic()
            statement = (
                f"INSERT INTO {TABLE} (name, term, writer) SETTINGS insert_deduplicate = 0 "
                f"SELECT {{name:String}}, max(term) + 1, 0 FROM {TABLE} WHERE name = {{name:String}}"
            )
            run(Sql(statement, {"name": self._name("readers")}))

    def has_notice_of_readers(self, run: RunQuery) -> bool:
        """Whether another process has notified of readers since the last call."""
        statement = f"SELECT max(term) FROM {TABLE} WHERE name = {{name:String}}"
        ((last,),) = run(Sql(statement, {"name": self._name("readers")}))
        before, self._notice = self._notice, int(last)
        return before != self._notice

    def _is_free(self, run: RunQuery) -> bool:
        """Whether the last process has released it, as far as is known here."""
        statement = f"SELECT argMax(writer, term) FROM {TABLE} WHERE name = {{name:String}}"
        return bool(run(Sql(statement, {"name": self._name("count")})) == [(0,)])

    def _name(self, of: str) -> str:
        return f"raymap-{of}-{self._login().database}"

    def while_mine(self, run: RunQuery) -> RunQuery:
        """A runner that raises MayNotCount instead of a statement once another process may count: this one may have
        stood still between two."""

        def check() -> None:
            if not self.mine:
                raise MayNotCount("another process may count now")

        return checked(run, check)

    def wait_for_rows(self, run: RunQuery) -> bool:
        """Wait until the replica in use has all rows that any has.

        False if it lacks rows of a replica that is gone: what is counted then has to be compared again. Raises
        MayNotCount when the others have rows that it does not get.
        """
        if not self._may_lag:
            return True
        begun = time.monotonic()
        try:
            whole = wait_for_rows(run, TABLES, LIMITS if self._patient else SOON)
        except RowsMissing as missing:
            self._patient = True
            self._give_up(str(missing), 0.0)
        self._patient = whole and time.monotonic() - begun > float(SOON["receive_timeout"])
        return whole

    def has_all_minutes(self, run: RunQuery) -> bool:
        """Whether the replica in use has all minutes that any has: a wide bucket would be the sum without some for good, as
        these are older than it when they come."""
        return not self._may_lag or gets_rows(run, ("rollups",))

    def lacks_rows(self, run: RunQuery) -> bool:
        """Whether the replica in use still waits for some that it could not fetch."""
        return self._may_lag and lacks_rows(run, TABLES)

    def lag(self, run: RunQuery, tables: Collection[str]) -> int:
        """Seconds by which the replica in use lags."""
        return delay(run, tables) if self._may_lag else 0

    @property
    def _may_lag(self) -> bool:
        return self._login().replicated

    def _compare_clocks(self, run: RunQuery) -> None:
        """Raise MayNotCount while the replicas' clocks differ. Once they agree again, have all buckets compared that were
        counted meanwhile: rows that arrived may seem older than that."""
        readings = []
        for each in self._login().each:
            with suppress(Exception):  # it does not answer, and counts nothing
                readings.append(_read_clock(each))
        least = min((ahead + error for ahead, error in readings), default=0.0)
        most = max((ahead - error for ahead, error in readings), default=0.0)
        if most - least > MOST_SKEW:
            before = self._agreed - (most - least) - COMPARE_EVERY
            self._doubtful_from = min(before, self._doubtful_from or before)
            self._give_up(
                f"the clocks of ClickHouse's replicas differ by {most - least:.1f} s or more, and nothing is counted "
                "until they agree",
                2 * RENEW,
            )
        self._agreed = time.time()
        if self._doubtful_from:
            dirty.mark_looked_since(run, round(self._doubtful_from * SECOND))
            self._doubtful_from = 0.0

    def _give_up(self, reason: str, seconds: float) -> NoReturn:
        """Let another process count, whose replica may be a better one. ``seconds``: before this one tries again."""
        self.release()
        self._reason = reason
        self._next_try = time.monotonic() + seconds
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
