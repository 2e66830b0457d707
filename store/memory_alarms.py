"""The reference implementation of `store.alarms.AlarmStore`, on dictionaries."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection

from store.alarms import FINAL, MOST_OF_URL, AlarmEvent, Delivery, Lock, Pending


class MemoryLock:
    """A lock among the threads of this process."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._alive = True

    @property
    def alive(self) -> bool:
        """Until it is released."""
        return self._alive

    def release(self) -> None:
        """Once."""
        if self._alive:
            self._alive = False
            self._lock.release()


class MemoryAlarms:
    """Events and deliveries. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._alarm_events: dict[tuple[str, int], AlarmEvent] = {}
        self._deliveries: dict[tuple[str, str], Delivery] = {}
        self._alarm_lock = threading.Lock()

    def alarm_lock(self) -> Lock | None:
        """One of this store."""
        return MemoryLock(self._alarm_lock) if self._alarm_lock.acquire(blocking=False) else None

    def add_alarm_event(self, event: AlarmEvent) -> bool:
        """By alarm and number."""
        return self._alarm_events.setdefault((event.alarm, event.seq), event) is event

    def last_alarm_events(self) -> dict[str, AlarmEvent]:
        """The newest by alarm."""
        return {event.alarm: event for event in self._in_order()}

    def alarm_history(self, alarm: str, *, limit: int) -> list[AlarmEvent]:
        """The newest first."""
        found = [event for event in self._in_order() if event.alarm == alarm]
        return found[::-1][:limit]

    def pending_deliveries(self, *, since: int, limit: int) -> list[Pending]:
        """The oldest first."""
        found: list[Pending] = []
        events = [event for event in self._alarm_events.values() if event.at >= since]
        for event in sorted(events, key=lambda e: (e.at, e.alarm, e.seq)):
            for url in event.targets:
                latest = self._deliveries.get((event.id, url))
                if latest is None:
                    found.append(Pending(event, url))
                elif latest.status not in FINAL:
                    found.append(Pending(event, url, latest.attempts, latest.at))
        seen: Counter[str] = Counter()
        few: list[Pending] = []
        for each in found:
            seen[each.url] += 1
            if seen[each.url] <= MOST_OF_URL:
                few.append(each)
        return few[:limit]

    def put_delivery(self, delivery: Delivery) -> None:
        """In place of the one before."""
        self._deliveries[delivery.event, delivery.url] = delivery

    def deliveries(self, events: Collection[str]) -> list[Delivery]:
        """By event and URL."""
        return [each for key, each in sorted(self._deliveries.items()) if key[0] in events]

    def _in_order(self) -> list[AlarmEvent]:
        return [event for _, event in sorted(self._alarm_events.items())]
