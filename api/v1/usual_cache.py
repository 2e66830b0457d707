"""What was usual, remembered for some minutes: the hours that say so are over, and only late documents change them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from api.v1.usual import Known
from store.missing import lacks

MOST = 500
SECONDS = 300.0
NOTHING = Known(())


class UsualCache:
    """An LRU cache, shared by threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, tuple[float, Known]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, now: float, work: Callable[[], Known]) -> Known:
        """What ``work`` returned some minutes ago at most, by a clock (seconds)."""
        with self._lock:
            at, found = self._known.get(key, (0.0, NOTHING))
        if 0 <= now - at < SECONDS:
            return found
        found = work()
        if lacks():  # it will have the rest when that is back
            return found
        with self._lock:
            self._known[key] = now, found
            self._known.move_to_end(key)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return found
