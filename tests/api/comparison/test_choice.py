"""Which other days say how much periods differ by themselves."""

from __future__ import annotations

from api.comparison.choice import other_days, whole_minutes
from store.model import TimeRange
from store.times import DAY, HOUR, MINUTE

MONDAY = 4 * DAY + 600 * 7 * DAY
THURSDAY_NOON = MONDAY + 3 * DAY + 12 * HOUR


def hour(start: int) -> TimeRange:
    return TimeRange(start, start + HOUR)


def days_of(now: TimeRange, then: TimeRange) -> list[int]:
    return [(now.start - each.now.start) // DAY for each in other_days(now, then)]


def test_workdays_are_compared_with_workdays_and_without_the_earlier_period() -> None:
    now = hour(THURSDAY_NOON)
    assert days_of(now, hour(THURSDAY_NOON - DAY)) == [2, 3, 6, 7, 8]
    assert days_of(now, hour(THURSDAY_NOON - 7 * DAY)) == [1, 2, 3, 6, 8]


def test_of_a_weekend_any_day_says_something() -> None:
    sunday = hour(MONDAY + 6 * DAY)
    assert days_of(sunday, hour(MONDAY + 5 * DAY)) == [2, 3, 4, 5, 6, 7, 8]


def test_periods_of_other_times_of_the_day_have_pairs() -> None:
    now, then = hour(THURSDAY_NOON), hour(THURSDAY_NOON - HOUR)
    found = other_days(now, then)
    assert all(each.then == hour(each.now.start - HOUR) for each in found)
    assert all(each.then is None for each in other_days(now, hour(THURSDAY_NOON - DAY)))


def test_whole_minutes_that_have_ended() -> None:
    window = TimeRange(THURSDAY_NOON + 1, THURSDAY_NOON + HOUR)
    assert whole_minutes(window, THURSDAY_NOON + 10 * MINUTE + 5) == TimeRange(
        THURSDAY_NOON + MINUTE, THURSDAY_NOON + 10 * MINUTE
    )
    assert whole_minutes(window, THURSDAY_NOON) is None
