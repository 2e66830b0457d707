"""The chain of work that a trace's duration was spent on, as the console draws it (`ui/src/model/criticalPath.ts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

TOLERANCE_MS = 1.0
"""How much later than its caller a call may end and still have been waited for: clocks differ."""


class Piece(NamedTuple):
    """A part of the path in milliseconds of the trace; ``id`` of a row, None while nothing ran."""

    id: str | None
    start: float
    end: float


@dataclass(eq=False, slots=True)
class _Work:
    id: str
    depth: int
    start: float
    end: float
    parent: _Work | None = None
    children: list[_Work] = field(default_factory=list)
    next: int = 0

    def waited_for(self, cursor: float) -> _Work | None:
        """The child that ended last before an instant; those before `next` cannot be on the rest of the path."""
        while self.next < len(self.children):
            child = self.children[self.next]
            if child.end <= cursor + TOLERANCE_MS and child.start < cursor:
                return child
            self.next += 1
        return None


def critical_path(rows: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """From the first start to the last end: at every instant the call whose end was waited for last, without one the
    caller itself. Work that outlasts its caller is on it only where the trace ends with it."""
    works = _works(rows)
    if not works:
        return []
    roots = sorted((each for each in works if each.parent is None), key=lambda each: -each.end)
    by_end = sorted(works, key=lambda each: -each.end)
    work = max(works, key=lambda each: (each.end, -each.depth))
    cursor, pieces = work.end, list[Piece]()

    def add(id: str | None, start: float, end: float) -> None:
        if end > start:
            pieces.append(Piece(id, start, end))

    while True:
        if child := work.waited_for(cursor):
            add(work.id, max(child.end, work.start), cursor)
            add(None, child.end, min(cursor, work.start))
            cursor, work = min(cursor, child.end), child
            continue
        start = min(cursor, work.start)
        add(work.id, start, cursor)
        cursor = start
        caller = work.parent or _before(roots, cursor) or _before(by_end, cursor)
        if caller is None:
            return pieces[::-1]
        if caller.end < cursor:
            add(None, caller.end, cursor)
        cursor, work = min(cursor, caller.end), caller


def _before(by_end: Sequence[_Work], cursor: float) -> _Work | None:
    return next((each for each in by_end if each.start < cursor), None)


def _works(rows: Sequence[Mapping[str, Any]]) -> list[_Work]:
    end = max((row["start_ms"] + (row["duration_ms"] or 0) for row in rows), default=0.0)
    works: dict[str, _Work] = {}
    for row in rows:
        start, took = row["start_ms"], row["duration_ms"]
        until = max(start, end) if took is None else start + took
        works[row["id"]] = _Work(row["id"], row["depth"], start, until)
    for row in rows:
        work = works[row["id"]]
        work.parent = works.get(row["parent"]) if row["parent"] is not None else None
        if work.parent is not None:
            work.parent.children.append(work)
    for work in works.values():
        work.children.sort(key=lambda each: (-each.end, -each.start))
    return list(works.values())
