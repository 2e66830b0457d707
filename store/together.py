"""Independent blocking work in threads, all of it done when its caller goes on."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Executor, wait
from typing import TypeVar

T = TypeVar("T")


def together(threads: Executor, *works: Callable[[], T]) -> list[T]:
    """The results, in order; raises what the first of the works that fail raises.

    The calling thread runs the first, and then those that no thread has begun: work that is itself run by
    the threads may wait for such work, however few they are.
    """
    first, *others = works
    running = [threads.submit(contextvars.copy_context().run, work) for work in others]
    try:
        results = [first()]
    finally:
        # After an error too: no query may outlive the request that it belongs to.
        waiting = [future.cancel() for future in running]
        wait([future for future, idle in zip(running, waiting, strict=True) if not idle])
    results += [
        work() if idle else future.result()
        for work, future, idle in zip(others, running, waiting, strict=True)
    ]
    return results
