"""Problems over time: which finding of a minute continues which problem, what opens, changes and closes. Pure.

A problem has an id of its origin and its beginning, so every process that judges the same minutes names it alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from api.problems.origin import TOGETHER, Finding
from api.problems.symptom import Measure, Symptom
from store.minutes import Series
from store.model import NodeKey
from store.rules.invocations import FUNCTION, SERVICE

NAMESPACE = UUID("6a2b5d0e-9d0c-5b0e-8a35-4f0d3c1b7e21")
AGAIN = 30
"""Minutes within which a problem at the same node is the same one again."""
MOST_SYMPTOMS = 50
CHANGED = 1.5
"""Times by which the affected requests have to change to be worth an event."""


class State(StrEnum):
    """Of a problem."""

    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"


class EventKind(StrEnum):
    """What has happened to a problem."""

    OPENED = "opened"
    GREW = "grew"
    SHRANK = "shrank"
    JOINED = "joined"
    ORIGIN = "origin"
    AGAIN = "again"
    CLOSED = "closed"


class Problem(Struct, frozen=True):
    """A problem; minutes since the epoch. ``ended``: the first good minute, 0 while it is active."""

    id: UUID
    state: State
    origin: NodeKey
    edge: NodeKey | None
    main: Symptom
    since: int
    opened: int
    updated: int
    symptoms: tuple[Symptom, ...]
    affected: tuple[NodeKey, ...] = ()
    impact: float = 0.0
    noted: float = 0.0
    ended: int = 0

    @property
    def others(self) -> tuple[NodeKey, ...]:
        """The affected nodes, without the invocations of those that are functions."""
        functions = {each.name for each in (self.origin, *self.affected) if each.type == FUNCTION}
        return tuple(
            each for each in self.affected if each.type != SERVICE or each.name not in functions
        )


class Event(Struct, frozen=True):
    """What has happened to a problem in a minute."""

    problem: Problem
    kind: EventKind
    at: int
    nodes: tuple[NodeKey, ...] = ()


SymptomKey = tuple[Series, Measure, int]


class Tracker:
    """The problems of a map."""

    def __init__(self, known: Sequence[Problem] = ()) -> None:
        """``known``: those that were active, or closed a moment ago."""
        self._active = {each.id: each for each in known if each.state is State.ACTIVE}
        self._closed = {each.id: each for each in known if each.state is State.CLOSED}
        self._explained: set[SymptomKey] = set()

    @property
    def active(self) -> list[Problem]:
        """The worst first."""
        return sorted(self._active.values(), key=lambda each: (-each.impact, each.since, each.id))

    def update(self, minute: int, findings: Sequence[Finding]) -> list[Event]:
        """What the findings of a minute change."""
        events: list[Event] = []
        continued: set[UUID] = set()
        origins = {each.origin for each in findings}
        for found in findings:
            known = self._match(found, minute, continued, origins)
            if self._is_rest(found, known):
                continue
            if known is None:
                problem = _opened(found, minute)
                events.append(Event(problem, EventKind.OPENED, minute))
            else:
                problem, kinds = _continued(known, found, minute)
                new = tuple(each for each in problem.affected if each not in known.affected)
                events += [Event(problem, kind, minute, new) for kind in kinds]
            self._closed.pop(problem.id, None)
            self._active[problem.id] = problem
            continued.add(problem.id)
        for id in self._active.keys() - continued:
            closed = _ended(self._active.pop(id), minute)
            self._closed[id] = closed
            events.append(Event(closed, EventKind.CLOSED, minute))
        self._closed = {
            id: each for id, each in self._closed.items() if each.updated >= minute - AGAIN
        }
        self._explained = {_key(each) for found in findings for each in found.symptoms}
        return events

    def _is_rest(self, found: Finding, known: Problem | None) -> bool:
        """Whether a finding is what a problem that has ended leaves for some minutes: symptoms that it explained."""
        over = known is None or known.state is State.CLOSED
        if (
            known and found.main.measure.is_calls
        ):  # of those that fail the calls that they do not make
            over = over or not known.main.measure.is_calls
        ends = ((each, (each.series.node, each.series.source)) for each in found.symptoms)
        own = [each for each, nodes in ends if found.origin in nodes]
        return over and all(_key(each) in self._explained for each in own)

    def _match(
        self, found: Finding, minute: int, continued: set[UUID], origins: set[NodeKey]
    ) -> Problem | None:
        """The problem that a finding continues: of the same origin; of one of its nodes that its symptoms share; one whose main
        symptom it explains by another origin. ``origins``: of all findings."""
        free = [each for each in self._active.values() if each.id not in continued]
        for each in free:
            if each.origin == found.origin:
                return each
        shared = [
            each
            for each in free
            if each.origin in found.nodes and found.nodes & {each.origin, *each.affected}
        ]
        if shared:
            return min(shared, key=lambda each: (each.since, each.id))
        keys = {_key(each) for each in found.symptoms}
        explained = [
            each for each in free if each.origin not in origins and _key(each.main) in keys
        ]
        if explained:
            return min(explained, key=lambda each: (each.since, each.id))
        again = [
            each
            for each in self._closed.values()
            if each.origin == found.origin and each.updated >= minute - AGAIN
        ]
        return max(again, key=lambda each: each.updated, default=None)


def problem_id(origin: NodeKey, since: int) -> UUID:
    """The id of a problem."""
    return uuid5(NAMESPACE, "\0".join((*origin, str(since))))


def _key(each: Symptom) -> SymptomKey:
    return each.series, each.measure, each.rang


def _opened(found: Finding, minute: int) -> Problem:
    return Problem(
        id=problem_id(found.origin, found.since),
        state=State.ACTIVE,
        origin=found.origin,
        edge=found.edge,
        main=found.main,
        since=found.since,
        opened=minute,
        updated=minute,
        symptoms=found.symptoms[:MOST_SYMPTOMS],
        affected=_affected(found),
        impact=found.impact,
        noted=found.impact,
    )


def _continued(known: Problem, found: Finding, minute: int) -> tuple[Problem, list[EventKind]]:
    """The problem as of now, and what has changed."""
    kinds: list[EventKind] = []
    again = known.state is State.CLOSED
    if again:
        kinds.append(EventKind.AGAIN)
    if found.origin != known.origin:
        kinds.append(EventKind.ORIGIN)
    affected = (*known.affected, *(n for n in _affected(found) if n not in known.affected))
    if len(affected) > len(known.affected):
        kinds.append(EventKind.JOINED)
    noted = known.noted
    if found.impact > known.noted * CHANGED or found.impact < known.noted / CHANGED:
        kinds.append(EventKind.GREW if found.impact > known.noted else EventKind.SHRANK)
        noted = found.impact
    problem = replace(
        known,
        state=State.ACTIVE,
        origin=found.origin,
        edge=found.edge,
        main=found.main,
        since=found.since if minute <= known.opened + TOGETHER else known.since,
        updated=minute,
        symptoms=found.symptoms[:MOST_SYMPTOMS],
        affected=tuple(each for each in affected if each != found.origin),
        impact=found.impact,
        noted=noted,
        ended=0,
    )
    return problem, kinds


def _ended(problem: Problem, minute: int) -> Problem:
    ended = max(problem.since + 1, min(problem.main.last_bad + 1, minute))
    return replace(problem, state=State.CLOSED, ended=ended, updated=minute)


def _affected(found: Finding) -> tuple[NodeKey, ...]:
    return tuple(sorted(found.nodes - {found.origin}))
