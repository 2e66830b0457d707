"""Joins the segments that were derived from Lambda's records to the rest of their traces.

The records say neither who called a function nor, some of them, which id its own subsegments name as
their parent (`store.rules.invocations`). The trace does, whichever of the two arrives last. A thread of
the API process reads the traces with such segments, derives them again with what the trace says
(`store.invocation_evidence`), and submits those that differ; and a segment for functions of which no record
came (`store.missing_functions`). The line in which a function's runtime says that its handler failed may come
in another delivery than the record: it is looked up by its request, and whether there would have been one by the
function (`store.telling_versions`). Any number of processes may do so at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec
import structlog

from collector.derived import submit_invocations
from collector.group_commit import JournalFull
from collector.pipeline import IngestPipeline
from raymap.derived_search import BATCH, FIRST_WINDOW, Search, has
from raymap.execution_joiner import ExecutionJoiner
from raymap.gateway_joiner import GatewayJoiner
from store.errors import StoreError
from store.event_evidence import Completed, with_source
from store.filters.ast import And, Expression, Streamed
from store.filters.parse import parse
from store.invocation_evidence import SETTLED, Found, evidence_in, invocations_in
from store.log_lines import FailedRequest, LogStore, Wanted
from store.missing_functions import LONG_PATIENCE, PATIENCE, RANK, missing_functions
from store.model import TimeRange, Trace
from store.protocol import TraceReader
from store.rules.handler_failures import Failure, handler_failure
from store.rules.invocation_documents import documents_of
from store.rules.invocations import (
    COLD_START,
    RECORD,
    SAME_ATTEMPT,
    Evidence,
    HandlerFailed,
    Invocation,
    Standing,
    with_failure,
)
from store.telling_versions import telling_versions
from store.times import HOUR, MINUTE

log = structlog.get_logger(__name__)

SHORTEST_PAUSE, PAUSE, LONGEST_PAUSE = 0.5, 5.0, 15.0
"""Seconds between two rounds: after one that left some, usually, and at most while there is no function to join."""
WINDOW, LONG_WINDOW = 3 * MINUTE, 10 * MINUTE
"""How long ago a trace has changed that a round looks at: for callers, for functions without a record."""
MOST_FAILURES = 10_000
"""Lines on failures read for some traces."""
REMEMBERED = MINUTE // 2
"""How long what is known of a function's runtimes is used, microseconds: at the second look it is looked up anew."""
SECOND_LOOK = SETTLED + 5_000_000
"""Microseconds after which a trace without the caller is looked at once more."""
DERIVED: Expression = parse(
    " OR ".join(
        f"annotation.{name} = {value}"
        for name, value in (
            (COLD_START, "true"),
            (COLD_START, "false"),
            *((RECORD, f'"{each}"') for each in Standing if each != Standing.MISSING),
        )
    )
)
"""Also what has been joined: AWS's own segments may come later, under other ids, one after the other. By values, for which
there is an index of rows that have just come; one of names is made by merges."""
PARTIAL: Expression = And(
    (Streamed(), parse(f'partial = true OR annotation.{RECORD} = "{Standing.MISSING}"'))
)
"""What may lack a function. Of spans every trace may be partial until it has been read, and none of them lacks one."""
QUIET = 5 * MINUTE
"""How long nothing has been stored before rounds are left out: by then all has been looked at twice."""
EVERY = 6
"""Rounds, of which one looks for functions without a record: half a minute at least."""


class JoinedStore(TraceReader, LogStore, Protocol):
    """What the joiner reads."""


class _Telling(NamedTuple):
    """The versions of a function whose runtimes log failures, and until when they are not looked up again."""

    versions: frozenset[str]
    until: int


