"""Derives the segments of Step Functions' executions from their logs, once they have ended.

Their events are stored as log lines (`collector.decode.lambda_records.execution_logs`). Of an execution that AWS reported to X-Ray, and so
to the log group ``aws/spans``, none is derived, or what was derived is taken back: whichever arrives first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import structlog

from collector.decode.lambda_records.execution_logs import read_event
from collector.derived import submit_derived
from collector.pipeline import IngestPipeline
from raymap.derived_search import BATCH, Search, has
from store.execution_evidence import NEAR, Reported, derived_in, reported_in, reported_ones
from store.filters.ast import And, Expression, Selector, ServiceMatch
from store.filters.parse import parse
from store.log_lines import EXECUTION, LogLine, LogStore, Wanted, WrittenIn
from store.model import NodeKey, TimeRange, Trace
from store.protocol import TraceReader
from store.query import Axis, TraceQuery
from store.rules.execution_documents import (
    DERIVED,
    RANK,
    REPORTED_RANK,
    STANDING,
    elsewhere,
    segment_of,
)
from store.rules.executions import (
    ENDS,
    MACHINE,
    MAX_EVENTS,
    Event,
    Execution,
    execution_of,
    machine_of,
    trace_of,
    values_of,
)
from store.times import DAY, HOUR, MINUTE, SECOND

log = structlog.get_logger(__name__)

Json = dict[str, Any]
NO_START = "no_start"
"""Label of a counter: of the execution only the end is known, as by a log of level ERROR."""
REPORTED: Expression = ServiceMatch(Selector(type=MACHINE))
DERIVED_ONES: Expression = parse(f'annotation.{STANDING} = "{DERIVED}"')
OTHERS: Expression = parse(f"NOT (annotation.{STANDING} EXISTS)")
PATIENCE = 60 * SECOND
"""After an execution's end, in which AWS's own segment and late events may arrive."""
OVERLAP = MINUTE
"""Lines are read again that were received so long before the last round."""
LINES = 50_000
"""Events read at once."""
SHORT, LONG = 15 * MINUTE, 7 * DAY
"""How long before its end an execution is expected to have begun, and at most: log lines are retained so long."""
MOST_LONG = 20
"""Executions that lasted longer, in one round."""
MOST_WAITING = 100_000
MOST_TRACES = 2_000
FORGOTTEN = 5 * MINUTE
"""Executions that were derived are remembered as long as their lines may be read again."""


class ExecutionStore(TraceReader, LogStore, Protocol):
    """What the joiner reads."""


class _Ended(NamedTuple):
    """An execution that has ended: its machine, when, and when its end was first read."""

    arn: str
    node: NodeKey
    end: int
    first: int


class ExecutionJoiner:
    """Rounds of one thread."""

    def __init__(self, store: ExecutionStore, pipeline: IngestPipeline) -> None:
        self._store, self._pipeline = store, pipeline
        self._reported = Search(store, REPORTED)
        self._waiting: dict[str, _Ended] = {}
        self._done: dict[str, int] = {}
        self._read = 0
        self._logged: bool | None = None
        """Whether executions are derived from logs at all; None: not known yet."""

    @property
    def is_busy(self) -> bool:
        """Whether executions wait, or changed recently."""
        return bool(self._waiting or self._reported.hits)

    def join(self, since: int, now: int) -> int:
        """One round over what was received since; returns how many executions were derived, or taken back."""
        self._take(min(self._read, now) - OVERLAP if self._read else since, now)
        derived = list(self._derived(now))
        if derived:
            self._pipeline.metrics.platform_records.labels("derived").inc(len(derived))
        documents = [*derived, *self._taken_back(since, now)]
        for ack in submit_derived(self._pipeline, documents, "derived"):
            ack.result()
        return len(documents)

    def _take(self, since: int, now: int) -> None:
        """Read which executions have ended."""
        self._done = {arn: at for arn, at in self._done.items() if at >= now - FORGOTTEN}
        page = self._store.recorded_lines(EXECUTION, since, limit=LINES)
        if page.left_out:
            log.warning("executions_not_read", lines=page.left_out)
        self._logged = bool(page.lines) or self._logged
        for line in page.lines:
            found = read_event(line.body)
            if found is None or found[1].type not in ENDS:
                continue
            arn, event = found
            again = self._done.get(arn, 0)
            if not again or event.time > again:  # redriven
                node = NodeKey(line.account, machine_of(arn), MACHINE, line.region)
                self._waiting.setdefault(arn, _Ended(arn, node, event.time, now))
        self._read = now

    def _derived(self, now: int) -> Iterator[tuple[int, Json]]:
        patience = 0 if len(self._waiting) > MOST_WAITING else PATIENCE
        due = [e for e in self._waiting.values() if now - max(e.first, e.end) > patience]
        by_machine = sorted(due, key=lambda each: (each.node, each.end, each.arn))
        long = MOST_LONG
        for node, ended in groupby(by_machine, key=lambda each: each.node):
            of_machine = list(ended)
            for at in range(0, len(of_machine), BATCH):
                few = of_machine[at : at + BATCH]
                executions, unknown = self._executions(node, few)
                for each in unknown[:long]:
                    execution = self._long_one(each)
                    executions += [execution] if execution else []
                    self._finish(each, known=execution is not None)
                for each in unknown[long:]:
                    if now - each.first > HOUR:
                        self._finish(each, known=False)
                long -= min(long, len(unknown))
                yield from self._unreported(node, executions)
                for each in few:
                    if each not in unknown:
                        self._finish(each)

    def _finish(self, ended: _Ended, *, known: bool = True) -> None:
        if not known:
            self._pipeline.metrics.platform_records.labels(NO_START).inc()
        self._waiting.pop(ended.arn, None)
        self._done[ended.arn] = ended.end

    def _executions(
        self, node: NodeKey, ended: list[_Ended]
    ) -> tuple[list[Execution], list[_Ended]]:
        """Executions of one machine, and those that began longer ago."""
        window = TimeRange(ended[0].end - SHORT, ended[-1].end + MINUTE)
        within = WrittenIn(node.account, node.region)
        lines = self._store.node_lines([node.name], window, limit=LINES, within=within).lines
        events = _events(lines)
        found = {each.arn: execution_of(each.arn, events.get(each.arn, ())) for each in ended}
        executions = [execution for execution in found.values() if execution]
        return executions, [each for each in ended if not found[each.arn]]

    def _long_one(self, ended: _Ended) -> Execution | None:
        window = TimeRange(max(0, ended.end - LONG), ended.end + MINUTE)
        wanted = Wanted(window, trace_of(ended.arn))
        lines = self._store.request_lines(wanted, limit=MAX_EVENTS).lines
        return execution_of(ended.arn, _events(lines).get(ended.arn, ()))

    def _unreported(self, node: NodeKey, executions: list[Execution]) -> Iterator[tuple[int, Json]]:
        """The segments of executions that AWS has not reported, unless they are stored."""
        if not executions:
            return
        traces = self._traces(node, _span(executions), OTHERS)
        known = reported_ones(map(values_of, executions), reported_in(traces.values()))
        stored = self._store.get_traces(
            [trace_of(each.arn) for each in executions], raw=True, links=False
        )
        for execution in executions:
            trace, document = stored.get(trace_of(execution.arn)), segment_of(execution)
            if execution.arn not in known and not (trace and has(trace, document)):
                yield RANK, document

    def _taken_back(self, since: int, now: int) -> Iterator[tuple[int, Json]]:
        """What takes the place of segments whose executions were reported since. Where no execution is logged, there is
        none to look for."""
        if not self._are_logged(now):
            return
        for traces in self._reported.due(TimeRange(since, now + MINUTE), now):
            for trace in traces:
                self._reported.look_again(trace, now + HOUR)
            reported = sorted(reported_in(traces), key=lambda each: (each.node.name, each.start))
            for name, some in groupby(reported, key=lambda each: each.node.name):
                yield from self._twice(name, list(some))

    def _are_logged(self, now: int) -> bool:
        if self._logged is None:
            window = TimeRange(max(0, now - LONG), now + MINUTE)
            query = TraceQuery(window, Axis.EVENT, DERIVED_ONES)
            self._logged = bool(self._store.find_traces(query, limit=1).found)
        return self._logged

    def _twice(self, name: str, reported: list[Reported]) -> Iterator[tuple[int, Json]]:
        node = NodeKey("", name, MACHINE)
        span = TimeRange(
            min(each.start for each in reported), max(each.end for each in reported) + 1
        )
        traces = self._traces(node, span, DERIVED_ONES).values()
        derived = list(derived_in(traces))
        known = reported_ones(derived, reported)
        for values in derived:
            if values["arn"] in known:
                yield REPORTED_RANK, elsewhere(values)

    def _traces(self, node: NodeKey, span: TimeRange, filter: Expression) -> dict[bytes, Trace]:
        """The traces with segments of a machine that ended in a span, or soon before or after."""
        own = ServiceMatch(Selector(node.name, MACHINE))
        query = TraceQuery(
            TimeRange(max(0, span.start - NEAR), span.end + NEAR + SECOND),
            Axis.SERVICE,
            And((filter, own)),
        )
        ids = [hit.trace_id for hit in self._store.find_traces(query, limit=MOST_TRACES).found]
        found: dict[bytes, Trace] = {}
        for at in range(0, len(ids), BATCH):
            found |= self._store.get_traces(ids[at : at + BATCH], raw=True, links=False)
        return found


def _span(executions: Iterable[Execution]) -> TimeRange:
    some = list(executions)
    return TimeRange(min(each.start for each in some), max(each.end for each in some) + 1)


def _events(lines: Iterable[LogLine]) -> dict[str, list[Event]]:
    """The events in stored lines, by execution."""
    found: dict[str, list[Event]] = {}
    for line in lines:
        event = read_event(line.body)
        if event is not None:
            found.setdefault(event[0], []).append(event[1])
    return found
