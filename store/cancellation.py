"""Giving up a question when whoever asked has left.

The API does its work in threads, which nobody can stop from outside; a store can: it says here, for
each statement, how that is stopped. Both ends need to know only this module.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from store.protocol import StoreError


class Cancelled(StoreError):
    """Nobody waits for the answer any more."""


class CancelScope:
    """One question, asked in one thread (and those it shares its context with), given up from another.

    with question.asked():          # in the thread that works
        store.service_graph(window)
    question.give_up()              # anywhere, at any time, any number of times
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: set[Callable[[], None]] = set()
        self.given_up = False

    @contextmanager
    def asked(self) -> Iterator[None]:
        """What this thread asks of a store in the block is part of the question."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def cancel(self) -> None:
        """Stop the statements that are running, and let no other begin."""
        with self._lock:
            self.given_up = True
            # Under the lock: when a statement has ended its connection may serve others.
            while self._stops:
                self._stops.pop()()

    @contextmanager
    def _running(self, stop: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            if self.given_up:
                raise Cancelled("the question was given up")
            self._stops.add(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.discard(stop)
                stopped = self.given_up
            if stopped:
                raise Cancelled("the question was given up")


@contextmanager
def cancellable(stop: Callable[[], None]) -> Iterator[None]:
    """For a store: a statement that ``stop``, called in another thread, brings to an end.

    Raises GivenUp instead of beginning, and instead of whatever came of being stopped.
    """
    question = _current.get()
    if question is None:
        yield
        return
    with question._running(stop):
        yield


_current: ContextVar[CancelScope | None] = ContextVar("question", default=None)
