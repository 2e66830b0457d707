"""The part of the store protocol that is about log lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from clickhouse_driver import Client

from store.clickhouse.connection.query_runner import QueryRunner
from store.clickhouse.logs import lines as log_lines
from store.log_lines import ANYWHERE, FailedRequest, LinePage, LogLine, Wanted, WrittenIn
from store.model import TimeRange


class Connections(Protocol):
    """What the methods need of the class they are mixed into."""

    def _client(self) -> AbstractContextManager[Client]: ...

    def _asking(self) -> AbstractContextManager[QueryRunner]: ...


class LogMethods:
    """Methods of `store.log_lines.LogStore`."""

    def put_log_lines(self: Connections, lines: Sequence[LogLine], token: str) -> None:
        """Store lines."""
        with self._client() as client:
            log_lines.put(client, lines, token)

    def request_lines(self: Connections, wanted: Wanted, *, limit: int) -> LinePage:
        """The first lines of requests."""
        with self._asking() as ask:
            return log_lines.request_lines(ask, wanted, limit)

    def node_lines(
        self: Connections,
        names: Collection[str],
        window: TimeRange,
        *,
        limit: int,
        within: WrittenIn = ANYWHERE,
    ) -> LinePage:
        """The last lines under some names."""
        with self._asking() as ask:
            return log_lines.node_lines(ask, names, window, limit, within)

    def failed_requests(self: Connections, since: int) -> set[FailedRequest]:
        """The requests of failures received since."""
        with self._asking() as ask:
            return log_lines.failed_requests(ask, since)

    def request_traces(
        self: Connections, requests: Collection[str], window: TimeRange
    ) -> dict[str, bytes]:
        """The traces that lines name."""
        with self._asking() as ask:
            return log_lines.request_traces(ask, requests, window)

    def recorded_lines(self: Connections, record: str, since: int, *, limit: int) -> LinePage:
        """The first lines of one kind that were received since."""
        with self._asking() as ask:
            return log_lines.recorded_lines(ask, record, since, limit)
