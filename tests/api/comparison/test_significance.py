"""Equal periods of a map that is not quiet do not differ; what was planted does. `python -m bench.comparison` has more of them."""

from __future__ import annotations

import numpy as np
import pytest

from api.comparison.significance import Measure, differences
from api.comparison.sums import Period, Periods
from api.comparison.week import Week
from bench.comparison.trial import equal_periods, planted

MINUTES = 30


def period(requests: float = 100, faults: float = 0, above: float = 0.5, size: int = 3) -> Period:
    """Series 0 has these figures in each minute, the others are without a fault; series 2 is an edge from 1."""
    n = np.full((MINUTES, size), 100.0)
    n[:, 0] = requests
    failures = np.zeros((3, MINUTES, size))
    failures[0, :, 0] = faults
    times = np.stack([n * above, n * 0.1])
    callers = np.array([np.nan, np.nan, n[:, 1].sum()])
    return Period(n, failures, times, callers)


def found_of(
    now: Period, then: Period, days: list[Period] | None = None, **more: object
) -> list[tuple[int, Measure]]:
    slower = np.ones((2, now.requests.shape[1]))
    periods = Periods(now, then, [(day, None) for day in days or []], slower)
    return [(each.place, each.measure) for each in differences(periods, **more)]  # type: ignore[arg-type]


def test_a_share_that_has_grown_is_found() -> None:
    days = [period(faults=1)] * 3
    assert found_of(period(faults=8), period(faults=1), days) == [(0, Measure.FAULT)]
    assert found_of(period(faults=1), period(faults=8), [period(faults=8)] * 3) == [
        (0, Measure.FAULT)
    ]


def test_less_than_half_a_point_or_half_as_much_is_nothing() -> None:
    days = [period(10_000, 10)] * 3
    assert found_of(period(10_000, 50), period(10_000, 10), days) == []
    days = [period(faults=20)] * 3
    assert found_of(period(faults=28), period(faults=20), days) == []


def test_what_other_days_had_is_nothing() -> None:
    days = [period(faults=1), period(faults=1), period(faults=8)]
    assert found_of(period(faults=8), period(faults=1), days) == []


def test_requests_that_come_in_bursts_are_not_more_of_them() -> None:
    """A job that makes 400 at once ran three times, and not before."""
    now, then, steady = period(10), period(10), period(50)
    now.requests[[3, 13, 23], 0] += 400
    assert now.requests[:, 0].mean() == steady.requests[:, 0].mean()
    assert found_of(now, then) == []
    assert found_of(steady, then) == [(0, Measure.RATE)]


def test_minutes_that_vary_say_little() -> None:
    burst = period()
    burst.failures[0, 3, 0] = 90
    days = [period()] * 3
    assert burst.failures.sum() / burst.requests[:, 0].sum() > 0.02
    assert found_of(burst, period(), days) == []


def test_few_requests_say_nothing() -> None:
    days = [period(0.9)] * 3
    assert found_of(period(0.9, 0.8), period(0.9), days) == []


def test_what_the_week_had_at_another_hour_is_nothing() -> None:
    days = [period(faults=1)] * 3

    def worse(place: int, measure: Measure) -> Week:
        assert (place, measure) == (0, Measure.FAULT)
        return Week([0.01, 0.02, 0.09, 0.09], [0.0] * 4)

    assert found_of(period(faults=8), period(faults=1), days, week=worse) == []
    assert found_of(
        period(faults=8), period(faults=1), days, week=lambda *_: Week([0.01] * 4, [0.0] * 4)
    ) == [(0, Measure.FAULT)]


def test_new_and_vanished_unless_other_days_are_divided() -> None:
    gone = period(0)
    assert found_of(gone, period(), [period()] * 3) == [(0, Measure.VANISHED)]
    assert found_of(period(), gone, [gone] * 3) == [(0, Measure.NEW)]
    assert found_of(gone, period(), [period(), gone, period()]) == []
    assert found_of(gone, period(0.3), [period(0.3)] * 3) == [], "nine requests come and go"


def test_an_edge_is_called_less_in_relation_to_its_caller() -> None:
    less, half = period(), period()
    less.requests[:, 2] = 30
    half.requests[:, 1:] = 30
    half.callers[2] = 30 * MINUTES
    assert found_of(less, period(), [period()] * 3) == [(2, Measure.RATE)]
    assert found_of(half, period(), [period()] * 3) == [(1, Measure.RATE)]


@pytest.mark.slow
def test_equal_periods_of_a_noisy_map_do_not_differ() -> None:
    trials = equal_periods(200, 12)
    assert [each for each in trials if each.found] == []
    assert {each.back for each in trials} >= {1440, 7 * 1440}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [100, 204])
def test_what_was_planted_is_found_and_nothing_else(seed: int) -> None:
    trial = planted(seed)
    assert (trial.missed, trial.others) == ([], [])
    assert len(trial.found) == 4
    assert trial.following, "callers of what fails or is slow"
