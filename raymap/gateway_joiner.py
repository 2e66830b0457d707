"""Joins the requests of API Gateway's access logs to the rest of their traces.

A line of a REST API names its trace, and became a segment when it arrived: it is derived again with what the trace says
(`store.gateway_evidence`). A line without a trace names the request of the function that it invoked, whose own lines
name the trace: it waits for them, then the request has a trace of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import structlog
from msgspec import structs

from collector.decode.lambda_records.access_logs import read_access_line
from collector.decode.lambda_records.fold import Origin
from collector.decode.rejected import Rejected
from collector.derived import submit_requests
from collector.pipeline import IngestPipeline
from raymap.derived_search import BATCH, Search, has
from store.filters.ast import Expression
from store.filters.parse import parse
from store.gateway_evidence import SETTLED, evidence_of, requests_in
from store.log_lines import ACCESS, LogLine, LogStore
from store.model import TimeRange, Trace
from store.protocol import TraceReader
from store.rules.gateway_requests import (
    NOTHING,
    STANDING,
    GatewayEvidence,
    GatewayRequest,
    document_of,
)
from store.rules.invocations import Standing
from store.times import HOUR, MINUTE, SECOND

log = structlog.get_logger(__name__)

DERIVED: Expression = parse(
    " OR ".join(
        f'annotation.{STANDING} = "{each}"' for each in Standing if each != Standing.MISSING
    )
)
OVERLAP = MINUTE
"""Lines are read again that were received so long before the last round: others are stored meanwhile."""
REMEMBERED = 10 * MINUTE
"""How long lines without a trace are looked up: their function's may be late."""
LINES = 50_000
"""Of access logs, read in one round."""
MOST_WAITING = 100_000
"""Requests that are looked up; of more, those that began last have a trace of their own at once."""
APART = 15 * MINUTE
"""Lines of a function's request are at most so far from the request: that is how long a function may work."""
AT_ONCE = 1_000
"""Functions' requests whose lines are looked up in one statement."""
FORGOTTEN = 5 * MINUTE
"""Requests that were derived are remembered as long as their lines may be read again."""
SECOND_LOOK = SETTLED + 5 * SECOND
"""After a request's end, when its trace is looked at once more."""
EVERY = 6
OWN = GatewayEvidence(settled=True)
MOVED = GatewayEvidence(moved=True)


class GatewayStore(TraceReader, LogStore, Protocol):
    """What the joiner reads."""


_Key = tuple[str, str, int]


class _Waiting(NamedTuple):
    """A request without a trace, and when its line was first read."""

    request: GatewayRequest
    first: int


class GatewayJoiner:
    """Rounds of one thread."""

    def __init__(self, store: GatewayStore, pipeline: IngestPipeline) -> None:
        self._store, self._pipeline = store, pipeline
        self._derived = Search(store, DERIVED)
        self._waiting: dict[_Key, _Waiting] = {}
        self._alone: set[_Key] = set()
        """Of those: which have a trace of their own meanwhile."""
        self._done: dict[_Key, int] = {}
        self._read, self._round = 0, 0

    @property
    def is_busy(self) -> bool:
        """Whether requests wait, or changed recently."""
        return bool(self._waiting or self._derived.hits)

    def due(self, since: int, now: int) -> Iterator[list[Trace]]:
        """Traces with requests that changed since, some at a time."""
        return self._derived.due(TimeRange(since, now + MINUTE), now)

    def join(self, traces: Iterable[Trace], now: int) -> int:
        """Derive requests of traces again; returns how many."""
        return self._submit(self._better(traces, now))

    def join_functions(self, since: int, now: int) -> int:
        """The same for requests without a trace, of which the lines were received since."""
        return self._submit(self._of_functions(since, now))

    def _submit(self, requests: Iterable[tuple[GatewayRequest, GatewayEvidence]]) -> int:
        better = list(requests)
        for ack in submit_requests(self._pipeline, better, "derived"):
            ack.result()
        return len(better)

    def _better(
        self, traces: Iterable[Trace], now: int
    ) -> Iterator[tuple[GatewayRequest, GatewayEvidence]]:
        """Requests of traces that would be derived otherwise than they are stored."""
        for trace in traces:
            again = now + HOUR
            for request in requests_in(trace):
                evidence = evidence_of(trace, request, now=now)
                if not evidence.settled and not evidence.reported:
                    again = min(again, request.end + SECOND_LOOK)
                if not has(trace, document_of(request, evidence)):
                    yield request, evidence
            self._derived.look_again(trace, again)

    def _of_functions(
        self, since: int, now: int
    ) -> Iterator[tuple[GatewayRequest, GatewayEvidence]]:
        """Requests without a trace whose functions' traces are known, and those that waited long enough."""
        self._take(min(self._read, now) - OVERLAP if self._read else since, now)
        traces, late = self._traces(now), list[GatewayRequest]()
        patience = 0 if len(self._waiting) > MOST_WAITING else SETTLED
        for key, (request, first) in list(self._waiting.items()):
            age = now - max(first, request.end)
            trace_id = traces.get(request.integration_request)
            if trace_id is not None:
                self._alone.discard(key)
                yield structs.replace(request, trace=trace_id.hex()), NOTHING
                if age > patience:
                    late.append(request)
                self._done[key] = self._waiting.pop(key).first
            elif age > patience and key not in self._alone:
                self._alone.add(key)
                yield request, OWN
            if age > REMEMBERED and key in self._waiting:
                self._done[key] = self._waiting.pop(key).first
                self._alone.discard(key)
        yield from self._moved(late)

    def _take(self, since: int, now: int) -> None:
        """Read the lines that were received since."""
        self._done = {key: at for key, at in self._done.items() if at >= now - FORGOTTEN}
        page = self._store.recorded_lines(ACCESS, since, limit=LINES)
        if page.left_out:
            log.warning("requests_not_read", lines=page.left_out)
        for line in page.lines:
            request = _request_of(line)
            if request is None:
                continue
            key = (request.request_id, request.integration_request, request.start)
            if key not in self._done:
                self._waiting.setdefault(key, _Waiting(request, now))
        self._read = now

    def _traces(self, now: int) -> dict[str, bytes]:
        """The traces of the functions' requests, as far as their lines name one; of those that waited long every
        half a minute."""
        self._round += 1
        often = self._round % EVERY == 0
        requests = sorted(
            (
                each.request
                for each in self._waiting.values()
                if often or now - each.first < SETTLED
            ),
            key=lambda each: each.start,
        )
        found: dict[str, bytes] = {}
        for at in range(0, len(requests), AT_ONCE):
            few = requests[at : at + AT_ONCE]
            window = TimeRange(few[0].start - APART, few[-1].end + APART)
            found |= self._store.request_traces([r.integration_request for r in few], window)
        return found

    def _moved(
        self, requests: list[GatewayRequest]
    ) -> Iterator[tuple[GatewayRequest, GatewayEvidence]]:
        """Those of requests that have had a trace of their own."""
        for at in range(0, len(requests), BATCH):
            few = {request.trace_id: request for request in requests[at : at + BATCH]}
            for trace_id in self._store.get_traces(list(few), links=False):
                yield few[trace_id], MOVED


def _request_of(line: LogLine) -> GatewayRequest | None:
    """What a stored line says; None if a rule of redaction left too little of it."""
    origin = Origin(account=line.account, region=line.region, log_group=line.log_group)
    try:
        return read_access_line(line.body, line.time, origin)
    except Rejected:
        return None
