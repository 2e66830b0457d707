"""Limits of keys: documents a second, new names a minute, bytes a day.

What a request brings is known once it is decoded, and then it is accepted: a key that has exceeded a limit
is refused with its next request, before its body is read. So at most one request exceeds a limit. Counted
in each process.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from collector.charges import names_of
from collector.payloads import Decoded
from raymap.auth.limits import KeyLimits
from store.once import once

BURST = 10.0
"""Seconds of documents that may come at once."""
DAY, HOUR, MINUTE = 86_400, 3_600, 60
MAX_NAMES = 50_000
"""Names of a key that are remembered, for an hour."""


class Exceeded(Exception):
    """A limit has been exceeded; ``limit`` is its label in metrics, ``wait`` in seconds."""

    def __init__(self, limit: str, wait: float) -> None:
        super().__init__(limit)
        self.limit = limit
        self.wait = max(1, math.ceil(wait))


@once
def limited(registry: CollectorRegistry = REGISTRY) -> Counter:
    return Counter(
        "raymap_key_limited",
        "Requests refused because their key has exceeded a limit: documents, names, bytes",
        ["limit"],
        registry=registry,
    )


class Quota:
    """What one key has used. Thread-safe."""

    def __init__(self, limits: KeyLimits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._level = BURST * limits.documents_per_second
        """Documents that may come now; negative when more have come."""
        self._filled = clock()
        self._day = self._hour = self._minute = 0
        self._bytes = self._new = 0
        self._names: set[str] = set()

    def check(self) -> None:
        """Raises Exceeded while a limit is exceeded."""
        limits = self.limits
        with self._lock:
            now = self._advance()
            if limits.documents_per_second and self._level <= 0:
                raise Exceeded("documents", (1 - self._level) / limits.documents_per_second)
            if limits.bytes_per_day and self._bytes >= limits.bytes_per_day:
                raise Exceeded("bytes", DAY - now % DAY)
            if limits.names_per_minute and self._new >= limits.names_per_minute:
                raise Exceeded("names", MINUTE - now % MINUTE)

    def charge(self, decoded: Decoded) -> None:
        """Count what a request has brought."""
        names = names_of(decoded.documents) if self.limits.names_per_minute else set()
        with self._lock:
            self._advance()
            self._level -= len(decoded.documents)
            self._bytes += decoded.payload.size
            new = names - self._names
            self._new += len(new)
            if len(self._names) + len(new) <= MAX_NAMES:
                self._names |= new

    def _advance(self) -> float:
        now, rate = self._clock(), self.limits.documents_per_second
        self._level = min(BURST * rate, self._level + max(0.0, now - self._filled) * rate)
        self._filled = now
        day, hour, minute = int(now // DAY), int(now // HOUR), int(now // MINUTE)
        if day != self._day:
            self._day, self._bytes = day, 0
        if hour != self._hour:
            self._hour, self._names = hour, set()
        if minute != self._minute:
            self._minute, self._new = minute, 0
        return now


class Quotas:
    """The quotas of keys by id. Thread-safe."""

    def __init__(self) -> None:
        self._quotas: dict[str, Quota] = {}

    def of(self, id: str, limits: KeyLimits | None, clock: Callable[[], float]) -> Quota | None:
        """A key's quota; None for a key without limits. Changed limits begin a new one."""
        if limits is None:
            return None
        known = self._quotas.get(id)
        if known is None or known.limits != limits:
            known = self._quotas[id] = Quota(limits, clock)
        return known
