"""Log lines of traced requests: what a line is, when two copies of it are one, and how they are read.

Not a log search product: lines are stored that name a trace or a request of Lambda, or that a function's
log stream contains, and read by trace, or by function and time. Times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol, runtime_checkable

from msgspec import Struct

from store.model import TimeRange
from store.times import MINUTE

MAX_BODY = 8 << 10
"""Characters of a line; what is beyond is left out, and the line says how much."""
NO_TRACE = bytes(16)
ACCESS, EXECUTION = "access", "execution"
"""`LogLine.record` of an access log that names a function's request and no trace, and of the event that ended a state
machine's execution."""
_MILLISECOND = 1_000


class LogLine(Struct, frozen=True, array_like=True):
    """A line, by whom it was written, and for which request; empty text, zeros and 0: not known."""

    time: int
    body: str
    name: str = ""
    """Of the node: the function, or the service."""
    type: str = ""
    account: str = ""
    region: str = ""
    request_id: str = ""
    """Of the Lambda invocation."""
    trace_id: bytes = NO_TRACE
    span_id: int = 0
    severity: str = ""
    """Among `store.rules.log_severity.SEVERITIES`."""
    record: str = ""
    """Which of the platform's lines it is: ``init``, ``start``, ``end``, ``report``, `ACCESS`, `EXECUTION`."""
    log_group: str = ""
    log_stream: str = ""
    source: str = ""
    """How it came: ``firehose``, ``extension``, ``otlp``."""
    ordinal: int = 0
    """Of equal lines in one millisecond, how many precede it."""
    failure: str = ""
    """Of a runtime's line on a handler that failed: the exception (`store.rules.handler_failures`)."""

    @property
    def minute(self) -> int:
        """Minutes since the epoch."""
        return self.time // MINUTE

    @property
    def hash(self) -> int:
        """Equal for copies of one line, from any source: by writer, millisecond and text."""
        written_by = self.request_id or self.log_stream or self.trace_id.hex()
        at = f"{self.time // _MILLISECOND} {self.ordinal}"
        content = "\0".join((self.name, written_by, at, self.record, self.body))
        digest = blake2b(content.encode(errors="replace"), digest_size=8).digest()
        return int.from_bytes(digest, "little")

    @property
    def known(self) -> int:
        """How many of its members say something: of two copies the greater wins."""
        return sum(1 for name in self.__struct_fields__ if getattr(self, name) not in _UNKNOWN)


_UNKNOWN = ("", 0, NO_TRACE)


class StreamSpan(NamedTuple):
    """A stretch of a log stream, ends included."""

    log_stream: str
    start: int
    end: int


class Wanted(NamedTuple):
    """Which lines of a window to read: those of a trace, of requests, and of stretches of log streams
    those that name no request."""

    window: TimeRange
    trace_id: bytes = NO_TRACE
    requests: tuple[str, ...] = ()
    streams: tuple[StreamSpan, ...] = ()
    failed: bool = False
    """Only those in which a runtime says that a handler failed."""

    def includes(self, line: LogLine) -> bool:
        """Whether a line is among them."""
        if self.failed and not line.failure:
            return False
        return line.time in self.window and (
            (line.trace_id == self.trace_id and line.trace_id != NO_TRACE)
            or line.request_id in self.requests
            or (not line.request_id and any(_is_in(line, span) for span in self.streams))
        )


def _is_in(line: LogLine, span: StreamSpan) -> bool:
    return line.log_stream == span.log_stream and span.start <= line.time <= span.end


class WrittenIn(NamedTuple):
    """Where lines were written: '' is anywhere. ``traces``: only lines of requests of these; ``record``: only the
    platform's of a kind (`LogLine.record`); ``failed``: only those in which a runtime says that a handler failed."""

    account: str = ""
    region: str = ""
    traces: Collection[bytes] | None = None
    record: str = ""
    failed: bool = False

    def includes(self, line: LogLine, requests: Collection[str]) -> bool:
        """Whether a line is among them; ``requests``: those of which any line names one of the traces."""
        if self.account not in ("", line.account) or self.region not in ("", line.region):
            return False
        if self.record not in ("", line.record) or (self.failed and not line.failure):
            return False
        return self.traces is None or line.trace_id in self.traces or line.request_id in requests


ANYWHERE = WrittenIn()


class FailedRequest(NamedTuple):
    """A request of Lambda in whose handler a runtime reported a failure, and its trace."""

    trace_id: bytes
    request_id: str


class LinePage(NamedTuple):
    """Lines by time, and how many more there are."""

    lines: list[LogLine]
    left_out: int


@runtime_checkable
class LogWriter(Protocol):
    """Stores lines."""

    def put_log_lines(self, lines: Sequence[LogLine], token: str) -> None:
        """Store lines; they survive a crash once this returns. Idempotent by ``token``, and a copy of a
        stored line replaces it or is dropped. Raises StoreUnavailable and DataRefused."""
        ...


class LogStore(LogWriter, Protocol):
    """Stores and reads lines."""

    def request_lines(self, wanted: Wanted, *, limit: int) -> LinePage:
        """The first ``limit`` lines of requests, by time."""
        ...

    def node_lines(
        self,
        names: Collection[str],
        window: TimeRange,
        *,
        limit: int,
        within: WrittenIn = ANYWHERE,
    ) -> LinePage:
        """The last ``limit`` lines under some names, by time."""
        ...

    def failed_requests(self, since: int) -> set[FailedRequest]:
        """Requests whose trace is known, in whose handler a runtime reported a failure: all of which a
        line was received since then, and possibly others."""
        ...

    def request_traces(self, requests: Collection[str], window: TimeRange) -> dict[str, bytes]:
        """The traces that lines of a window name, by their requests of Lambda; of several any."""
        ...

    def recorded_lines(self, record: str, since: int, *, limit: int) -> LinePage:
        """The first ``limit`` lines of one kind of the platform's (`LogLine.record`), by time: of all that were received
        since then, and possibly others."""
        ...


def newest_copies(lines: Collection[LogLine]) -> list[LogLine]:
    """One of the copies of each line, by time."""
    found: dict[tuple[int, str, int], LogLine] = {}
    for line in lines:
        key = (line.minute, line.name, line.hash)
        known = found.get(key)
        if known is None or line.known > known.known:
            found[key] = line
    return sorted(found.values(), key=order)


def order(line: LogLine) -> tuple[int, int, int, int, str, str]:
    """By time; in one millisecond what begins an invocation first and what ends it last."""
    rank = _RECORDS.get(line.record, 2)
    moment = line.time // _MILLISECOND
    return moment, rank, line.time, line.ordinal, line.request_id, line.body


_RECORDS = {"init": 0, "start": 1, "end": 3, "report": 4}
