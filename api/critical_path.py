"""The chain of work that a trace's duration was spent on, and the time that each service spent itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from api.schemas.traces import PathPiece, ServiceTime, TraceRow

TOLERANCE_MS = 1.0
"""How much later than its caller a call may end and still have been waited for: clocks differ."""


class Interval(NamedTuple):
    """Milliseconds of the trace."""

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


def critical_path(rows: Sequence[TraceRow]) -> list[PathPiece]:
    """From the first start to the last end: at every instant the call whose end was waited for last, without one the
    caller itself. Work that outlasts its caller is on it only where the trace ends with it."""
    works = _works(rows)
    if not works:
        return []
    roots = sorted((each for each in works if each.parent is None), key=lambda each: -each.end)
    by_end = sorted(works, key=lambda each: -each.end)
    work = max(works, key=lambda each: (each.end, -each.depth))
    cursor, pieces = work.end, list[PathPiece]()

    def add(id: str | None, start: float, end: float) -> None:
        if end > start:
            pieces.append({"row": id, "from_ms": round(start, 3), "to_ms": round(end, 3)})

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


def time_by_service(rows: Sequence[TraceRow], path: Sequence[PathPiece]) -> list[ServiceTime]:
    """Where the time went, by service, the longest on the critical path first."""
    services = {row["id"]: row["service"] for row in rows}
    times: dict[str, ServiceTime] = {}
    ran: dict[str, list[Interval]] = {}
    for id, own in _own_times(_works(rows)):
        service = services[id]
        time = times.setdefault(
            service, {"service": service, "rows": 0, "self_ms": 0.0, "path_ms": 0.0}
        )
        time["rows"] += 1
        ran.setdefault(service, []).extend(own)
    for piece in path:
        if piece["row"] is not None:
            times[services[piece["row"]]]["path_ms"] += piece["to_ms"] - piece["from_ms"]
    for service, time in times.items():
        time["self_ms"] = round(sum(end - start for start, end in _union(ran[service])), 3)
        time["path_ms"] = round(time["path_ms"], 3)
    return sorted(times.values(), key=lambda each: (-each["path_ms"], -each["self_ms"]))


def _own_times(works: Sequence[_Work]) -> Iterator[tuple[str, list[Interval]]]:
    """When each row ran and nothing below it did. What is below may lie outside of its caller, as the initialization
    of a cold start lies before the invocation that contains it."""
    below: dict[str, list[Interval]] = {}
    for work in sorted(works, key=lambda each: -each.depth):
        children = [Interval(each.start, each.end) for each in work.children]
        further = [each for child in work.children for each in below.get(child.id, ())]
        below[work.id] = _union([*children, *further])
        yield work.id, _without(Interval(work.start, work.end), below[work.id])


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(each for each in intervals if each.end > each.start):
        if merged and start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, end))
        else:
            merged.append(Interval(start, end))
    return merged


def _without(whole: Interval, others: Sequence[Interval]) -> list[Interval]:
    """The rest of an interval beside others, which are disjoint and in order."""
    rest, reached = [], whole.start
    for start, end in others:
        if start >= whole.end:
            break
        if start > reached:
            rest.append(Interval(reached, start))
        reached = max(reached, end)
    return [*rest, Interval(reached, whole.end)] if whole.end > reached else rest


def _works(rows: Sequence[TraceRow]) -> list[_Work]:
    end = max((row["start_ms"] + (row["duration_ms"] or 0) for row in rows), default=0.0)
    works: dict[str, _Work] = {}
    for row in rows:
        start, took = row["start_ms"], row["duration_ms"]
        until = max(start, end) if took is None else start + took
        works[row["id"]] = _Work(row["id"], row["depth"], start, until)
    for row in rows:
        work = works[row["id"]]
        work.parent = works.get(row["parent"] or "")
        if work.parent is not None:
            work.parent.children.append(work)
    for work in works.values():
        work.children.sort(key=lambda each: (-each.end, -each.start))
    return list(works.values())
