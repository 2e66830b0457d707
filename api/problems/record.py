"""A problem as it is stored: with whom it reaches, what its traces say, and what has happened to it. Pure."""

from __future__ import annotations

from uuid import UUID

import msgspec
from msgspec import Struct

from api.problems.tracker import EventKind, Problem, State
from store.model import NodeKey
from store.problems import StoredProblem
from store.times import MINUTE

MOST_EVENTS = 50
MOST_POINTS = 60
BEFORE = 10
"""Minutes before the beginning with which a problem is shown."""


class Requests(Struct, frozen=True):
    """Finished requests since the beginning, by weight; ``total`` counts errors and throttles, too."""

    ok: int = 0
    fault: int = 0
    total: int = 0


class Evidence(Struct, frozen=True):
    """What failing traces say: how many were read; in how many of them the failure begins at the origin, and at which
    other node it begins oftener (None: at none); the commonest exception there, in how many, and whether none of the hour
    before had it."""

    traces: int = 0
    at_origin: int = 0
    elsewhere: NodeKey | None = None
    exception: str = ""
    with_exception: int = 0
    is_new: bool = False

    @property
    def words(self) -> str:
        """The exception."""
        return f"new {self.exception}" if self.is_new else self.exception

    @property
    def confirms(self) -> bool:
        """Whether the origin that the counts give is also that of the traces."""
        return self.at_origin > 0 and self.elsewhere is None


class Changed(Struct, frozen=True):
    """What changed just before; ``at``: microseconds since the epoch."""

    kind: str
    at: int
    node: str
    what: str


class Points(Struct, frozen=True):
    """The main measure over time, from ``start`` (microseconds) by ``step`` minutes: a share, microseconds, or calls a
    minute; None where there were no requests."""

    start: int
    step: int
    values: tuple[float | None, ...]


class Happened(Struct, frozen=True):
    """What happened to the problem; ``at``: microseconds since the epoch. ``top``: where it was worst, the origin first."""

    kind: EventKind
    at: int
    text: str
    clients: Requests
    root: Requests
    top: tuple[NodeKey, ...] = ()


class InsightGroup(Struct, frozen=True):
    """A group of X-Ray's API that the problem is an insight of."""

    arn: str
    name: str


class Record(Struct, frozen=True):
    """``entries``: affected nodes that clients call. ``clients``: what these sent to them; ``root``: the origin's requests."""

    problem: Problem
    text: str
    entries: tuple[NodeKey, ...] = ()
    clients: Requests = Requests()
    root: Requests = Requests()
    evidence: Evidence = Evidence()
    points: Points | None = None
    changes: tuple[Changed, ...] = ()
    events: tuple[Happened, ...] = ()
    groups: tuple[InsightGroup, ...] = ()
    updated: int = 0

    @property
    def id(self) -> UUID:
        """Of the problem."""
        return self.problem.id

    @property
    def active(self) -> bool:
        """Whether it lasts."""
        return self.problem.state is State.ACTIVE

    @property
    def since(self) -> int:
        """Its beginning (microseconds)."""
        return self.problem.since * MINUTE

    @property
    def ended(self) -> int:
        """The first good moment (microseconds), 0 while it lasts."""
        return self.problem.ended * MINUTE

    @property
    def callers(self) -> tuple[NodeKey, ...]:
        """What it reaches and clients do not call."""
        return tuple(each for each in self.problem.others if each not in self.entries)


_decode = msgspec.json.Decoder(Record).decode


def stored(record: Record) -> StoredProblem:
    """As a row."""
    value = msgspec.json.encode(record)
    return StoredProblem(record.id, record.since, record.ended, record.updated, value)


def read(row: StoredProblem) -> Record:
    """From a row."""
    return _decode(row.value)
