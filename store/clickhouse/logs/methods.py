"""The part of the store protocol that is about log lines."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection.native_format import Columns
from store.clickhouse.connection.query_runner import QueryRunner, Rows
from store.log_lines import (
    ANYWHERE,
    NO_TRACE,
    FailedRequest,
    LinePage,
    LogLine,
    Wanted,
    WrittenIn,
    order,
)
from store.model import TimeRange
from store.times import MINUTE, SECOND

_MEMBERS = LogLine.__struct_fields__[1:]
_NAMES = f"minute, start, {', '.join(_MEMBERS)}, hash, known, received"


def _span(window: TimeRange) -> dict[str, int]:
    return {
        "first": max(0, window.start // MINUTE),
        "last": max(0, window.end // MINUTE),
        "start": window.start,
        "end": window.end,
    }


def _page(rows: Rows) -> LinePage:
    """Rows of a query: the members of a line, the trace in hex, and how many lines there are."""
    lines = [_line(row[:-1]) for row in rows]
    total = int(rows[0][-1]) if rows else 0
    return LinePage(sorted(lines, key=order), total - len(lines))


def _line(row: Sequence[object]) -> LogLine:
    members = dict(zip(LogLine.__struct_fields__, row, strict=True))
    members["trace_id"] = bytes.fromhex(str(members["trace_id"]))
    return LogLine(**members)  # type: ignore[arg-type]


class Connections(Protocol):
    """What the methods need of the class they are mixed into."""

    def _client(self) -> AbstractContextManager[Client]: ...

    def _asking(self) -> AbstractContextManager[QueryRunner]: ...


class LogMethods:
    """Methods of `store.log_lines.LogStore`."""

    def put_log_lines(self: Connections, lines: Sequence[LogLine], token: str) -> None:
        """Insert lines; ClickHouse ignores an insert whose token it has seen."""
        with self._client() as client:
            received = [int(time.time())] * len(lines)
            columns = Columns(
                (
                    [line.minute for line in lines],
                    [line.time for line in lines],
                    *([getattr(line, name) for line in lines] for name in _MEMBERS),
                    [line.hash for line in lines],
                    [line.known for line in lines],
                    received,
                )
            )
            client.execute(
                f"INSERT INTO log_lines ({_NAMES}) VALUES",
                columns,
                columnar=True,
                types_check=False,
                settings={"insert_deduplication_token": f"log_lines-{token}"},
            )

    def request_lines(self: Connections, wanted: Wanted, *, limit: int) -> LinePage:
        """The first lines of a trace and of requests."""
        with self._asking() as ask:
            rows = ask(
                queries.REQUEST_LINES.render(
                    **_span(wanted.window),
                    trace=wanted.trace_id,
                    no_trace=NO_TRACE,
                    requests=list(wanted.requests),
                    streams=list(wanted.streams),
                    failed=wanted.failed,
                    most=limit,
                )
            )
            return _page(rows)

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
            statement = queries.NODE_LINES.render(
                **_span(window),
                names=sorted(names),
                most=limit,
                account=within.account,
                region=within.region,
                record=within.record,
                failed=within.failed,
                of_traces=within.traces is not None,
                traces=sorted(within.traces or ()),
            )
            return _page(ask(statement))

    def failed_requests(self: Connections, since: int) -> set[FailedRequest]:
        """The requests of failures received since."""
        with self._asking() as ask:
            statement = queries.FAILED_REQUESTS.render(
                since=max(0, since // SECOND), no_trace=NO_TRACE
            )
            return {
                FailedRequest(bytes.fromhex(str(trace)), str(request))
                for trace, request in ask(statement)
            }

    def request_traces(
        self: Connections, requests: Collection[str], window: TimeRange
    ) -> dict[str, bytes]:
        """The traces that lines of a window name, by their requests."""
        with self._asking() as ask:
            statement = queries.REQUEST_TRACES.render(
                **_span(window), requests=sorted(requests), no_trace=NO_TRACE
            )
            return {str(request): bytes.fromhex(str(trace)) for request, trace in ask(statement)}

    def recorded_lines(self: Connections, record: str, since: int, *, limit: int) -> LinePage:
        """The first lines of one kind that were received since."""
        with self._asking() as ask:
            statement = queries.RECORDED_LINES.render(
                since=max(0, since // SECOND), record=record, most=limit
            )
            return _page(ask(statement))
