"""Instants as clients and people write them."""

from __future__ import annotations

import pytest

from store.times import (
    DAY,
    MINUTE,
    SECOND,
    format_utc,
    instant,
    parse_duration,
    parse_instant,
    parse_moment,
)

T = 1_790_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (str(T), T * SECOND),
        (f"{T}.25", T * SECOND + 250_000),
        ("2026-09-21T14:13:20", T * SECOND),
        ("2026-09-21T14:13:20Z", T * SECOND),
        ("2026-09-21T16:13:20+02:00", T * SECOND),
        ("2026-09-21", T // 86_400 * DAY),
        ("0", 0),
    ],
)
def test_instants(text: str, expected: int) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "nan", "inf", "-1", f"{T}000"])
def test_other_texts_say_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="epoch seconds"):
        parse_instant(text)


def test_milliseconds_are_taken_for_a_mistake() -> None:
    assert instant(T) == T * SECOND
    with pytest.raises(ValueError, match="between 0 and 100000000000 epoch seconds"):
        instant(T * 1000)


def test_instants_for_people() -> None:
    assert format_utc(T) == "2026-09-21 14:13 UTC"
    assert MINUTE == 60 * SECOND


def test_durations() -> None:
    assert [parse_duration(text) for text in ("90s", "2m", "3H", "1d")] == [90, 120, 10_800, 86_400]
    assert parse_duration("5", default_unit="m") == 300
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration("90")


def test_moments_before_now() -> None:
    now = T * SECOND + 7
    said = ("now", "-90m", "now-1d", " -2s ", str(T), "2026-09-21T14:13:20Z")
    expected = (now, now - 90 * MINUTE, now - DAY, now - 2 * SECOND, T * SECOND, T * SECOND)
    assert tuple(parse_moment(text, now) for text in said) == expected


def test_what_moments_may_be_is_said() -> None:
    with pytest.raises(ValueError, match=r"epoch seconds or an ISO 8601 text.*before now: -90m"):
        parse_moment("yesterday", T * SECOND)


@pytest.mark.parametrize("text", ["", "-", "-5", "now-", "now1h", "--1h", "-1h30m", "-9999y"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected one like|must be epoch seconds|before 1970"):
        parse_moment(text, T * SECOND)
