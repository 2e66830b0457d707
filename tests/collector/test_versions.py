"""Version numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from collector.versions import VersionClock


def test_strictly_increasing() -> None:
    """Even while the time stands still, goes back, or a block is taken."""
    times = iter([100, 100, 50, 200, 203])
    clock = VersionClock(lambda: next(times))
    assert [clock.reserve(), clock.reserve(), clock.reserve(), clock.reserve(5), clock.reserve()] == [
        100, 101, 102, 200, 205,
    ]  # fmt: skip


def test_threads_never_share_a_number() -> None:
    """Receivers decode concurrently."""
    clock = VersionClock()
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: clock.reserve(), range(2000)))
    assert len(set(numbers)) == 2000
