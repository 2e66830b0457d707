"""The states of CloudWatch's documentation, "Configuring how CloudWatch alarms treat missing data"."""

from __future__ import annotations

from typing import Literal

import pytest

from store.rules.alarm_state import EXTRA, AlarmState, MissingData, next_state

OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
RETAINED: Literal["retain current state"] = "retain current state"
POLICIES = (
    MissingData.MISSING,
    MissingData.IGNORE,
    MissingData.BREACHING,
    MissingData.NOT_BREACHING,
)
THREE_OF_THREE = [
    ("0 - X - X", (OK, OK, OK, OK)),
    ("0 - - - -", (OK, OK, OK, OK)),
    ("- - - - -", (INSUFFICIENT, RETAINED, ALARM, OK)),
    ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("- - X - -", (ALARM, RETAINED, ALARM, OK)),
]
TWO_OF_THREE = [
    ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 - X - -", (OK, OK, ALARM, OK)),
    ("- - - - 0", (OK, OK, ALARM, OK)),
    ("- - - X -", (ALARM, RETAINED, ALARM, OK)),
]
"""Columns as in CloudWatch's tables: missing, ignore, breaching, notBreaching."""
ROWS = [
    *((text, 3, states) for text, states in THREE_OF_THREE),
    *((text, 2, states) for text, states in TWO_OF_THREE),
]


def points(text: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[point] for point in text.split()]


@pytest.mark.parametrize("current", list(AlarmState))
@pytest.mark.parametrize(("text", "needed", "states"), ROWS)
def test_cloudwatchs_tables(
    text: str, needed: int, states: tuple[AlarmState | str, ...], current: AlarmState
) -> None:
    assert len(points(text)) == 3 + EXTRA
    found = [next_state(points(text), needed, 3, policy, current) for policy in POLICIES]
    assert found == [current if state == RETAINED else state for state in states]


@pytest.mark.parametrize("text", ["- - - - X", "- - - X -"])
@pytest.mark.parametrize("current", list(AlarmState))
def test_a_single_new_breach_is_premature(text: str, current: AlarmState) -> None:
    """The next datapoint may clear it: "the alarm does not go immediately into ALARM"."""
    assert next_state(points(text), 3, 3, MissingData.MISSING, current) is current


@pytest.mark.parametrize("text", ["- - - X 0", "- - X - 0"])
def test_the_next_datapoint_clears_it(text: str) -> None:
    assert next_state(points(text), 3, 3, MissingData.MISSING, OK) is OK


def test_older_datapoints_count_only_in_place_of_missing_ones() -> None:
    assert next_state(points("X X 0 0 0"), 1, 3, MissingData.MISSING, ALARM) is OK
    assert next_state(points("X X 0 - -"), 2, 3, MissingData.MISSING, OK) is ALARM


@pytest.mark.parametrize("policy", list(MissingData))
def test_one_of_one(policy: MissingData) -> None:
    assert next_state(points("- - X"), 1, 1, policy, OK) is ALARM
    assert next_state(points("X X 0"), 1, 1, policy, ALARM) is OK
