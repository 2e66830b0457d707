"""What an operator asks about a ClickHouse server: its version, clock, disks and parts."""

from __future__ import annotations

import time
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.missing_rows import delay
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.rollup.buckets import now
from store.times import SECOND


class Disk(NamedTuple):
    """A disk of the server, in bytes."""

    name: str
    free: int
    total: int


class MostParts(NamedTuple):
    """The partition with the most parts, and how many make ClickHouse slow inserts down."""

    table: str
    partition: str
    parts: int
    delay_from: int


def server_version(run: RunQuery) -> str:
    """Like ``26.9.1.1``."""
    ((version,),) = run("SELECT version()")
    return str(version)


def clock_offset(run: RunQuery) -> float:
    """Seconds by which the server's clock is ahead of this machine's; half a round trip is uncertain."""
    before = time.time()
    server = now(run) / SECOND
    return server - (before + time.time()) / 2


def disks(run: RunQuery) -> list[Disk]:
    """Disks with a size; object storage has none."""
    rows = run(
        "SELECT name, free_space, total_space FROM system.disks "
        "WHERE total_space > 0 AND total_space < toUInt64(1e18) ORDER BY name"
    )
    return [Disk(*row) for row in rows]


def most_parts(run: RunQuery) -> MostParts | None:
    """None while the tables are empty."""
    rows = run(queries.MOST_PARTS.render())
    return MostParts(*rows[0]) if rows else None


class ReplicaState(NamedTuple):
    """The tables of a database on one of its replicas."""

    tables: int
    read_only: int
    """How many of them, since it has lost the coordination service."""
    delay: int
    """Seconds for which rows have been known of that are not here yet."""
    waiting: int
    """What is yet to be fetched or merged."""
    active: int
    """The fewest replicas of a table that are there."""
    total: int


def replica_state(run: RunQuery) -> ReplicaState:
    """Of the database of the connection."""
    ((tables, read_only, *figures),) = run(
        "SELECT count(), countIf(is_readonly), sum(queue_size), min(active_replicas), max(total_replicas) "
        "FROM system.replicas WHERE database = currentDatabase()"
    )
    return ReplicaState(tables, read_only, delay(run, ()), *figures)
