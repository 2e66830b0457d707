"""How the reading code asks ClickHouse: one statement, or several at the same time."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from clickhouse_driver import Client

from store.cancellation import cancellable
from store.clickhouse.connection.pool import ClientPool, abort
from store.clickhouse.queries import Sql

Rows = list[tuple[Any, ...]]
Statement = str | Sql
RunQuery = Callable[[Statement], Rows]
"""Runs a statement and gives its rows. Temporary tables live as long as its connection."""

READ_LIMITS = {
    "max_execution_time": 60,
    "max_memory_usage": 4_000_000_000,
    "max_bytes_before_external_group_by": 1_000_000_000,
    "final": 0,
}
"""What one question may cost; past it ClickHouse refuses instead of dying."""
COUNT_LIMITS = {**READ_LIMITS, "max_execution_time": 900}
"""What counting minutes may: nobody waits for it, and it must not give up for ever on a busy machine."""


class QueryRunner:
    """Asks on one connection, and on others of its pool when it has several questions at once."""

    def __init__(
        self,
        client: Client,
        pool: ClientPool,
        threads: Executor,
        limits: Mapping[str, int] = READ_LIMITS,
    ) -> None:
        self._client = client
        self._limits = limits
        self._pool = pool
        self._threads = threads

    def with_limits(self, limits: Mapping[str, int]) -> QueryRunner:
        """The same, for statements that may cost something else."""
        return QueryRunner(self._client, self._pool, self._threads, limits)

    def __call__(self, statement: Statement) -> Rows:
        """The rows of a statement."""
        return _run(self._client, statement, self._limits)

    def each(self, *statements: Statement) -> list[Rows]:
        """The rows of statements that need nothing of each other; the first may read temporary tables.

        Small ones take longest to be planned, by one thread. Never waits for a connection: without
        a free one they run one after the other.
        """
        first, *others = statements
        running = [
            self._threads.submit(contextvars.copy_context().run, self._elsewhere, other)
            for other in others
        ]
        try:
            found: list[Rows | None] = [self(first)]
        finally:
            # Also after an error: nothing of this question may run on when it has been answered.
            found_elsewhere = [future.exception() or future.result() for future in running]
        for answer in found_elsewhere:
            if isinstance(answer, BaseException):
                raise answer
            found.append(answer)
        return [
            self(statement) if rows is None else rows
            for statement, rows in zip(statements, found, strict=True)
        ]

    def _elsewhere(self, statement: Statement) -> Rows | None:
        """Its rows, asked on another connection; None when there is none to be had."""
        with self._pool.try_acquire() as client:
            return None if client is None else _run(client, statement, self._limits)


def each(ask: RunQuery, *statements: Statement) -> list[Rows]:
    """`QueryRunner.each`, one after the other for whoever asks otherwise."""
    if isinstance(ask, QueryRunner):
        return ask.each(*statements)
    return [ask(statement) for statement in statements]


def _run(client: Client, statement: Statement, limits: Mapping[str, int]) -> Rows:
    # ClickHouse stops a query whose client has hung up.
    with cancellable(lambda: abort(client)):
        rows: Rows = execute(client, statement, limits)
    return rows


def execute(client: Client, statement: Statement, settings: Mapping[str, Any] | None = None) -> Any:
    """What `clickhouse_driver.Client.execute` returns for a statement and its parameters."""
    if isinstance(statement, str):
        return client.execute(statement, settings=settings)
    return client.execute(statement.text, statement.wire_parameters(), settings=settings)


def text_of(statement: Statement) -> str:
    """The text of a statement, its parameters as places."""
    return statement if isinstance(statement, str) else statement.text
