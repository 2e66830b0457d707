"""A token bucket: at most so many requests a second, with a small burst. Pure but for its clock."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """``rate`` tokens a second, of which at most ``burst`` are saved."""

    def __init__(
        self, rate: float, burst: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    def reserve(self) -> float:
        """Take a token; the seconds to wait before it may be used."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)

    def wait(self) -> None:
        """Take a token and wait until it may be used."""
        if pause := self.reserve():
            time.sleep(pause)
