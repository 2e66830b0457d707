"""Watches the minutes of a store as they settle, and stores what is not as usual.

To be run by one process of all (`store.alarms.AlarmStore.alarm_lock`). It remembers nothing but the problems: the next one
learns from the stored minutes. Minutes that are older than `LIVE` teach what is usual and are not judged, be it that the process
began later, or that they were imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

import structlog
from msgspec.structs import replace

from api.problems import reach
from api.problems.columns import DAY
from api.problems.detector import FORGET
from api.problems.evidence import evidence_of
from api.problems.judge import Judge
from api.problems.record import MOST_EVENTS, Evidence, Happened, InsightGroup, Record, read, stored
from api.problems.recorder import record_of
from api.problems.replay import judge_of, minutes_of
from api.problems.tracker import AGAIN, Event, Problem
from api.problems.words import line
from store.errors import StoreError
from store.minutes import MinuteCounts
from store.model import TimeRange
from store.protocol import Store
from store.times import MINUTE

log = structlog.get_logger(__name__)

LIVE = 15
"""Minutes up to which a minute is judged."""
SILENT = 30
"""Minutes without any count after which problems end: nothing is known of them."""
LOOK = 5
"""Minutes between two looks for imports, which end when nothing was added between two of them; one while there is less to
learn from than is `NEEDED`, which takes little time."""
NEEDED = 60
"""Minutes of history without which nothing is called usual."""
IMPORTED = 30
"""Minutes that an import has to add for everything to be learnt anew."""
MOST_ROWS = 40_000_000
"""Rows of counts that are learnt from, some minutes of work: of a large map these are fewer days than seven."""
MOST_RECORDS = 50
EVIDENCE_EVERY = 5
"""Minutes between two readings of the traces of a problem."""
MOST_EVIDENCE = 3
"""Problems whose traces are read, the worst ones."""

Groups = Callable[[Problem, int], Iterable[InsightGroup]]


class Watch:
    """One round after the other; not to be shared by threads. ``may_go_on``: checked while it learns. ``groups``: those of
    X-Ray's API that a problem is an insight of, as of a minute."""

    def __init__(
        self,
        store: Store,
        may_go_on: Callable[[], bool] = lambda: True,
        groups: Groups = lambda *_: (),
    ) -> None:
        self._store = store
        self._may_go_on, self._groups = may_go_on, groups
        self._judge: Judge | None = None
        self._next = self._live = self._judged = 0
        self._past, self._learnt, self._looked, self._counted = (0, 0), 0, 0, 0
        self._records: dict[UUID, Record] = {}
        self._read: dict[UUID, int] = {}
        """By problem: the minute in which its traces were read."""
        self._events: list[Event] = []
        """What is not stored yet."""

    def round(self, settled: int) -> list[Event]:
        """Judge the minutes that have ended by then (microseconds); what has changed. Raises StoreError."""
        last = settled // MINUTE - 1
        if self._judge is None or self._is_imported(last):
            self._start(last)
        judge, before = self._judge, self._judged
        assert judge is not None
        for counts in minutes_of(self._store, self._next, last):
            if not self._may_go_on():
                return []
            self._take(judge, counts, last)
        self._next = max(self._next, last + 1)
        if self._judged and self._judged < last - SILENT:
            self._events += judge.tracker.update(last, [])
        if self._judged == before and not self._events:
            return []
        return self._store_changes(judge)

    def _take(self, judge: Judge, counts: MinuteCounts, last: int) -> None:
        if counts.minute < max(self._live, last - LIVE):
            judge.learn(counts)
        else:
            self._events += judge.step(counts)
            self._judged = counts.minute
        self._next = counts.minute + 1

    def _start(self, last: int) -> None:
        """Learn from the beginning. What another process, or this one, has found goes on."""
        recent = TimeRange((last - AGAIN) * MINUTE, (last + 1) * MINUTE)
        known = [read(each) for each in self._store.find_problems(recent, limit=MOST_RECORDS)]
        self._records = {each.id: each for each in known}
        judged = [each.problem.updated for each in known]
        self._live = max([last - LIVE, *(minute + 1 for minute in judged)])
        newest = self._store.minute_counts(last - LOOK, last)
        rows = max([1, *(len(each.ids) // 8 for each in newest)])
        first = last - min(FORGET, max(DAY, MOST_ROWS // rows))
        self._past = first, last - LOOK
        self._learnt = self._counted = self._store.counted_minutes(*self._past)
        self._looked = last
        self._next = first
        self._judge = judge_of(self._store, [each.problem for each in known])

    def _is_imported(self, last: int) -> bool:
        """Whether minutes were added to the past, and no more of them are."""
        if last < self._looked + (LOOK if self._learnt >= NEEDED else 1):
            return False
        self._looked = last
        before, self._counted = self._counted, self._store.counted_minutes(*self._past)
        return self._counted == before >= self._learnt + IMPORTED

    def _store_changes(self, judge: Judge) -> list[Event]:
        """Store what lasts, as of the last minute, and what has ended."""
        active = judge.tracker.active[:MOST_RECORDS]
        problems = {each.problem.id: each.problem for each in self._events}
        problems |= {each.id: each for each in active}
        worst = [each.id for each in active[:MOST_EVIDENCE]]
        records = [
            self._record(judge, each, read_traces=each.id in worst or each.ended > 0)
            for each in problems.values()
        ]
        self._store.put_problems([stored(each) for each in records])
        events, self._events = self._events, []
        self._records |= {each.id: each for each in records}
        self._records = {
            id: each
            for id, each in self._records.items()
            if each.active or each.problem.updated >= self._judged - AGAIN
        }
        self._read = {id: minute for id, minute in self._read.items() if id in self._records}
        for each in events:
            log.info("problem", change=each.kind.value, line=line(each.problem))
        return events

    def _record(self, judge: Judge, problem: Problem, *, read_traces: bool) -> Record:
        known = self._records.get(problem.id)
        now = judge.detector.minute + 1
        evidence, groups = (known.evidence, known.groups) if known else (Evidence(), ())
        if read_traces and now >= self._read.get(problem.id, 0) + EVIDENCE_EVERY:
            evidence, groups = self._evidence(problem, problem.ended or now, evidence, groups)
            self._read[problem.id] = now
        made = record_of(self._store, judge.detector, problem, evidence)
        happened = [_happened(each, made) for each in self._events if each.problem.id == made.id]
        events = (*(known.events if known else ()), *happened)
        return replace(made, groups=groups, events=events[-MOST_EVENTS:])

    def _evidence(
        self, problem: Problem, end: int, known: Evidence, groups: tuple[InsightGroup, ...]
    ) -> tuple[Evidence, tuple[InsightGroup, ...]]:
        """What traces say up to a minute, and the groups, once it is an insight of them for good."""
        try:
            found = evidence_of(self._store, problem, end)
            every = dict.fromkeys([*groups, *self._groups(problem, end)])
        except StoreError as error:  # the counts stand without it
            log.warning("problem_traces_not_read", error=f"{error!s:.200}")
            return known, groups
        return (found if found.traces else known), tuple(every)


def _happened(event: Event, record: Record) -> Happened:
    at = (event.at + 1) * MINUTE
    text = line(event.problem, record.evidence.words, record.changes)
    return Happened(event.kind, at, text, record.clients, record.root, reach.top_of(event.problem))
