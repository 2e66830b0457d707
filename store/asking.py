"""Giving up a question when whoever asked has left.

The API does its work in threads, which nobody can stop from outside; a store can: it says here, for
each statement, how that is stopped. Both ends need to know only this module.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from store.interface import StoreError


class GivenUp(StoreError):
    """Nobody waits for the answer any more."""


class Question:
    """One question, asked in one thread and given up from another.

    with question.asked():          # in the thread that works
        store.service_graph(window)
    question.give_up()              # anywhere, at any time, any number of times
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop: Callable[[], None] | None = None
        self.given_up = False

    @contextmanager
    def asked(self) -> Iterator[None]:
        """What this thread asks of a store in the block is part of the question."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def give_up(self) -> None:
        """Stop the statement that is running, and let no other begin."""
        with self._lock:
            self.given_up = True
            stop, self._stop = self._stop, None
            # Under the lock: when the statement has ended its connection may serve others.
            if stop is not None:
                stop()

    @contextmanager
    def _running(self, stop: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            if self.given_up:
                raise GivenUp("the question was given up")
            self._stop = stop
        try:
            yield
        finally:
            with self._lock:
                self._stop = None
                stopped = self.given_up
            if stopped:
                raise GivenUp("the question was given up")


@contextmanager
def stoppable(stop: Callable[[], None]) -> Iterator[None]:
    """For a store: a statement that ``stop``, called in another thread, brings to an end.

    Raises GivenUp instead of beginning, and instead of whatever came of being stopped.
    """
    question = _current.get()
    if question is None:
        yield
        return
    with question._running(stop):
        yield


_current: ContextVar[Question | None] = ContextVar("question", default=None)
