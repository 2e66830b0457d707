"""Evaluates alarms over data that is settled, and stores what changes.

A minute is settled when it ended `SETTLE_SECONDS` ago, and no document waits from then to be stored or counted: spans
that arrive later than that do not make an alarm flap, nor does a database that was unavailable. An alarm whose minutes
are still being counted, as after an import, is evaluated when they are. To be run by one process of all (`store.alarms.AlarmStore.alarm_lock`).
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from api.alarms.counters import evaluations, transitions
from api.alarms.datapoints import judge_metric, range_of
from api.alarms.metrics import rule_words
from api.alarms.topology import judge_edges, windows_of
from api.context import SETTLE_SECONDS
from api.counted import complete_until, incomplete_words
from api.errors import ApiError
from store.alarms import Alarm, AlarmEvent, AlarmKind, Verdict, next_event, state_of
from store.config import records
from store.errors import StoreError
from store.graph import ServiceGraph
from store.model import TimeRange
from store.protocol import Store
from store.query import USUAL_WAIT, Backlog
from store.rules.alarm_state import AlarmState
from store.times import SECOND

log = structlog.get_logger(__name__)

LONGEST_WAIT = 900.0
"""Seconds that documents which wait delay evaluations: one that can never be stored must not end them, and where one
cannot be counted for so long there is insufficient data."""


class AlarmEvaluator:
    """One round after the other; not to be shared by threads."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        oldest_waiting: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``oldest_waiting``: age in seconds of the oldest document that this server has not stored."""
        self._store = store
        self._clock = clock
        self._oldest_waiting = oldest_waiting
        self._evaluations, self._transitions = evaluations(), transitions()
        self._done: dict[str, tuple[int, int]] = {}
        """By alarm: when it was modified, and the end of the minutes that were evaluated."""
        self._graphs: dict[TimeRange, ServiceGraph] = {}
        self._used: set[TimeRange] = set()
        self._backlogs: dict[TimeRange, Backlog | None] = {}

    def evaluate(self) -> list[AlarmEvent]:
        """One round; returns what changed. Raises StoreError; an alarm that fails alone does not stop the others."""
        alarms = self.alarms()
        if not alarms:
            return []
        settled = self.settled()
        last = self._store.last_alarm_events()
        self._used.clear()
        self._backlogs.clear()
        changed = [
            event
            for alarm in alarms.values()
            if (event := self._evaluate(alarm, last.get(alarm.name), settled)) is not None
        ]
        self._graphs = {key: self._graphs[key] for key in self._used if key in self._graphs}
        self._done = {name: done for name, done in self._done.items() if name in alarms}
        return changed

    def alarms(self) -> dict[str, Alarm]:
        """The rules, by name."""
        return records.read(self._store.read_configuration(), Alarm)

    def settled(self) -> int:
        """Until when (microseconds) everything is counted that is not late."""
        now = self._clock()
        waiting = min(LONGEST_WAIT, self._oldest_waiting())
        settled = round((now - max(SETTLE_SECONDS, waiting)) * SECOND)
        recent = TimeRange(round((now - LONGEST_WAIT) * SECOND), settled)
        return complete_until(recent, self._store.backlog(recent, least=USUAL_WAIT))

    def _evaluate(self, alarm: Alarm, last: AlarmEvent | None, settled: int) -> AlarmEvent | None:
        if self._is_done(alarm, settled):
            return None
        try:
            backlog = self._backlog(_range(alarm, settled))
            if backlog and self._clock() - backlog.since / SECOND < LONGEST_WAIT:
                return None  # the next round looks again
            verdict = self._judge(alarm, last, settled, backlog)
            event = next_event(alarm, last, verdict, self._now(), rule_words(alarm))
            stored = event is not None and self._store.add_alarm_event(event)
        except (StoreError, ApiError) as error:
            self._evaluations.labels("failed").inc()
            log.warning("alarm_not_evaluated", alarm=alarm.name, error=f"{error!s:.200}")
            return None
        self._evaluations.labels("ok").inc()
        self._done[alarm.name] = (alarm.modified, _end(alarm, settled))
        if not stored or event is None:
            return None
        self._transitions.labels(event.state.value).inc()
        log.info("alarm", alarm=alarm.name, state=event.state.value, reason=event.verdict.reason)
        return event

    def _is_done(self, alarm: Alarm, settled: int) -> bool:
        modified, end = self._done.get(alarm.name, (-1, 0))
        return modified == alarm.modified and end >= _end(alarm, settled)

    def _judge(
        self, alarm: Alarm, last: AlarmEvent | None, settled: int, backlog: Backlog | None
    ) -> Verdict:
        if backlog:
            words = incomplete_words(backlog)
            return Verdict(AlarmState.INSUFFICIENT_DATA, words, _range(alarm, settled))
        if alarm.kind is AlarmKind.METRIC:
            current = state_of(alarm, last)
            return judge_metric(self._store, self._graph, alarm, settled, current)
        baseline, recent = windows_of(alarm, settled)
        return judge_edges(alarm, self._graph(baseline), self._graph(recent), recent)

    def _backlog(self, window: TimeRange) -> Backlog | None:
        """Read once for all alarms of a round, and before their graphs."""
        if window not in self._backlogs:
            self._backlogs[window] = self._store.backlog(window, least=USUAL_WAIT)
        return self._backlogs[window]

    def _graph(self, window: TimeRange) -> ServiceGraph:
        """Read once for all alarms of a round; a baseline once a minute."""
        self._used.add(window)
        if window not in self._graphs:
            self._graphs[window] = self._store.service_graph(window)
        return self._graphs[window]

    def _now(self) -> int:
        return round(self._clock() * SECOND)


def _range(alarm: Alarm, settled: int) -> TimeRange:
    """All that an evaluation reads."""
    if alarm.kind is AlarmKind.METRIC:
        return range_of(alarm, settled)
    baseline, recent = windows_of(alarm, settled)
    return TimeRange(baseline.start, recent.end)


def _end(alarm: Alarm, settled: int) -> int:
    return _range(alarm, settled).end
