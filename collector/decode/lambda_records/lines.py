"""Lines of a function's log, in their order → log lines with their request and trace. Pure.

A stream is of one environment, which works on one request at a time: a line that names none belongs to
the request that has started and not ended. Of a delivery that begins within a request, the lines before
its end are that request's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, structs

from collector.decode.lambda_records.events import EVENT, Fact, InitStart, Report, Start
from collector.decode.lambda_records.fold import Origin
from collector.decode.lambda_records.points import emf_points, error_point, report_points
from collector.decode.log_text import Said, bounded, is_request_id, read_text
from collector.decode.rejected import Rejected
from store.log_lines import NO_TRACE, LogLine
from store.platform_metrics import MetricPoint
from store.rules.handler_failures import Failure, handler_failure
from store.rules.invocations import FUNCTION, HandlerFailed
from store.times import DAY

_END = re.compile(r"END RequestId: (\S+)")
_MILLISECOND = 1_000


class StreamLine(NamedTuple):
    """A line as it was delivered: its text, when (microseconds), what it says of an invocation, and what
    its delivery says of it."""

    text: str
    time: int
    fact: Fact | Rejected | None = None
    request_id: str = ""
    trace_id: bytes = NO_TRACE
    span_id: int = 0
    severity: str = ""


class Ignored(StrEnum):
    """Why a line is not stored; the label ``outcome`` of a counter."""

    UNRELATED = "unrelated"
    """It names neither a trace nor a request, and is of no function."""
    EMPTY = "empty"
    PLATFORM = "platform"
    """An event of the platform of which no line is made."""
    METRICS = "metrics"
    """Of the embedded metric format: its metrics are stored."""


class Lines(NamedTuple):
    """What came of some lines."""

    lines: list[LogLine]
    ignored: Counter[Ignored]
    points: list[MetricPoint]
    failed: tuple[HandlerFailed, ...] = ()
    """Of one stream: in which of them a runtime says that a handler failed."""

    def add(self, other: Lines) -> None:
        """Take those of another stream as well."""
        self.lines.extend(other.lines)
        self.ignored.update(other.ignored)
        self.points.extend(other.points)


class _Line(Struct):
    """A line whose request may become known by a later one."""

    text: str
    time: int
    request_id: str
    said: Said
    record: str = ""
    failure: Failure | None = None


def collect(origin: Origin, stream: Iterable[StreamLine], source: str) -> Lines:
    """The lines of one stream, or of one environment. Damaged records of the platform are left out:
    they are counted where the facts are read (`fold`)."""
    reader = _Reader(origin)
    for line in stream:
        if not isinstance(line.fact, Rejected):
            reader.add(line)
    return reader.result(source)


class _Reader:
    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._lines: list[_Line] = []
        self._request = ""
        self._begun = False
        self._traces: dict[str, bytes] = {}
        self._failed: dict[str, list[_Line]] = {}
        """Lines on failed handlers by request, of those whose REPORT has not been read."""
        self.ignored: Counter[Ignored] = Counter()
        self.points: list[MetricPoint] = []

    def add(self, line: StreamLine) -> None:
        fact = line.fact
        if isinstance(fact, InitStart):
            self._name(fact)
            self._append(line, "", "init")
        elif isinstance(fact, Start | Report):
            self._platform(line, fact)
        elif match := _END.match(line.text):
            self._end(match[1])
            self._append(line, match[1], "end")
        elif line.text.startswith("INIT_START "):
            self._append(line, "", "init")
        elif line.text.startswith("{") and EVENT.search(line.text):
            self.ignored[Ignored.PLATFORM] += 1
        elif not line.text.strip():
            self.ignored[Ignored.EMPTY] += 1
        else:
            self._own(line)

    def _name(self, fact: InitStart) -> None:
        known = self._origin
        self._origin = structs.replace(known, function=known.function or fact.function)

    def _platform(self, line: StreamLine, fact: Start | Report) -> None:
        if fact.tracing is not None:
            self._traces[fact.request_id] = fact.tracing.trace_id
        if isinstance(fact, Start):
            self._request, self._begun = fact.request_id, True
            self._append(line, fact.request_id, "start")
        else:
            self._end(fact.request_id)
            self._append(line, fact.request_id, "report")
            failed = bool(self._failed.pop(fact.request_id, ()))
            self.points += report_points(fact, self._origin, failed)

    def _end(self, request: str) -> None:
        if not self._begun:  # the delivery began within this request
            for earlier in self._lines:
                earlier.request_id = earlier.request_id or request
            self._failed.setdefault(request, []).extend(self._failed.pop("", ()))
        self._request, self._begun = "", True

    def _append(self, line: StreamLine, request: str, record: str) -> None:
        text = line.text if line.fact is None else text_of(line.fact, line.text)
        self._lines.append(_Line(bounded(text), line.time, request, Said(), record))

    def _own(self, line: StreamLine) -> None:
        said = read_text(line.text)
        if line.trace_id != NO_TRACE:
            said = said._replace(trace_id=line.trace_id, span_id=line.span_id)
        said = said._replace(severity=line.severity or said.severity)
        request = said.request_id or line.request_id or self._request
        seed = (request or self._origin.log_stream, line.text.strip())
        if said.members is not None and (points := emf_points(said.members, self._origin, seed)):
            self.points += points
            self.ignored[Ignored.METRICS] += 1
            return
        is_known = request or said.trace_id != NO_TRACE or self._origin.function
        if not is_known:
            self.ignored[Ignored.UNRELATED] += 1
            return
        near = abs(said.time - line.time) < DAY
        time = said.time if said.time and (near or not line.time) else line.time
        own = _Line(bounded(line.text), time, request, said)
        if self._origin.function and (failure := handler_failure(line.text.rstrip())):
            own.failure = failure
            self._failed.setdefault(request, []).append(own)
        self._lines.append(own)

    def result(self, source: str) -> Lines:
        """What came of the lines."""
        unreported = (each for lines in self._failed.values() for each in lines)
        self.points += [
            error_point(line.request_id, line.time, self._origin)
            for line in unreported
            if line.request_id
        ]
        lines = self._stored(source)
        failed = (
            HandlerFailed(line.request_id, line.time, line.failure)
            for line in self._lines
            if line.failure
        )
        return Lines(lines, self.ignored, self.points, tuple(failed))

    def _stored(self, source: str) -> list[LogLine]:
        """All of them, equal ones of a millisecond numbered. Times are milliseconds: the microseconds
        of a line are its place in its own, so that reading by time gives the order of the stream."""
        seen: Counter[tuple[str, int, str, str]] = Counter()
        places: Counter[int] = Counter()
        found = []
        for line in self._lines:
            moment, rest = divmod(line.time, _MILLISECOND)
            line.time += min(places[moment], _MILLISECOND - 1) if not rest else 0
            places[moment] += 1
            key = (line.request_id, moment, line.record, line.text)
            found.append(self._line(line, seen[key], source))
            seen[key] += 1
        return found

    def _line(self, line: _Line, ordinal: int, source: str) -> LogLine:
        origin, said = self._origin, line.said
        trace_id = said.trace_id
        if trace_id == NO_TRACE:
            trace_id = self._traces.get(line.request_id, NO_TRACE)
        return LogLine(
            line.time,
            line.text,
            origin.function or origin.service or origin.log_group,
            FUNCTION if origin.function else origin.type,
            origin.account,
            origin.region,
            line.request_id if is_request_id(line.request_id) else "",
            trace_id,
            said.span_id,
            said.severity,
            line.record,
            origin.log_group,
            origin.log_stream,
            source,
            ordinal,
            line.failure.type if line.failure else "",
        )


def text_of(fact: Fact | Rejected, text: str) -> str:
    """The line of the text format that says the same; the line itself if it is one."""
    if not text.startswith("{"):
        return text
    if isinstance(fact, InitStart):
        runtime = f" Runtime: {fact.runtime}" if fact.runtime else ""
        return f"INIT_START {fact.function} Version: {fact.version or '$LATEST'}{runtime}"
    if isinstance(fact, Start):
        version = f" Version: {fact.version}" if fact.version else ""
        return f"START RequestId: {fact.request_id}{version}"
    return _report_text(fact) if isinstance(fact, Report) else text


def _report_text(report: Report) -> str:
    parts = [f"REPORT RequestId: {report.request_id}", f"Duration: {report.duration / 1000:.2f} ms"]
    parts.append(f"Billed Duration: {report.billed_ms:.0f} ms")
    parts += [f"Memory Size: {report.memory_mb} MB", f"Max Memory Used: {report.max_memory_mb} MB"]
    for name, value in (("Init", report.init), ("Restore", report.restore)):
        parts += [f"{name} Duration: {value / 1000:.2f} ms"] if value else []
    if report.status not in ("", "success"):
        parts.append(f"Status: {report.status}")
    if report.error_type:
        parts.append(f"Error Type: {report.error_type}")
    return "\t".join(parts)
