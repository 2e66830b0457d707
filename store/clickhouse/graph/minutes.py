"""The counts of whole minutes, from the rollups: `store.minutes.MinuteStore`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import BINARY_LIMITS, QueryRunner
from store.minutes import MinuteCounts, Series, SeriesKind
from store.model import NodeKey, TimeRange
from store.query import Backlog
from store.times import MINUTE

_WIDTH = len(NodeKey._fields)


class _HasRunner(Protocol):
    def _asking(self) -> AbstractContextManager[QueryRunner]: ...

    def _fresh(
        self, ask: QueryRunner, windows: Sequence[TimeRange]
    ) -> Sequence[Backlog | None]: ...


class MinuteMethods:
    """Methods of `MinuteStore`."""

    def minute_counts(self: _HasRunner, first: int, last: int) -> list[MinuteCounts]:
        """One statement."""
        statement = queries.MINUTE_COUNTS.render(first=first, last=last)
        with self._asking() as ask:
            self._fresh(ask, [TimeRange(first * MINUTE, (last + 1) * MINUTE)])
            rows = ask.with_limits(BINARY_LIMITS)(statement)
        return [MinuteCounts(*row) for row in rows]

    def counted_minutes(self: _HasRunner, first: int, last: int) -> int:
        """By the rows that say which revision applies."""
        statement = queries.COUNTED_MINUTES.render(first=first, last=last)
        with self._asking() as ask:
            return int(ask(statement)[0][0])

    def minute_series(
        self: _HasRunner, ids: Collection[int], first: int, last: int
    ) -> dict[int, Series]:
        """By their names."""
        if not ids:
            return {}
        statement = queries.MINUTE_SERIES.render(first=first, last=last, ids=list(ids))
        with self._asking() as ask:
            rows = ask(statement)
        return {
            id: Series(SeriesKind(kind), NodeKey(*names[:_WIDTH]), NodeKey(*names[_WIDTH:]))
            for id, kind, *names in rows
        }
