"""The reference implementation of `store.log_lines.LogStore`, on a dictionary."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from store.log_lines import (
    ANYWHERE,
    NO_TRACE,
    FailedRequest,
    LinePage,
    LogLine,
    Wanted,
    WrittenIn,
    newest_copies,
)
from store.model import TimeRange


class MemoryLogs:
    """Log lines. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._lines: list[LogLine] = []

    def put_log_lines(self, lines: Sequence[LogLine], token: str) -> None:
        """Store lines."""
        self._lines = newest_copies([*self._lines, *lines])

    def request_lines(self, wanted: Wanted, *, limit: int) -> LinePage:
        """The first lines of requests."""
        found = [line for line in self._lines if wanted.includes(line)]
        return LinePage(found[:limit], max(0, len(found) - limit))

    def node_lines(
        self,
        names: Collection[str],
        window: TimeRange,
        *,
        limit: int,
        within: WrittenIn = ANYWHERE,
    ) -> LinePage:
        """The last lines under some names."""
        lines = [line for line in self._lines if line.name in names and line.time in window]
        requests = {line.request_id for line in lines if line.trace_id in (within.traces or ())}
        found = [line for line in lines if within.includes(line, requests - {""})]
        return LinePage(found[-limit:], max(0, len(found) - limit))

    def failed_requests(self, since: int) -> set[FailedRequest]:
        """The requests of failures, whenever they were received."""
        failed = {line.request_id for line in self._lines if line.failure} - {""}
        return {
            FailedRequest(line.trace_id, line.request_id)
            for line in self._lines
            if line.request_id in failed and line.trace_id != NO_TRACE
        }

    def request_traces(self, requests: Collection[str], window: TimeRange) -> dict[str, bytes]:
        """The traces that lines name."""
        return {
            line.request_id: line.trace_id
            for line in self._lines
            if line.request_id in requests
            and line.request_id
            and line.time in window
            and line.trace_id != NO_TRACE
        }

    def recorded_lines(self, record: str, since: int, *, limit: int) -> LinePage:
        """The first lines of one kind, whenever they were received."""
        found = [line for line in self._lines if line.record == record]
        return LinePage(found[:limit], max(0, len(found) - limit))
