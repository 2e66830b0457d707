"""Differences in words: each in a line, and all in a sentence. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from api.comparison.causes import Trend
from api.comparison.significance import FAILING, SLOW, Measure
from api.problems.words import number_words, percent_words, time_words

NAMES = {Measure.FAULT: "faults", Measure.ERROR: "client errors", Measure.THROTTLE: "throttled"}
COUNTED = {
    Trend.SLOWER: "slower",
    Trend.FAILING: "failing more",
    Trend.FASTER: "faster",
    Trend.WORKING: "failing less",
    Trend.MORE: "with more requests",
    Trend.LESS: "with fewer requests",
}
NOTHING = "No significant difference"


class Change(NamedTuple):
    """A difference for readers. ``then``, ``now``: a share; microseconds; requests a minute, or calls per request of the caller (``per_request``).
    ``follows``: whether it begins elsewhere."""

    measure: Measure
    trend: Trend
    is_edge: bool
    then: float
    now: float
    per_request: bool = False
    follows: bool = False


class Names(NamedTuple):
    """What two sides of one time are called, for what only one of them has."""

    now: str
    then: str


LONGEST = 40
"""Characters of a side's name."""


def text_of(change: Change, sides: Names | None = None) -> str:
    """Like ``faults 0.5 → 3.0 %``."""
    then, now = change.then, change.now
    if change.measure in FAILING:
        return f"{NAMES[change.measure]} {percent_words(then)} → {percent_words(now)} %"
    if change.measure in SLOW:
        return f"{change.measure} {time_words(then)} → {time_words(now)}"
    unit = " per request" if change.per_request else " a minute"
    if sides and change.measure in (Measure.NEW, Measure.VANISHED):
        return f"{_only(change.measure, sides)}, {number_words(max(now, then))}{unit}"
    if change.measure is Measure.NEW:
        return f"new, {number_words(now)}{unit}"
    if change.measure is Measure.VANISHED:
        return f"vanished, {number_words(then)}{unit} before"
    what = "calls" if change.is_edge else "requests"
    return f"{what} {number_words(then)} → {number_words(now)}{unit}"


def summary(places: Iterable[tuple[int, Change]], sides: Names | None = None) -> str:
    """Like ``3 slower, 1 failing more, 2 new edges, 1 vanished edge``: of what begins where it is. Of sides of one time like
    ``2 edges only in 1.9``."""
    places = list(places)
    if not places:
        return NOTHING
    own = {(index, _counted(each)) for index, each in places if not each.follows}
    found = Counter(what for _, what in own)
    parts = [f"{found[what]} {what}" for what in COUNTED.values() if found[what]]
    for measure in (Measure.NEW, Measure.VANISHED):
        for what in ("node", "edge"):
            many = found[f"{measure} {what}"]
            parts += [_single(many, measure, what, sides)] if many else []
    following = {index for index, each in places if each.follows} - {index for index, _ in own}
    rest = f"; {len(following)} that follow from {'it' if len(own) == 1 else 'these'}"
    return ", ".join(parts) + (rest if following else "")


def _single(many: int, measure: Measure, what: str, sides: Names | None) -> str:
    whats = what if many == 1 else f"{what}s"
    if sides is None:
        return f"{many} {measure} {whats}"
    return f"{many} {whats} {_only(measure, sides)}"


def _only(measure: Measure, sides: Names) -> str:
    name = sides.now if measure is Measure.NEW else sides.then
    return f"only in {name if len(name) <= LONGEST else f'{name[: LONGEST - 1]}…'}"


def _counted(each: Change) -> str:
    if each.measure in (Measure.NEW, Measure.VANISHED):
        return f"{each.measure} {'edge' if each.is_edge else 'node'}"
    return COUNTED[each.trend]
