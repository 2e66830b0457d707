"""Log lines about what goes on and on: the first at once, the others counted and said now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class LogLimiter:
    """Says whether it is time for a line about a subject again. Threads may share it."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def __call__(self, subject: str) -> dict[str, int] | None:
        """What to add to the line (how many were left unsaid before it); None when not now."""
        now = self._clock()
        with self._lock:
            if now - self._last.get(subject, now - self._seconds) < self._seconds:
                self._unsaid[subject] = self._unsaid.get(subject, 0) + 1
                return None
            self._last[subject] = now
            suppressed = self._unsaid.pop(subject, 0)
        return {"unsaid": suppressed} if suppressed else {}
