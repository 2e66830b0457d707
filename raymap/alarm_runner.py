"""Runs alarms and the search for problems in one API process of all: a thread that evaluates, one that delivers to
webhooks, and one that judges each minute (`api.problems.watch`).

Which process: the one with the store's lock (`store.alarms.AlarmStore.alarm_lock`); the others look every
`EVERY` seconds whether it has become free. Without an alarm and without a trace none takes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Gauge

from api.alarms.evaluator import AlarmEvaluator
from api.alarms.outbox import Outbox
from api.reach import ANYWHERE, Destinations
from api.xray.insight_groups import insight_groups
from collector.metrics import readable
from store.alarms import Lock
from store.errors import StoreError
from store.once import once
from store.protocol import Store
from store.times import SECOND

if TYPE_CHECKING:
    from api.problems.watch import Watch

log = structlog.get_logger(__name__)

EVERY = 10.0
"""Seconds between two rounds."""
LOOK_AGAIN = 30.0
"""Seconds after which the outbox is read again though no event was made here: what another process left."""


@once
def evaluated() -> Gauge:
    """When the alarms were last evaluated, in the process-wide registry."""
    return Gauge(
        "raymap_alarms_evaluated_timestamp_seconds",
        "When the alarms were last evaluated",
        multiprocess_mode="livemax",
    )


@once
def judged() -> Gauge:
    """Until when the minutes have been judged for problems, in the process-wide registry."""
    return Gauge(
        "raymap_problems_judged_timestamp_seconds",
        "Until when the minutes of the map have been judged for problems",
        multiprocess_mode="livemax",
    )


def judged_until() -> float:
    """Until when the minutes have been judged, by whichever process of this server does; 0 while none has."""
    name = "raymap_problems_judged_timestamp_seconds"
    samples = (each for metric in readable().collect() for each in metric.samples)
    return max((each.value for each in samples if each.name == name), default=0.0)


class AlarmRunner:
    """`start` it once; it ends when ``stopping`` is set."""

    def __init__(
        self,
        store: Store,
        stopping: threading.Event,
        webhooks: Destinations = ANYWHERE,
        oldest_waiting: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.time,
        every: float = EVERY,
    ) -> None:
        self._store = store
        self._stopping = stopping
        self._every = every
        self._evaluator = AlarmEvaluator(store, clock, oldest_waiting)
        self._outbox = Outbox(store, clock, self._evaluator.alarms, webhooks)
        self._lock: Lock | None = None
        self._changed = threading.Event()
        self._has_traces = False
        self._threads = [
            threading.Thread(target=self._evaluate, name="alarms", daemon=True),
            threading.Thread(target=self._deliver, name="webhooks", daemon=True),
            threading.Thread(target=self._watch, name="problems", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> None:
        """Wait until all threads have ended; then another process may have the lock at once."""
        self._changed.set()
        for thread in self._threads:
            thread.join(timeout)
        if self._lock:
            self._lock.release()

    def _evaluate(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                alarms = bool(self._evaluator.alarms())
                mine = (alarms or self._receives()) and self._has_lock()
                if mine and alarms:
                    if self._evaluator.evaluate():
                        self._changed.set()
                    evaluated().set_to_current_time()
            except StoreError as error:
                log.warning("alarms_not_evaluated", error=f"{error!s:.200}")
            except Exception as error:  # a round is lost, not the thread
                log.error("alarms_not_evaluated", error=f"{error!r:.200}")

    def _receives(self) -> bool:
        """Whether there is anything to judge."""
        self._has_traces = self._has_traces or self._store.has_traces()
        return self._has_traces

    def _watch(self) -> None:
        watch: Watch | None = None
        while not self._stopping.wait(self._every):
            try:
                if not self._is_mine() or not self._receives():
                    watch = None  # another process may judge meanwhile
                    continue
                watch = watch or self._new_watch()
                settled = self._evaluator.settled()
                watch.round(settled)
                judged().set(settled / SECOND)
            except StoreError as error:
                log.warning("problems_not_judged", error=f"{error!s:.200}")
            except Exception as error:  # a round is lost, not the thread
                log.error("problems_not_judged", error=f"{error!r:.200}")

    def _new_watch(self) -> Watch:
        # Here, as NumPy takes memory that processes without the lock need not have.
        from api.problems.watch import Watch

        return Watch(self._store, self._is_mine, partial(insight_groups, self._store))

    def _has_lock(self) -> bool:
        if self._lock and not self._lock.alive:
            self._lock.release()
            self._lock = None
        if self._lock is None:
            self._lock = self._store.alarm_lock()
            self._changed.set()  # what the one before has not delivered
        return self._lock is not None

    def _is_mine(self) -> bool:
        return self._lock is not None and self._lock.alive and not self._stopping.is_set()

    def _deliver(self) -> None:
        pause = LOOK_AGAIN
        while not self._stopping.is_set():
            self._changed.wait(pause)
            self._changed.clear()
            pause = LOOK_AGAIN
            if not self._is_mine():
                continue
            try:
                due = self._outbox.deliver(self._is_mine)
                pause = min(LOOK_AGAIN, LOOK_AGAIN if due is None else max(0.1, due))
            except StoreError as error:
                log.warning("webhooks_not_delivered", error=f"{error!s:.200}")
            except Exception as error:  # a round is lost, not the thread
                log.error("webhooks_not_delivered", error=f"{error!r:.200}")
