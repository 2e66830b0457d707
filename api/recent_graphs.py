"""The last large graph that was counted, for what follows at once: a group is opened, a service is searched for."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, NamedTuple, Protocol, TypeVar

from store.missing import lacks
from store.model import TimeRange
from store.times import SECOND

RETAINED_SECONDS = 30.0
"""For so long it may stand for the graph of now: two refreshes of a console."""
NEAR = 5 * SECOND
"""How far the ends of a window may be from those that were counted, as of live windows (`api.context`)."""


class _Counted(Protocol):
    @property
    def window(self) -> TimeRange: ...


Counted = TypeVar("Counted", bound=_Counted)


class _Entry(NamedTuple, Generic[Counted]):
    key: Hashable
    requested: TimeRange
    at: float
    counted: Counted


class RecentGraph(Generic[Counted]):
    """Contains one graph at most: those of ten thousand services take some 50 MB. Thread-safe."""

    def __init__(self) -> None:
        self._entry: _Entry[Counted] | None = None
        self._lock = threading.Lock()

    def put(self, key: Hashable, requested: TimeRange, now: float, counted: Counted) -> None:
        """Retain what was counted of a window, in place of what was before, unless it lacks something."""
        if lacks():
            return
        with self._lock:
            self._entry = _Entry(key, requested, now, counted)

    def get(self, key: Hashable, window: TimeRange, now: float) -> Counted | None:
        """What was counted of about this window a moment ago."""
        with self._lock:
            entry = self._entry
            if entry is None:
                return None
            if not 0 <= now - entry.at <= RETAINED_SECONDS:
                self._entry = None
                return None
        if entry.key != key:
            return None
        spans = (entry.requested, entry.counted.window)
        return entry.counted if any(_near(window, span) for span in spans) else None


def _near(one: TimeRange, other: TimeRange) -> bool:
    return abs(one.start - other.start) <= NEAR and abs(one.end - other.end) <= NEAR
