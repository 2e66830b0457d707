"""An LRU cache of values of different sizes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SizedCache(Generic[K, V]):
    """Values by key, of which no key ever has another; shared by threads. ``room``: the sum of sizes at most."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._known: OrderedDict[K, tuple[int, V]] = OrderedDict()
        self._size = 0

    def recall(self, key: K) -> V | None:
        """The value, if it is there."""
        with self._lock:
            if key not in self._known:
                return None
            self._known.move_to_end(key)
            return self._known[key][1]

    def remember(self, key: K, value: V, size: int) -> None:
        """Add a value in the place of those that were not read for longest."""
        with self._lock:
            if key in self._known or size > self._room:
                return
            self._known[key] = size, value
            self._size += size
            while self._size > self._room:
                _, (freed, _) = self._known.popitem(last=False)
                self._size -= freed

    def forget(self) -> None:
        """Empty the cache."""
        with self._lock:
            self._known.clear()
            self._size = 0
