"""Differences in words."""

from __future__ import annotations

import pytest

from api.comparison.causes import Trend
from api.comparison.significance import Measure
from api.comparison.words import NOTHING, Change, summary, text_of

FAULT = Change(Measure.FAULT, Trend.FAILING, False, 0.005, 0.031)
NEW = Change(Measure.NEW, Trend.NEW, True, 0, 12)
SLOW = Change(Measure.P90, Trend.SLOWER, False, 12_000, 340_000)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (FAULT, "faults 0.5 → 3.1 %"),
        (SLOW, "p90 12 ms → 340 ms"),
        (NEW, "new, 12 a minute"),
        (NEW._replace(measure=Measure.VANISHED, then=3.1), "vanished, 3.1 a minute before"),
        (
            Change(Measure.RATE, Trend.MORE, True, 1, 3.1, per_request=True),
            "calls 1.0 → 3.1 per request",
        ),
        (Change(Measure.RATE, Trend.LESS, False, 120, 30), "requests 120 → 30 a minute"),
    ],
)
def test_a_difference_says_both_figures(change: Change, text: str) -> None:
    assert text_of(change) == text


def test_the_summary_counts_places_where_differences_begin() -> None:
    changes = [
        *((1, SLOW), (1, SLOW._replace(measure=Measure.P50)), (2, SLOW), (1, FAULT)),
        *((3, NEW), (4, NEW), (5, NEW._replace(measure=Measure.VANISHED, trend=Trend.VANISHED))),
        *((6, SLOW._replace(follows=True)), (1, FAULT._replace(follows=True))),
    ]
    assert summary(changes) == (
        "2 slower, 1 failing more, 2 new edges, 1 vanished edge; 1 that follow from these"
    )
    assert summary([(1, SLOW)]) == "1 slower"
    assert summary([]) == NOTHING
