"""Compares periods of simulated maps as the server does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from api.comparison.causes import Place, followed, trend_of
from api.comparison.choice import other_days
from api.comparison.significance import (
    FAILING,
    Difference,
    Measure,
    differences,
)
from api.comparison.sums import Summing, periods_of
from api.comparison.week import STEP, Week, week_of
from bench.comparison.world import DAY, FIRST, Plant, World, split
from store.minutes import MinuteCounts
from store.model import TimeRange
from store.times import MINUTE

Found = list[tuple[str, str]]


class Trial(NamedTuple):
    """What was compared, and what was said to differ: where it begins, and what follows."""

    seed: int
    at: int
    length: int
    back: int
    found: Found
    following: Found
    planted: Sequence[tuple[str, str]] = ()

    @property
    def missed(self) -> Found:
        """What was planted and not found."""
        return [each for each in self.planted if each not in self.found]

    @property
    def others(self) -> Found:
        """What was found and not planted."""
        return [each for each in self.found if each not in self.planted]


def equal_periods(seed: int, pairs: int, *, young: bool = False) -> list[Trial]:
    """Half an hour or an hour of a world in which nothing happens, with the day or the week before, or the period before."""
    world = World(seed, 16)
    r = np.random.default_rng(seed)
    found: list[Trial] = []
    while len(found) < pairs:
        length, day = int(r.choice([30, 60])), int(r.integers(9, 15))
        at = day * DAY + int(r.integers(0, DAY - length))
        back = int(r.choice([DAY, 7 * DAY, length], p=[0.5, 0.3, 0.2]))
        if back == DAY and day % 7 in (0, 5):
            back = 7 * DAY  # a Monday is no Sunday
        if world.gap[at : at + length].min() and world.gap[at - back : at - back + length].min():
            found.append(compare(world, at, length, back, young=young))
    return found


def planted(seed: int, *, young: bool = False) -> Trial:
    """An hour against yesterday's, since when a node is 30 % slower, another one has 3 % of faults instead of 0.5, an edge is new and another one gone."""
    at = 11 * DAY + 600
    _, plants, named = _plants(seed, at)
    trial = compare(World(seed, 12, plants=plants), at, 60, DAY, young=young)
    return trial._replace(planted=named)


def _plants(seed: int, at: int) -> tuple[World, list[Plant], Found]:
    """A world, what is planted in it, and how that is called."""
    plain = World(seed, 1)
    r = np.random.default_rng(seed)
    busy = [n for n in range(plain.entries, plain.size) if plain.rate[n] > 20]
    slow, fails = (int(each) for each in r.choice(busy, 2, replace=False))
    calls = {n: plain.rate[s] * c for n, (s, t, c) in enumerate(plain.edges)}
    fit = [
        n for n, rate in calls.items() if rate > 2 and rate < 0.25 * plain.rate[plain.edges[n][1]]
    ]
    fit = fit if len(fit) > 1 else sorted(calls, key=lambda n: -calls[n])[-20:-18]
    new, gone = (int(each) for each in r.choice(fit, 2, replace=False))
    plants = [
        *(Plant(at, slow, slower=1.3), Plant(at, fails, fault=0.03, before=0.005)),
        *(Plant(at, edge=new), Plant(at, edge=gone, gone=True)),
    ]
    named: Found = [
        (_name(plain, slow), "slower"),
        (_name(plain, fails), "fault"),
        (_name(plain, plain.size + new), "new"),
        (_name(plain, plain.size + gone), "vanished"),
    ]
    return plain, plants, named


def halves(seed: int, pairs: int) -> list[Trial]:
    """Both halves, at random, of the requests of 5 minutes to an hour of a world in which nothing happens."""
    world = World(seed, 3)
    r = np.random.default_rng(seed)
    found = []
    for _ in range(pairs):
        length = int(r.choice([5, 15, 30, 60]))
        at = int(r.integers(0, world.length - length))
        share = float(r.choice([0.5, 0.5, 0.1]))
        sides = zip(
            *(split(each, share, r) for each in world.counted(at, at + length)), strict=True
        )
        found.append(compare_sides(world, at, length, *map(list, sides)))
    return found