class InvocationJoiner:
    """One round after the other; not to be shared by threads."""

    def __init__(
        self,
        store: JoinedStore,
        pipeline: IngestPipeline,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._pipeline = pipeline
        self._now = now
        self._store = store
        self._start_over()

    def _start_over(self) -> None:
        """Forget what has been seen to: the next round looks at all of the last hour, as after a start."""
        self._executions = ExecutionJoiner(self._store, self._pipeline)
        self._gateways = GatewayJoiner(self._store, self._pipeline)
        self._derived = Search(self._store, DERIVED)
        self._partial = Search(self._store, PARTIAL)
        self._failed: set[FailedRequest] = set()
        """Requests whose late failures have been seen to."""
        self._telling: dict[str, _Telling] = {}
        self._since = 0
        """Since when the last round looked for traces: one that left some does not let them grow too old."""
        self._round = 0
        self._arrival, self._arrived = 0, 0
        """What was stored last, and when that was noticed."""

    def run(self, stopping: threading.Event) -> None:
        """Rounds until ``stopping`` is set. After one that failed, which may have left what it noted as seen to, the next
        begins anew, and later."""
        pause = PAUSE
        while not stopping.wait(pause):
            try:
                if self.is_idle():
                    pause = min(2 * pause, LONGEST_PAUSE)
                    continue
                self.join()
                is_busy = self._derived.hits or self._gateways.is_busy
                pause = PAUSE if is_busy else min(2 * pause, LONGEST_PAUSE)
                pause = SHORTEST_PAUSE if self._derived.is_cut else pause
                continue
            except (StoreError, JournalFull) as error:
                log.warning("invocations_not_joined", error=str(error)[:200])
            except Exception as error:  # a round is lost, not the thread
                log.error("invocations_not_joined", error=f"{error!r:.200}")
            self._start_over()
            pause = min(2 * pause, LONGEST_PAUSE)

    def is_idle(self) -> bool:
        """Whether a round would find nothing: no function, request or execution waits, and nothing has come."""
        arrival, now = self._store.last_arrival(), self._now()
        if arrival != self._arrival:
            self._arrival, self._arrived = arrival, now
        waits = self._gateways.is_busy or self._executions.is_busy
        found = self._derived.hits or self._partial.hits
        return not waits and not found and now - self._arrived > QUIET

    def join(self) -> int:
        """One round; returns how many invocations were derived again."""
        now = self._now()
        self._telling = {name: each for name, each in self._telling.items() if each.until > now}
        since = now - (WINDOW if self._round else FIRST_WINDOW)
        if self._derived.is_cut:
            since = max(min(since, self._since), now - FIRST_WINDOW)
        self._since = since
        joined = self._gateways.join_functions(since, now)
        for traces in self._gateways.due(since, now):
            joined += self._gateways.join(traces, now) + self._join(traces, now)
        for traces in self._derived.due(TimeRange(since, now + MINUTE), now):
            joined += self._join(traces, now)
        joined += self._join_failures(since, now)
        joined += self._executions.join(since, now)
        if self._round % EVERY == 0:
            since = now - (LONG_WINDOW if self._round else FIRST_WINDOW)
            for traces in self._partial.due(TimeRange(since, now - PATIENCE), now):
                joined += self._replace_missing(traces, now)
        self._round += 1
        return joined

    def _join_failures(self, since: int, now: int) -> int:
        """Failures of handlers that were received since, of traces that need not have changed."""
        failed = self._store.failed_requests(since)
        traces = sorted({request.trace_id for request in failed - self._failed})
        joined = 0
        for start in range(0, len(traces), BATCH):
            found = self._store.get_traces(traces[start : start + BATCH], raw=True, links=False)
            joined += self._join(found.values(), now)
        self._failed = failed
        return joined

    def _failures(self, found: Iterable[Found]) -> list[HandlerFailed]:
        """The lines on failures of the handlers of invocations."""
        known = [each.invocation for each in found if not each.invocation.failure]
        if not known:
            return []
        window = TimeRange(
            min(each.start for each in known) - SAME_ATTEMPT,
            max(each.end for each in known) + SAME_ATTEMPT,
        )
        requests = tuple(sorted({each.request_id for each in known}))
        wanted = Wanted(window, requests=requests, failed=True)
        lines = self._store.request_lines(wanted, limit=MOST_FAILURES).lines
        return [
            HandlerFailed(
                line.request_id, line.time, handler_failure(line.body) or Failure(line.failure)
            )
            for line in lines
        ]

    def _tells(self, invocation: Invocation, now: int) -> bool:
        """Whether the function's runtime would have logged a failure, as of half a minute ago at least."""
        known = self._telling.get(invocation.function)
        if known is None or known.until <= now:
            begun = TimeRange(now - FIRST_WINDOW, now)
            versions = telling_versions(self._store, [invocation.function], begun)
            known = self._telling[invocation.function] = _Telling(versions, now + REMEMBERED)
        return invocation.version in known.versions

    def _join(self, traces: Iterable[Trace], now: int) -> int:
        better: list[tuple[Invocation, Evidence]] = []
        completed: list[Completed] = []
        found_in = [(trace, invocations_in(trace)) for trace in traces]
        failures = self._failures(each for _, found in found_in for each in found)
        for trace, all_found in found_in:
            again = now + HOUR
            for found in all_found:
                invocation = with_failure(found.invocation, failures)
                tells = not invocation.failure and self._tells(invocation, now)
                evidence = evidence_in(trace, found, now=now, telling=tells)
                if not evidence.settled:
                    again = min(again, invocation.end + SECOND_LOOK)
                if not _is_stored(trace, invocation, evidence):
                    better.append((invocation, evidence))
                if (own := with_source(trace, invocation, evidence)) is not None:
                    completed.append(own)
            self._derived.look_again(trace, again)
        for ack in submit_invocations(self._pipeline, better, "derived"):
            ack.result()
        self._complete(completed)
        return len(better) + len(completed)

    def _complete(self, completed: Sequence[Completed]) -> None:
        """Store segments again that AWS reported without the source of their events, as copies of the same standing."""
        for relayed in (True, False):
            raws = [
                msgspec.json.encode(each.document) for each in completed if each.relayed == relayed
            ]
            if raws:
                decoded = self._pipeline.decode(raws, "derived", relayed=relayed)
                self._pipeline.submit(decoded).result()

    def _replace_missing(self, traces: Iterable[Trace], now: int) -> int:
        raws: list[bytes] = []
        joined = 0
        for trace in traces:
            if again := self._join([trace], now):
                joined += again  # what is missing then, the next round knows
                continue
            missing = missing_functions(trace, now=now)
            raws += [msgspec.json.encode(content) for content in missing if not has(trace, content)]
            settled = trace.updated + LONG_PATIENCE
            self._partial.look_again(trace, settled if now < settled else now + HOUR)
        if raws:
            decoded = self._pipeline.decode_derived(raws, RANK, "derived")
            self._pipeline.submit(decoded).result()
        return joined + len(raws)


def _is_stored(trace: Trace, invocation: Invocation, evidence: Evidence) -> bool:
    """Whether the trace has what would be derived, or what replaces it."""
    return all(has(trace, content) for content in documents_of(invocation, evidence))
