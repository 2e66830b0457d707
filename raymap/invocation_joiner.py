"""Joins the segments that were derived from Lambda's records to the rest of their traces.

The records say neither who called a function nor, some of them, which id its own subsegments name as
their parent (`store.rules.invocations`). The trace does, whichever of the two arrives last. A thread of
the API process reads the traces with such segments, derives them again with what the trace says
(`store.invocation_evidence`), and submits those that differ. Any number of processes may do so at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
import structlog

from collector.derived import submit_invocations
from collector.group_commit import JournalFull
from collector.pipeline import IngestPipeline
from store.errors import StoreError
from store.filters.ast import Expression
from store.filters.parse import parse
from store.invocation_evidence import SETTLED, evidence_in, invocations_in
from store.model import TimeRange, Trace, is_derived
from store.protocol import TraceReader
from store.query import Axis, TraceQuery
from store.rules.invocations import RECORD, Evidence, Invocation, Standing, documents_of
from store.times import HOUR, MINUTE

log = structlog.get_logger(__name__)

PAUSE = 5.0
"""Seconds between two rounds."""
WINDOW, FIRST_WINDOW = 3 * MINUTE, HOUR
"""How long ago a trace has changed that a round looks at; the first one sees to what was left."""
BATCH = 100
"""Traces read at once, with their documents."""
MOST = 2_000
"""Traces of one round; the others are next."""
SECOND_LOOK = SETTLED + 5_000_000
"""Microseconds after which a trace without the caller is looked at once more."""
WAITING: Expression = parse(
    f'annotation.{RECORD} = "{Standing.ASSUMED}" OR annotation.{RECORD} = "{Standing.ALONE}"'
)


class _Seen(NamedTuple):
    """What a trace was when it was looked at, and when to look again though it is the same."""

    updated: int
    again: int


class InvocationJoiner:
    """One round after the other; not to be shared by threads."""

    def __init__(
        self,
        reader: TraceReader,
        pipeline: IngestPipeline,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._reader = reader
        self._pipeline = pipeline
        self._now = now
        self._seen: dict[bytes, _Seen] = {}
        self._window = FIRST_WINDOW

    def run(self, stopping: threading.Event) -> None:
        """Rounds until ``stopping`` is set. What fails is tried again in the next."""
        while not stopping.wait(PAUSE):
            try:
                self.join()
            except (StoreError, JournalFull) as error:
                log.warning("invocations_not_joined", error=str(error)[:200])

    def join(self) -> int:
        """One round; returns how many invocations were derived again."""
        now = self._now()
        changed = self._changed_traces(now)
        joined = 0
        for start in range(0, len(changed), BATCH):
            traces = self._reader.get_traces(changed[start : start + BATCH], raw=True)
            joined += self._submit(traces.values(), now)
        self._window = WINDOW
        self._forget(now)
        return joined

    def _changed_traces(self, now: int) -> list[bytes]:
        window = TimeRange(now - self._window, now + MINUTE)
        query = TraceQuery(window, Axis.EVENT, WAITING)
        page = self._reader.find_traces(query, limit=MOST)
        return [hit.trace_id for hit in page.found if self._is_due(hit.trace_id, hit.time, now)]

    def _is_due(self, trace_id: bytes, updated: int, now: int) -> bool:
        seen = self._seen.get(trace_id)
        return seen is None or seen.updated != updated or seen.again <= now

    def _submit(self, traces: Iterable[Trace], now: int) -> int:
        better: list[tuple[Invocation, Evidence]] = []
        for trace in traces:
            again = now + HOUR
            for found in invocations_in(trace):
                evidence = evidence_in(trace, found, now=now)
                if not evidence.settled:
                    again = min(again, found.invocation.end + SECOND_LOOK)
                if not _is_stored(trace, found.invocation, evidence):
                    better.append((found.invocation, evidence))
            self._seen[trace.trace_id] = _Seen(trace.updated, again)
        for ack in submit_invocations(self._pipeline, better, "derived"):
            ack.result()
        return len(better)

    def _forget(self, now: int) -> None:
        oldest = now - FIRST_WINDOW
        self._seen = {id: seen for id, seen in self._seen.items() if seen.updated >= oldest}


def _is_stored(trace: Trace, invocation: Invocation, evidence: Evidence) -> bool:
    """Whether the trace has what would be derived, or what replaces it."""
    for content in documents_of(invocation, evidence):
        stored = trace.documents.get(int(content["id"], 16))
        if stored is None:
            return False
        if is_derived(stored.version) and stored.raw != msgspec.json.encode(content):
            return False
    return True
