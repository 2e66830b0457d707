"""Everything that goes wrong on the way: split, late, twice, never, out of order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from bench.recall.scenario import Letter, Story
from bench.recall.traffic import HOUR, SECOND

LATENESS = ("none", "hours", "day")
"""Of each part of a trace: at once; exponential with a mean of two hours; anything up to 24 hours."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """``splits``: inserts that the letters of one trace come in. Shares are of letters;
    ``skew`` is how far a service's clock may be off, seconds."""

    splits: int
    lateness: str = "none"
    duplicates: float = 0.0
    skew: float = 0.0
    dropped: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Batches in the order of their inserts; ``lost`` letters are in none."""

    batches: list[list[Letter]]
    lost: int
    repeated: int


def deliver(
    stories: Sequence[Story], conditions: Conditions, count: int, random: Random
) -> Delivery:
    """Put the letters into ``count`` batches that are inserted evenly over the time they take.

    The parts of a trace go into different batches, as long as there are any; a resent letter goes
    into any batch from its own on, and the order inside a batch is chance.
    """
    begin = min(story.time for story in stories)
    length = max(story.time for story in stories) - begin + 1
    length += 0 if conditions.lateness == "none" else 24 * HOUR
    batches: list[list[Letter]] = [[] for _ in range(count)]
    lost = repeated = 0
    for story in stories:
        places = list(_places(story.time - begin, length, count, conditions, random))
        for letter in story.letters:
            if random.random() < conditions.dropped:
                lost += 1
                continue
            place = random.choice(places)
            batches[place].append(letter)
            if random.random() < conditions.duplicates:
                batches[random.randrange(place, count)].append(letter)
                repeated += 1
    for batch in batches:
        random.shuffle(batch)
    return Delivery([batch for batch in batches if batch], lost, repeated)


def _places(
    time: int, length: int, count: int, conditions: Conditions, random: Random
) -> Iterator[int]:
    """The batches of a trace's parts, distinct."""
    taken: set[int] = set()
    for _ in range(min(conditions.splits, count)):
        arrival = time + _lateness(conditions.lateness, random)
        place = min(count - 1, arrival * count // length)
        while place in taken:
            place = (place + 1) % count
        taken.add(place)
        yield place


def _lateness(kind: str, random: Random) -> int:
    match kind:
        case "none":
            return random.randrange(SECOND)
        case "hours":
            return min(24 * HOUR, round(random.expovariate(1 / (2 * HOUR))))
        case "day":
            return random.randrange(24 * HOUR)
        case _:
            raise ValueError(f"lateness: expected one of {LATENESS}, got {kind!r}")
