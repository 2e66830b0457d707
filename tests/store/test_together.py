"""Independent work in threads: in order, complete, and never waiting for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from store.together import together

current: ContextVar[str] = ContextVar("current", default="")


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def test_results_are_in_order(thread: ThreadPoolExecutor) -> None:
    assert together(thread, lambda: 1, lambda: 2, lambda: 3) == [1, 2, 3]
    assert together(thread, lambda: 1) == [1]


def test_works_run_at_the_same_time_and_in_the_same_context(thread: ThreadPoolExecutor) -> None:
    meeting = threading.Barrier(2, timeout=60)
    current.set("request")

    def work() -> str:
        meeting.wait()
        return current.get()

    assert together(thread, work, work) == ["request", "request"]


def test_work_within_work_needs_no_further_thread(thread: ThreadPoolExecutor) -> None:
    """The only thread does the outer work, which waits for inner work."""

    def outer() -> list[int]:
        return together(thread, lambda: 1, lambda: 2)

    assert together(thread, outer, outer, outer) == [[1, 2]] * 3


def test_an_error_waits_for_the_work_in_progress(thread: ThreadPoolExecutor) -> None:
    begun, go, done = threading.Event(), threading.Event(), threading.Event()

    def fail() -> None:
        begun.wait(60)
        go.set()
        raise ValueError("first")

    def work() -> None:
        begun.set()
        go.wait(60)
        done.set()

    with pytest.raises(ValueError, match="first"):
        together(thread, fail, work)
    assert done.is_set()


def test_an_error_elsewhere_is_raised(thread: ThreadPoolExecutor) -> None:
    with pytest.raises(ZeroDivisionError):
        together(thread, lambda: 1, lambda: 1 // 0)
