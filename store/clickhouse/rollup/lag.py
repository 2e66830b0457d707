"""How far the map's aggregates are behind the rows, as a worker has last seen it."""

from __future__ import annotations

import threading
import time

from store.metrics import DIRTY_MINUTES, ROLLUP_LAG
from store.query import Backlog
from store.times import SECOND, format_utc

BEHIND = 60.0
"""Seconds of lag from which an operator should know. Usually it is below ten."""
HELP = "see  raymap doctor  and the metric raymap_rollup_lag_seconds"


class RollupLag:
    """Thread-safe; sets the metrics whenever something is noted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minutes = 0
        self._since = 0.0
        """When the longest waiting rows became dirty (epoch seconds); 0 while nothing waits."""
        self._failing_since = 0.0
        self._error = ""

    def note(self, backlog: Backlog | None, *, counting: bool = True) -> None:
        """What waits has been read, by who counts it or by a reader."""
        with self._lock:
            self._minutes = backlog.minutes if backlog else 0
            if counting:
                self._error = ""
            self._since = backlog.since / SECOND if backlog else 0.0
        self._set_metrics()

    def note_others(self) -> None:
        """Another process counts."""
        with self._lock:
            self._error = ""
        self._set_metrics()

    def note_failure(self, error: Exception) -> None:
        """They could not be read or aggregated."""
        with self._lock:
            if not self._error:
                self._failing_since = time.time()
            self._error = str(error) or type(error).__name__
        self._set_metrics()

    @property
    def seconds(self) -> float:
        """Age of the oldest rows that are not aggregated; while aggregation fails, at least since then."""
        with self._lock:
            begun = [self._since] if self._since else []
            begun += [self._failing_since] if self._error else []
        return max(0.0, time.time() - min(begun)) if begun else 0.0

    @property
    def reason(self) -> str:
        """Why nothing is aggregated, if that fails."""
        with self._lock:
            return self._error

    def problem(self) -> str:
        """A sentence for people with the command that helps, or empty."""
        seconds = self.seconds
        if seconds < BEHIND:
            return ""
        since = format_utc(time.time() - seconds)
        with self._lock:
            if self._error:
                return f"the map has not been updated since {since}: {self._error}; {HELP}"
            minutes = "1 minute" if self._minutes == 1 else f"{self._minutes:,} minutes"
        return f"the map is behind: {minutes} have waited to be aggregated since {since}; {HELP}"

    def _set_metrics(self) -> None:
        ROLLUP_LAG.set(self.seconds)
        DIRTY_MINUTES.set(self._minutes)
