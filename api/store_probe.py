"""Whether the store answers: asked by probes every few seconds, also while it hangs."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from store.errors import StoreError
from store.protocol import Store

PATIENCE = 2.0
"""Seconds after which a store that says nothing counts as away."""


class StoreProbe:
    """One question at a time, however many ask: a store that hangs holds one thread, not all."""

    def __init__(self, store: Store, patience: float = PATIENCE) -> None:
        self._store = store
        self._patience = patience
        self._lock = threading.Lock()
        self._asked: Future[str] | None = None

    def problem(self) -> str:
        """Why the store cannot answer, in a sentence; empty when it can. Waits for `patience`."""
        with self._lock:
            asked = self._asked
            if asked is None or asked.done():
                asked = self._asked = Future()
                threading.Thread(
                    target=self._ask, args=(asked,), name="store-check", daemon=True
                ).start()
        try:
            return asked.result(self._patience)
        except TimeoutError:
            return f"the store has not answered for {self._patience:g} s"

    def _ask(self, asked: Future[str]) -> None:
        try:
            self._store.check()
        except StoreError as error:
            asked.set_result(str(error) or "the store cannot be reached")
        except BaseException as error:
            asked.set_exception(error)
        else:
            asked.set_result("")
