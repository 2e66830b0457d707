"""What the replica in use lacks of the rows that other replicas have.

An insert is acknowledged by one replica; the others have it in their queues at once, and fetch it a moment later, or
much later. What decides by rows that are not there, or acts once for all replicas, waits here first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from store.clickhouse.connection.errors import ClickHouseUnavailable
from store.clickhouse.connection.pool import is_replicated
from store.clickhouse.connection.query_runner import QueryRunner, RunQuery, execute

LIMITS: dict[str, int | str] = {"receive_timeout": 5}
"""Seconds to wait for rows that another replica has."""
WAITING = "system.replication_queue WHERE database = currentDatabase() AND type IN ('GET_PART', 'ATTACH_PART')"
NOWHERE = "position(last_exception, 'No active replica has part') > 0"
"""Whether what waits is on no replica that is there."""


class RowsMissing(ClickHouseUnavailable):
    """Another replica has rows that this one does not get."""


def wait_for_rows(
    run: RunQuery, tables: Collection[str], limits: Mapping[str, int | str] = LIMITS
) -> bool:
    """Wait until the replica in use has all rows that any has.

    False if what it lacks is on none that is there: who has it may come back. Raises RowsMissing when another has it,
    and it does not come within seconds.
    """
    within = run.with_limits(limits) if isinstance(run, QueryRunner) else run
    try:
        for table in tables:
            within(f"SYSTEM SYNC REPLICA {table} LIGHTWEIGHT")
    except ServerException as error:
        if error.code != ErrorCodes.TIMEOUT_EXCEEDED:
            raise
        ((elsewhere,),) = run(f"SELECT countIf(NOT {NOWHERE}) FROM {WAITING}{_of(tables)}")
        if elsewhere:
            raise RowsMissing(
                "a replica of ClickHouse lacks rows that another has had for seconds"
            ) from None
        return False
    return True


def lacks_rows(run: RunQuery, tables: Collection[str]) -> bool:
    """Whether rows are known of that could not be fetched yet, wherever they are."""
    ((waiting,),) = run(f"SELECT countIf(last_exception != '') FROM {WAITING}{_of(tables)}")
    return bool(waiting)


def gets_rows(run: RunQuery, tables: Collection[str]) -> bool:
    """Whether the replica in use has all rows that any has, after seconds at most."""
    try:
        return wait_for_rows(run, tables)
    except RowsMissing:
        return False


def has_all_rows(
    client: Client, tables: Collection[str], limits: Mapping[str, int | str] = LIMITS
) -> bool:
    """The same of the server of a connection; it does without replicas."""
    return not is_replicated(client) or gets_rows(partial(execute, client, settings=limits), tables)


def delay(run: RunQuery, tables: Collection[str]) -> int:
    """Seconds for which rows have been known of that are not here yet, or nothing has been heard of rows."""
    statement = (
        f"SELECT greatest((SELECT toUInt64(max(greatest(0, now() - create_time))) FROM {WAITING}{_of(tables)}), "
        "(SELECT max(absolute_delay) FROM system.replicas WHERE database = currentDatabase()"
        f"{_of(tables)}))"
    )
    ((seconds,),) = run(statement)
    return int(seconds)


def _of(tables: Collection[str]) -> str:
    """A condition; none for all tables."""
    listed = ", ".join(f"'{table}'" for table in tables)
    return f" AND table IN ({listed})" if tables else ""
