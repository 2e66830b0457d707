"""Whether a ClickHouse has the schema that this program reads and writes."""

from __future__ import annotations

from dataclasses import replace

from clickhouse_driver.errors import ServerException

from raymap.errors import CommandError, print_status
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import first_line, is_transient
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.migrate import newest_version

TIMEOUT = 10.0
"""Seconds until ClickHouse counts as unavailable."""
NOT_THERE = {60, 81}  # UNKNOWN_TABLE, UNKNOWN_DATABASE


def require_schema(clickhouse: Address, *, wait_for_it: bool = False) -> None:
    """CommandError unless the database has exactly this program's schema.

    A ClickHouse that does not answer is an error too, or with ``wait_for_it`` a status line: a
    process that spools and checks again can start without it.
    """
    name = f"{clickhouse.name}/{clickhouse.database}"
    try:
        version = schema_version(clickhouse)
    except Exception as error:
        if not is_transient(error):
            raise
        problem = f"{name} does not answer: {first_line(error)}"
        if not wait_for_it:
            raise CommandError(f"{problem}. Does it run?") from None
        print_status(f"{problem}; going on without it")
        return
    if problem := schema_problem(version):
        raise CommandError(f"{name} {problem}")


def schema_version(clickhouse: Address) -> int:
    """The schema version of the database; 0 for one that is not there or empty."""
    client = connect(replace(clickhouse, connect_timeout=2.0, timeout=TIMEOUT))
    try:
        ((version,),) = client.execute("SELECT max(version) FROM raymap_migrations")
    except ServerException as error:
        if error.code in NOT_THERE:
            return 0
        raise
    finally:
        client.disconnect()
    return int(version)


def schema_problem(version: int) -> str:
    """What is wrong with a database of this schema version, and what to do; empty if nothing."""
    ours = newest_version()
    if version == 0:
        return "contains no Raymap tables: run  raymap migrate  first."
    if version < ours:
        return f"has an older schema ({version}, expected {ours}): run  raymap migrate  first."
    if version > ours:
        return f"has a newer schema ({version}, expected {ours}): upgrade this Raymap."
    return ""
