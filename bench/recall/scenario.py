"""What the generator means: work, calls and steps of traces, and the letters that tell of them.

A letter is one document on its way. What it shows is known by its writer, so the true graph
follows from the letters that arrived without reading a document (`bench.recall.truth`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from store.model import NodeKey, State


@dataclass(eq=False, slots=True)
class Work:
    """One segment of a service. Times as its own clock tells them, microseconds."""

    id: int
    trace_id: str
    node: NodeKey
    start: int
    end: int
    state: State
    parent: Work | Call | Step | None
    calls: list[Call] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Call:
    """One call that leaves its service, to the node inferred when no document answers it."""

    id: int
    work: Work
    leads_to: NodeKey
    kind: str
    host: str
    start: int
    end: int
    state: State


@dataclass(eq=False, slots=True)
class Step:
    """A subsegment that does not leave its service."""

    id: int
    work: Work
    start: int
    end: int


Thing: TypeAlias = Work | Call | Step


@dataclass(eq=False, slots=True)
class Join:
    """An event from one trace to another. ``source`` is the end that its receiver names."""

    source: Call | Work
    sender: Work
    receiver: Work
    reported_by_sender: bool
    reported_by_receiver: bool


@dataclass(eq=False, slots=True)
class Letter:
    """One document on its way.

    ``shows``: what it tells of, and whether as finished. ``below``: what a streamed subsegment,
    the first thing that its letter shows, names as its parent; None for a segment.
    """

    raw: bytes
    shows: list[tuple[Thing, bool]]
    below: Thing | None = None


@dataclass(eq=False, slots=True)
class Story:
    """One trace: when it truly began (microseconds) and its letters in the order of writing."""

    time: int
    letters: list[Letter] = field(default_factory=list)
