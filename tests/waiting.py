"""Waiting for a condition and not for a moment: a busy machine only takes longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
SECONDS = 60.0


def eventually(
    condition: Callable[[], Found],
    what: str = "it happens",
    *,
    seconds: float = SECONDS,
    ignore: tuple[type[Exception], ...] = (),
) -> Found:
    """The first true result of ``condition``, which is called repeatedly; fails after ``seconds``.

    ``ignore``: exceptions that mean "not yet", such as a connection that is refused.
    """
    begun = time.monotonic()
    while True:
        called = time.monotonic()
        try:
            if found := condition():
                return found
        except ignore:
            pass
        now = time.monotonic()
        waited = now - begun
        if waited > seconds:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        # A condition takes CPU time, often that of what it waits for: at most a third of the time is its.
        time.sleep(min(max(0.01, 2 * (now - called), waited / 10), 0.5))
