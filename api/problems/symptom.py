"""A measure of a node or an edge that is not as usual. Pure, and without NumPy: what reads problems needs none."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from store.minutes import Series


class Measure(StrEnum):
    """What has changed."""

    FAULT = "fault"
    ERROR = "error"
    THROTTLE = "throttle"
    P50 = "p50"
    P90 = "p90"
    P99 = "p99"
    DROP = "drop"
    SURGE = "surge"

    @property
    def kind(self) -> str:
        """Whether it is about failures, times or calls."""
        return "failing" if self.is_failing else "slow" if self.is_slow else "calls"

    @property
    def is_failing(self) -> bool:
        """Whether requests fail."""
        return self in (Measure.FAULT, Measure.ERROR, Measure.THROTTLE)

    @property
    def is_slow(self) -> bool:
        """Whether they take longer."""
        return self in (Measure.P50, Measure.P90, Measure.P99)

    @property
    def is_calls(self) -> bool:
        """Whether it is about how many there are."""
        return self in (Measure.DROP, Measure.SURGE)


class Symptom(Struct, frozen=True):
    """A measure of a series that is not as usual; minutes since the epoch.

    ``usual``, ``now``: shares of requests, times in microseconds, or calls a minute. ``requests``: a minute, as of now.
    """

    series: Series
    measure: Measure
    since: int
    rang: int
    last_bad: int
    usual: float
    now: float
    requests: float

    @property
    def excess(self) -> float:
        """The part of the requests that is affected."""
        if self.measure.is_slow:
            return max(0.0, min(1.0, 1 - self.usual / max(self.now, 1)))
        if self.measure.is_calls:
            return min(1.0, abs(self.usual - self.now) / max(self.usual, 1e-9))
        return max(0.0, self.now - self.usual)
