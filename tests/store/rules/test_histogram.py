"""Histogram buckets: exact when small, at most 5 % wide, mergeable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from store.rules.histogram import add, bucket, percentiles, total


@given(st.integers(0, 10**15 - 1))
def test_buckets_are_at_most_a_twentieth_wide(microseconds: int) -> None:
    value = bucket(microseconds)
    assert abs(value - microseconds) <= microseconds * 0.025
    assert bucket(value) == value
    assert bucket(microseconds + 1) >= value


def test_small_times_are_exact() -> None:
    assert [bucket(time) for time in range(100)] == list(range(100))
    assert (bucket(102), bucket(103), bucket(1_234), bucket(98_700)) == (100, 105, 1_250, 98_000)


def test_percentiles_are_times_not_exceeded_by_a_share() -> None:
    histogram = {10: 50, 20: 45, 1_000: 5}
    assert percentiles(histogram, (0.5, 0.95, 0.99, 1.0)) == [10, 20, 1_000, 1_000]
    assert percentiles({}, (0.5,)) == [None]


def test_histograms_add() -> None:
    into = {10: 1}
    add(into, {10: 2, 30: 1})
    assert into == {10: 3, 30: 1}


@given(st.lists(st.dictionaries(st.integers(0, 9), st.integers(0, 5))))
def test_the_total_is_that_of_adding_one_by_one(every: list[dict[int, int]]) -> None:
    found: dict[int, int] = {}
    for each in every:
        add(found, each)
    assert total(every) == found
