"""X-Ray's histogram format."""

from __future__ import annotations

import pytest

from api.xray.histogram import MOST_VALUES, entries


def test_times_are_seconds_to_the_millisecond() -> None:
    """Times of one millisecond are one entry; halves are rounded up."""
    assert entries({1_499: 1, 1_000: 2, 500: 1, 2_000_000: 3}) == [
        {"Value": 0.001, "Count": 4},
        {"Value": 2.0, "Count": 3},
    ]


def test_nothing() -> None:
    assert entries({}) == []


@pytest.mark.parametrize("most", [MOST_VALUES, MOST_VALUES + 1, 5_000])
def test_many_values_are_rebinned_without_a_loss(most: int) -> None:
    histogram = {at * 1_000: at % 7 + 1 for at in range(1, most + 1)}
    found = entries(histogram)
    assert len(found) <= MOST_VALUES
    assert sum(int(entry["Count"]) for entry in found) == sum(histogram.values())
    values = [entry["Value"] for entry in found]
    assert values == sorted(set(values))
    total = sum(entry["Value"] * entry["Count"] for entry in found)
    exact = sum(time / 1e6 * count for time, count in histogram.items())
    assert total == pytest.approx(exact, rel=0.01)
