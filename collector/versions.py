"""Document versions: microseconds of arrival, strictly increasing within a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def microseconds() -> int:
    """Wall-clock time in microseconds since the epoch."""
    return time.time_ns() // 1000


class VersionClock:
    """Strictly increasing microseconds. When the clock is set back, versions go on from the last."""

    def __init__(self, now: Callable[[], int] = microseconds) -> None:
        self._now = now
        self._last = 0
        self._lock = threading.Lock()

    def reserve(self, count: int = 1) -> int:
        """The first of ``count`` consecutive versions that no other caller gets."""
        with self._lock:
            first = max(self._now(), self._last + 1)
            self._last = first + max(count, 1) - 1
            return first
