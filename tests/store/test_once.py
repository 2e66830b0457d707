"""What can be made only once is made once, also for threads that come first together."""

from __future__ import annotations

import threading
import time

from store.once import once


def test_threads_that_come_first_together_get_the_same() -> None:
    made: list[str] = []
    start = threading.Barrier(8)

    @once
    def metric(name: str) -> object:
        time.sleep(0.01)
        made.append(name)
        return object()

    found: list[object] = []

    def take() -> None:
        start.wait()
        found.append(metric("a"))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert made == ["a"]
    assert len({id(each) for each in found}) == 1
    assert metric("b") is not found[0]
