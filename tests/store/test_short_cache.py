"""Results are cached, but not those of long arguments."""

from __future__ import annotations

import tracemalloc

from store.short_cache import MAX_LENGTH, short_cache


def test_short_arguments() -> None:
    calls: list[object] = []

    @short_cache(4)
    def double(text: str, more: object = 0) -> str:
        calls.append((text, more))
        return text * 2

    for _ in range(2):
        assert double("a") == "aa"
        assert double("a", 1) == double("a", 1.0) == "aa"
        assert double("a", (("b", 1),)) == "aa"
    assert len(calls) == 4


def test_long_ones_are_not_remembered() -> None:
    @short_cache(1000)
    def size(*values: object) -> int:
        return len(values)

    tracemalloc.start()
    for number in range(100):
        assert size("x" * 100_000 + str(number)) == 1
        assert size("x", (("y" * MAX_LENGTH, number),)) == 2
    assert tracemalloc.get_traced_memory()[0] < 1_000_000
    tracemalloc.stop()
