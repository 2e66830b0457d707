"""Which replica of a cell this process uses: the first that its address names, until that one cannot be reached; then
the next, until that one cannot.

An insert is acknowledged by one replica, and the others have its rows a moment later. A process that reads from another
than it wrote to would miss what was just acknowledged, and figures of one page would be of different states.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import cache

Host = tuple[str, int]


class Replicas:
    """The replicas of a cell, the one in use first. Shared by all connections of this process."""

    def __init__(self, hosts: tuple[Host, ...]) -> None:
        self._lock = threading.Lock()
        self._hosts = deque(hosts)

    @property
    def in_use(self) -> Host:
        """The one to connect to."""
        return self._hosts[0]

    def in_order(self) -> deque[Host]:
        """All, in the order in which to try them."""
        with self._lock:
            return self._hosts.copy()

    def connected(self, host: Host) -> None:
        """Use this one from now on; it answered, and those before it did not."""
        with self._lock:
            if host != self._hosts[0]:
                self._hosts.rotate(-self._hosts.index(host))


@cache
def replicas_at(hosts: tuple[Host, ...]) -> Replicas:
    """Those of an address."""
    return Replicas(hosts)
