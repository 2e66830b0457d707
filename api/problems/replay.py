"""Judges stored minutes: what the detection would have said, and learns what is usual from the days before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from api.problems.columns import DAY
from api.problems.evidence import evidence_of
from api.problems.judge import Judge
from api.problems.record import Record
from api.problems.recorder import record_of
from api.problems.tracker import Event, EventKind, Problem
from store.minutes import MinuteCounts, MinuteStore, Series
from store.protocol import Store

LEARN = 7 * DAY
"""Minutes before the first one that are learnt from."""
FEW, MANY = 10, 720
"""Minutes that a statement reads, at first and at most."""
LARGE = 8 << 20
"""Bytes of histograms of a statement; with more, the next one reads fewer minutes."""


class Replayed(NamedTuple):
    """An event, and the problem as of its minute, as it would have been stored. ``rank``: its place among those that
    last, the worst is 1; 0 if it has ended."""

    event: Event
    record: Record
    rank: int


def minutes_of(store: MinuteStore, first: int, last: int) -> Iterator[MinuteCounts]:
    """The stored minutes from the first to the last one, in order."""
    length = FEW
    while first <= last:
        found = store.minute_counts(first, min(last, first + length - 1))
        yield from found
        first += length
        size = sum(len(each.times) for each in found)
        length = max(1, length // 2) if size > LARGE else min(MANY, 2 * length)


def judge_of(store: MinuteStore, known: Sequence[Problem] = ()) -> Judge:
    """A judge of the map of a store; ``known``: problems that were there before."""

    def names(ids: Collection[int], minute: int) -> dict[int, Series]:
        return store.minute_series(ids, minute, minute)

    return Judge(names, known)


def replay(store: Store, first: int, last: int, learn: int = LEARN) -> Iterator[Replayed]:
    """What happens to problems from the first to the last minute, one event after the other.

    A problem that was there before is an event of the first minute: it opens in it.
    """
    judge = judge_of(store)
    shown = False
    for counts in minutes_of(store, first - learn, last):
        events = judge.step(counts)
        if counts.minute < first:
            continue
        if not shown:
            shown = True
            before = {event.problem.id for event in events}
            lasting = [each for each in judge.tracker.active if each.id not in before]
            events = [*(Event(each, EventKind.OPENED, counts.minute) for each in lasting), *events]
        places = {each.id: rank for rank, each in enumerate(judge.tracker.active, 1)}
        for each in events:
            problem = each.problem
            evidence = evidence_of(store, problem, problem.ended or counts.minute + 1)
            record = record_of(store, judge.detector, problem, evidence)
            yield Replayed(each, record, places.get(problem.id, 0))
