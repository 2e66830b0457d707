"""Rollups as an index: the minutes of a window in which units of a term of a filter may start.

Rollups say of each minute, and of wider slots of minutes, which nodes and edges had units in which
states. What they may not know yet is not excluded: minutes without a current version, dirty buckets
and all that these may change, pinned copies, and times whose rows may have begun to expire, of which
late rows are not counted. So a search reads fewer minutes and finds the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_groups
from store.clickhouse.pins import PINNED_COPY
from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.queries.registry import numbers_in
from store.clickhouse.schema.retention import DEFAULTS
from store.clickhouse.search.rollup_units import RolledUpUnits
from store.times import DAY, MINUTE, SECOND

Minutes = tuple[int, int]
"""The first and the last of some consecutive minutes."""

LEVELS = (60, 10, 1)
"""Minutes per slot, from one turn to the next: only what a wide slot does not exclude is looked at closer."""
FEW_SLOTS = 8
"""Widest slots of which all minutes are looked at in one turn, or at once if a window has no more: another statement
costs more than their rows."""
MOMENT = 120 * SECOND
"""Microseconds after a count in which a replica may not have its result."""
MOST_UNSETTLED = 1000
"""Minutes with more, and the rollups are too far behind to be of use."""
LISTED = 60
"""Consecutive minutes up to which each is listed."""


class Settled(NamedTuple):
    """What rollups tell: all about minutes from ``since`` on but for those ``unsettled``."""

    since: int
    unsettled: frozenset[int]


class IndexedMinutes(NamedTuple):
    """The minutes in which units may start; nothing is said about minutes before ``reach``."""

    ranges: Sequence[Minutes]
    reach: int

    @property
    def condition(self) -> Sql:
        """On rows that start then."""
        listed = [range(a, b + 1) for a, b in self.ranges if b - a < LISTED]
        parts = [f"minute BETWEEN {a} AND {b}" for a, b in self.ranges if b - a >= LISTED]
        if listed:
            minutes = ", ".join(str(minute) for each in listed for minute in each)
            parts.append(f"minute IN ({minutes})")
        return parenthesized(joined(" OR ", map(Sql, parts))) if parts else Sql("0")


class _Slot(NamedTuple):
    """What rollups say of a slot: whether they are out of date, and how many units it has at most."""

    outdated: bool
    units: int

    @property
    def relevant(self) -> bool:
        """Whether it has to be looked at closer."""
        return self.outdated or self.units > 0


def indexed_minutes(
    run: RunQuery, wanted: Sequence[RolledUpUnits | None], window: Minutes, enough: int
) -> list[IndexedMinutes | None]:
    """The minutes of a window in which units of each kind were counted, or may have been; down to where there are
    enough units. None for None, and if rollups are of no use. Rows that are stored later may be missing."""
    first, last = window
    levels = LEVELS if last // LEVELS[0] - first // LEVELS[0] >= FEW_SLOTS else LEVELS[-1:]
    widest = Sql(f"bucket BETWEEN {first // levels[0] * levels[0]} AND {last}")
    statements = [_statement(units, levels[0], widest) for units in wanted if units is not None]
    if not statements:
        return [None] * len(wanted)
    dirty, slots = _read(run, statements)
    known, rows = _settled(run, dirty), iter(slots)
    return [
        None
        if known is None or units is None
        else _indexed(run, units, known, window, enough, levels, _slots(next(rows)))
        for units in wanted
    ]


def _read(run: RunQuery, slots: Sequence[Sql]) -> tuple[Rows, list[Rows]]:
    """What is unsettled, and what is known of slots."""
    unsettled = queries.UNSETTLED_MINUTES.render({"pinned_copy": Sql(PINNED_COPY)}, moment=MOMENT)
    together = queries.ROLLUP_INDEX.render({"unsettled": unsettled, "slots": slots[0]})
    (both,), *others = run_groups(run, [together], *([each] for each in slots[1:]))
    dirty = [(minute, days) for is_slot, minute, _, days in both if not is_slot]
    return dirty, [[row[1:] for row in both if row[0]], *(rows for (rows,) in others)]


def _settled(run: RunQuery, dirty: Rows) -> Settled | None:
    minutes = {minute for minute, days in dirty if not days}
    if len(minutes) > MOST_UNSETTLED:
        return None
    if minutes:
        listed = numbers_in("minute", sorted(minutes))
        related = queries.MINUTES_OF_TRACES.render({"minutes": listed})
        minutes.update(minute for (minute,) in run(related))
    retained = max(days for _, days in [*dirty, (0, 0)]) or DEFAULTS["traces"]
    since = time.time_ns() // 1000 - (retained - 1) * DAY
    return Settled(max(0, since // MINUTE), frozenset(minutes))


def _indexed(
    run: RunQuery,
    units: RolledUpUnits,
    known: Settled,
    window: Minutes,
    enough: int,
    levels: Sequence[int],
    widest: Mapping[int, _Slot],
) -> IndexedMinutes:
    first, last = window
    start = max(first, known.since)
    found = [(minute, minute) for minute in known.unsettled if first <= minute <= last]
    if start > first:
        found.append((first, min(last, start - 1)))
    low = start // levels[0] * levels[0]
    known_slots = {slot: each for slot, each in widest.items() if slot >= low}
    found += _gaps(sorted(known_slots), low, last, levels[0])
    reach, slots = _newest(known_slots, enough)
    if len(slots) <= FEW_SLOTS and len(levels) > 1:
        levels = levels[0], levels[-1]
    for wide, width in pairwise(levels):
        parts = [part for slot in slots for part in range(slot, slot + wide, width)]
        rows = run(_statement(units, width, numbers_in("bucket", parts))) if parts else []
        inner = _slots(rows)
        found += [(part, part + width - 1) for part in parts if part not in inner]
        slots = [slot for slot in parts if slot in inner and inner[slot].relevant]
    found += [(minute, minute) for minute in slots]
    return IndexedMinutes(_united(found, max(first, reach), last), reach)


def _statement(units: RolledUpUnits, width: int, slots: Sql) -> Sql:
    return queries.ROLLED_UP_SLOTS.render({**units._asdict(), "slots": slots}, width=width)


def _slots(rows: Rows) -> dict[int, _Slot]:
    """What is known of those slots that were ever counted."""
    return {bucket: _Slot(bool(outdated), units) for bucket, outdated, units in rows}


def _newest(slots: Mapping[int, _Slot], enough: int) -> tuple[int, list[int]]:
    """The newest slots with enough units, all of an hour, and the minute down to which there are no others."""
    found = 0
    chosen: list[int] = []
    relevant = sorted((slot for slot, each in slots.items() if each.relevant), reverse=True)
    for slot in relevant:
        if found >= enough and slot // LEVELS[0] != chosen[-1] // LEVELS[0]:
            return chosen[-1] // LEVELS[0] * LEVELS[0], chosen
        chosen.append(slot)
        found += slots[slot].units
    return 0, chosen


def _gaps(slots: Iterable[int], first: int, last: int, width: int) -> Iterator[Minutes]:
    """The minutes between and around slots, which are in order."""
    for slot in slots:
        if slot > first:
            yield first, slot - 1
        first = slot + width
    if first <= last:
        yield first, last


def _united(ranges: Iterable[Minutes], first: int, last: int) -> list[Minutes]:
    """The union of some ranges within others, in order."""
    united: list[Minutes] = []
    for start, end in sorted(ranges):
        start, end = max(start, first), min(end, last)
        if start > end:
            continue
        if united and start <= united[-1][1] + 1:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united
