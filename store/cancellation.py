"""Cancellation of store queries whose client has disconnected.

The API runs queries in threads, which cannot be interrupted from outside. A store registers with
`cancellable` how each running statement is stopped; the API cancels through a `CancelScope`. Neither
side needs to know more of the other than this module.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from store.errors import StoreError


class Cancelled(StoreError):
    """The query was cancelled: its client has disconnected."""


class CancelScope:
    """The statements of one request, cancellable from another thread.

    with scope.activate():          # in the thread that queries
        store.service_graph(window)
    scope.cancel()                  # in any thread, any number of times
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: set[Callable[[], None]] = set()
        self.cancelled = False

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Make this the scope of every statement that the current context runs in the block."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def cancel(self) -> None:
        """Stop the running statements and prevent further ones from starting."""
        with self._lock:
            self.cancelled = True
            # Under the lock: once a statement has ended, its connection may serve another request.
            while self._stops:
                self._stops.pop()()

    @contextmanager
    def _running(self, stop: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            if self.cancelled:
                raise Cancelled("the query was cancelled")
            self._stops.add(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.discard(stop)
                cancelled = self.cancelled
            if cancelled:
                raise Cancelled("the query was cancelled")


@contextmanager
def cancellable(stop: Callable[[], None]) -> Iterator[None]:
    """Run one statement that ``stop``, called from another thread, terminates.

    Raises Cancelled instead of starting it, and instead of the error that stopping it causes.
    Without an active scope the statement simply runs.
    """
    scope = _current.get()
    if scope is None:
        yield
        return
    with scope._running(stop):
        yield


_current: ContextVar[CancelScope | None] = ContextVar("cancel_scope", default=None)
