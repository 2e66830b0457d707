"""The order of counting as a model: two counters, inserts that become visible late, and processes that end.

Every `yield` of a counter is a moment at which others act. Rows refer to parents by id; what a bucket's
count must be is a function of its rows and of rows elsewhere in the same traces, in both directions. From some moment on
traces are large (`store.clickhouse.rollup.large_traces`). Each rule of `store.clickhouse.rollup.aggregate` is left out in turn, and some
schedule goes wrong then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from random import Random
from typing import NamedTuple

import pytest

TRACES, BUCKETS, IDS = 2, 4, (1, 2, 3, 4)
GUARD, SETTLE = 1, 60
SCHEDULES = 150


class Row(NamedTuple):
    """A row by bucket, trace and id: a later copy replaces it (``serial``)."""

    bucket: int
    trace: int
    id: int
    parent: int
    name: str
    serial: int


class Mark(NamedTuple):
    """What `dirty` knows of a bucket."""

    arrived: int = -9
    related: int = -9
    recheck: int = -9
    looked: int = -1

    def merged(self, other: Mark) -> Mark:
        return Mark(*map(max, self, other))

    def is_due(self, now: int) -> bool:
        return self.looked <= self.arrived + GUARD or self.is_far(now)

    def is_far(self, now: int) -> bool:
        return self.looked <= self.related + GUARD or self.looked < self.recheck <= now


Print = tuple[int, ...] | object
"""Serials of rows; of those elsewhere in large traces, the units that they decide on."""
Lookup = tuple[int, str, int]
"""A trace, whether the row that is an id or those below it, and the id."""


class Version(NamedTuple):
    rev: int
    own: Print
    far: Print
    result: object


class World:
    """The database: rows, marks, references, versions; inserts become visible some time after they are marked."""

    def __init__(self, random: Random, without: str) -> None:
        self.random = random
        self.rechecks = without != "recheck"
        self.repeats_marks = without != "repeated marks"
        self.now = self.serial = 0
        self.rows: dict[tuple[int, int, int], Row] = {}
        self.pending: list[tuple[int, Row]] = []
        self.journal: list[tuple[int, Row]] = []
        """Rows of a process that ended behind their mark, and when another repeats mark and rows."""
        self.dirty: dict[int, Mark] = {}
        self.refs: set[tuple[int, int]] = set()
        self.needed: set[tuple[Lookup, int]] = set()
        self.known: set[tuple[int, int]] = set()
        """Traces in buckets whose lookups are recorded."""
        self.large_from = random.choice((0, 60, 120, 10_000))
        self.versions: dict[int, Version] = {}

    def insert(self, bucket: int, trace: int, id: int, parent: int, name: str) -> None:
        self.serial += 1
        row = Row(bucket, trace, id, parent, name, self.serial)
        if self.random.random() < 0.1:
            self.journal.append((self.now + self.random.choice((5, 80)), row))
        else:
            self.pending.append((self.now + self.random.choice((0, 0, 1, 5, 20)), row))
        self.mark(bucket, Mark(arrived=self.now, recheck=self.now + SETTLE))

    def mark(self, bucket: int, mark: Mark) -> None:
        if not self.rechecks:
            mark = mark._replace(recheck=-9)
        self.dirty[bucket] = self.dirty.get(bucket, Mark()).merged(mark)

    def step(self) -> None:
        self.now += 1
        for at, row in [each for each in self.journal if each[0] <= self.now]:
            self.journal.remove((at, row))
            self.pending.append((self.now + self.random.choice((0, 1, 5)), row))
            if self.repeats_marks:
                self.mark(row.bucket, Mark(arrived=self.now, recheck=self.now + SETTLE))
        for at, row in [each for each in self.pending if each[0] <= self.now]:
            self.pending.remove((at, row))
            key = row[:3]
            if key not in self.rows or self.rows[key].serial < row.serial:
                self.rows[key] = row

    def own(self, bucket: int) -> list[Row]:
        return [row for row in self.rows.values() if row.bucket == bucket]

    def elsewhere(self, bucket: int, traces: Collection[int]) -> list[Row]:
        return [r for r in self.rows.values() if r.bucket != bucket and r.trace in traces]


def truth(rows: Collection[Row], bucket: int) -> object:
    """The units of a bucket: each row with the name of its parent, and the names of those that name it."""
    return sorted(
        (
            row.trace,
            row.id,
            row.name,
            min(((o.bucket, o.name) for o in rows if (o.trace, o.id) == (row.trace, row.parent)), default=None)
            if row.parent
            else None,
            tuple(sorted({o.name for o in rows if (o.trace, o.parent) == (row.trace, row.id)})),
        )
        for row in rows
        if row.bucket == bucket
    )  # fmt: skip


def serials(rows: Collection[Row]) -> Print:
    return tuple(sorted(row.serial for row in rows))


def open_traces(own: Collection[Row]) -> set[int]:
    """Traces with a parent that is not in the bucket."""
    there = {(row.trace, row.id) for row in own}
    return {row.trace for row in own if row.parent and (row.trace, row.parent) not in there}


def lookups(own: Collection[Row], elsewhere: Collection[Row], without: str) -> set[Lookup]:
    """Of the rows that decide on these. What answers is one of them: a later copy may no longer answer."""
    parents = {(row.trace, "is", row.parent) for row in own if row.parent}
    needed = parents | {(row.trace, "below", row.id) for row in own}
    if without == "copies of answers":
        return needed
    return needed | {
        (r.trace, "is", r.id) for r in elsewhere if not needed.isdisjoint(found_by([r]))
    }


def found_by(own: Collection[Row]) -> set[Lookup]:
    """The lookups that find these."""
    below = {(row.trace, "below", row.parent) for row in own if row.parent}
    return below | {(row.trace, "is", row.id) for row in own}


def counter(world: World, number: int, without: str) -> Iterator[None]:
    """One process that counts."""
    while True:
        read_at = world.now
        due = {b: mark for b, mark in world.dirty.items() if mark.is_due(read_at)}
        yield
        for bucket, mark in world.random.sample(sorted(due.items()), min(2, len(due))):
            yield from count(world, number, bucket, mark.is_far(read_at), without)
            world.mark(bucket, Mark(looked=read_at))
            yield
        yield


def count(world: World, number: int, bucket: int, far_too: bool, without: str) -> Iterator[None]:
    rev = world.now * 1000 + number
    own = world.own(bucket)
    before = world.versions.get(bucket, Version(-1, (), (), []))
    yield
    changed = serials(own) != before.own
    if not changed and not far_too:
        return
    traces = open_traces(own)
    shared = traces | {t for t, _ in world.refs if t in {row.trace for row in own}}
    yield
    is_large = world.now >= world.large_from
    elsewhere = world.elsewhere(bucket, shared)
    far: Print = serials(elsewhere)
    if is_large:
        here = world.own(bucket)
        far = truth([*here, *elsewhere], bucket)
        if without != "lookups":
            world.needed |= {(lookup, bucket) for lookup in lookups(here, elsewhere, without)}
        world.known |= {(trace, bucket) for trace in shared}
    if without == "far rows":
        far, is_large = (), False
    if not changed and far == before.far:
        return
    yield
    result = truth([*world.own(bucket), *world.elsewhere(bucket, shared)], bucket)
    if is_large and without != "one read":
        result = far
    yield
    version = Version(rev, serials(own), far, result)
    if without == "fingerprint first":
        late = world.elsewhere(bucket, shared)
        version = Version(rev, serials(world.own(bucket)), serials(late), result)

    def write() -> None:
        if world.versions.get(bucket, Version(-1, (), (), [])).rev <= rev:
            world.versions[bucket] = version

    if without == "version last":
        write()
        yield
    if without != "references":
        world.refs |= {(trace, bucket) for trace in traces}
    yield
    if without != "marks":
        there = {(r.trace, r.bucket) for r in world.rows.values() if r.trace in shared}
        places = {b for _, b in there} | {b for t, b in world.refs if t in shared}
        if is_large:
            came = found_by(world.own(bucket))
            places = {b for lookup, b in world.needed if lookup in came}
            if without != "unrecorded buckets":
                places |= {b for t, b in there - world.known}
        for place in places - {bucket}:
            world.mark(place, Mark(related=world.now, recheck=world.now + SETTLE))
    world.mark(bucket, Mark(recheck=world.now + SETTLE))
    yield
    if without != "version last":
        write()
    yield


def wrong_after(seed: int, without: str = "") -> bool:
    """Whether some bucket is wrong after everything has settled."""
    random = Random(seed)
    world = World(random, without)
    counters = [counter(world, number, without) for number in (1, 2)]
    place: dict[tuple[int, int], int] = {}
    asleep = [0, 0]
    for step in range(260):
        if step < 160 and random.random() < (0.3 if step < 20 else 0.03):
            trace, id = random.randrange(TRACES), random.choice(IDS)
            bucket = place.setdefault((trace, id), random.randrange(BUCKETS))
            parent = random.choice((0, *(other for other in IDS if other != id)))
            world.insert(bucket, trace, id, parent, random.choice("abc"))
        for number in (0, 1):
            if random.random() < 0.04:  # it ends, and starts again
                counters[number] = counter(world, number + 1, without)
            if random.random() < 0.02:
                asleep[number] = world.now + random.choice((20, 150))
            if asleep[number] > world.now:
                continue
            for _ in range(random.choice((0, 1, 1, 3))):
                next(counters[number])
        world.step()
    for _ in range(330):
        world.step()
        for each in counters:
            next(each), next(each)
    rows = list(world.rows.values())
    return any(
        bucket not in world.versions or world.versions[bucket].result != truth(rows, bucket)
        for bucket in {row.bucket for row in rows}
    )


def test_every_schedule_ends_with_the_truth() -> None:
    assert [seed for seed in range(SCHEDULES) if wrong_after(seed)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        "far rows",
        "fingerprint first",
        "references",
        "marks",
        "version last",
        "recheck",
        "repeated marks",
        "lookups",
        "unrecorded buckets",
        "one read",
        "copies of answers",
    ],
)
def test_each_rule_is_needed(rule: str) -> None:
    assert any(wrong_after(seed, rule) for seed in range(3_000))
