"""What `sam local` prints → the log lines of its functions, with the trace of each invocation. Pure.

SAM prints what its containers write, one after the other, between its own lines. AWS's emulator in
them writes START, END and REPORT and knows no trace; so the trace id of an invocation is its request
id, whose 32 hex digits have the form of one, and its segment's id are the last sixteen of them. A
function can derive the same (docs/lambda.md).
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from msgspec import Struct

from collector.decode.lambda_records.events import Start, read_line
from collector.decode.log_text import is_request_id, read_text
from collector.decode.rejected import Rejected
from store.times import SECOND

_PLATFORM = re.compile(r"(?:START|END|REPORT) RequestId: (\S+)")
_MOUNT = re.compile(r"Mounting (.+) as /\S*:r\S+, inside runtime container")
_IMAGE = re.compile(r"Invoking Container created from ([^\s:@]+)")
_WARM = re.compile(r"Lambda function '(.+)' is already running")
_TIMEOUT = re.compile(r"Function '(.+)' timed out after \d+ seconds")
UNKNOWN = "sam-local"
"""The function's name when SAM printed none."""
MOST = 1_000
"""Names, and invocations that have not ended, in memory."""


class FunctionLine(NamedTuple):
    """A line of a function: when it was printed (microseconds), and the request it belongs to."""

    function: str
    version: str
    text: str
    time: int
    request_id: str


class _Invocation(Struct):
    function: str
    version: str
    start: int


def trace_id_of(request_id: str) -> str:
    """The trace of an invocation, in X-Ray's form; '' for what is no request id."""
    if not is_request_id(request_id):
        return ""
    digits = request_id.replace("-", "")
    return f"1-{digits[:8]}-{digits[8:]}"


def segment_id_of(request_id: str) -> str:
    """The id of the function's segment."""
    return request_id.replace("-", "")[16:]


class SamOutput:
    """Reads the lines in their order. ``function``: the name of all, instead of those SAM prints."""

    def __init__(self, function: str = "") -> None:
        self._function = function
        self._named: deque[str] = deque(maxlen=MOST)
        """Functions whose containers were started and have not printed START."""
        self._warm: deque[str] = deque(maxlen=MOST)
        """Functions that are invoked in a container that runs already."""
        self._active: dict[str, _Invocation] = {}
        self.functions: set[str] = set()
        self.invocations = 0

    def read(self, line: str, now: int) -> list[FunctionLine]:
        """The function's lines in a line of SAM's; of one that a text without a line feed precedes, two."""
        if match := _PLATFORM.search(line):
            before, platform = line[: match.start()], line[match.start() :]
            return self._own(before, now) + self._platform(match[1], platform, now)
        if match := _TIMEOUT.search(line):
            return self._time_out(match[1], now)
        return [] if self._is_hint(line) else self._own(line, now)

    def _is_hint(self, line: str) -> bool:
        """Whether SAM says which function it is about to invoke."""
        if match := _WARM.search(line):
            self._warm.append(_base(match[1]))
        elif match := _MOUNT.search(line) or _IMAGE.search(line):
            self._named.append(_base(match[1]))
        else:
            return False
        return True

    def _next_name(self) -> str:
        if self._function:
            return self._function
        if names := self._warm or self._named:
            return names.popleft()
        return next(iter(self.functions)) if len(self.functions) == 1 else UNKNOWN

    def _platform(self, request_id: str, text: str, now: int) -> list[FunctionLine]:
        try:
            fact = read_line(text, now)
        except Rejected:
            return []
        if isinstance(fact, Start):
            self._begin(fact, now)
        invocation = self._active.get(request_id)
        if invocation is None:
            return []
        if text.startswith("REPORT"):
            del self._active[request_id]
            text = _with_trace(text, request_id)
        return [_line(invocation, text, now, request_id)]

    def _begin(self, start: Start, now: int) -> None:
        if len(self._active) >= MOST:
            self._active.pop(next(iter(self._active)))
        invocation = _Invocation(self._next_name(), start.version, now)
        self._active[start.request_id] = invocation
        self.functions.add(invocation.function)
        self.invocations += 1

    def _own(self, text: str, now: int) -> list[FunctionLine]:
        """A line that names its request, or is printed while only one invocation runs."""
        if not text.strip():
            return []
        request_id = read_text(text).request_id
        if not request_id and len(self._active) == 1:
            request_id = next(iter(self._active))
        invocation = self._active.get(request_id)
        return [] if invocation is None else [_line(invocation, text, now, request_id)]

    def _time_out(self, function: str, now: int) -> list[FunctionLine]:
        """SAM stops the container, mostly before the emulator reports: the report is made here."""
        for request_id, invocation in self._active.items():
            if self._function or invocation.function in (_base(function), UNKNOWN):
                del self._active[request_id]
                milliseconds = (now - invocation.start) / (SECOND / 1000)
                duration = f"Duration: {milliseconds:.2f} ms\tStatus: timeout"
                text = _with_trace(f"REPORT RequestId: {request_id}\t{duration}", request_id)
                return [_line(invocation, text, now, request_id)]
        return []


def _base(name: str) -> str:
    """The last part of a path: `sam build` names a function's folder by its logical id."""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1]


def _with_trace(report: str, request_id: str) -> str:
    """A REPORT as Lambda prints it where tracing is active."""
    trace_id = trace_id_of(request_id)
    trace = f"XRAY TraceId: {trace_id}\tSegmentId: {segment_id_of(request_id)}\tSampled: true\t"
    return f"{report.rstrip()}\t\n{trace}" if trace_id else report


def _line(invocation: _Invocation, text: str, now: int, request_id: str) -> FunctionLine:
    return FunctionLine(invocation.function, invocation.version, text.rstrip(), now, request_id)
