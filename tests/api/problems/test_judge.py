"""Minutes of a simulated map (`world`): what is found, where, since when; and that quiet ones raise nothing.

Seeds are fixed; `bench/incidents` plays more of them.
"""

from __future__ import annotations

from typing import Any

import pytest

from api.problems.judge import Judge
from api.problems.tracker import Event, EventKind, State
from api.problems.words import line
from tests.api.problems.world import DAY, START, Incident, World, node

AT = 360
"""Six hours of history."""


def judged(world: World, last: int, first: int = 0, judge: Judge | None = None) -> list[Event]:
    """All events of minutes."""
    judge = judge or Judge(world.names_of)
    return [event for minute in world.minutes(first, last) for event in judge.step(minute)]


def opened(events: list[Event]) -> list[str]:
    return [event.problem.origin.name for event in events if event.kind is EventKind.OPENED]


@pytest.mark.parametrize("seed", [1, 2])
def test_quiet_minutes_raise_nothing(seed: int) -> None:
    """Bursts of client errors, deployments, a batch at night, noise and a daily season are not problems."""
    assert judged(World(seed), DAY + 300) == []


INCIDENTS = {
    "faults": {"node": "payments", "fault": 0.3},
    "few faults": {"node": "ledger", "fault": 0.06},
    "throttles": {"node": "table", "throttle": 0.3},
    "client errors": {"node": "catalog", "error": 0.35},
    "slow": {"node": "search", "slower": 4.0},
    "a tenth is slow": {"node": "search", "slower": 20.0, "slow": 0.1},
    "no calls": {"node": "cart", "calls": 0.0, "caller": "checkout"},
    "too many calls": {"node": "ledger", "calls": 3.0, "caller": "payments"},
}


@pytest.mark.parametrize("kind", INCIDENTS)
def test_one_line_names_the_node(kind: str) -> None:
    what: dict[str, Any] = INCIDENTS[kind]
    world = World(4, incidents=(Incident(at=AT, **what),))
    events = judged(world, AT + 90)
    last = {event.problem.id: event.problem for event in events}
    (problem,) = last.values()
    assert problem.origin == node(what["node"])
    assert abs(problem.since - START - AT) <= 1
    first = events[0]
    late = {"client errors": 25, "a tenth is slow": 20, "few faults": 9}.get(kind, 4)
    assert first.kind is EventKind.OPENED
    assert first.at - START - AT < late
    assert (problem.state, len(line(problem)) <= 120) == (State.CLOSED, True)
    unsure = {"client errors": 30, "a tenth is slow": 10}.get(kind, 3)
    assert abs(problem.ended - START - AT - 60) <= unsure
    after_end = events[-1].at - START - AT - 60
    assert after_end <= {"client errors": 30, "a tenth is slow": 15}.get(kind, 10)


def test_two_at_once_are_two_lines() -> None:
    incidents = (Incident(AT, "search", fault=0.3), Incident(AT + 10, "ledger", fault=0.4))
    events = judged(World(6, incidents=incidents), AT + 100)
    assert sorted({event.problem.origin.name for event in events}) == ["ledger", "search"]
    assert len(opened(events)) == 2


def test_entry_traffic_needs_days() -> None:
    """A step down is seen against earlier days."""
    incident = Incident(2 * DAY + AT, "shop", calls=0.1)
    world = World(7, edges=(), rates={"shop": 60.0, "admin": 8.0}, incidents=(incident,))
    events = judged(world, 2 * DAY + AT + 10)
    assert opened(events) == ["shop"]
    assert "shop calls" in line(events[0].problem)


def test_what_is_new_is_learnt_first() -> None:
    """A map of failing services is not judged within its first three quarters of an hour."""
    incident = Incident(0, "payments", length=DAY, fault=0.3)
    assert judged(World(8, incidents=(incident,)), 5 * 60) == []


def test_a_burst_of_two_minutes_is_no_problem() -> None:
    """However many fail: no minute may add more than a third of what is needed."""
    burst = Incident(AT, "ledger", 2, fault=0.9)
    assert judged(World(9, incidents=(burst,), noise=False), AT + 60) == []


def test_a_minute_without_ingestion_is_no_problem() -> None:
    """Neither is the half minute after it: the calls of requests that were lost."""
    gaps = tuple(range(AT, AT + 6))
    lost = Incident(AT + 6, "cart", 2, calls=0.0, caller="checkout")
    late = Incident(AT + 6, "ledger", 2, fault=1.0)
    assert judged(World(10, incidents=(lost, late), gaps=gaps), AT + 60) == []


def test_sampled_requests_count_as_what_was_observed() -> None:
    """One in ten is recorded and counts ten times: its noise is that of a tenth of the requests."""
    assert judged(World(11, sampled=10), DAY) == []


def test_what_ends_and_rings_again_is_the_same_problem() -> None:
    incidents = (
        Incident(AT, "payments", 20, fault=0.4),
        Incident(AT + 40, "payments", 20, fault=0.4),
    )
    events = judged(World(12, incidents=incidents), AT + 80)
    assert len({event.problem.id for event in events}) == 1
    assert EventKind.AGAIN in {event.kind for event in events}


def test_another_process_names_it_alike() -> None:
    """One that judges the same minutes from a later one on, as after a restart."""
    incident = Incident(AT, "payments", fault=0.4)
    first = judged(World(13, incidents=(incident,)), AT + 10)
    world = World(13, incidents=(incident,))
    world.minutes(0, 200)
    second = judged(world, AT + 10, 200)
    assert second[0].problem.id == first[0].problem.id


def test_a_day_makes_it_normal() -> None:
    incident = Incident(AT, "shop", 3 * DAY, fault=0.3)
    world = World(14, edges=(), rates={"shop": 30.0}, incidents=(incident,), noise=False)
    events = judged(world, AT + DAY + 60)
    last = {event.problem.id: event.problem for event in events}
    assert [each.state for each in last.values()] == [State.CLOSED]


def test_a_slow_tenth_is_found_after_two_hours() -> None:
    """While the usual times are young their quantiles move: how much exceeds them then says nothing of how much that varies."""
    incident = Incident(120, "search", length=60, slower=25.0, slow=0.1)
    world = World(21, incidents=(incident,), noise=False, rates={"shop": 20.0, "admin": 3.0})
    events = judged(world, 150)
    last = {event.problem.id: event.problem for event in events}
    assert [each.origin.name for each in last.values()] == ["search"]
