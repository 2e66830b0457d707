"""Error budgets are exact, and latencies as exact as the map's histograms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymap.contrib.application_signals.budget import Budget, budget_of
from store.graph import Statistics
from store.objectives import Indicator, Objective
from store.rules.histogram import bucket


def objective(**more: object) -> Objective:
    fields: dict[str, object] = {"indicator": Indicator.AVAILABILITY, "goal": 99.0}
    return Objective("o", "front", "ecs:default", **(fields | more))  # type: ignore[arg-type]


def of_faults(total: int, fault: int, goal: float = 99.0) -> Budget:
    return budget_of(objective(goal=goal), Statistics(ok=total - fault, fault=fault))


def test_errors_of_callers_and_throttling_are_no_faults() -> None:
    found = budget_of(objective(), Statistics(ok=5, error=3, throttle=2, fault=1, in_progress=7))
    assert (found.good, found.total) == (10, 11)


@pytest.mark.parametrize(
    ("total", "fault", "goal", "allowed", "remaining", "status"),
    [
        (1000, 0, 99.9, 1, 1, "OK"),
        (1000, 1, 99.9, 1, 0, "BREACHED"),
        (1000, 4, 99.0, 10, 6, "OK"),
        (1000, 5, 99.0, 10, 5, "OK"),
        (1000, 6, 99.0, 10, 4, "WARNING"),
        (1000, 20, 99.0, 10, -11, "BREACHED"),
        (10, 2, 50.0, 5, 6, "OK"),
        (6, 0, 99.0, 0, 0, "OK"),
        (6, 1, 99.0, 0, -1, "BREACHED"),
        (0, 0, 99.0, 0, 0, "INSUFFICIENT_DATA"),
    ],
)
def test_what_remains(
    total: int, fault: int, goal: float, allowed: int, remaining: int, status: str
) -> None:
    """A further failed request is a further request, too: 8 good ones of 10 may be joined by 6 failed ones at 50 %."""
    found = of_faults(total, fault, goal)
    assert int(found.allowed) == allowed
    assert found.remaining == remaining
    assert found.status(50.0) == status


@given(
    total=st.integers(1, 10_000),
    failed=st.integers(0, 10_000),
    goal=st.integers(1, 99_999).map(lambda n: n / 1000),
)
def test_the_goal_is_met_until_what_remains_is_used(total: int, failed: int, goal: float) -> None:
    found = of_faults(total, min(failed, total), goal)
    if found.remaining >= 0:
        assert found.good >= found.goal * (found.total + found.remaining)
    assert found.good < found.goal * (found.total + found.remaining + 1)
    assert (found.status(50.0) == "BREACHED") == (found.failed >= found.allowed)


@given(st.integers(100, 10_000_000), st.booleans())
def test_latencies_are_as_exact_as_their_buckets(time: int, inclusive: bool) -> None:
    """A request is misjudged only within 2.5 % of the threshold."""
    threshold = 300_000
    wanted = objective(indicator=Indicator.LATENCY, threshold=threshold / 1000, inclusive=inclusive)
    found = budget_of(wanted, Statistics(ok=1, histogram={bucket(time): 1}))
    assert found.total == 1
    if abs(time - threshold) > threshold * 0.025:
        assert found.good == (time < threshold)


def test_a_threshold_itself_is_good_where_it_is_included() -> None:
    for inclusive in (False, True):
        wanted = objective(indicator=Indicator.LATENCY, threshold=300.0, inclusive=inclusive)
        found = budget_of(wanted, Statistics(ok=3, histogram={300_000: 2, 299_000: 1}))
        assert found.good == (3 if inclusive else 1)
