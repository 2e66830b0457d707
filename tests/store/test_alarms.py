"""What a verdict makes of an alarm, and of what receivers hear."""

from __future__ import annotations

from itertools import pairwise

import pytest

from store.alarms import (
    MOST_EDGES,
    Alarm,
    AlarmEvent,
    AlarmKind,
    Edge,
    Verdict,
    Webhook,
    next_event,
    state_of,
)
from store.model import NodeKey, TimeRange
from store.rules.alarm_state import AlarmState
from store.times import MINUTE
from tests.builders import T0

OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
WINDOW = TimeRange(T0, T0 + MINUTE)
HOOK = Webhook("https://a.example/", "whsec_x")
METRIC = Alarm("a", AlarmKind.METRIC, webhooks=(HOOK,), created=T0)
GONE = Alarm("a", AlarmKind.VANISHED_EDGE, webhooks=(HOOK,), created=T0)


def edges(*names: str) -> tuple[Edge, ...]:
    return tuple((NodeKey("", "front", ""), NodeKey("", name, "")) for name in names)


def play(alarm: Alarm, *verdicts: Verdict) -> list[AlarmEvent]:
    """The events that one verdict after the other makes."""
    found: list[AlarmEvent] = []
    for at, verdict in enumerate(verdicts):
        event = next_event(alarm, found[-1] if found else None, verdict, T0 + at)
        found += [event] if event else []
    return found


def states(*names: AlarmState) -> list[Verdict]:
    return [Verdict(state, "why", WINDOW) for state in names]


def heard(events: list[AlarmEvent]) -> list[AlarmState]:
    return [event.state for event in events if event.targets]


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ((ALARM, OK), [ALARM, OK]),
        ((ALARM,), [ALARM]),
        ((ALARM, OK, INSUFFICIENT), [ALARM, INSUFFICIENT, ALARM, OK]),
        ((), []),
    ],
)
def test_receivers_hear_of_what_they_are_to_hear(
    notify: tuple[AlarmState, ...], expected: list[AlarmState]
) -> None:
    """An incident interrupted by missing data is one, unless they want to know of that."""
    alarm = Alarm("a", AlarmKind.METRIC, webhooks=(HOOK,), notify=notify, created=T0)
    events = play(alarm, *states(OK, ALARM, ALARM, INSUFFICIENT, ALARM, OK, OK))
    assert [event.state for event in events] == [OK, ALARM, INSUFFICIENT, ALARM, OK]
    assert heard(events) == expected


def test_events_are_numbered_and_have_ids() -> None:
    events = play(METRIC, *states(OK, ALARM, OK))
    assert all(b.seq == a.seq + 1 for a, b in pairwise(events))
    assert len({event.id for event in events}) == 3
    assert [event.previous for event in events] == [INSUFFICIENT, OK, ALARM]
    assert play(METRIC, *states(OK, ALARM, OK)) == events


def test_without_a_change_there_is_no_event() -> None:
    assert play(METRIC, *states(INSUFFICIENT)) == []
    assert len(play(METRIC, *states(ALARM, ALARM))) == 1


def test_further_edges_are_further_events() -> None:
    """Fewer are none, nor are those that an alarm on a metric is about."""
    verdicts = [
        Verdict(ALARM, "why", WINDOW, edges=found)
        for found in (edges("a"), edges("a", "b"), edges("b"), edges("b", "a"))
    ]
    events = play(GONE, *verdicts)
    assert [len(event.verdict.edges) for event in events] == [1, 2]
    assert heard(events) == [ALARM, ALARM]
    assert len(play(METRIC, *verdicts)) == 1


def test_an_event_names_few_edges() -> None:
    """And of more there is no further event."""
    names = [str(n) for n in range(MOST_EDGES + 5)]
    many = Verdict(ALARM, "why", WINDOW, edges=edges(*names))
    (event,) = play(GONE, many, many)
    assert len(event.verdict.edges) == MOST_EDGES


def test_an_alarm_made_anew_has_no_state() -> None:
    (fired,) = play(METRIC, *states(ALARM))
    again = Alarm("a", AlarmKind.METRIC, webhooks=(HOOK,), created=T0 + 1)
    assert state_of(METRIC, fired) is ALARM
    assert state_of(again, fired) is INSUFFICIENT
    event = next_event(again, fired, states(ALARM)[0], T0 + 5)
    assert event is not None
    assert (event.previous, event.seq, bool(event.targets)) == (INSUFFICIENT, fired.seq + 1, True)
