"""Version numbers: microseconds of arrival that never repeat or go back within a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def microseconds() -> int:
    """The time now, since the epoch."""
    return time.time_ns() // 1000


class VersionClock:
    """Strictly increasing microseconds. A clock set back waits at its last number plus one."""

    def __init__(self, now: Callable[[], int] = microseconds) -> None:
        self._now = now
        self._last = 0
        self._lock = threading.Lock()

    def reserve(self, count: int = 1) -> int:
        """The first of ``count`` numbers in a row that nobody else gets."""
        with self._lock:
            first = max(self._now(), self._last + 1)
            self._last = first + max(count, 1) - 1
            return first
