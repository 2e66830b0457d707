"""Durations on charts: round ticks, and words that a person reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.durations import (
    FEWEST,
    MINUTE,
    MOST,
    MS,
    SECOND,
    between,
    even_ticks,
    log_ticks,
    words,
)


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [
        (0, "0 ms"),
        (250, "250 µs"),
        (1_000, "1 ms"),
        (1_500, "1.5 ms"),
        (300_000, "300 ms"),
        (999_700, "1000 ms"),
        (2e6, "2 s"),
        (59.4e6, "59.4 s"),
        (70e6, "1 min 10 s"),
        (90e6, "1 min 30 s"),
        (120e6, "2 min"),
        (2 * 3600e6, "2 h"),
        (5400e6, "1 h 30 min"),
        (26 * 3600e6, "1 d 2 h"),
    ],
)
def test_a_duration_says_its_units(microseconds: float, expected: str) -> None:
    """Not `2` and `5` between 100 and 1000, and no tenths of minutes."""
    assert words(microseconds) == expected


def test_a_range_says_a_common_unit_once() -> None:
    assert between(501_996.1, 532_800) == "502 to 533 ms"
    assert between(0, 10 * MS) == "0 to 10 ms"
    assert between(900 * MS, 1.1 * SECOND) == "900 ms to 1.1 s"
    assert between(70 * SECOND, 74 * SECOND) == "1 min 10 s to 1 min 14 s"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1 * MS, 800 * MS, "1 ms, 10 ms, 100 ms"),
        (5 * MS, 500 * MS, "5 ms, 20 ms, 100 ms, 500 ms"),
        (50 * MS, 3 * SECOND, "50 ms, 100 ms, 200 ms, 500 ms, 1 s, 2 s"),
        (2 * SECOND, 3 * MINUTE, "2 s, 5 s, 10 s, 30 s, 1 min, 2 min"),
        (500 * MS, 400 * SECOND, "1 s, 10 s, 1 min"),
        (50 * SECOND, 160 * SECOND, "1 min, 1 min 30 s, 2 min, 2 min 30 s"),
        (1 * SECOND, 3 * 60 * MINUTE, "1 s, 10 s, 1 min, 10 min, 1 h"),
    ],
)
def test_ticks_are_what_a_clock_makes_round(low: float, high: float, expected: str) -> None:
    """Minutes are sixty seconds, not a hundred."""
    assert ", ".join(map(words, log_ticks(low, high))) == expected


def test_a_linear_axis_begins_with_zero() -> None:
    ticks = even_ticks(0, 61 * MS)
    assert list(map(words, ticks)) == ["0 ms", "20 ms", "40 ms", "60 ms"]


@given(st.floats(1, 1e9), st.floats(3.9, 1e7))
def test_an_axis_has_a_few_ticks_inside_it(low: float, ratio: float) -> None:
    """Whatever it spans: as many as have room, and never two alike."""
    ticks = log_ticks(low, low * ratio)
    assert FEWEST - 1 <= len(ticks) <= MOST
    assert all(low <= tick <= low * ratio for tick in ticks)
    assert ticks == sorted(set(ticks))
    assert len(set(map(words, ticks))) == len(ticks)
