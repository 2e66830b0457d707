"""Rate-limited logging: the first line of a kind at once, repetitions counted and summed up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


class LogLimiter:
    """Writes at most one line per key in every ``seconds``. Thread-safe.

    The next line of a suppressed key carries their number as ``suppressed``.
    """

    def __init__(
        self, log: Any, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def debug(self, event: str, **fields: Any) -> None:
        self._write("debug", event, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._write("info", event, event, fields)

    def warning(self, event: str, *, key: str = "", **fields: Any) -> None:
        """``key`` separates limits within one event, such as one for each reason."""
        self._write("warning", event, f"{event} {key}", fields)

    def error(self, event: str, **fields: Any) -> None:
        self._write("error", event, event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """An error with the traceback of the exception being handled."""
        self._write("exception", event, event, fields)

    def _write(self, level: str, event: str, key: str, fields: dict[str, Any]) -> None:
        suppressed = self._admit(key)
        if suppressed is None:
            return
        if suppressed:
            fields["suppressed"] = suppressed
        getattr(self._log, level)(event, **fields)

    def _admit(self, key: str) -> int | None:
        """The number of lines suppressed since the last one; None when this one is, too."""
        now = self._clock()
        with self._lock:
            if now - self._last.get(key, now - self._seconds) < self._seconds:
                self._suppressed[key] = self._suppressed.get(key, 0) + 1
                return None
            self._last[key] = now
            return self._suppressed.pop(key, 0)
