"""One delivery into one store, queried on the way and at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Protocol

from bench.recall.delivery import Conditions, Delivery, deliver
from bench.recall.scenario import Letter, Thing
from bench.recall.score import Scores, in_any_account, read, sum_of
from bench.recall.topology import build
from bench.recall.traffic import HOUR, MINUTE, Traffic
from bench.recall.truth import Truth
from collector.decode.stored import decode_any
from collector.versions import VersionClock
from store.graph import ServiceGraph
from store.model import Document, TimeRange

DAY = 24 * HOUR
RESENT = 0.05
"""Share of the batches that are put once more under their token: their answer got lost."""
ROLLED = 0.7
"""Share of the batches after which the rollups are brought up to date; else queries find them
behind."""


class Target(Protocol):
    """As much of a store as this takes."""

    def put(self, documents: Sequence[Document], token: str) -> None: ...

    def service_graph(self, window: TimeRange) -> ServiceGraph: ...


@dataclass(frozen=True, slots=True)
class Size:
    """``traces`` that enter (messages make more), spread over ``span`` microseconds up to ``now``;
    ``batches`` they arrive in, ``stages`` at which the map is queried."""

    traces: int
    batches: int
    now: int
    stages: int = 4
    span: int = DAY
    minutes: int = 60
    """How many minutes in a row are queried one by one at the end."""


@dataclass(slots=True)
class Outcome:
    """``early`` and ``late`` score the map on the way and at the end. ``together``: the share of
    answered calls whose two halves came in one insert, which is what a store that pairs them inside
    a batch would find. ``waited``: the longest time, seconds, until the map had what was stored."""

    conditions: Conditions
    traces: int = 0
    letters: int = 0
    lost: int = 0
    repeated: int = 0
    maps: int = 0
    early: Scores = field(default_factory=Scores)
    late: Scores = field(default_factory=Scores)
    minutes: Scores = field(default_factory=Scores)
    together: float = 0.0
    waited: float = 0.0

    @property
    def perfect(self) -> bool:
        return self.early.perfect and self.late.perfect and self.minutes.perfect


def run(
    store: Target,
    conditions: Conditions,
    size: Size,
    seed: int,
    *,
    recount_minutes: Callable[[], None] = lambda: None,
    writers: int = 1,
    patience: float = 0.0,
) -> Outcome:
    """Deliver into an empty store. ``recount_minutes`` brings the rollups up to date, after
    most batches; the map must be right whether it was called or not, or after ``patience`` seconds
    where the server does that. ``writers`` batches are put at a time."""
    random = Random(seed)
    traffic = Traffic(build(random), random, round(conditions.skew * 1e6))
    happened = traffic.happen(size.traces, size.now - size.span, size.now)
    delivery = deliver(happened.stories, conditions, size.batches, random)
    outcome = Outcome(conditions, len(happened.stories), lost=delivery.lost)
    outcome.repeated = delivery.repeated
    outcome.letters = sum(len(batch) for batch in delivery.batches)
    clock, last = VersionClock(), len(delivery.batches) - 1
    stages = {last * stage // size.stages for stage in range(1, size.stages)}
    with ThreadPoolExecutor(writers) as pool:
        putting = []
        for number, batch in enumerate(delivery.batches):
            documents = [decode_any(letter.raw, clock.reserve()) for letter in batch]
            again = random.random() < RESENT
            putting.append(pool.submit(_put, store, documents, f"{seed}-{number}", again))
            if number in stages or number == last or len(putting) == writers:
                while putting:
                    putting.pop().result()
            if random.random() < ROLLED:
                recount_minutes()
            if number in stages or number == last:
                truth = Truth(_letters(delivery.batches[: number + 1]), happened.joins)
                scores = outcome.late if number == last else outcome.early
                waited = _settle(store, truth, _whole(size), patience)
                outcome.waited = max(outcome.waited, waited)
                outcome.maps += _ask(store, truth, scores, size, random)
    outcome.maps += _add_up(store, truth, outcome.minutes, size, random)
    outcome.together = _together(truth, delivery)
    return outcome


def _put(store: Target, documents: Sequence[Document], token: str, again: bool) -> None:
    for _ in range(1 + again):
        store.put(documents, token)


def _settle(store: Target, truth: Truth, window: TimeRange, patience: float) -> float:
    """Seconds until the map of a window is the true one; at most ``patience``."""
    begun, expected = time.monotonic(), truth.graph(window)
    while patience:
        scores = Scores()
        scores.add(read(store.service_graph(window)), expected)
        if scores.perfect or time.monotonic() - begun > patience:
            break
        time.sleep(0.05)
    return time.monotonic() - begun


def _letters(batches: Iterable[Iterable[Letter]]) -> Iterable[Letter]:
    return (letter for batch in batches for letter in batch)


def _whole(size: Size) -> TimeRange:
    """Everything, with an hour for clocks and for work that outlasts its trace's beginning."""
    hour = (size.now - size.span) // HOUR - 1
    return TimeRange(hour * HOUR, (size.now // HOUR + 2) * HOUR)


def _ask(store: Target, truth: Truth, scores: Scores, size: Size, random: Random) -> int:
    """The whole; the last five minutes and hour; windows that begin at no minute."""
    end = size.now // MINUTE * MINUTE + MINUTE
    windows = [_whole(size), TimeRange(end - 5 * MINUTE, end), TimeRange(end - HOUR, end)]
    for _ in range(2):
        start = size.now - random.randrange(size.span)
        windows.append(TimeRange(start, start + random.randrange(1, size.span // 2)))
    for window in windows:
        scores.add(read(store.service_graph(window)), truth.graph(window))
    return len(windows)


def _add_up(store: Target, truth: Truth, scores: Scores, size: Size, random: Random) -> int:
    """Every hour of the whole, and minutes of one hour: each right, and right together."""
    whole = _whole(size)
    hour = random.randrange(whole.start + HOUR, whole.end - 2 * HOUR) // HOUR * HOUR
    minutes = TimeRange(hour, hour + size.minutes * MINUTE)
    queries = 0
    for window, step in ((whole, HOUR), (minutes, MINUTE)):
        parts = []
        for start, end in pairwise(range(window.start, window.end + 1, step)):
            part = TimeRange(start, end)
            parts.append(read(store.service_graph(part)))
            scores.add(parts[-1], truth.graph(part))
        scores.add(in_any_account(sum_of(parts)), in_any_account(truth.graph(window)))
        queries += len(parts)
    return queries


def _together(truth: Truth, delivery: Delivery) -> float:
    """The share of answered calls of which some batch contains both halves."""
    batches: dict[Thing, set[int]] = {}
    for number, batch in enumerate(delivery.batches):
        for letter in batch:
            for thing, _ in letter.shows:
                batches.setdefault(thing, set()).add(number)
    pairs = [(call, work) for call, works in truth.answered().items() for work in works]
    return sum(bool(batches[c] & batches[w]) for c, w in pairs) / max(1, len(pairs))
