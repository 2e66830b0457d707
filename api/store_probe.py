"""Health check of the store for probes every few seconds, bounded also while the store hangs."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import NamedTuple

from store.errors import StoreError
from store.protocol import Store

CHECK_TIMEOUT = 2.0
"""Seconds after which a store that does not answer counts as unavailable."""


class StoreState(NamedTuple):
    """Why the store cannot answer, in a sentence, or empty; and problems although it does."""

    unavailable: str = ""
    problems: tuple[str, ...] = ()


class _Check(Future[StoreState]):
    """A check in progress. ``answered``: the store is available, its problems are being read."""

    answered = False


class StoreProbe:
    """Runs one check at a time, shared by all callers, so that a hanging store blocks one thread."""

    def __init__(self, store: Store, timeout: float = CHECK_TIMEOUT) -> None:
        self._store = store
        self._timeout = timeout
        self._lock = threading.Lock()
        self._running: _Check | None = None
        self._problems: tuple[str, ...] = ()
        """As last read."""

    def state(self) -> StoreState:
        """The state of the store. Blocks for at most the timeout."""
        with self._lock:
            check = self._running
            if check is None or check.done():
                check = self._running = _Check()
                threading.Thread(
                    target=self._check, args=(check,), name="store-probe", daemon=True
                ).start()
        try:
            return check.result(self._timeout)
        except TimeoutError:
            if check.answered:
                return StoreState(problems=self._problems)
            return StoreState(f"the store has not answered for {self._timeout:g} s")

    def _check(self, result: _Check) -> None:
        try:
            self._store.check()
            result.answered = True
            self._problems = self._read_problems()
            result.set_result(StoreState(problems=self._problems))
        except StoreError as error:
            result.set_result(StoreState(str(error) or "the store cannot be reached"))
        except BaseException as error:
            result.set_exception(error)

    def _read_problems(self) -> tuple[str, ...]:
        try:
            return tuple(self._store.problems())
        except StoreError as error:  # a store that answers is no less available for it
            return (f"its state cannot be read: {error}",)
