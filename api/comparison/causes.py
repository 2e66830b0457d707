"""Which differences follow from others. Pure.

Who calls what fails or is slow, fails or is slow; what is called by a busier node has more to do; an edge to a new node is new.
Listed and counted is where a difference begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from api.comparison.significance import FAILING, SLOW, Difference, Measure


class Place(NamedTuple):
    """A node, or an edge by the indices of its ends; ``source`` is None of a node."""

    source: int | None = None
    target: int | None = None


class Trend(StrEnum):
    """What differences have in common that follow from each other."""

    FAILING = "failing"
    WORKING = "working"
    SLOWER = "slower"
    FASTER = "faster"
    MORE = "more"
    LESS = "less"
    NEW = "new"
    VANISHED = "vanished"


CAUSES = {Trend.MORE: Trend.NEW, Trend.LESS: Trend.VANISHED}
"""What else makes whom it calls have more, or less, to do."""


def trend_of(each: Difference) -> Trend:
    """Of a difference."""
    if each.measure in FAILING:
        return Trend.FAILING if each.more else Trend.WORKING
    if each.measure in SLOW:
        return Trend.SLOWER if each.more else Trend.FASTER
    if each.measure is Measure.RATE:
        return Trend.MORE if each.more else Trend.LESS
    return Trend.NEW if each.measure is Measure.NEW else Trend.VANISHED


def followed(
    found: Iterable[Difference], places: Sequence[Place]
) -> Mapping[tuple[int, Trend], int]:
    """By place and trend of what follows from another place's: the index of that one, where it begins."""
    having: dict[Trend, set[int]] = {}
    for each in found:
        having.setdefault(trend_of(each), set()).add(each.place)
    below, above, ends = _beside(places)
    following: dict[tuple[int, Trend], int] = {}
    for trend, indices in having.items():
        beside = below
        causes = indices
        if trend in CAUSES:
            beside, causes = above, indices | having.get(CAUSES[trend], set())
        elif trend in CAUSES.values():
            beside = ends
        steps = {index: _next(index, causes, beside) for index in causes}
        for index in indices:
            if (origin := _end(index, steps)) != index:
                following[index, trend] = origin
    return following


_Steps = dict[int, list[int]]


def _beside(places: Sequence[Place]) -> tuple[_Steps, _Steps, _Steps]:
    """From each node to the edges of what it calls, and from an edge to whom it leads; the same upwards; and the second alone. An edge's
    rate is in relation to its source's: it does not follow from it."""
    below: _Steps = {}
    above: _Steps = {}
    ends: _Steps = {}
    for index, (source, target) in enumerate(places):
        if source is None or target is None:
            continue
        below.setdefault(source, []).append(index)
        below[index] = ends[index] = [target]
        above.setdefault(target, []).extend((index, source))
    return below, above, ends


def _next(index: int, having: set[int], beside: Mapping[int, Sequence[int]]) -> list[int]:
    """The next places with a difference; between them may be one without, which has too few requests to tell."""
    found: list[int] = []
    for one in beside.get(index, ()):
        further = [one] if one in having else beside.get(one, ())
        found += [each for each in further if each in having and each != index]
    return found


def _end(index: int, steps: Mapping[int, Sequence[int]]) -> int:
    """The end of the steps from one place; of a circle its lowest index."""
    seen = [index]
    while steps[index]:
        index = min(steps[index])
        if index in seen:
            return min(seen[seen.index(index) :])
        seen.append(index)
    return index
