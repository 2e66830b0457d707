"""The bytes of all requests that a process is receiving or processing, over HTTP and gRPC: one budget, of
which a tenant and a key have a share each, so that none of them takes all of it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client import Counter as Metric

from collector.charges import Sender
from collector.tuning import give_back_memory
from store.once import once

MAX_BODY = 32 << 20
"""Bytes of one body or message, decompressed."""
TOTAL = 6 * MAX_BODY
_OF_TENANT, _OF_KEY = 2, 3
"""One part in so many is the share of a tenant, of a key."""
LARGE = 4 << 20
"""Bytes of a request after which memory is given back to the system."""
GIVE_BACK_AFTER = 1.0
"""Seconds after a large request: until then its documents are in the journal, mostly."""
MAX_WAIT = 10.0
"""Seconds that a call waits for room."""


@once
def without_room(registry: CollectorRegistry = REGISTRY) -> Metric:
    return Metric(
        "raymap_requests_without_room",
        "Requests answered with a request to retry: too many bytes are being received or processed",
        registry=registry,
    )


class NoRoom(Exception):
    """The budget has no room for a request now; counted."""

    def __init__(self) -> None:
        super().__init__("too many large requests at once: send it again later")
        without_room().inc()


class _Waiting(NamedTuple):
    size: int
    sender: Sender
    granted: asyncio.Future[None]


class Budget:
    """Counts reserved bytes. For the threads of one event loop, that is for one thread."""

    def __init__(self, total: int = TOTAL) -> None:
        self._total = total
        self._reserved: Counter[tuple[str, ...]] = Counter()
        self._waiting: deque[_Waiting] = deque()
        self._giving_back: asyncio.TimerHandle | None = None

    @property
    def reserved(self) -> int:
        """Bytes of all senders."""
        return self._reserved[()]

    def reserve(self, size: int, sender: Sender) -> None:
        """Count bytes. Raises NoRoom."""
        if not self._fits(size, sender):
            raise NoRoom
        for owner, _ in self._shares(sender):
            self._reserved[owner] += size

    def release(self, size: int, sender: Sender) -> None:
        """Count them no longer."""
        for owner, _ in self._shares(sender):
            self._reserved[owner] -= size
            if owner and not self._reserved[owner]:
                del self._reserved[owner]
        self._grant()

    async def wait(self, size: int, sender: Sender) -> None:
        """As `reserve`, once there is room. Raises NoRoom after `MAX_WAIT` seconds."""
        if self._fits(size, sender):  # those who wait do not fit
            self.reserve(size, sender)
            return
        waiting = _Waiting(size, sender, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            await asyncio.wait_for(asyncio.shield(waiting.granted), MAX_WAIT)
        except TimeoutError:
            self._leave(waiting)
            raise NoRoom from None
        except asyncio.CancelledError:
            self._leave(waiting)
            raise

    def note(self, size: int) -> None:
        """A request of so many bytes has ended: after a large one, memory is given back soon."""
        if size < LARGE:
            return
        if self._giving_back is not None:
            self._giving_back.cancel()
        loop = asyncio.get_running_loop()
        self._giving_back = loop.call_later(
            GIVE_BACK_AFTER, loop.run_in_executor, None, give_back_memory
        )

    def _leave(self, waiting: _Waiting) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        elif waiting.granted.done():
            self.release(waiting.size, waiting.sender)

    def _fits(self, size: int, sender: Sender) -> bool:
        return all(
            self._reserved[owner] + size <= self._total // parts
            for owner, parts in self._shares(sender)
        )

    def _shares(self, sender: Sender) -> Iterator[tuple[tuple[str, ...], int]]:
        """What a sender's bytes count for, and one part in how many that has."""
        yield (), 1
        if sender.key:
            yield (sender.tenant,), _OF_TENANT
            yield (sender.tenant, sender.key), _OF_KEY

    def _grant(self) -> None:
        """Let in those who wait and fit, the first ones first."""
        for waiting in list(self._waiting):
            if self._fits(waiting.size, waiting.sender):
                self._waiting.remove(waiting)
                self.reserve(waiting.size, waiting.sender)
                waiting.granted.set_result(None)


PROCESS = Budget()
"""That of this process."""
