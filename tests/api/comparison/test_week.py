"""What a week's shares of failures say: whether a share is beyond what wanders by itself."""

from __future__ import annotations

import pytest

from api.comparison.week import Week, smoothed, week_of

STEADY = [0.010, 0.011, 0.012, 0.010, 0.011, 0.012, 0.011]
WANDERING = [0.005, 0.009, 0.004, 0.012, 0.007, 0.006, 0.011]


def test_the_week_in_steps() -> None:
    day = [(100.0, 1.0), (100.0, 9.0), (100.0, 2.0), (10.0, 0.0), (10.0, 0.0)]
    worst, best = week_of([day, [(1.0, 1.0)] * 6], 20)
    assert worst == [pytest.approx(11.5 / 201)]
    assert best == [pytest.approx(2.5 / 111)], "20 requests are too few"


def test_faults_are_beyond_the_second_worst_day() -> None:
    week = Week([each * 3 for each in STEADY], STEADY)
    assert week.is_beyond(0.011, 0.0451, wanders=False)
    assert not week.is_beyond(0.011, 0.0449, wanders=False)


def test_faults_are_beyond_it_by_what_someone_notices() -> None:
    """Where each day has an hour at 0.4 %, one at 0.8 % is no news, though half a point more than yesterday."""
    worst = [0.0016, 0.0016, 0.0024, 0.0025, 0.0043, 0.0044, 0.0065]
    week = Week(worst, [0.0001] * 7)
    assert not week.is_beyond(0.0006, 0.0081, wanders=False)
    assert week.is_beyond(0.0006, 0.0095, wanders=False)


def test_fewer_faults_are_judged_alike() -> None:
    week = Week([0.02] * 7, [0.008] * 7)
    assert not week.is_beyond(0.0035, 0.01, wanders=False)
    assert week.is_beyond(0.0025, 0.01, wanders=False)


def test_client_errors_of_a_steady_week_need_not_be_far_beyond_it() -> None:
    assert Week(STEADY, STEADY).is_beyond(0.011, 0.018, wanders=True)


def test_client_errors_that_wander_have_to_be_beyond_what_the_days_differ_by() -> None:
    """Twice as much as the worst of seven days that differ threefold comes in the next week."""
    week = Week(WANDERING, [each / 10 for each in WANDERING])
    assert not week.is_beyond(0.005, 0.026, wanders=True)
    assert week.is_beyond(0.005, 0.040, wanders=True)


def test_fewer_client_errors_are_judged_alike() -> None:
    week = Week([each * 10 for each in WANDERING], WANDERING)
    assert not week.is_beyond(0.002, 0.02, wanders=True)
    assert week.is_beyond(0.001, 0.02, wanders=True)


def test_no_failure_of_few_requests_is_not_less_than_one() -> None:
    assert smoothed(0, 100) == pytest.approx(0.5 / 101)


def test_two_days_say_nothing() -> None:
    assert Week([0.5, 0.5], [0.1, 0.1]).is_beyond(0.2, 0.3, wanders=True)
