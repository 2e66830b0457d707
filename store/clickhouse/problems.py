"""Problems in ClickHouse: `store.problems.ProblemStore`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import execute
from store.model import TimeRange
from store.problems import StoredProblem


class _HasClient(Protocol):
    def _client(self) -> AbstractContextManager[Client]: ...


class ProblemMethods:
    """Methods of `ProblemStore`."""

    def put_problems(self: _HasClient, problems: Sequence[StoredProblem]) -> None:
        """Rows that replace those before."""
        rows = [
            (str(each.id), each.since, each.ended, each.updated, each.value.decode())
            for each in problems
        ]
        if rows:
            with self._client() as client:
                client.execute(
                    "INSERT INTO problems (id, since, ended, updated, value) VALUES", rows
                )

    def find_problems(
        self: _HasClient, window: TimeRange, *, active: bool | None = None, limit: int
    ) -> list[StoredProblem]:
        """The latest to begin first."""
        statement = queries.PROBLEMS.render(
            start=window.start,
            end=window.end,
            states=[0, 1] if active is None else [int(active)],
            most=limit,
        )
        with self._client() as client:
            return [_problem(row) for row in execute(client, statement)]

    def get_problem(self: _HasClient, id: UUID) -> StoredProblem | None:
        """By the key of the table."""
        statement = queries.PROBLEM.render(id=str(id))
        with self._client() as client:
            return next((_problem(row) for row in execute(client, statement)), None)


def _problem(row: tuple[str, int, int, int, str]) -> StoredProblem:
    id, since, ended, updated, value = row
    return StoredProblem(UUID(id), since, ended, updated, value.encode())
