"""The state of an alarm from its datapoints: "m of n", and what missing datapoints mean. Pure.

As CloudWatch documents it in "Configuring how CloudWatch alarms treat missing data": the tables there are
tests/store/rules/test_alarm_state.py. One datapoint is one minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

EXTRA = 2
"""Datapoints read beyond n, in case some of the newest are missing: CloudWatch's evaluation range is 5 for n = 3."""


class AlarmState(StrEnum):
    """CloudWatch's names."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class MissingData(StrEnum):
    """What a missing datapoint counts as; CloudWatch's TreatMissingData."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    IGNORE = "ignore"
    """The alarm stays as it is."""
    MISSING = "missing"
    """Without any datapoint the alarm has insufficient data."""


def next_state(
    points: Sequence[bool | None], needed: int, of: int, missing: MissingData, current: AlarmState
) -> AlarmState:
    """The state after the datapoints of the evaluation range (``of`` + `EXTRA`), the newest last.

    A point is True when it breaches the threshold, None when it is missing; ``needed`` (m) of the newest ``of`` (n)
    make an alarm. Where n are there, the missing ones are left out; else as few as possible are filled in.
    """
    real = [point for point in points if point is not None]
    filled = max(0, of - len(real))
    breaching = sum(real[-of:])
    if missing is MissingData.BREACHING:
        breaching += filled
    if breaching >= needed:
        return AlarmState.ALARM
    if not filled or missing in (MissingData.BREACHING, MissingData.NOT_BREACHING) or False in real:
        return AlarmState.OK
    if missing is MissingData.IGNORE:
        return current
    if not real:
        return AlarmState.INSUFFICIENT_DATA
    return AlarmState.ALARM if _is_old_enough(points, needed) else current


def _is_old_enough(points: Sequence[bool | None], needed: int) -> bool:
    """CloudWatch's rule on premature alarms, where every datapoint that is there breaches: too few of them are an
    alarm once the oldest of the range is at least ``needed`` datapoints old; until then the next may clear it."""
    return len(points) - points.index(True) >= needed
