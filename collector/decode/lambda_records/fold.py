"""Facts in the records of functions → the invocations that they finish. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, structs

from collector.decode.ids import MAX_NAME
from collector.decode.lambda_records.events import Fact, InitStart, Report, Start, Tracing, damaged
from collector.decode.rejected import Rejected
from store.rules.invocations import HandlerFailed, Invocation, Source, with_failure

MAX_STARTS = 1_000
"""Invocations without an end that are remembered of one request."""
_STREAM = re.compile(r"\d{4}/\d\d/\d\d/(?:(?P<function>[^\[\]/]+))?\[(?P<version>[^\]]{1,60})\]")
_GROUP = "/aws/lambda/"


class Origin(Struct, frozen=True):
    """The function that records are of, as far as their delivery says; '' where it does not."""

    function: str = ""
    version: str = ""
    account: str = ""
    region: str = ""
    log_group: str = ""
    log_stream: str = ""
    service: str = ""
    """Of lines that no function wrote: who did, and on what it runs (X-Ray's origin)."""
    type: str = ""


class Skipped(StrEnum):
    """Why a finished invocation becomes no segment; the label ``outcome`` of a counter."""

    NOT_SAMPLED = "not_sampled"
    NO_TRACE = "no_trace"
    """The record names no trace: tracing is not active."""
    NO_FUNCTION = "no_function"
    """Neither the log group nor a record names the function."""


class Folded(NamedTuple):
    """What came of some records."""

    invocations: list[Invocation]
    skipped: list[Skipped]


def origin_of_logs(log_group: str, log_stream: str, account: str, region: str) -> Origin:
    """The function by the names of its log group and stream.

    ``/aws/lambda/NAME`` with ``2026/11/26/[VERSION]id``; in a log group of another name, the stream is
    ``2026/11/26/NAME[VERSION]id``.
    """
    match = _STREAM.match(log_stream)
    function = log_group[len(_GROUP) :] if log_group.startswith(_GROUP) else ""
    named = (match["function"] or "") if match else ""
    version = match["version"] if match else ""
    return Origin(named or function, version, account, region, log_group, log_stream)


class Fold:
    """Collects the facts of one log stream, or of one environment, in their order.

    What a record does not say may stand in an earlier one: the version and the trace in the start of
    an invocation, the function's name in that of the environment.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._starts: dict[str, Start] = {}
        self.invocations: list[Invocation] = []
        self.skipped: list[Skipped] = []

    def add(self, fact: Fact) -> None:
        """Take a fact into account. Raises Rejected when it makes no sense."""
        if isinstance(fact, InitStart):
            self._name(fact)
        elif isinstance(fact, Start):
            if len(self._starts) < MAX_STARTS:
                self._starts[fact.request_id] = fact
        else:
            result = self._finish(fact, self._starts.pop(fact.request_id, None))
            if isinstance(result, Skipped):
                self.skipped.append(result)
            else:
                self.invocations.append(result)

    def _name(self, fact: InitStart) -> None:
        known = self._origin
        self._origin = structs.replace(
            known,
            function=known.function or fact.function,
            version=known.version or fact.version,
        )

    def _finish(self, report: Report, start: Start | None) -> Invocation | Skipped:
        origin = self._origin
        begun = start.tracing if start is not None else None
        tracing = begun or report.tracing
        if tracing is None:
            return Skipped.NO_TRACE
        if not tracing.sampled:
            return Skipped.NOT_SAMPLED
        if not origin.function:
            return Skipped.NO_FUNCTION
        if len(origin.function) > MAX_NAME or len(report.request_id) > MAX_NAME:
            raise damaged("the name of the function or the request id is too long")
        if report.duration > report.end:
            raise damaged("the invocation began before 1970")
        source = Source.TEXT if report.is_text else Source.START if begun else Source.JSON
        return _invocation(report, tracing, origin, source, start.version if start else "")


def _invocation(
    report: Report, tracing: Tracing, origin: Origin, source: Source, version: str
) -> Invocation:
    return Invocation(
        report.request_id,
        tracing.trace_id,
        origin.function,
        report.end,
        report.duration,
        source,
        tracing.segment_id,
        tracing.span_id,
        tracing.parent_id,
        version or origin.version,
        origin.account,
        origin.region,
        origin.log_group,
        origin.log_stream,
        report.billed_ms,
        report.memory_mb,
        report.max_memory_mb,
        report.init,
        report.restore,
        report.billed_restore_ms,
        report.status,
        report.error_type,
    )


def fold(
    origin: Origin,
    facts: Iterable[Fact | Rejected | None],
    failed: Iterable[HandlerFailed] = (),
) -> tuple[Folded, list[Rejected]]:
    """All facts of one log stream, and the lines in it on handlers that failed. A damaged record costs
    itself only."""
    folding = Fold(origin)
    rejected: list[Rejected] = []
    for fact in facts:
        if isinstance(fact, Rejected):
            rejected.append(fact)
        elif fact is not None:
            try:
                folding.add(fact)
            except Rejected as rejection:
                rejected.append(rejection)
    lines = _by_request(failed)
    invocations = [
        with_failure(each, lines.get(each.request_id, ())) for each in folding.invocations
    ]
    return Folded(invocations, folding.skipped), rejected


def _by_request(failed: Iterable[HandlerFailed]) -> dict[str, list[HandlerFailed]]:
    found: dict[str, list[HandlerFailed]] = {}
    for line in failed:
        found.setdefault(line.request_id, []).append(line)
    return found
