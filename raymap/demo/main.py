"""The demo's loop: the last 75 minutes quickly, newest first, while the present goes by live."""

from __future__ import annotations

import heapq
import itertools
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from raymap.demo.alarms import put_alarm
from raymap.demo.clock import Calendar
from raymap.demo.declared import put_declaration
from raymap.demo.deployments import Deployments
from raymap.demo.sender import Sender
from raymap.demo.story import Story
from raymap.demo.trace import Record, Trace

BACKFILL_SECONDS = 75 * 60.0
"""What is usual is learnt from an hour."""
BUSY_SECONDS = 900.0
"""Of these the last, as busy as the present: what a map shows by default."""
_LONGEST_SLEEP = 0.05


def run(
    udp: str = "127.0.0.1:2000",
    rate: float = 8.0,
    duration: float | None = None,
    seed: int | None = None,
) -> None:
    """Send traffic until `duration` seconds have passed, or SIGTERM or SIGINT arrives."""
    begun = time.time()
    calendar = Calendar(begun)
    story = Story(seed, rate, calendar)
    stage = Stage(
        story.forward(begun), story.backward(begun, BACKFILL_SECONDS, BUSY_SECONDS), Sender(udp)
    )
    deployments = Deployments(udp, calendar)
    put_alarm(udp)
    put_declaration(udp)
    end = float("inf") if duration is None else begun + duration
    with _stopped_by_signals() as stop:
        while not stop.is_set() and time.time() < end:
            deployments.report(time.time())
            stop.wait(stage.act(time.time()))


class Stage:
    """Every datagram waits here for its time; while none is due, the past is filled in."""

    def __init__(self, future: Iterator[Trace], past: Iterator[Trace], sender: Sender) -> None:
        self._future = future
        self._past = past
        self._next = next(future)
        self._waiting: list[tuple[float, int, Record]] = []
        self._order = itertools.count()
        self._sender = sender

    def act(self, now: float) -> float:
        """Send what is due, or one trace of the past; the seconds until there may be more."""
        while self._next.start <= now:
            self._enter(self._next)
            self._next = next(self._future)
        if self._send_due(now):
            return 0.0
        past = next(self._past, None)
        if past is not None:
            self._enter(past)
            return 0.0
        due = min(self._next.start, self._waiting[0][0] if self._waiting else now + 1)
        return max(0.0, min(due - now, _LONGEST_SLEEP))

    def _enter(self, trace: Trace) -> None:
        for send in trace.sends():
            heapq.heappush(self._waiting, (send.at, next(self._order), send.document))

    def _send_due(self, now: float) -> int:
        sent = 0
        while self._waiting and self._waiting[0][0] <= now:
            self._sender.send(heapq.heappop(self._waiting)[2])
            sent += 1
        return sent


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Handlers can be set in the main thread only; elsewhere the process ends as it likes."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
