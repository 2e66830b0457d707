"""Whether a ClickHouse has a schema that this program can read and write."""

from __future__ import annotations

from dataclasses import replace

from raymap.errors import CommandError, print_status
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import first_line, is_transient
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema.version import schema_state

TIMEOUT = 10.0
"""Seconds until ClickHouse counts as unavailable."""


def require_schema(clickhouse: Address, *, wait_for_it: bool = False) -> None:
    """CommandError unless this program can use the database's schema.

    A ClickHouse that does not answer is an error too, or with ``wait_for_it`` a status line: a
    process that journals and checks again can start without it.
    """
    name = f"{clickhouse.name}/{clickhouse.database}"
    try:
        mismatch = schema_problem(clickhouse)
    except Exception as error:
        if not is_transient(error):
            raise
        problem = f"{name} does not answer: {first_line(error)}"
        if not wait_for_it:
            raise CommandError(f"{problem}. Does it run?") from None
        print_status(f"{problem}; going on without it")
        return
    if mismatch:
        raise CommandError(f"{name} {mismatch}")


def schema_problem(clickhouse: Address) -> str:
    """What is wrong with the schema of a database, and what to do; empty if nothing."""
    client = connect(replace(clickhouse, connect_timeout=2.0, timeout=TIMEOUT))
    try:
        return schema_state(client).problem
    finally:
        client.disconnect()
