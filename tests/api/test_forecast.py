"""The band in which a count is expected."""

from __future__ import annotations

import pytest

from api.forecast import MIN_DAYS, Band, forecast


@pytest.mark.parametrize("counts", [[], [5], [5, 5]])
def test_few_days_are_no_forecast(counts: list[int]) -> None:
    assert len(counts) < MIN_DAYS
    assert forecast(counts) is None


def test_equal_days_vary_as_chance_does() -> None:
    """Two Poisson deviations: 100 ± 20."""
    assert forecast([100] * 7) == Band(80, 120)


def test_days_that_differ_widen_the_band() -> None:
    """Mean 200, deviation 100: of the days, not of chance (14)."""
    assert forecast([100, 300, 100, 300]) == Band(0, 400)


def test_nothing_is_expected_where_nothing_was() -> None:
    assert forecast([0, 0, 0]) == Band(0, 0)


def test_the_band_is_wide_enough_in_whole_numbers() -> None:
    """Mean 10 ± 6.3: rounded outwards."""
    assert forecast([10, 10, 10]) == Band(3, 17)
