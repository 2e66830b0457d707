"""Runs queries on a connection, and independent ones concurrently on other connections of its pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol, TypeVar

from clickhouse_driver import Client

from store.cancellation import cancellable
from store.clickhouse.connection.pool import ClientPool, abort
from store.clickhouse.queries import Sql, joined
from store.metrics import timed_query
from store.owner import Owners
from store.together import together

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
Rows = list[tuple[Any, ...]]


Statement = str | Sql
RunQuery = Callable[[Statement], Rows]
"""Runs a statement and returns its rows. Temporary tables live as long as its connection."""

READ_LIMITS: Mapping[str, int | str] = {
    "max_execution_time": 60,
    "max_memory_usage": 4_000_000_000,
    "max_bytes_before_external_group_by": 1_000_000_000,
    "final": 0,
    # With FINAL, too, other columns are read only of the granules whose keys meet a condition.
    "optimize_move_to_prewhere_if_final": 1,
    # Statements list buckets and revisions; the server's limits are 256 KiB and 50,000 elements.
    "max_query_size": 64 << 20,
    "max_ast_elements": 5_000_000,
    "max_expanded_ast_elements": 5_000_000,
}
"""Limits of one interactive query; ClickHouse refuses what exceeds them."""
BINARY_LIMITS = {**READ_LIMITS, "strings_as_bytes": True}
"""The same with texts as bytes."""
COUNT_LIMITS = {**READ_LIMITS, "max_execution_time": 900}
"""Limits of a background recount: no client waits for it, and on a busy machine it must still finish."""


class OtherCells(Protocol):
    """The other cells of an installation (`store.clickhouse.connection.neighbours`), seen from the one at ``index``."""

    index: int

    @property
    def owners(self) -> Owners:
        """Where traces are."""
        ...

    @property
    def failures(self) -> int:
        """How often one has not answered, and its rows are missing from what was read."""
        ...

    def runners(self, limits: Mapping[str, int | str]) -> Iterator[tuple[int, RunQuery]]:
        """A runner for each, by its place."""
        ...


class QueryRunner:
    """Runs queries on one connection, concurrent ones also on free connections of its pool."""

    def __init__(
        self,
        client: Client,
        pool: ClientPool,
        threads: Executor,
        limits: Mapping[str, int | str] = READ_LIMITS,
        check: Callable[[], None] | None = None,
        cells: OtherCells | None = None,
    ) -> None:
        self._client = client
        self._limits = limits
        self.cells = cells
        self._pool = pool
        self._threads = threads
        self._check = check

    def with_limits(self, limits: Mapping[str, int | str]) -> QueryRunner:
        """A runner on the same connection with other limits."""
        return self._with(limits=limits)

    def with_check(self, check: Callable[[], None]) -> QueryRunner:
        """The same, which calls ``check`` before each statement; what it raises ends the work."""
        return self._with(check=check)

    def _with(self, **others: Any) -> QueryRunner:
        known = {
            "client": self._client,
            "limits": self._limits,
            "check": self._check,
            "cells": self.cells,
        }
        return QueryRunner(pool=self._pool, threads=self._threads, **{**known, **others})

    def elsewhere(self) -> Iterator[tuple[int, RunQuery]]:
        """Runners for the other cells, by their places."""
        return self.cells.runners(self._limits) if self.cells else iter(())

    def __call__(self, statement: Statement) -> Rows:
        """The rows of a query."""
        if self._check:
            self._check()
        return run_on(self._client, statement, self._limits)

    def run_concurrently(self, *statements: Statement) -> list[Rows]:
        """The rows of independent queries, in order; only the first may read temporary tables.

        Small queries spend most of their time in planning, which is single-threaded.
        """
        return self.together(*(partial(_rows_of, statement) for statement in statements))

    def together(self, *works: Callable[[QueryRunner], T]) -> list[T]:
        """The results of independent work, in order; only the first may use temporary tables.

        Never waits for a connection: without a free one, work is done on this one, after the first.
        """
        first, *others = works
        found = together(
            self._threads,
            lambda: [first(self)],
            *(partial(self._elsewhere, work) for work in others),
        )
        return [
            result[0] if result else work(self) for work, result in zip(works, found, strict=True)
        ]

    def _elsewhere(self, work: Callable[[QueryRunner], T]) -> list[T]:
        """The result of work on another connection; empty when none is free."""
        with self._pool.try_acquire() as client:
            if client is None:
                return []
            return [work(self._with(client=client))]


def checked(run: RunQuery, check: Callable[[], None]) -> RunQuery:
    """`QueryRunner.with_check`, for any runner."""
    if isinstance(run, QueryRunner):
        return run.with_check(check)

    def run_checked(statement: Statement) -> Rows:
        check()
        return run(statement)

    return run_checked


def run_concurrently(run: RunQuery, *statements: Statement) -> list[Rows]:
    """`QueryRunner.run_concurrently`; any other runner runs them one after the other."""
    return run_together(run, *(partial(_rows_of, statement) for statement in statements))


def run_as_one(run: RunQuery, *statements: Sql) -> list[Rows]:
    """The rows of independent queries with columns of the same types, by one statement; only what a LIMIT orders keeps
    its order.

    Planning costs as much as reading little. ClickHouse plans them at once and reads them concurrently.
    """
    if len(statements) < 2:
        return [run(each) for each in statements]
    parts = [
        Sql(f"SELECT {number} AS part, * FROM (\n{each.text}\n)", each.parameters)
        for number, each in enumerate(statements)
    ]
    answers: list[Rows] = [[] for _ in statements]
    for part, *row in run(joined("\nUNION ALL\n", parts)._replace(name=statements[0].name)):
        answers[part].append(tuple(row))
    return answers


def run_groups(run: RunQuery, *groups: Sequence[Sql]) -> list[list[Rows]]:
    """The rows of groups of independent queries: those of a group by one statement, the groups concurrently."""
    return run_together(run, *(partial(_rows_of_group, group) for group in groups))


def _rows_of_group(group: Sequence[Sql], run: RunQuery) -> list[Rows]:
    return run_as_one(run, *group)


def run_both(
    run: RunQuery, work: Callable[[RunQuery], A], other: Callable[[RunQuery], B]
) -> tuple[A, B]:
    """The results of two independent works of several queries each, run at the same time."""
    works: tuple[Callable[[RunQuery], Any], ...] = work, other
    first, second = run_together(run, *works)
    return first, second


def run_together(run: RunQuery, *works: Callable[[RunQuery], T]) -> list[T]:
    """`QueryRunner.together`; with any other runner one after the other."""
    if isinstance(run, QueryRunner):
        return run.together(*works)
    return [work(run) for work in works]


def _rows_of(statement: Statement, run: RunQuery) -> Rows:
    return run(statement)


def cells_of(run: RunQuery) -> OtherCells | None:
    """The other cells that a runner knows."""
    return run.cells if isinstance(run, QueryRunner) else None


def everywhere(run: RunQuery) -> RunQuery:
    """A runner whose rows are those of all cells: for statements by ids, of what links lead to. It reads no temporary
    tables."""
    if not isinstance(run, QueryRunner) or run.cells is None:
        return run

    def ask(statement: Statement) -> Rows:
        return [*run(statement), *(row for _, other in run.elsewhere() for row in other(statement))]

    return ask


def run_on(client: Client, statement: Statement, limits: Mapping[str, int | str]) -> Rows:
    """The rows of a query on a connection."""
    # ClickHouse stops a query whose client has disconnected.
    with cancellable(lambda: abort(client)), timed_query(_name_of(statement)):
        rows: Rows = execute(client, statement, limits)
    return rows


def _name_of(statement: Statement) -> str:
    return (isinstance(statement, Sql) and statement.name) or "other"


def execute(client: Client, statement: Statement, settings: Mapping[str, Any] | None = None) -> Any:
    """What `clickhouse_driver.Client.execute` returns for a statement and its parameters."""
    if isinstance(statement, str):
        return client.execute(statement, settings=settings)
    if statement.rows is not None:
        client.execute(statement.text, statement.rows, settings=settings)
        return []
    return client.execute(statement.text, statement.wire_parameters(), settings=settings)


def text_of(statement: Statement) -> str:
    """The text of a statement, with its parameters as placeholders."""
    return statement if isinstance(statement, str) else statement.text