def planted_halves(seed: int) -> Trial:
    """An hour, of which on one side a node is 30 % slower, another one has 3 % of faults instead of 0.5, an edge is new and another one gone."""
    plain, plants, named = _plants(seed, 0)
    r = np.random.default_rng(seed)
    before = [replace(each, at=DAY) for each in plants]
    worlds = World(seed, 1, plants=plants), World(seed, 1, plants=before)
    worlds[1].sigma = worlds[0].sigma  # drawn after requests, of which they have others
    sides = [
        [split(each, 0.5, r)[number] for each in world.counted(600, 660)]
        for number, world in enumerate(worlds)
    ]
    return compare_sides(plain, 600, 60, *sides)._replace(planted=named)


def compare_sides(
    world: World, at: int, length: int, one: list[MinuteCounts], other: list[MinuteCounts]
) -> Trial:
    """Two sides of the same minutes."""
    places = {index + 1: index for index in range(world.size + len(world.edges))}
    callers = [None] * world.size + [(source,) for source, _, _ in world.edges]
    (periods,) = periods_of(one, other, (), Summing(places, callers, places))
    found = differences(periods)
    return _trial(world, at, length, 0, found)


def compare(world: World, at: int, length: int, back: int, *, young: bool = False) -> Trial:
    """A period with the one ``back`` minutes before."""
    now, then = (
        TimeRange((FIRST + t) * MINUTE, (FIRST + t + length) * MINUTE) for t in (at, at - back)
    )

    def counted(window: TimeRange | None):  # type: ignore[no-untyped-def]
        if window is None:
            return None
        first = window.start // MINUTE - FIRST
        return world.counted(first, first + length) if first >= 0 else []

    days = [] if young else other_days(now, then)
    callers = [None] * world.size + [(source,) for source, _, _ in world.edges]
    (periods,) = periods_of(
        counted(now),
        counted(then),
        [(counted(day.now), counted(day.then)) for day in days],
        Summing({index + 1: index for index in range(len(callers))}, callers),
    )
    week = None if young else partial(_week, world, at, length, back)
    found = differences(periods, week)
    return _trial(world, at, length, back, found)


def _trial(world: World, at: int, length: int, back: int, found: Sequence[Difference]) -> Trial:
    places = [Place()] * world.size + [Place(s, t) for s, t, _ in world.edges]
    origins = followed(found, places)

    def named(each: Difference) -> tuple[str, str]:
        slow = each.measure in (Measure.P50, Measure.P90)
        return _name(world, each.place), (
            "slower" if each.more else "faster"
        ) if slow else each.measure

    def listed(differences: Sequence[Difference]) -> Found:
        return list(dict.fromkeys(map(named, differences)))

    own = [each for each in found if (each.place, trend_of(each)) not in origins]
    rest = [each for each in found if each not in own]
    return Trial(world.seed, at, length, back, listed(own), listed(rest))


def _name(world: World, index: int) -> str:
    if index < world.size:
        return f"{index}"
    source, target, _ = world.edges[index - world.size]
    return f"{source}→{target}"


def _week(world: World, at: int, length: int, back: int, index: int, measure: Measure) -> Week:
    """In steps, as the server reads them."""
    number = FAILING.index(measure)
    known = []
    for day in range(1, 8):
        first = at - day * DAY
        steps = [
            (
                float(world.requests[t : t + STEP, index].sum()),
                float(world.failures[number, t : t + STEP, index].sum()),
            )
            for t in range(max(0, first), first + DAY, STEP)
            if not (at - back - STEP < t < at - back + length)
        ]
        known.append(steps)
    return week_of(known, length)
