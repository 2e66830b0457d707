"""The limit of sign-in attempts by user and by address, in this process."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Attempt:
    """An attempt to sign in. ``wait``: seconds until one is looked at; 0 for this one."""

    wait: float
    succeeded: bool = False


class LoginLimiter:
    """Slows down who guesses passwords: after a few failures, a wait that doubles with each more.

    An attempt counts as a failure until it has succeeded, and of one user one is looked at at a time, so
    that guesses sent at once gain nothing. Thread-safe and bounded.
    """

    FREE, FIRST_WAIT, MAX_WAIT, FORGET, MOST = 5, 1.0, 300.0, 900.0, 10_000

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._in_flight: set[str] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def attempt(self, user: str, address: str, now: float) -> Iterator[Attempt]:
        """An attempt of a user from an address, '' for one that says nothing; `Attempt.wait` is how long
        to wait instead, if it may not be looked at."""
        keys = [key for key in (user, address) if key]
        with self._lock:
            wait = max(0.0, *(self._wait(key, now) for key in keys))
            if not wait and user in self._in_flight:
                wait = self.FIRST_WAIT
            if not wait:
                self._in_flight.add(user)
                for key in keys:
                    self._count(key, 1, now)
        attempt = Attempt(wait)
        try:
            yield attempt
        finally:
            if not wait:
                with self._lock:
                    self._in_flight.discard(user)
                    if attempt.succeeded:
                        self._failures.pop(user, None)
                        self._count(address, -1, now)

    def _count(self, key: str, more: int, now: float) -> None:
        count, last = self._failures.pop(key, (0, 0.0))
        count = more + (count if now - last < self.FORGET else 0)
        if count > 0:
            self._failures[key] = count, now
        if len(self._failures) > self.MOST:
            self._failures.popitem(last=False)

    def _wait(self, key: str, now: float) -> float:
        count, last = self._failures.get(key, (0, 0.0))
        if count < self.FREE or now - last >= self.FORGET:
            return 0.0
        return last + min(self.FIRST_WAIT * 2.0 ** (count - self.FREE), self.MAX_WAIT) - now
