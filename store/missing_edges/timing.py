"""What times say where ids say nothing: whose requests begin inside of whose.

A share of requests that fits by chance alone grows with traffic, so a fit counts only if it is far beyond that. The
words of a finding say that it rests on times.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from math import exp, log, sqrt
from typing import NamedTuple

from store.missing_edges.evidence import CallSeen, Work
from store.model import NodeKey

SLACK = 20_000
"""Microseconds by which clocks of two machines may differ."""
LEAST_INSIDE = 5
LEAST_SHARE = 0.8
"""Of the entries of a service that begin inside of another's requests, for that to be its caller."""
SURPRISE = 14.0
"""Of how many there are: e^-14, one in a million, that as many lie there by chance."""
ALIKE = 0.95


def entries_for_calls(
    calls: Sequence[CallSeen], entries: Sequence[Work]
) -> list[tuple[CallSeen, Work]]:
    """Unanswered calls of one service by another, with the entries of that which they made: each inside of its call; none
    if as many would fit by chance."""
    free = sorted(entries, key=lambda each: each.start)
    if not free or not calls:
        return []
    starts = [each.start for each in free]
    length = max(
        1, free[-1].end - free[0].start, *(each.call.end - free[0].start for each in calls)
    )
    rate = len(free) / length
    used: set[int] = set()
    found = []
    by_chance = 0.0
    for call in sorted(calls, key=lambda each: (each.call.end - each.call.start, each.call.start)):
        first, last = call.call.start - SLACK, call.call.end + SLACK
        by_chance += 1 - exp(-rate * (last - first))
        at = bisect_left(starts, first)
        while at < len(free) and free[at].start <= last:
            if at not in used and free[at].end <= last:
                used.add(at)
                found.append((call, free[at]))
                break
            at += 1
    return (
        found if len(found) > by_chance + 3 * sqrt(by_chance * (1 - by_chance / len(calls))) else []
    )


class Enclosing(NamedTuple):
    """Entries of ``callee`` that lie inside of requests of ``caller``: pairs of these, of so many entries."""

    caller: NodeKey
    callee: NodeKey
    pairs: list[tuple[Work, Work]]
    of: int


def callers_by_time(
    entries: Mapping[NodeKey, Sequence[Work]], works: Iterable[Work]
) -> list[Enclosing]:
    """Of each service the one in whose requests its entries begin and end, if far more do than by chance: the innermost
    of several."""
    by_node: dict[NodeKey, list[Work]] = {}
    for each in sorted(works, key=lambda each: each.start):
        by_node.setdefault(each.node, []).append(each)
    found = []
    for callee, own in entries.items():
        if len(own) < LEAST_INSIDE:
            continue
        candidates = [
            (Enclosing(caller, callee, pairs, len(own)), _mean(theirs))
            for caller, theirs in by_node.items()
            if caller != callee
            and not any(callee in each.callees for each in theirs)
            and not _calls(by_node.get(callee, ()), caller)
            and _is_telling(pairs := _inside(own, theirs), own, theirs)
        ]
        if candidates:
            most = max(len(each.pairs) for each, _ in candidates)
            near = [each for each in candidates if len(each[0].pairs) >= ALIKE * most]
            found.append(min(near, key=lambda each: (each[1], each[0].caller))[0])
    return found


def _calls(works: Iterable[Work], node: NodeKey) -> bool:
    return any(node in each.callees for each in works)


def _mean(works: Sequence[Work]) -> float:
    return sum(each.end - each.start for each in works) / len(works)


def _inside(entries: Sequence[Work], works: Sequence[Work]) -> list[tuple[Work, Work]]:
    """Each entry with the latest request that it lies inside of, in another trace."""
    starts = [each.start for each in works]
    longest = max((each.end - each.start for each in works), default=0)
    found = []
    for entry in entries:
        at = bisect_left(starts, entry.start + SLACK) - 1
        while at >= 0 and works[at].start >= entry.start - longest - SLACK:
            work = works[at]
            fits = work.start - SLACK <= entry.start and entry.end <= work.end + SLACK
            if fits and work.trace_id != entry.trace_id and _is_longer(work, entry):
                found.append((work, entry))
                break
            at -= 1
    return found


def _is_longer(work: Work, entry: Work) -> bool:
    return work.end - work.start >= entry.end - entry.start


def _is_telling(
    pairs: Sequence[tuple[Work, Work]], entries: Sequence[Work], works: Sequence[Work]
) -> bool:
    """Whether so many entries inside are no chance (Chernoff's bound on a binomial tail)."""
    if len(pairs) < LEAST_INSIDE or len({work for work, _ in pairs}) < LEAST_INSIDE:
        return False
    share = len(pairs) / len(entries)
    first = min(entries[0].start, min(each.start for each in entries), works[0].start)
    last = max(max(each.end for each in entries), max(each.end for each in works))
    busy = _covered(works, SLACK) / max(1, last - first)
    if share < LEAST_SHARE or busy >= share:
        return False
    rest = (1 - share) * log((1 - share) / (1 - busy)) if share < 1 else 0.0
    return len(entries) * (share * log(share / busy) + rest) > SURPRISE


def _covered(works: Sequence[Work], slack: int) -> int:
    """Microseconds in which one of them is at work; they are in the order of their starts."""
    total = 0
    until = works[0].start - slack if works else 0
    for each in works:
        start, end = max(each.start - slack, until), each.end + slack
        if end > start:
            total += end - start
            until = end
    return total
