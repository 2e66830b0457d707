"""Small rules of the service graph."""

from __future__ import annotations

from store.graph import Statistics


def test_units_in_progress_are_not_in_the_total() -> None:
    assert Statistics(ok=1, error=2, throttle=3, fault=4, in_progress=5).total == 10
