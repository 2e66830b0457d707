"""The cache of values of different sizes."""

from __future__ import annotations

from store.clickhouse.graph.sized_cache import SizedCache


def test_what_was_not_read_longest_goes_first() -> None:
    cache: SizedCache[str, int] = SizedCache(10)
    cache.remember("a", 1, 4)
    cache.remember("b", 2, 4)
    assert cache.recall("a") == 1
    cache.remember("c", 3, 4)
    assert [cache.recall(key) for key in "abc"] == [1, None, 3]
    cache.remember("d", 4, 11)  # greater than the whole
    assert [cache.recall(key) for key in "acd"] == [1, 3, None]
    cache.forget()
    cache.remember("e", 5, 10)
    assert [cache.recall(key) for key in "ae"] == [None, 5]
