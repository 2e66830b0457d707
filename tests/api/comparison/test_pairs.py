"""Sides of one time: what befalls both cancels out, and what lasts on one side is one event."""

from __future__ import annotations

import numpy as np
import pytest

from api.comparison import pairs
from bench.comparison.trial import halves, planted_halves

MINUTES = 60


def z(hits: list[np.ndarray], requests: list[np.ndarray]) -> float:
    one, other = ([each[:, None].astype(float) for each in pair] for pair in (hits, requests))
    return float(pairs.shares((one[0], one[1]), (other[0], other[1]))[0])


def test_an_outage_of_both_sides_says_nothing_though_one_has_more_of_its_requests() -> None:
    """One side has its requests in the hour's first half, when everything fails more."""
    minute = np.arange(MINUTES)
    requests = [np.where(minute < 30, 900, 100), np.where(minute < 30, 100, 900)]
    share = np.where(minute < 30, 0.2, 0.01)
    hits = [np.round(each * share) for each in requests]
    assert hits[0].sum() / requests[0].sum() > 4 * hits[1].sum() / requests[1].sum()
    assert abs(z(hits, requests)) < 0.5


def test_a_share_that_is_larger_in_each_minute_is_found() -> None:
    requests = [np.full(MINUTES, 100), np.full(MINUTES, 100)]
    assert z([np.full(MINUTES, 4), np.full(MINUTES, 1)], requests) > 7
    assert z([np.full(MINUTES, 1), np.full(MINUTES, 4)], requests) < -7


def test_a_part_in_which_nothing_fails_does_not_hide_what_fails_in_the_others() -> None:
    """Of a few requests none fails by chance, on either side; that says little against all other parts."""
    requests = [np.full(MINUTES, 50), np.full(MINUTES, 50)]
    hits = np.tile([3, 2, 2, 3, 2, 0, 0, 2, 3, 1], MINUTES // 10)
    hits[10:12] = 0
    assert z([hits, np.zeros(MINUTES)], requests) > 6
    assert z([np.zeros(MINUTES), hits], requests) < -6


def test_one_burst_on_one_side_is_one_event() -> None:
    requests = [np.full(MINUTES, 100), np.full(MINUTES, 100)]
    burst = np.ones(MINUTES)
    burst[20:24] = 40
    spread = np.ones(MINUTES) + (burst.sum() - MINUTES) / MINUTES
    assert z([burst, np.ones(MINUTES)], requests) < 4
    assert z([spread, np.ones(MINUTES)], requests) > 6


def test_few_minutes_do_not_make_a_difference_certain() -> None:
    """Three parts that happen to vary little are no proof that they do."""
    requests = [np.full(3, 1000), np.full(3, 1000)]
    assert z([np.array([30, 90, 5]), np.array([10, 12, 9])], requests) < 5


def test_few_parts_make_a_difference_no_rarer_than_they_can() -> None:
    """Five minutes that agree well by chance: a difference as large is usual one time in a thousand, not in a million."""
    calls = [np.full(5, 30), np.full(5, 50)]
    callers = [np.full(5, 50), np.full(5, 50)]
    one, other = ([each[:, None].astype(float) for each in pair] for pair in (calls, callers))
    few = float(pairs.rates((one[0], one[1]), (other[0], other[1]))[0])
    assert -3 < few < -1.5
    many = [np.full(MINUTES, 30), np.full(MINUTES, 50)], [np.full(MINUTES, 50)] * 2
    one, other = ([each[:, None].astype(float) for each in pair] for pair in many)
    assert float(pairs.rates((one[0], one[1]), (other[0], other[1]))[0]) < -6


@pytest.mark.parametrize("seed", [201, 204])
def test_random_halves_do_not_differ(seed: int) -> None:
    assert [each for each in halves(seed, 8) if each.found] == []


def test_what_is_planted_on_one_side_is_found() -> None:
    trial = planted_halves(101)
    assert (trial.missed, trial.others) == ([], [])
